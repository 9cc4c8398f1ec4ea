//! A zone's offsets around a time, one period after the other (RFC 5545, section 3.6.5).

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZoneTransition};
use jiff::{SignedDuration, Timestamp as Instant};

use super::clock::Timestamp;
use super::zone::Zone;

/// How long after a time the rules are listed. Somebody who moves an event in their calendar
/// rarely moves it further.
const AFTERWARDS: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A period in which a zone has one offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observance {
    /// When it begins, by the clocks before: `20261025T030000`.
    pub starts_local: String,
    /// Seconds east of UTC before.
    pub from_seconds: i32,
    /// Seconds east of UTC in this period.
    pub to_seconds: i32,
    /// What people call the zone in this period.
    pub name: String,
    /// Whether it is daylight saving time.
    pub is_daylight: bool,
}

/// The period that contains `at`, and those that begin until a year after it.
pub fn observances(zone: &Zone, at: Timestamp) -> Vec<Observance> {
    let rules = zone.rules();
    let first = instant(at);
    let end = first.saturating_add(AFTERWARDS).unwrap_or(Instant::MAX);
    let begun = |at: Instant| at <= first;
    // The iterator excludes its start, and the period may begin with the event.
    let after = first.saturating_add(SignedDuration::from_nanos(1));
    let current = rules
        .preceding(after.unwrap_or(first))
        .find(|transition| begun(transition.timestamp()));
    let mut found = vec![current.map_or_else(
        || always(zone, first),
        |transition| observance(zone, &transition),
    )];
    let following = rules
        .following(first)
        .take_while(|transition| transition.timestamp() <= end);
    found.extend(following.map(|transition| observance(zone, &transition)));
    found
}

fn observance(zone: &Zone, transition: &TimeZoneTransition<'_>) -> Observance {
    let at = transition.timestamp();
    let before = at.saturating_sub(SignedDuration::from_nanos(1));
    let from = zone.rules().to_offset(before.unwrap_or(at));
    Observance {
        starts_local: compact(from.to_datetime(at)),
        from_seconds: from.seconds(),
        to_seconds: transition.offset().seconds(),
        name: name(transition.abbreviation(), transition.offset()),
        is_daylight: transition.dst().is_dst(),
    }
}

/// A zone whose offset has never changed.
fn always(zone: &Zone, at: Instant) -> Observance {
    let info = zone.rules().to_offset_info(at);
    Observance {
        starts_local: "19700101T000000".to_owned(),
        from_seconds: info.offset().seconds(),
        to_seconds: info.offset().seconds(),
        name: name(info.abbreviation(), info.offset()),
        is_daylight: info.dst().is_dst(),
    }
}

fn name(abbreviation: &str, offset: Offset) -> String {
    if abbreviation.is_empty() {
        offset.to_string()
    } else {
        abbreviation.to_owned()
    }
}

fn compact(at: DateTime) -> String {
    at.strftime("%Y%m%dT%H%M%S").to_string()
}

fn instant(at: Timestamp) -> Instant {
    // A timestamp is within jiff's range, so the fallback is never used.
    Instant::from_millisecond(at.as_millis()).unwrap_or(Instant::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(zone: &str, at: &str) -> Vec<String> {
        let zone = Zone::parse(zone).unwrap();
        observances(&zone, at.parse().unwrap())
            .iter()
            .map(|period| {
                format!(
                    "{} {} {} {} {}",
                    period.starts_local,
                    period.from_seconds,
                    period.to_seconds,
                    period.name,
                    period.is_daylight
                )
            })
            .collect()
    }

    #[test]
    fn the_periods_around_an_event_are_listed() {
        let december = "2026-12-12T18:00:00Z";
        assert_eq!(
            listed("Europe/Berlin", december),
            [
                "20261025T030000 7200 3600 CET false",
                "20270328T020000 3600 7200 CEST true",
                "20271031T030000 7200 3600 CET false",
            ]
        );
        assert_eq!(
            listed("Australia/Lord_Howe", december)[..2],
            [
                "20261004T020000 37800 39600 +11 true",
                "20270404T020000 39600 37800 +1030 false",
            ]
        );
        // An event that begins with the period.
        let change = "2027-03-28T01:00:00Z";
        assert_eq!(
            listed("Europe/Berlin", change)[0],
            "20270328T020000 3600 7200 CEST true"
        );
        assert_eq!(listed("UTC", december), ["19700101T000000 0 0 UTC false"]);
        assert_eq!(
            listed("Asia/Shanghai", december),
            ["19910915T020000 32400 28800 CST false"]
        );
    }
}
