//! Who finds an event.

use std::fmt;

use super::invalid::Invalid;
use super::words::words;

words! {
    /// An event's setting.
    #[derive(Default)]
    pub enum Visibility {
        /// Everybody, also in lists and feeds.
        #[default]
        Public = "public",
        /// Everybody who has its address. No list and no feed names it.
        Unlisted = "unlisted",
        /// Organisers only. For everybody else there is no such event, and nobody registers.
        Draft = "draft",
    }
}

impl Visibility {
    /// The setting's name.
    pub const FIELD: &'static str = "visibility";

    /// Reads the setting. Fails unless it is one of [`Self::ALL`].
    pub fn read(word: &str) -> Result<Self, Invalid> {
        let unknown = || Invalid::not_one_of(Self::FIELD, &Self::ALL.map(Self::as_str));
        Self::parse(word.trim()).ok_or_else(unknown)
    }
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_one_of_three_words() {
        for one in Visibility::ALL {
            assert_eq!(Visibility::read(one.as_str()), Ok(one));
        }
        for bad in ["", "Draft", "private", "true", "public,draft"] {
            let refused = Visibility::read(bad).unwrap_err();
            assert_eq!(refused.field, "visibility", "{bad:?}");
        }
    }
}
