//! The cursor of every transport: `<epoch>-<revision>`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The number of committed changes of one event, from 1. It never decreases, not even at a reset.
pub type Revision = i64;

/// Identifies the history of one event, as 6 to 12 lower-case letters and digits. It is drawn when
/// the event is created, so a cursor from a replaced database is not taken for one from this one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Epoch(Arc<str>);

impl Epoch {
    /// The lengths that are accepted.
    pub const LENGTH: std::ops::RangeInclusive<usize> = 6..=12;
    /// The length of new epochs. With 36^8 values, two databases practically never share one.
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

/// A place in an event's history: the SSE `id`, the `ETag` (in quotation marks), and the cursor of
/// every other transport.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Position {
    /// The history.
    pub epoch: Epoch,
    /// The number of changes up to this place.
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

/// The error for a text that is no `<epoch>-<revision>`.
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
        fn every_position_is_read_back_from_its_text(
            epoch in "[a-z0-9]{6,12}",
            revision in 0..=i64::MAX,
        ) {
            let position = Position { epoch: epoch.parse().unwrap(), revision };
            prop_assert_eq!(position.to_string().parse(), Ok(position));
        }

        #[test]
        fn every_text_that_is_read_is_the_text_of_its_position(
            text in "\\PC{0,32}|[a-z0-9]{4,14}-[0-9+]{0,22}",
        ) {
            if let Ok(position) = text.parse::<Position>() {
                prop_assert_eq!(position.to_string(), text);
            }
        }
    }

    #[test]
    fn a_text_that_only_resembles_a_position_is_refused() {
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
    fn new_epochs_are_valid() {
        for _ in 0..100 {
            let epoch = Epoch::draw();
            assert_eq!(epoch.as_str().parse(), Ok(epoch.clone()));
        }
    }
}
