//! Numbers and moments, as the console's fields write them.

use crate::domain::clock::Timestamp;
use crate::domain::event::{Capacity, PartySize};
use crate::domain::invalid::Invalid;
use crate::domain::local_time::{self, Choice, LocalTime};
use crate::domain::mail::RemindBefore;
use crate::domain::retention::EraseAfter;
use crate::domain::zone::Zone;

/// `100`, or nothing for no limit.
pub(super) fn capacity(capacity: Capacity) -> String {
    capacity
        .get()
        .map(|places| places.to_string())
        .unwrap_or_default()
}

/// Reads what [`capacity`] writes.
pub(super) fn parse_capacity(text: &str) -> Result<Capacity, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Capacity::UNLIMITED);
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    // A text that is no number counts as out of range, because that message names the range.
    Capacity::limited(if plain {
        text.parse().unwrap_or(-1)
    } else {
        -1
    })
}

/// Reads the largest party. Like every other field of digits it says its range when it is wrong.
pub(super) fn parse_max_party_size(text: &str) -> Result<PartySize, Invalid> {
    let text = text.trim();
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let people = if plain { text.parse().unwrap_or(0) } else { 0 };
    PartySize::parse("max_party_size", people)
}

/// `30`, or nothing to keep everything.
pub(super) fn erase_after(after: Option<EraseAfter>) -> String {
    after
        .map(|after| after.days().to_string())
        .unwrap_or_default()
}

/// Reads what [`erase_after`] writes.
pub(super) fn parse_erase_after(text: &str) -> Result<Option<EraseAfter>, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let days = if plain { text.parse().unwrap_or(0) } else { 0 };
    EraseAfter::parse(days).map(Some)
}

/// `24`, or nothing for no reminder.
pub(super) fn remind_before(before: Option<RemindBefore>) -> String {
    before
        .map(|before| before.hours().to_string())
        .unwrap_or_default()
}

/// Reads what [`remind_before`] writes.
pub(super) fn parse_remind_before(text: &str) -> Result<Option<RemindBefore>, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let hours = if plain { text.parse().unwrap_or(0) } else { 0 };
    RemindBefore::parse(hours).map(Some)
}

/// The value of a `datetime-local` field in the event's zone: `2026-11-21T09:00`, with seconds if
/// they are not zero.
pub(super) fn moment(at: Option<Timestamp>, zone: &Zone) -> String {
    at.map(|at| LocalTime::of(at, zone).field())
        .unwrap_or_default()
}

/// The value of a hidden field for a moment, which [`parse_exact`] reads back: like [`moment`], but
/// in UTC for the second of two equal local times.
pub(super) fn exact(at: Option<Timestamp>, zone: &Zone) -> String {
    let field = moment(at, zone);
    match at {
        Some(at) if local_time::read(&field, zone).map(|(read, _)| read) != Some(at) => {
            at.to_string()
        }
        Some(_) | None => field,
    }
}

/// Reads what [`moment`] writes, and says how it became a moment.
pub(super) fn parse_moment(
    field: &'static str,
    text: &str,
    zone: &Zone,
) -> Result<Option<(Timestamp, Choice)>, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let malformed = || {
        Invalid::new(
            field,
            "malformed",
            format!("{field} must look like 2026-11-21T09:00, in the event's time zone"),
        )
    };
    local_time::read(text, zone).map(Some).ok_or_else(malformed)
}

/// Reads what [`exact`] writes; `None` if it is no such text.
#[expect(
    clippy::option_option,
    reason = "unreadable, empty and a moment differ, as in an edit"
)]
pub(super) fn parse_exact(text: &str, zone: &Zone) -> Option<Option<Timestamp>> {
    let text = text.trim();
    if text.is_empty() {
        return Some(None);
    }
    let local = local_time::read(text, zone).map(|(at, _)| at);
    local.or_else(|| text.parse().ok()).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_read_back() {
        for (text, expected) in [
            ("", Capacity::UNLIMITED),
            (" 0 ", Capacity::limited(0).unwrap()),
            ("1000000", Capacity::limited(1_000_000).unwrap()),
        ] {
            let read = parse_capacity(text).unwrap();
            assert_eq!(read, expected, "{text:?}");
            assert_eq!(capacity(read), text.trim());
        }
        for bad in [
            "1000001",
            "-1",
            "+1",
            "1.5",
            "many",
            "1e3",
            "99999999999999999999",
            "१",
        ] {
            assert!(parse_capacity(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_largest_party_is_1_to_20_people() {
        for good in ["1", " 20 "] {
            let read = parse_max_party_size(good).unwrap();
            assert_eq!(read.get().to_string(), good.trim());
        }
        for bad in ["", "0", "21", "+1", "1.5", "two", "99999999999999999999"] {
            let refused = parse_max_party_size(bad).unwrap_err();
            assert_eq!(refused.field, "max_party_size", "{bad:?}");
        }
    }

    #[test]
    fn days_until_erasing_are_read_back_and_an_empty_field_keeps_everything() {
        for text in ["", "1", "30", "3650"] {
            assert_eq!(erase_after(parse_erase_after(text).unwrap()), text);
        }
        for bad in [
            "0",
            "3651",
            "+1",
            "-1",
            "1.5",
            "soon",
            "99999999999999999999",
        ] {
            let refused = parse_erase_after(bad).unwrap_err();
            assert_eq!(refused.field, EraseAfter::FIELD, "{bad:?}");
        }
    }

    #[test]
    fn moments_are_read_back_as_they_were() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        for text in [
            "",
            "2026-11-21T09:00",
            "2026-11-21T09:00:05",
            "2026-11-21T00:00",
            "2026-11-21T09:00:05.123",
            "2026-10-25T02:30",
        ] {
            let read = parse_moment("opens_at", text, &berlin).unwrap();
            let at = read.map(|(at, _)| at);
            assert_eq!(moment(at, &berlin), text);
            assert_eq!(parse_exact(&exact(at, &berlin), &berlin), Some(at));
        }
        // The second half past two of that night.
        let second = Some("2026-10-25T01:30:00Z".parse().unwrap());
        assert_eq!(moment(second, &berlin), "2026-10-25T02:30");
        assert_eq!(parse_exact(&exact(second, &berlin), &berlin), Some(second));
        for bad in ["tomorrow", "2026-11-21", "2026-11-21T09:00Z", "09:00"] {
            let refused = parse_moment("opens_at", bad, &berlin).unwrap_err();
            assert_eq!(refused.field, "opens_at", "{bad}");
        }
    }
}
