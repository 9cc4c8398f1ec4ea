//! Domains by the rules of host names (RFC 1034, section 3.5; RFC 1123, section 2.1) and by their
//! international rules (UTS 46, RFC 5891, RFC 5893).

use std::borrow::Cow;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use crate::domain::characters;
use crate::domain::characters::JOINERS;
use crate::domain::invalid::Invalid;

/// A label from right to left. Beside it, every label has to obey the rules of direction (RFC 5893,
/// section 2).
const RIGHT_TO_LEFT: &str = "א";
/// The longest label, in octets of its A-label (RFC 1035, section 2.3.4; RFC 5890, section 2.3.2.1).
pub(super) const LABEL_MAX: usize = 63;
/// The longest domain, in octets of its A-labels and the dots between them: 255 octets on the wire
/// (RFC 1035, section 2.3.4) are a length before each label, and the root's.
const DOMAIN_MAX: usize = 253;

/// The domain's A-labels (RFC 5891); `None` if no domain has this name. Underscores are allowed:
/// `a_b.example` is reachable.
pub(super) fn to_ascii(domain: &str) -> Option<String> {
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

/// The domain's U-labels, in lower case.
pub(super) fn to_unicode(domain: &str) -> Cow<'_, str> {
    Uts46::new()
        .to_unicode(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow)
        .0
}

/// Refuses a domain that no host can have, and names what is wrong in it.
pub(super) fn check(domain: &str) -> Result<(), Invalid> {
    if is_misplaced(domain) {
        return Err(malformed());
    }
    if let Some(c) = domain.chars().find(|c| is_foreign(*c)) {
        return Err(Invalid::character("email", c));
    }
    // "xn--" begins a label that is checked in its own letters.
    if domain.is_ascii() && !domain.contains("--") {
        return check_labels(domain, domain);
    }
    match to_ascii(domain) {
        Some(ascii) if !is_misplaced(&ascii) && !ascii.contains(is_foreign) => {
            check_labels(&to_unicode(domain), &ascii)
        }
        Some(_) | None => Err(fault(domain)),
    }
}

/// Names the label that begins or ends with a hyphen or is too long, or says that all of them are.
/// Both forms have the same labels: people read `shown`, the limits are those of `ascii`.
fn check_labels(shown: &str, ascii: &str) -> Result<(), Invalid> {
    for (label, coded) in shown.split('.').zip(ascii.split('.')) {
        let wrong = if label.starts_with('-') || label.ends_with('-') {
            "which begins or ends with a hyphen".to_owned()
        } else if coded.len() > LABEL_MAX {
            let length = coded.len();
            format!("which has {length} characters as a host name; at most {LABEL_MAX} are allowed")
        } else {
            continue;
        };
        let message = format!("email has the domain label {label:?}, {wrong}");
        return Err(Invalid::new("email", "malformed", message));
    }
    if ascii.len() > DOMAIN_MAX {
        let length = ascii.len();
        let message = format!(
            "email has a domain of {length} characters as a host name; at most {DOMAIN_MAX} are allowed"
        );
        return Err(Invalid::new("email", "malformed", message));
    }
    Ok(())
}

/// Nothing where a label has to stand.
fn is_misplaced(domain: &str) -> bool {
    domain.is_empty() || domain.starts_with('.') || domain.ends_with('.') || domain.contains("..")
}

/// Punctuation that DNS names do not have; often it comes along with a pasted address.
fn is_foreign(c: char) -> bool {
    c.is_ascii() && !c.is_ascii_alphanumeric() && !"-._".contains(c)
}

/// A text that is no address at all.
pub(super) fn malformed() -> Invalid {
    let message = "email must look like name@example.org";
    Invalid::new("email", "malformed", message)
}

/// Names the character that no domain has, else the label that breaks a rule.
fn fault(domain: &str) -> Invalid {
    if let Some(c) = domain.chars().find(|c| is_impossible(*c)) {
        return Invalid::character("email", c);
    }
    let Some(label) = impossible_label(domain) else {
        return malformed();
    };
    let Some(c) = misplaced_character(label) else {
        let message =
            format!("email has the domain label {label:?}, which is no international name");
        return Invalid::new("email", "malformed", message);
    };
    let name = characters::described(c);
    Invalid {
        message: format!("email has the domain label {label:?}, which cannot contain {name}"),
        ..Invalid::character("email", c)
    }
}

/// Whether no domain has this character, wherever it stands.
fn is_impossible(c: char) -> bool {
    if c.is_ascii() || JOINERS.contains(&c) {
        return false;
    }
    // After a letter, where a mark is allowed.
    match to_ascii(&format!("a{c}")).or_else(|| to_ascii(&c.to_string())) {
        Some(ascii) => ascii.contains(is_foreign) || is_misplaced(&ascii),
        None => true,
    }
}

fn impossible_label(domain: &str) -> Option<&str> {
    let alone = domain.split('.').find(|label| to_ascii(label).is_none());
    alone.or_else(|| domain.split('.').find(|label| !is_possible(label)))
}

