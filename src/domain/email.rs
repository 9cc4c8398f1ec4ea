//! An email address, and when two of them are one mailbox.

use std::borrow::Cow;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization as _;

use super::characters::{self, JOINERS};
use super::invalid::{Invalid, is_hostile};
use super::search::fold_case;

/// An address that can plausibly receive mail: one `@`, something on both sides, at most 254 code
/// points (RFC 5321, section 4.5.3.1.3). Two addresses are one mailbox if their [`key`](Self::key)
/// is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    text: String,
    key: String,
}

impl Email {
    /// RFC 5321's path of 256 octets less its angle brackets.
    pub const MAX: usize = 254;
    /// What an address has nowhere, besides white space: it separates addresses or would have to be
    /// quoted.
    pub const SEPARATORS: [char; 7] = ['<', '>', ',', ';', '"', '\\', '@'];
    /// What a domain does not begin with. Only the root's dot may follow its last letter.
    pub const JOINTS: [char; 2] = ['.', '-'];

    /// Parses what a person typed or pasted. What is invisible, a `mailto:` and the root's dot are
    /// removed.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let text = cleaned(raw);
        if !characters::shows_something(&text) {
            return Err(Invalid::empty("email"));
        }
        let length = text.chars().count();
        if length > Self::MAX {
            return Err(Invalid::too_long("email", length, Self::MAX));
        }
        let malformed = || {
            Invalid::new(
                "email",
                "malformed",
                "email must look like name@example.org",
            )
        };
        let (local, domain) = text.rsplit_once('@').ok_or_else(malformed)?;
        let refused =
            |c: &char| c.is_whitespace() || is_hostile(*c) || Self::SEPARATORS.contains(c);
        if let Some(c) = local.chars().chain(domain.chars()).find(refused) {
            return Err(Invalid::character("email", c));
        }
        let misplaced = |text: &str| {
            text.is_empty()
                || text.starts_with(Self::JOINTS)
                || text.ends_with(Self::JOINTS)
                || text.contains("..")
        };
        if local.is_empty() || misplaced(domain) {
            return Err(malformed());
        }
        if let Some(c) = disallowed(domain) {
            return Err(Invalid::character("email", c));
        }
        Ok(Self::stored(text))
    }

    /// An address that was parsed before it was stored.
    pub(crate) fn stored(text: String) -> Self {
        let key = key(&text);
        Self { text, key }
    }

    /// As it was typed, without what [`Self::parse`] removes.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What makes it unique: the local part in NFC without case, and the domain as DNS has it (UTS
    /// 46).
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The address with its domain as people read it, in lower case; differs from the key where the
    /// domain is international.
    pub(super) fn readable(&self) -> String {
        let (local, domain) = self.key.rsplit_once('@').unwrap_or(("", &self.key));
        let (domain, _) =
            Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
        format!("{local}@{domain}")
    }
}

/// Removes what comes along when an address is pasted, and composes its letters.
fn cleaned(raw: &str) -> String {
    let raw = characters::trim(raw);
    if raw.is_ascii() && !raw.contains(':') {
        return raw.strip_suffix('.').unwrap_or(raw).to_owned();
    }
    // A link's address is decoded before it is cleaned, and an invisible character may stand before
    // the scheme: repeated until nothing changes.
    let mut address = raw.to_owned();
    loop {
        let next = visible(&without_scheme(&address));
        if next == address {
            break;
        }
        address = next;
    }
    let address = characters::trim(&address);
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let local: String = local.chars().filter(|c| !JOINERS.contains(c)).collect();
    if !address.contains('@') {
        return local;
    }
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    // Persian and Indic domains need joiners where IDNA has them (RFC 5892, appendix A); elsewhere
    // they are only invisible.
    let domain: Cow<'_, str> = if domain.contains(JOINERS) && to_ascii(domain).is_none() {
        domain.replace(JOINERS, "").into()
    } else {
        domain.into()
    };
    format!("{local}@{domain}")
}

/// The characters that a reader sees, composed. Overrides stay, to be refused; joiners stay for the
/// domain.
fn visible(text: &str) -> String {
    text.chars()
        .filter(|c| {
            let hidden = characters::is_invisible(*c) || characters::is_blank(*c);
            !hidden || characters::is_override(*c) || JOINERS.contains(c)
        })
        // Input methods for Chinese and Japanese write these (UTS 46 maps the dots as well).
        .map(|c| match c {
            '\u{FF20}' | '\u{FE6B}' => '@',
            '\u{3002}' | '\u{FF0E}' | '\u{FF61}' => '.',
            c => c,
        })
        .nfc()
        .collect()
}

/// `mailto:ada%2Bclub@example.org?subject=Hi` is the address of a link (RFC 6068).
fn without_scheme(text: &str) -> Cow<'_, str> {
    const SCHEME: &str = "mailto:";
    match text.get(..SCHEME.len()) {
        Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => {
            let address = text[SCHEME.len()..].split('?').next().unwrap_or_default();
            percent_encoding::percent_decode_str(address)
                .decode_utf8()
                .unwrap_or(Cow::Borrowed(address))
        }
        _ => Cow::Borrowed(text),
    }
}

