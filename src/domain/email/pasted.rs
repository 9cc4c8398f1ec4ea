//! Finds the address in what a person types or pastes from a link, a mail program or a sentence.
//!
//! Everything that is removed here cannot be part of an address, so the mailbox stays the same.
//! Where it is not certain which part is the address, the text stays as it is, and the parser names
//! the character that is wrong.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::idn;
use crate::domain::characters::{self, JOINERS};
use crate::domain::fold::folded;

/// How many wrappings are removed, one inside the other. A bound, because each costs a pass over
/// the text.
const LAYERS_MAX: usize = 16;
/// Words before a colon that announce an address, folded, in the languages of the pages.
const LABELS: [&str; 6] = ["email", "mail", "邮箱", "邮件", "电子邮箱", "电子邮件"];
/// The scheme of a link to an address (RFC 6068).
const MAILTO: &str = "mailto";
/// Punctuation of the text around an address. A full stop is the DNS root's dot as well.
const TRAILING: [char; 8] = [',', ';', ':', '!', '?', '/', '、', '､'];
/// Brackets that follow a name and contain its address, or follow an address and contain a name.
const BRACKETS: [(char, char); 3] = [('<', '>'), ('[', ']'), ('(', ')')];
/// What may enclose a whole address.
const PAIRS: [(char, char); 25] = [
    ('<', '>'),
    ('[', ']'),
    ('(', ')'),
    ('{', '}'),
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('`', '\''),
    ('*', '*'),
    ('“', '”'),
    ('”', '”'),
    ('„', '“'),
    ('„', '”'),
    ('‘', '’'),
    ('’', '’'),
    ('‚', '‘'),
    ('«', '»'),
    ('»', '«'),
    ('‹', '›'),
    ('›', '‹'),
    ('「', '」'),
    ('『', '』'),
    ('《', '》'),
    ('〈', '〉'),
    ('【', '】'),
];

/// The address without what came along, its letters composed.
pub(super) fn cleaned(raw: &str) -> String {
    let raw = characters::trim(raw);
    if is_bare(raw) {
        return raw.strip_suffix('.').unwrap_or(raw).to_owned();
    }
    let mut address = readable(raw);
    for _ in 0..LAYERS_MAX {
        let next = readable(&without_layer(&address));
        if next == address {
            break;
        }
        address = next;
    }
    without_joiners(characters::trim(&address))
}

/// Whether there is certainly nothing to remove but the root's dot: the usual case, made fast.
fn is_bare(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'.' | b'-' | b'_' | b'+'))
}

/// The characters that a reader sees, composed and in their usual width. Overrides stay, so that
/// the parser refuses them. Joiners stay for the domain.
fn readable(text: &str) -> String {
    text.chars()
        .filter(|c| {
            let hidden = characters::is_invisible(*c) || characters::is_blank(*c);
            !hidden || characters::is_override(*c) || JOINERS.contains(c)
        })
        .map(usual_width)
        .nfc()
        .collect()
}

/// Input methods for Chinese and Japanese write full-width and small letters and signs. They stand
/// for the usual ones (RFC 8265, section 3.3.1; UTS 46 does the same with domains).
fn usual_width(c: char) -> char {
    match c {
        '\u{3002}' | '\u{FF61}' => '.',
        '\u{FF01}'..='\u{FF5E}' | '\u{FE50}'..='\u{FE6B}' => {
            std::iter::once(c).nfkc().next().unwrap_or(c)
        }
        c => c,
    }
}

/// Removes one wrapping of each kind.
fn without_layer(text: &str) -> Cow<'_, str> {
    let text = without_trailing(characters::trim(text));
    let text = bracketed(enclosed(text).unwrap_or(text));
    match text.split_once(':') {
        Some((scheme, rest)) if folded(scheme) == MAILTO => linked(rest),
        Some((label, rest)) if LABELS.contains(&folded(label).as_str()) => Cow::Borrowed(rest),
        _ => Cow::Borrowed(without_query(text)),
    }
}