/// Whether a label is allowed in a domain that is written from right to left.
fn is_possible(label: &str) -> bool {
    to_ascii(&format!("{label}.{RIGHT_TO_LEFT}")).is_some()
}

/// The character without which the label is allowed, if there is one. A label in Punycode shows
/// nobody its characters.
fn misplaced_character(label: &str) -> Option<char> {
    if label.is_ascii() && label.contains("--") {
        return None;
    }
    let without = |at: usize, c: char| [&label[..at], &label[at + c.len_utf8()..]].concat();
    let single = label
        .char_indices()
        .rev()
        .find(|(at, c)| is_possible(&without(*at, *c)));
    single.map(|(_, c)| c).or_else(|| label.chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_breaks_a_rule_is_named_with_its_character() {
        for (domain, label, character) in [
            // RFC 5893, section 2, rules 1 to 5.
            ("1א.example", "1א", Some('1')),
            ("אa.example", "אa", Some('a')),
            ("aא.example", "aא", Some('א')),
            ("א-ב_.example", "א-ב_", Some('_')),
            // A label of digits next to one from right to left.
            ("mail.1.אב", "1", Some('1')),
            // RFC 5892, section 2.6: broken Punycode.
            ("xn--a.example", "xn--a", None),
            // Beside a label that is not allowed in a domain from right to left.
            ("1a.xn--a.example", "xn--a", None),
            // Letters of both directions, so that leaving out one character does not help.
            ("aבcד.example", "aבcד", Some('a')),
            ("א--a.example", "א--a", Some('א')),
            // RFC 5892, appendix A: a joiner after a letter that does not join.
            ("a\u{200D}b.example", "a\u{200D}b", Some('\u{200D}')),
            ("mail.xn--0.example", "xn--0", None),
        ] {
            let refused = check(domain).expect_err(domain);
            assert_eq!(refused.character, character, "{domain}: {refused}");
            assert!(
                refused.message.contains(&format!("label {label:?}")),
                "{domain}: {refused}"
            );
        }
        for domain in [
            "אב.example",
            "mail.אב",
            "xn--bcher-kva.example",
            "a--b.example",
            "a_b.x",
        ] {
            assert_eq!(check(domain), Ok(()), "{domain}");
        }
    }

    #[test]
    fn labels_and_domains_follow_the_rules_of_host_names() {
        let long = |letters: usize| "a".repeat(letters);
        let u_label = "ü".repeat(40);
        assert!(to_ascii(&u_label).unwrap().len() <= LABEL_MAX);
        let labels = |count: usize| vec![long(LABEL_MAX); count].join(".");
        for (domain, named) in [
            (
                "a-.example".to_owned(),
                "label \"a-\", which begins or ends",
            ),
            (
                "a.-b.example".to_owned(),
                "label \"-b\", which begins or ends",
            ),
            (
                "-a.example".to_owned(),
                "label \"-a\", which begins or ends",
            ),
            (
                "a.example-".to_owned(),
                "label \"example-\", which begins or ends",
            ),
            ("a.-".to_owned(), "label \"-\", which begins or ends"),
            (
                "ü-.example".to_owned(),
                "label \"ü-\", which begins or ends",
            ),
            (
                "a.-名.example".to_owned(),
                "label \"-名\", which begins or ends",
            ),
            (format!("{}.example", long(64)), "which has 64 characters"),
            (format!("mail.{}", long(100)), "which has 100 characters"),
            (
                format!("{}.example", "名".repeat(60)),
                "at most 63 are allowed",
            ),
            (format!("{}.a", labels(4)), "a domain of 257 characters"),
            // 63 letters each, written in 52 and fewer.
            ([u_label.as_str(); 6].join("."), "at most 253 are allowed"),
        ] {
            let refused = check(&domain).expect_err(&domain);
            assert!(refused.message.contains(named), "{domain}: {refused}");
        }
        for domain in [
            format!("{}.example", long(LABEL_MAX)),
            format!("{}.{}", labels(3), long(DOMAIN_MAX - 3 * (LABEL_MAX + 1))),
            format!("{u_label}.example"),
            "a-b.1-2.example".to_owned(),
            "_dmarc.a_.example".to_owned(),
        ] {
            assert_eq!(check(&domain), Ok(()), "{domain}");
        }
    }

    #[test]
    fn a_character_that_becomes_punctuation_is_named() {
        for (domain, c) in [
            ("x\u{2100}.org", '\u{2100}'),
            ("x.org\u{2026}", '\u{2026}'),
            ("ex\u{2488}mple.org", '\u{2488}'),
            ("x\u{E000}.org", '\u{E000}'),
            ("x\u{3002}.org", '\u{3002}'),
            ("\u{3002}x.org", '\u{3002}'),
            ("x.org/", '/'),
        ] {
            let refused = check(domain).unwrap_err();
            assert_eq!(refused.character, Some(c), "{domain}");
            assert!(!refused.message.contains("label"), "{domain}: {refused}");
        }
    }
}
