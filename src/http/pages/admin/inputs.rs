//! Numbers and moments, as the console's fields write them.

use crate::domain::clock::Timestamp;
use crate::domain::event::{Capacity, PartySize};
use crate::domain::invalid::Invalid;

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

/// The value of a `datetime-local` field in UTC: `2026-11-21T09:00`, with seconds if they are not
/// zero.
pub(super) fn moment(at: Option<Timestamp>) -> String {
    let Some(at) = at else { return String::new() };
    let text = at.to_string();
    let text = text.trim_end_matches('Z');
    let text = text.strip_suffix(".000").unwrap_or(text);
    text.strip_suffix(":00")
        .filter(|short| short.len() == "2026-11-21T09:00".len())
        .unwrap_or(text)
        .to_owned()
}

/// Reads what [`moment`] writes.
pub(super) fn parse_moment(field: &'static str, text: &str) -> Result<Option<Timestamp>, Invalid> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let malformed = || {
        Invalid::new(
            field,
            "malformed",
            format!("{field} must look like 2026-11-21T09:00, in UTC"),
        )
    };
    // Only digits and separators, so that no other offset is accepted.
    if !text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'T' | b':' | b'.'))
    {
        return Err(malformed());
    }
    let seconds = if text.len() == "2026-11-21T09:00".len() {
        ":00"
    } else {
        ""
    };
    format!("{text}{seconds}Z")
        .parse()
        .map(Some)
        .map_err(|_| malformed())
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
    fn moments_are_read_back_as_they_were() {
        for text in [
            "",
            "2026-11-21T09:00",
            "2026-11-21T09:00:05",
            "2026-11-21T00:00",
            "2026-11-21T09:00:05.123",
        ] {
            assert_eq!(moment(parse_moment("opens_at", text).unwrap()), text);
        }
        assert_eq!(
            parse_moment("opens_at", "2026-11-21T09:00").unwrap(),
            Some("2026-11-21T09:00:00Z".parse().unwrap())
        );
        for bad in [
            "tomorrow",
            "2026-11-21",
            "2026-13-01T09:00",
            "2026-11-21T09:00Z",
            "2026-11-21T09:00+02:00",
            "09:00",
        ] {
            assert_eq!(
                parse_moment("opens_at", bad).unwrap_err().field,
                "opens_at",
                "{bad}"
            );
        }
    }
}