/// `ada@example.org,` is an address in a sentence or a list. Two dots are a slip of the keyboard.
fn without_trailing(text: &str) -> &str {
    let text = text.trim_end_matches(TRAILING);
    match text.strip_suffix('.') {
        Some(rest) if !rest.ends_with('.') => rest,
        _ => text,
    }
}

/// What stands between a pair of brackets or quotation marks.
fn enclosed(text: &str) -> Option<&str> {
    PAIRS
        .iter()
        .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))
}

/// `Ada <ada@example.org>` (RFC 5322, section 3.4), `Ada [mailto:ada@example.org]` and
/// `ada@example.org (Ada)`. Two addresses have to be the same one.
fn bracketed(text: &str) -> &str {
    let parts = BRACKETS.iter().find_map(|(open, close)| {
        let (before, inside) = text.strip_suffix(*close)?.rsplit_once(*open)?;
        (!inside.contains(*close)).then_some((before.trim_end(), inside))
    });
    match parts {
        Some((before, inside)) => match (before.contains('@'), inside.contains('@')) {
            (false, true) => inside,
            (true, true) if core(before) == core(inside) => inside,
            // `ada@[192.0.2.1]` is an address literal, not a comment.
            (true, false) if !before.ends_with('@') => before,
            (true, _) | (false, false) => text,
        },
        None => text,
    }
}

/// An address as it may stand on either side of a bracket, for comparison.
fn core(text: &str) -> String {
    let text = text.to_lowercase();
    let address = text.trim_matches(|c: char| !c.is_alphanumeric());
    address
        .strip_prefix("mailto:")
        .unwrap_or(address)
        .to_owned()
}

/// The address of a link: `//ada%2Bclub@example.org?subject=Hi`, without its scheme (RFC 6068).
fn linked(rest: &str) -> Cow<'_, str> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let address = rest.split('?').next().unwrap_or_default();
    percent_encoding::percent_decode_str(address)
        .decode_utf8()
        .unwrap_or(Cow::Borrowed(address))
}

/// No domain has a question mark or a number sign: there a link's query or fragment begins.
fn without_query(text: &str) -> &str {
    let domain = text.rfind('@').unwrap_or(text.len());
    let end = text[domain..].find(['?', '#']);
    &text[..end.map_or(text.len(), |at| domain + at)]
}

/// Joiners are invisible in a local part. Persian and Indic domains need them where IDNA allows
/// them (RFC 5892, appendix A).
fn without_joiners(address: &str) -> String {
    let (local, domain) = match address.rsplit_once('@') {
        Some((local, domain)) => (local, Some(domain)),
        None => (address, None),
    };
    let mut text = local.replace(JOINERS, "");
    if let Some(domain) = domain {
        text.push('@');
        if domain.contains(JOINERS) && idn::to_ascii(domain).is_none() {
            text.push_str(&domain.replace(JOINERS, ""));
        } else {
            text.push_str(domain);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappings_are_bounded() {
        let wrapped = |layers: usize| {
            format!(
                "{}ada@example.org{}",
                "(".repeat(layers),
                ")".repeat(layers)
            )
        };
        assert_eq!(cleaned(&wrapped(LAYERS_MAX)), "ada@example.org");
        assert_ne!(cleaned(&wrapped(2 * LAYERS_MAX)), "ada@example.org");
    }

    #[test]
    fn what_is_not_certainly_an_address_stays() {
        for text in [
            "ada@example.org <bob@example.org>",
            "<ada@example.org>, <bob@example.org>",
            "https://ada@example.org",
            "'ada@example.org",
            "ada?club@example.org",
            "ada#1@example.org",
            "o'brien@example.org",
        ] {
            let kept = cleaned(text);
            assert!(
                kept == text || Some(kept.as_str()) == enclosed(text),
                "{text}: {kept}"
            );
        }
    }
}
