//! When a program that registers people must show that it has computed something.

use std::fmt;

use super::invalid::Invalid;
use super::words::words;

words! {
    /// An event's setting. Programs with a token never need a proof.
    #[derive(Default)]
    pub enum ProofOfWork {
        /// Nobody needs a proof.
        #[default]
        Off = "off",
        /// Visitors need one while registrations from many addresses fail or exceed the usual rate.
        Auto = "auto",
        /// Every visitor needs one.
        On = "on",
    }
}

impl ProofOfWork {
    /// The setting's name.
    pub const FIELD: &'static str = "proof_of_work";

    /// Reads the setting. Fails unless it is one of [`Self::ALL`].
    pub fn read(word: &str) -> Result<Self, Invalid> {
        let unknown = || Invalid::not_one_of(Self::FIELD, &Self::ALL.map(Self::as_str));
        Self::parse(word.trim()).ok_or_else(unknown)
    }
}

impl fmt::Display for ProofOfWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_one_of_three_words() {
        for one in ProofOfWork::ALL {
            assert_eq!(ProofOfWork::read(one.as_str()), Ok(one));
        }
        for bad in ["", "On", "yes", "true", "auto,on"] {
            let refused = ProofOfWork::read(bad).unwrap_err();
            assert_eq!(refused.field, "proof_of_work", "{bad:?}");
        }
    }
}
