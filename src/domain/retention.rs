//! How long people's data are kept after an event.

use std::time::Duration;

use serde::Serialize;

use super::clock::Timestamp;
use super::invalid::Invalid;

/// Days between the end of an event and the moment when its registrations are erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct EraseAfter(u16);

impl EraseAfter {
    /// The field's name.
    pub const FIELD: &'static str = "erase_after_days";
    /// The shortest time.
    pub const MIN: u16 = 1;
    /// The longest time: ten years, as long as laws ask anybody to keep a list of participants.
    pub const MAX: u16 = 3_650;

    /// Parses a number of days. Fails with the range.
    pub fn parse(days: i64) -> Result<Self, Invalid> {
        let read = u16::try_from(days).ok();
        let days = read.filter(|days| (Self::MIN..=Self::MAX).contains(days));
        days.map(Self).ok_or_else(Self::out_of_range)
    }

    /// What to say about anything else than a number of days.
    pub fn out_of_range() -> Invalid {
        Invalid::new(
            Self::FIELD,
            "out-of-range",
            format!(
                "erase_after_days must be a whole number from {} to {}, or null to keep everything",
                Self::MIN,
                Self::MAX
            ),
        )
    }

    /// The number of days.
    pub fn days(self) -> u16 {
        self.0
    }

    /// When data are due to be erased. A day has 24 hours, also when clocks change.
    pub fn due(self, ends_at: Timestamp) -> Timestamp {
        ends_at.plus(Duration::from_hours(24 * u64::from(self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_kept_for_1_to_3650_days() {
        for days in [1, 30, 3_650] {
            assert_eq!(i64::from(EraseAfter::parse(days).unwrap().days()), days);
        }
        for days in [i64::MIN, -1, 0, 3_651, 65_537, i64::MAX] {
            let refused = EraseAfter::parse(days).unwrap_err();
            assert_eq!(refused.field, "erase_after_days", "{days}");
        }
        let ends_at = Timestamp::from_millis(1_000);
        assert_eq!(
            EraseAfter::parse(2).unwrap().due(ends_at).as_millis(),
            172_801_000
        );
    }
}
