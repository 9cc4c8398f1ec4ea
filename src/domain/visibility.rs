//! Who finds an event.

use std::fmt;

use serde::{Serialize, Serializer};

use super::invalid::Invalid;

/// An event's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Visibility {
    /// Everybody, also in lists and feeds.
    #[default]
    Public,
    /// Everybody who has its address. No list and no feed names it.
    Unlisted,
    /// Organisers only. For everybody else there is no such event, and nobody registers.
    Draft,
}

impl Visibility {
    /// The setting's name.
    pub const FIELD: &'static str = "visibility";
    /// All of them, in the order in which the console offers them.
    pub const ALL: [Self; 3] = [Self::Public, Self::Unlisted, Self::Draft];

    /// Parses a word. Fails unless it is one of [`Self::ALL`].
    pub fn parse(word: &str) -> Result<Self, Invalid> {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|one| one.as_str() == word.trim());
        found.ok_or_else(|| {
            Invalid::new(
                Self::FIELD,
                "unknown",
                "visibility must be public, unlisted or draft",
            )
        })
    }

    /// The word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Draft => "draft",
        }
    }
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Visibility {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_one_of_three_words() {
        for one in Visibility::ALL {
            assert_eq!(Visibility::parse(one.as_str()), Ok(one));
            assert_eq!(serde_json::json!(one), one.as_str());
        }
        for bad in ["", "Draft", "private", "true", "public,draft"] {
            let refused = Visibility::parse(bad).unwrap_err();
            assert_eq!(refused.field, "visibility", "{bad:?}");
        }
    }
}
