//! The capacity of an event.

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;

/// How many people may be confirmed: 0..=1,000,000, or no limit. In JSON a number or `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Capacity(Option<u32>);

impl Capacity {
    /// The greatest limit: more people than any room holds, and no sum overflows.
    pub const MAX: u32 = 1_000_000;
    /// No limit: everybody gets a place.
    pub const UNLIMITED: Self = Self(None);

    /// A limit of `places`. Fails unless it is in 0..=[`Self::MAX`].
    pub fn limited(places: i64) -> Result<Self, Invalid> {
        match u32::try_from(places) {
            Ok(places) if places <= Self::MAX => Ok(Self(Some(places))),
            _ => Err(Invalid::new(
                "capacity",
                "out-of-range",
                format!(
                    "capacity must be a whole number from 0 to {}, or null for no limit",
                    Self::MAX
                ),
            )),
        }
    }

    /// The limit; `None` if there is none.
    pub fn get(self) -> Option<u32> {
        self.0
    }

    /// How many places are left after `registered` confirmed ones; `None` without a limit.
    pub fn remaining(self, registered: u32) -> Option<u32> {
        self.0.map(|places| places.saturating_sub(registered))
    }

    /// Whether `people` more may be confirmed after `registered` ones.
    pub fn has_places(self, registered: u32, people: u32) -> bool {
        self.remaining(registered).is_none_or(|left| people <= left)
    }

    /// How many of `registered` are beyond the limit.
    pub fn over_by(self, registered: u32) -> u32 {
        self.0.map_or(0, |places| registered.saturating_sub(places))
    }
}

/// Reads a whole number or `null` from JSON.
impl<'de> Deserialize<'de> for Capacity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<i64>::deserialize(deserializer)? {
            None => Ok(Self::UNLIMITED),
            Some(places) => Self::limited(places).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_whole_and_bounded() {
        for good in [0, 1, 1_000_000] {
            assert_eq!(
                Capacity::limited(good).unwrap().get().map(i64::from),
                Some(good)
            );
        }
        for bad in [-1, 1_000_001, i64::MIN, i64::MAX] {
            assert_eq!(
                Capacity::limited(bad).unwrap_err().field,
                "capacity",
                "{bad}"
            );
        }
        let read = |json| serde_json::from_str::<Capacity>(json).ok();
        assert_eq!(
            (read("null"), read("7")),
            (
                Some(Capacity::UNLIMITED),
                Some(Capacity::limited(7).unwrap())
            )
        );
        assert!(
            [read("-1"), read("1.5"), read("\"7\""), read("1000001")]
                .iter()
                .all(Option::is_none)
        );
    }
}
