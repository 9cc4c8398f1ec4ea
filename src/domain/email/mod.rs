//! An email address, and when two of them are one mailbox.

mod idn;
mod pasted;

use unicode_normalization::UnicodeNormalization as _;

use super::characters;
use super::fold::fold_case;
use super::invalid::{Invalid, is_hostile};

/// An address that can plausibly receive mail: one `@`, something on both sides, at most 254 code
/// points (RFC 5321, section 4.5.3.1.3). Two addresses are one mailbox if they have the same
/// [`key`](Self::key).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    text: String,
    key: String,
}

impl Email {
    /// The longest address, in code points: RFC 5321's path of 256 octets without its angle
    /// brackets.
    pub const MAX: usize = 254;
    /// Characters that an address has nowhere, besides white space: RFC 5322 allows them only in
    /// quotation marks (section 3.2.3, `specials`).
    pub const SEPARATORS: [char; 12] =
        ['<', '>', '(', ')', '[', ']', ',', ';', ':', '"', '\\', '@'];
    /// Characters that a label of a domain does not begin or end with.
    pub const JOINTS: [char; 2] = ['.', '-'];
    /// The longest label of a domain, in letters of DNS.
    pub const LABEL_MAX: usize = idn::LABEL_MAX;

    /// Parses what a person typed or pasted.
    ///
    /// Invisible characters, `mailto:`, a name beside the address, enclosing brackets and quotation
    /// marks, trailing punctuation and the root's dot are removed. Fails with the character or the
    /// domain label that no address has.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let text = pasted::cleaned(raw);
        if !characters::shows_something(&text) {
            return Err(Invalid::empty("email"));
        }
        let length = text.chars().count();
        if length > Self::MAX {
            return Err(Invalid::too_long("email", length, Self::MAX));
        }
        let (local, domain) = text.rsplit_once('@').ok_or_else(idn::malformed)?;
        let refused =
            |c: &char| c.is_whitespace() || is_hostile(*c) || Self::SEPARATORS.contains(c);
        if let Some(c) = local.chars().chain(domain.chars()).find(refused) {
            return Err(Invalid::character("email", c));
        }
        if local.is_empty() {
            return Err(idn::malformed());
        }
        idn::check(domain)?;
        Ok(Self::stored(text))
    }

    /// An address that was parsed before it was stored.
    pub(crate) fn stored(text: String) -> Self {
        let key = key(&text);
        Self { text, key }
    }

    /// The address without what [`Self::parse`] removes.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The unique form: the local part in NFC and without case, and the domain's ASCII form (UTS
    /// 46).
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The address with its domain as people read it, in lower case. Differs from the key where the
    /// domain is international.
    pub(super) fn readable(&self) -> String {
        let (local, domain) = self.key.rsplit_once('@').unwrap_or(("", &self.key));
        format!("{local}@{}", idn::to_unicode(domain))
    }
}

fn key(text: &str) -> String {
    // An A-label that is valid is already in its only form.
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let (local, domain) = text.rsplit_once('@').unwrap_or((text, ""));
    let local: String = local.nfc().flat_map(fold_case).nfc().collect();
    let domain =
        idn::to_ascii(domain).unwrap_or_else(|| domain.nfc().flat_map(fold_case).collect());
    format!("{local}@{domain}")
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::cases;

    #[test]
    fn one_mailbox_is_one_key_however_it_is_written() {
        for [first, second, same, why] in
            cases::read(include_str!("../../../tests/cases/same-mailbox.tsv"))
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
            ("ışık@example.org", "ışık@example.org"),
            // The small letter is one character, the capital is two.
            ("J\u{30C}an@example.org", "\u{1F0}an@example.org"),
            ("ada\u{FE6B}example.org", "ada@example.org"),
            ("ada@example.org\u{FE51}", "ada@example.org"),
            ("ada@example.org\u{FF61}", "ada@example.org"),
            ("Ada@Example.org <ada@example.org>", "ada@example.org"),
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
    fn what_is_wrong_with_an_address_is_named() {
        for [address, named, why] in
            cases::read(include_str!("../../../tests/cases/refused-addresses.tsv"))
        {
            let refused = Email::parse(&cases::text(&address)).expect_err(&address);
            assert!(
                refused.message.contains(&named),
                "{address} {why}: {refused}"
            );
        }
    }

    proptest! {
        #[test]
        fn an_address_that_is_taken_stays_the_same_when_it_is_sent_again(
            parts in vec(select(PARTS), 1..12),
        ) {
            if let Ok(email) = Email::parse(&parts.concat()) {
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email.clone()));
                prop_assert_eq!(Email::parse(email.key()).map(|e| e.key), Ok(email.key));
            }
        }
    }

    /// What addresses are typed and pasted with.
    const PARTS: &[&str] = &[
        "ada", "@", "example", ".org", ".", "-", "--", "xn--", "mailto:", "//", "E-Mail: ", "Ada ",
        "<", ">", "(", ")", "[", "]", "\"", "'", "“", "”", ",", ";", ":", "?", "#", "!", "%40",
        "%", " ", "\u{200B}", "\u{200D}", "\u{A0}", "\u{202E}", "＠", "。", "ａ", "é", "e\u{301}",
        "ß", "א", "1", "نامه", "क्", "℀", "…", "İ", "Σ",
    ];

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
        let longest = format!(
            "{}@example.org",
            "a".repeat(Email::MAX - "@example.org".len())
        );
        assert_eq!(Email::parse(&longest).unwrap().as_str(), longest);
        assert!(Email::parse("ada+tag@localhost").is_ok());
        assert!(Email::parse("用户@例子.中国").is_ok());
    }
}
