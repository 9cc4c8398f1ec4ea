//! The one cursor of every transport: `<epoch>-<revision>`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Counts the committed changes of one event, from 1. Never goes back, not even at a reset.
pub type Revision = i64;

/// Drawn when an event is created, so that a cursor into a replaced database is not mistaken for
/// one into this one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Epoch(Arc<str>);

impl Epoch {
    /// Shortest and longest epoch that is read.
    pub const LENGTH: std::ops::RangeInclusive<usize> = 6..=12;
    /// The length of those drawn here: 36^8 values, so two databases hardly ever share one.
    const DRAWN: usize = 8;

    /// A new random epoch.
    pub fn draw() -> Self {
        const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let drawn: String = (0..Self::DRAWN)
            .map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())]))
            .collect();
        Self(drawn.into())
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Epoch {
    type Err = NotAPosition;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let ok = Self::LENGTH.contains(&s.len())
            && s.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if ok {
            Ok(Self(s.into()))
        } else {
            Err(NotAPosition)
        }
    }
}

/// A place in an event's history: the SSE `id`, the `ETag` (in quotes), the cursor of every other
/// transport.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which history.
    pub epoch: Epoch,
    /// How far into it.
    pub revision: Revision,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch.as_str(), self.revision)
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The text is no `<epoch>-<revision>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position such as q7f2k9-128")]
pub struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (epoch, revision) = s.split_once('-').ok_or(NotAPosition)?;
        let plain = !revision.is_empty()
            && revision.bytes().all(|b| b.is_ascii_digit())
            && (revision == "0" || !revision.starts_with('0'));
        if !plain {
            return Err(NotAPosition);
        }
        Ok(Self {
            epoch: epoch.parse()?,
            revision: revision.parse().map_err(|_| NotAPosition)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(epoch in "[a-z0-9]{6,12}", revision in 0..=i64::MAX) {
            let position = Position { epoch: epoch.parse().unwrap(), revision };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }

        #[test]
        fn what_is_read_is_written_back(text in "\\PC{0,32}|[a-z0-9]{4,14}-[0-9+]{0,22}") {
            if let Ok(position) = text.parse::<Position>() {
                prop_assert_eq!(position.to_string(), text);
            }
        }
    }

    #[test]
    fn refuses_what_only_looks_alike() {
        for text in [
            "",
            "-",
            "q7f2k9",
            "q7f2k9-",
            "-128",
            "q7f2k9-+1",
            "q7f2k9--1",
            "q7f2k9-01",
            "Q7F2K9-1",
            "abc-1",
            "q7f2k9-99999999999999999999",
            " q7f2k9-1",
            "\"q7f2k9-1\"",
        ] {
            assert_eq!(text.parse::<Position>(), Err(NotAPosition), "{text:?}");
        }
    }

    #[test]
    fn drawn_epochs_are_epochs() {
        for _ in 0..100 {
            let epoch = Epoch::draw();
            assert_eq!(epoch.as_str().parse(), Ok(epoch.clone()));
        }
    }
}
