//! Who registers: a name and an e-mail address.

use super::invalid::{self, Invalid};

/// 1..=200 code points after trimming, no control or bidirectional-override characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Longer "names" are essays or attacks.
    pub const MAX: usize = 200;

    /// Parses what a person typed.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        invalid::text("name", raw, 1, Self::MAX, false).map(Self)
    }

    /// A name that was parsed before it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An address that can plausibly receive mail: one `@`, something on both sides, at most 254 code points (RFC 5321,
/// section 4.5.3.1.3). Two that differ only in case are the same person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    text: String,
    key: String,
}

impl Email {
    /// RFC 5321's path of 256 octets less its angle brackets.
    pub const MAX: usize = 254;
    /// What an address has nowhere, white space beside: it separates addresses or would have to be quoted.
    pub const SEPARATORS: [char; 7] = ['<', '>', ',', ';', '"', '\\', '@'];
    /// What a domain neither begins nor ends with.
    pub const JOINTS: [char; 2] = ['.', '-'];

    /// Parses what a person typed.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let text = invalid::text("email", raw, 1, Self::MAX, false)?;
        let malformed = || {
            Invalid::new(
                "email",
                "malformed",
                "email must look like name@example.org",
            )
        };
        let (local, domain) = text.rsplit_once('@').ok_or_else(malformed)?;
        let misplaced = |c: char| c.is_whitespace() || Self::SEPARATORS.contains(&c);
        let ok = !local.is_empty()
            && !domain.is_empty()
            && !local.contains(misplaced)
            && !domain.contains(misplaced)
            && !domain.starts_with(Self::JOINTS)
            && !domain.ends_with(Self::JOINTS)
            && !domain.contains("..");
        if ok {
            Ok(Self::stored(text))
        } else {
            Err(malformed())
        }
    }

    /// An address that was parsed before it was stored.
    pub(crate) fn stored(text: String) -> Self {
        let key = text.to_lowercase();
        Self { text, key }
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What makes it unique: the address without case.
    pub fn key(&self) -> &str {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded_in_code_points() {
        assert_eq!(Name::parse("  李 小龙 ").unwrap().as_str(), "李 小龙");
        assert!(Name::parse(&"名".repeat(200)).is_ok());
        assert_eq!(
            Name::parse(&"名".repeat(201)).unwrap_err().reason,
            "too-long"
        );
        assert_eq!(Name::parse(" \t ").unwrap_err().reason, "empty");
    }

    #[test]
    fn names_cannot_rewrite_the_line_they_stand_in() {
        for hostile in [
            "a\u{202E}b",
            "a\u{2066}b",
            "a\0b",
            "a\nb",
            "a\rb",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{200F}b",
        ] {
            assert_eq!(
                Name::parse(hostile).unwrap_err().reason,
                "control-character",
                "{hostile:?}"
            );
        }
        // Zero-width joiners belong to real names and to emoji.
        assert!(Name::parse("क्\u{200D}ष").is_ok());
    }

    #[test]
    fn addresses_are_compared_without_case() {
        assert_eq!(
            Email::parse("Ada@Example.ORG").unwrap().key(),
            Email::parse("ada@example.org").unwrap().key()
        );
        assert_eq!(
            Email::parse("Ada@Example.ORG").unwrap().as_str(),
            "Ada@Example.ORG"
        );
    }

    #[test]
    fn addresses_that_cannot_receive_mail_are_refused() {
        for bad in [
            "ada",
            "@example.org",
            "ada@",
            "a b@example.org",
            "a@b@c",
            "ada@.org",
            "ada@example.",
            "ada@ex..org",
            "a@b,c@d",
            "<a@b.org>",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad}");
        }
        assert!(Email::parse("ada+tag@localhost").is_ok());
        assert!(Email::parse("用户@例子.中国").is_ok());
    }
}
