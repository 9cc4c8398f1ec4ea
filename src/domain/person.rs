//! Who registers: a name and an email address.

use unicode_normalization::UnicodeNormalization as _;

pub use super::email::Email;
use super::invalid::{self, Invalid};

/// A name: 1..=200 code points in NFC, at least one of them visible. White space of any kind
/// becomes one space between words. Control and bidirectional characters are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The longest name, in code points. Longer ones are essays or attacks.
    pub const MAX: usize = 200;

    /// Parses what a person typed. Fails with the rule or the character that is wrong.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let mut spaced = String::with_capacity(raw.len());
        for word in raw.split_whitespace() {
            if !spaced.is_empty() {
                spaced.push(' ');
            }
            if word.is_ascii() {
                spaced.push_str(word);
            } else {
                spaced.extend(word.nfc());
            }
        }
        invalid::text("name", &spaced, 1, Self::MAX, false).map(Self)
    }

    /// The empty name of an erased registration.
    pub(crate) fn erased() -> Self {
        Self(String::new())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::cases;

    #[test]
    fn names_are_trimmed_and_bounded_in_code_points() {
        assert_eq!(Name::parse("  李 小龙 ").unwrap().as_str(), "李 小龙");
        assert!(Name::parse(&"名".repeat(200)).is_ok());
        assert_eq!(
            Name::parse(&"名".repeat(201)).unwrap_err().reason,
            "too-long"
        );
        assert_eq!(Name::parse(" \t ").unwrap_err().reason, "empty");
        assert_eq!(
            Name::parse(" Ada\u{3000}\n \u{A0}King\u{85}\u{2028}x ")
                .unwrap()
                .as_str(),
            "Ada King x"
        );
    }

    #[test]
    fn a_name_is_kept_tidied_or_refused() {
        for [raw, taken, outcome] in cases::read(include_str!("../../tests/cases/names.tsv")) {
            let name = cases::text(&raw);
            match (Name::parse(&name), taken.as_str()) {
                (Ok(stored), "yes") => {
                    let composed: String = name.nfc().collect();
                    let expected = match outcome.split([' ', ';']).next() {
                        Some("unchanged") => name.as_str(),
                        Some("NFC") => &composed,
                        Some("the") => name.trim_matches(['\u{2068}', '\u{2069}']),
                        _ => outcome.split(" (").next().unwrap(),
                    };
                    assert_eq!(stored.as_str(), expected, "{raw}");
                }
                (Err(refused), "no") => {
                    let expected = outcome.trim_start_matches("names the character: ");
                    assert!(refused.message.contains(expected), "{raw}: {refused}");
                }
                (outcome, _) => panic!("{raw}: {outcome:?}"),
            }
        }
    }

    #[test]
    fn a_name_cannot_change_the_direction_of_its_line() {
        for hostile in [
            "a\u{202E}b",
            "a\u{2066}b",
            "a\0b",
            "a\u{9B}b",
            "a\u{200F}b",
            "a\u{FEFF}b",
        ] {
            let refused = Name::parse(hostile).unwrap_err();
            assert_eq!(refused.character, hostile.chars().nth(1), "{hostile:?}");
        }
        // Zero-width joiners belong to real names and to emoji.
        assert!(Name::parse("क्\u{200D}ष").is_ok());
    }
}