fn key(text: &str) -> String {
    // "xn--" names a domain that may also be written in its own letters.
    if text.is_ascii() && !text.contains("--") {
        return text.to_ascii_lowercase();
    }
    let (local, domain) = text.rsplit_once('@').unwrap_or((text, ""));
    let local: String = local.nfc().flat_map(fold_case).nfc().collect();
    let domain = to_ascii(domain).unwrap_or_else(|| domain.nfc().flat_map(fold_case).collect());
    format!("{local}@{domain}")
}

/// The domain's A-labels (RFC 5891); `None` if it has none. DNS's own letters are not enforced:
/// `a_b.example` is reachable.
fn to_ascii(domain: &str) -> Option<String> {
    Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::EMPTY,
            Hyphens::Allow,
            DnsLength::Ignore,
        )
        .ok()
        .map(Cow::into_owned)
}

/// The first character that no domain can have. A domain that is refused as a whole (a rule of
/// direction, a broken A-label) has none, and is taken: nothing in it could be named to the person
/// who typed it.
fn disallowed(domain: &str) -> Option<char> {
    // Punctuation that came along with a pasted address; DNS has no such names.
    let foreign = |c: &char| c.is_ascii() && !c.is_ascii_alphanumeric() && !"-._".contains(*c);
    if let Some(c) = domain.chars().find(foreign) {
        return Some(c);
    }
    if domain.is_ascii() || to_ascii(domain).is_some() {
        return None;
    }
    // Between letters, where a mark may stand and a joiner never does harm.
    let alone = |c: char| to_ascii(&format!("a{c}")).or_else(|| to_ascii(&c.to_string()));
    domain
        .chars()
        .find(|c| !JOINERS.contains(c) && alone(*c).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cases;

    #[test]
    fn one_mailbox_is_one_key_however_it_is_written() {
        for [first, second, same, why] in
            cases::read(include_str!("../../tests/cases/same-mailbox.tsv"))
        {
            let [one, other] = [&first, &second].map(|address| {
                Email::parse(&cases::text(address)).unwrap_or_else(|e| panic!("{address}: {e}"))
            });
            assert_eq!(
                one.key() == other.key(),
                same == "yes",
                "{first} {second} {why}"
            );
            // A row's key is computed anew from its text.
            assert_eq!(Email::stored(other.text.clone()), other, "{second}");
        }
    }

    #[test]
    fn spellings_beyond_the_cases_meet_in_one_key() {
        for (typed, key) in [
            ("Ada@Example.ORG", "ada@example.org"),
            (
                " MAILTO:Ada%2Bclub@example.org?subject=Hi ",
                "ada+club@example.org",
            ),
            ("ada\u{FF20}example\u{3002}org", "ada@example.org"),
            ("ada@exam\u{AD}ple.org", "ada@example.org"),
            ("ada\u{200D}@exam\u{200C}ple.org", "ada@example.org"),
            ("\u{3164}ada@example.org", "ada@example.org"),
            ("ada@ＥＸＡＭＰＬＥ.org", "ada@example.org"),
            ("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example"),
            ("ada@BU\u{308}CHER.example.", "ada@xn--bcher-kva.example"),
            ("ΝΙΚΟΣ@example.org", "νικοσ@example.org"),
            ("νικος@example.org", "νικοσ@example.org"),
        ] {
            assert_eq!(
                Email::parse(typed).map(|email| email.key),
                Ok(key.to_owned()),
                "{typed:?}"
            );
        }
        assert_eq!(
            Email::parse("Ada@Example.ORG").unwrap().as_str(),
            "Ada@Example.ORG"
        );
        // Persian domains have a joiner of their own (RFC 5892, appendix A.1).
        assert_ne!(
            Email::parse("a@نامه\u{200C}ای.example").unwrap().key(),
            Email::parse("a@نامهای.example").unwrap().key()
        );
    }

    #[test]
    fn a_character_that_no_address_has_is_named() {
        for (typed, named) in [
            ("ada @example.org", ' '),
            ("ada\u{A0}l@example.org", '\u{A0}'),
            ("ada@exam\u{3000}ple.org", '\u{3000}'),
            ("Ada <ada@example.org>", ' '),
            ("<ada@example.org>", '<'),
            ("ada@example.org,bob@example.org", '@'),
            ("ada@example.org;", ';'),
            ("\u{202E}gro.elpmaxe@ada", '\u{202E}'),
            ("ada@ex\u{2488}mple.org", '\u{2488}'),
            ("a\u{1}da@example.org", '\u{1}'),
        ] {
            let refused = Email::parse(typed).unwrap_err();
            assert_eq!(refused.character, Some(named), "{typed:?}");
        }
    }

    #[test]
    fn addresses_that_cannot_receive_mail_are_refused() {
        for bad in [
            "ada",
            "",
            "\u{200B}",
            "@example.org",
            "ada@",
            "ada@\u{200B}",
            "ada@.",
            "ada@.org",
            "ada@-x.org",
            "ada@example..",
            "ada@ex..org",
            "ada@ex\u{3002}.org",
            &format!("{}@example.org", "a".repeat(Email::MAX)),
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Email::parse("ada+tag@localhost").is_ok());
        assert!(Email::parse("用户@例子.中国").is_ok());
    }
}
