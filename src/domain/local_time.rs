//! Moments as the clocks of a zone show them, and what people type into a date and time field.
//!
//! Where clocks go forward, some local times do not exist; where they go back, some exist twice
//! (RFC 5545, section 3.3.5, has the same rules).

use jiff::civil::{DateTime, Weekday};
use jiff::tz::AmbiguousOffset;

use super::clock::Timestamp;
use super::zone::Zone;

/// A moment in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime {
    at: DateTime,
    abbreviation: String,
    offset_seconds: i32,
}

impl LocalTime {
    /// What the clocks of `zone` show.
    pub fn of(at: Timestamp, zone: &Zone) -> Self {
        let at = instant(at);
        let info = zone.rules().to_offset_info(at);
        Self {
            at: info.offset().to_datetime(at),
            abbreviation: info.abbreviation().to_owned(),
            offset_seconds: info.offset().seconds(),
        }
    }

    /// The year.
    pub fn year(&self) -> i16 {
        self.at.year()
    }

    /// The month, from 1.
    pub fn month(&self) -> i8 {
        self.at.month()
    }

    /// The day of the month, from 1.
    pub fn day(&self) -> i8 {
        self.at.day()
    }

    /// The day of the week, from 0 for Monday.
    pub fn weekday(&self) -> usize {
        match self.at.weekday() {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        }
    }

    /// Whether both have the same date.
    pub fn is_on_the_day_of(&self, other: &Self) -> bool {
        self.at.date() == other.at.date()
    }

    /// `19:00`, or `19:00:05` if the seconds are not zero.
    pub fn clock(&self) -> String {
        let (hour, minute, second) = (self.at.hour(), self.at.minute(), self.at.second());
        if second == 0 {
            format!("{hour:02}:{minute:02}")
        } else {
            format!("{hour:02}:{minute:02}:{second:02}")
        }
    }

    /// What people call the zone at that moment: `CET`, or `UTC+05:30` where it has no short name.
    pub fn zone(&self) -> String {
        if self.abbreviation.starts_with(['+', '-']) {
            format!("UTC{}", offset(self.offset_seconds))
        } else {
            self.abbreviation.clone()
        }
    }

    /// Seconds east of UTC.
    pub fn offset_seconds(&self) -> i32 {
        self.offset_seconds
    }

    /// The value of a `datetime-local` field: `2026-11-21T09:00`, with seconds and milliseconds if
    /// they are not zero.
    pub fn field(&self) -> String {
        let at = self.at;
        let mut text = format!("{}T{:02}:{:02}", at.date(), at.hour(), at.minute());
        if at.second() != 0 || at.millisecond() != 0 {
            text += &format!(":{:02}", at.second());
        }
        if at.millisecond() != 0 {
            text += &format!(".{:03}", at.millisecond());
        }
        text
    }

    /// `2026-11-21T09:00:00+01:00`.
    pub fn rfc3339(&self) -> String {
        let at = self.at.strftime("%Y-%m-%dT%H:%M:%S");
        format!("{at}{}", offset(self.offset_seconds))
    }

    /// `20261121T090000`, the local form of RFC 5545, section 3.3.5.
    pub fn compact(&self) -> String {
        self.at.strftime("%Y%m%dT%H%M%S").to_string()
    }
}

/// `+05:30`.
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// How a local time became a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// It exists once.
    Only,
    /// It does not exist: the moment is later by as much as the clocks went forward.
    MovedForward,
    /// It exists twice: the moment is the first.
    First,
}

