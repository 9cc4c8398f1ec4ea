//! When a program that registers people must show that it has computed something.

use std::fmt;

use serde::{Serialize, Serializer};

use super::invalid::Invalid;

/// An event's setting. Programs with a token never need a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProofOfWork {
    /// Nobody needs a proof.
    #[default]
    Off,
    /// Visitors need one while registrations from many addresses fail or exceed the usual rate.
    Auto,
    /// Every visitor needs one.
    On,
}

impl ProofOfWork {
    /// The setting's name.
    pub const FIELD: &'static str = "proof_of_work";
    /// All of them, in the order in which the console offers them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Auto, Self::On];

    /// Parses a word. Fails unless it is one of [`Self::ALL`].
    pub fn parse(word: &str) -> Result<Self, Invalid> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|one| one.as_str() == word.trim());
        found.ok_or_else(|| {
            Invalid::new(
                Self::FIELD,
                "unknown",
                "proof_of_work must be off, auto or on",
            )
        })
    }

    /// The word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Auto => "auto",
            Self::On => "on",
        }
    }
}

impl fmt::Display for ProofOfWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ProofOfWork {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_one_of_three_words() {
        for one in ProofOfWork::ALL {
            assert_eq!(ProofOfWork::parse(one.as_str()), Ok(one));
            assert_eq!(serde_json::json!(one), one.as_str());
        }
        for bad in ["", "On", "yes", "true", "auto,on"] {
            let refused = ProofOfWork::parse(bad).unwrap_err();
            assert_eq!(refused.field, "proof_of_work", "{bad:?}");
        }
    }
}