/// Reads the value of a `datetime-local` field in `zone`; `None` if it is no local date and time of
/// the years 1970 to 9999.
pub fn read(text: &str, zone: &Zone) -> Option<(Timestamp, Choice)> {
    // Nothing but digits and their separators, so that no offset gets in.
    let is_local = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'T' | b':' | b'.'));
    if !is_local || !text.contains('T') || text.starts_with('-') {
        return None;
    }
    let local: DateTime = text.parse().ok()?;
    let ambiguous = zone.rules().to_ambiguous_timestamp(local);
    let choice = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => Choice::Only,
        AmbiguousOffset::Gap { .. } => Choice::MovedForward,
        AmbiguousOffset::Fold { .. } => Choice::First,
    };
    // "Compatible" is exactly this (RFC 5545, section 3.3.5).
    let at = ambiguous.compatible().ok()?.as_millisecond();
    let moment = Timestamp::from_millis(at);
    (moment.as_millis() == at).then_some((moment, choice))
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    // A timestamp is within jiff's range, so the fallback is never used.
    jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: &str = "Europe/Berlin";
    const NEW_YORK: &str = "America/New_York";
    const SHANGHAI: &str = "Asia/Shanghai";
    const LORD_HOWE: &str = "Australia/Lord_Howe";

    #[test]
    fn a_skipped_time_moves_forward_and_a_repeated_one_is_the_first() {
        use Choice::{First, MovedForward, Only};
        for (zone, typed, utc, choice, shown) in [
            (
                BERLIN,
                "2027-03-28T01:59",
                "2027-03-28T00:59:00Z",
                Only,
                "2027-03-28T01:59",
            ),
            (
                BERLIN,
                "2027-03-28T02:00",
                "2027-03-28T01:00:00Z",
                MovedForward,
                "2027-03-28T03:00",
            ),
            (
                BERLIN,
                "2027-03-28T02:30",
                "2027-03-28T01:30:00Z",
                MovedForward,
                "2027-03-28T03:30",
            ),
            (
                BERLIN,
                "2027-03-28T03:00",
                "2027-03-28T01:00:00Z",
                Only,
                "2027-03-28T03:00",
            ),
            (
                BERLIN,
                "2026-10-25T02:30",
                "2026-10-25T00:30:00Z",
                First,
                "2026-10-25T02:30",
            ),
            (
                BERLIN,
                "2026-10-25T03:00",
                "2026-10-25T02:00:00Z",
                Only,
                "2026-10-25T03:00",
            ),
            (
                NEW_YORK,
                "2027-03-14T02:30",
                "2027-03-14T07:30:00Z",
                MovedForward,
                "2027-03-14T03:30",
            ),
            (
                NEW_YORK,
                "2026-11-01T01:30",
                "2026-11-01T05:30:00Z",
                First,
                "2026-11-01T01:30",
            ),
            (
                NEW_YORK,
                "2026-11-01T02:00",
                "2026-11-01T07:00:00Z",
                Only,
                "2026-11-01T02:00",
            ),
            (
                SHANGHAI,
                "2027-03-28T02:30",
                "2027-03-27T18:30:00Z",
                Only,
                "2027-03-28T02:30",
            ),
            (
                SHANGHAI,
                "2026-10-25T02:30",
                "2026-10-24T18:30:00Z",
                Only,
                "2026-10-25T02:30",
            ),
            // Clocks move by half an hour there.
            (
                LORD_HOWE,
                "2026-10-04T02:15",
                "2026-10-03T15:45:00Z",
                MovedForward,
                "2026-10-04T02:45",
            ),
            (
                LORD_HOWE,
                "2027-04-04T01:45",
                "2027-04-03T14:45:00Z",
                First,
                "2027-04-04T01:45",
            ),
            (
                LORD_HOWE,
                "2027-04-04T02:00",
                "2027-04-03T15:30:00Z",
                Only,
                "2027-04-04T02:00",
            ),
        ] {
            let zone = Zone::parse(zone).unwrap();
            let expected: Timestamp = utc.parse().unwrap();
            assert_eq!(
                read(typed, &zone),
                Some((expected, choice)),
                "{zone} {typed}"
            );
            assert_eq!(
                LocalTime::of(expected, &zone).field(),
                shown,
                "{zone} {typed}"
            );
        }
    }

    #[test]
    fn a_moment_is_shown_with_the_name_of_its_zone() {
        for (zone, utc, clock, name) in [
            (BERLIN, "2026-12-12T18:00:00Z", "19:00", "CET"),
            (BERLIN, "2026-07-12T17:00:05Z", "19:00:05", "CEST"),
            (BERLIN, "2026-10-25T01:30:00Z", "02:30", "CET"),
            (NEW_YORK, "2026-12-12T18:00:00Z", "13:00", "EST"),
            (SHANGHAI, "2026-12-12T18:00:00Z", "02:00", "CST"),
            (LORD_HOWE, "2026-12-12T18:00:00Z", "05:00", "UTC+11:00"),
            (
                "America/Sao_Paulo",
                "2026-12-12T18:00:00Z",
                "15:00",
                "UTC-03:00",
            ),
            ("UTC", "2026-12-12T18:00:00Z", "18:00", "UTC"),
        ] {
            let local = LocalTime::of(utc.parse().unwrap(), &Zone::parse(zone).unwrap());
            assert_eq!(
                (local.clock().as_str(), local.zone().as_str()),
                (clock, name)
            );
        }
    }

    #[test]
    fn a_field_is_read_back_as_it_was() {
        let berlin = Zone::parse(BERLIN).unwrap();
        for text in [
            "2026-11-21T09:00",
            "2026-11-21T09:00:05",
            "2026-11-21T00:00",
            "2026-11-21T09:00:05.123",
            "2026-11-21T09:00:00.120",
        ] {
            let (at, _) = read(text, &berlin).unwrap();
            assert_eq!(LocalTime::of(at, &berlin).field(), text);
        }
        for bad in [
            "tomorrow",
            "",
            "2026-11-21",
            "2026-13-01T09:00",
            "2026-11-21T09:00Z",
            "2026-11-21T09:00+02:00",
            "-2026-11-21T09:00",
            "1969-12-31T09:00",
            "09:00",
        ] {
            assert_eq!(read(bad, &berlin), None, "{bad:?}");
        }
        let local = LocalTime::of("2026-12-12T18:00:00Z".parse().unwrap(), &berlin);
        assert_eq!(local.compact(), "20261212T190000");
        assert_eq!((local.weekday(), local.offset_seconds()), (5, 3_600));
    }
}
