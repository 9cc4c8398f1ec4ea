//! Calendar files (RFC 5545), with the rules of every time zone they use.
//!
//! `icalendar` escapes and folds each line. Its components cannot be time zones: it would add a
//! `DTSTAMP` and a random `UID` to each part of one, so this module puts the lines together.

use std::collections::BTreeMap;

use icalendar::Property;

use crate::domain::clock::Timestamp;
use crate::domain::local_time::{self, LocalTime};
use crate::domain::observance::{Observance, observances};
use crate::domain::zone::Zone;

/// Names this program, and the version of its files' form.
const PRODUCT: &str = "-//Headcount//Headcount 1//EN";

/// What a calendar shows of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It takes place.
    Confirmed,
    /// Perhaps: the person waits for a place.
    Tentative,
    /// Not, or not for this person.
    Cancelled,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "CONFIRMED",
            Self::Tentative => "TENTATIVE",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// An event in a calendar.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The same for every version of the entry, and for no other.
    pub uid: String,
    /// Greater in every later version.
    pub sequence: i64,
    /// When this version was made.
    pub stamp: Timestamp,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends; `None` if that is not known.
    pub ends_at: Option<Timestamp>,
    /// The zone of both.
    pub zone: Zone,
    /// Its title.
    pub summary: String,
    /// Any number of lines; may be empty.
    pub description: String,
    /// One line; may be empty.
    pub location: String,
    /// One line; may be empty.
    pub contact: String,
    /// Its page.
    pub url: String,
    /// Whether it takes place.
    pub status: Status,
}

/// A calendar file of these entries. Its text depends on nothing else.
pub fn calendar(name: Option<&str>, entries: &[Entry]) -> String {
    let mut file = File::default();
    file.line("BEGIN", "VCALENDAR");
    file.line("VERSION", "2.0");
    file.line("PRODID", PRODUCT);
    file.line("CALSCALE", "GREGORIAN");
    if let Some(name) = name {
        // What most programs read; `NAME` (RFC 7986) came later.
        file.push(Property::new("X-WR-CALNAME", name).add_parameter("VALUE", "TEXT"));
    }
    for (zone, periods) in zones(entries) {
        file.zone(zone, periods.values());
    }
    for entry in entries {
        file.event(entry);
    }
    file.line("END", "VCALENDAR");
    file.0
}

/// Each zone once, with its periods around every time that is in the file, by their start.
fn zones(entries: &[Entry]) -> Vec<(&Zone, BTreeMap<String, Observance>)> {
    let mut found: Vec<(&Zone, BTreeMap<String, Observance>)> = Vec::new();
    for entry in entries {
        let known = found.iter().position(|(zone, _)| **zone == entry.zone);
        let known = known.unwrap_or_else(|| {
            found.push((&entry.zone, BTreeMap::new()));
            found.len() - 1
        });
        for at in [Some(entry.starts_at), entry.ends_at].into_iter().flatten() {
            let periods = observances(&entry.zone, at);
            let by_start = periods
                .into_iter()
                .map(|period| (period.starts_local.clone(), period));
            found[known].1.extend(by_start);
        }
    }
    found
}

#[derive(Default)]
struct File(String);

impl File {
    fn line(&mut self, name: &str, value: &str) {
        self.push(&mut Property::new(name, value));
    }

    fn push(&mut self, property: &mut Property) {
        // Writing into a string cannot fail.
        let line: String = property.done().try_into().expect("a line of text");
        self.0 += &line;
    }

    fn zone<'a>(&mut self, zone: &Zone, periods: impl Iterator<Item = &'a Observance>) {
        self.line("BEGIN", "VTIMEZONE");
        self.line("TZID", zone.name());
        for period in periods {
            let kind = if period.is_daylight {
                "DAYLIGHT"
            } else {
                "STANDARD"
            };
            self.line("BEGIN", kind);
            self.line("DTSTART", &period.starts_local);
            self.line("TZOFFSETFROM", &offset(period.from_seconds));
            self.line("TZOFFSETTO", &offset(period.to_seconds));
            self.line("TZNAME", &period.name);
            self.line("END", kind);
        }
        self.line("END", "VTIMEZONE");
    }

    fn event(&mut self, entry: &Entry) {
        self.line("BEGIN", "VEVENT");
        self.line("UID", &entry.uid);
        self.line("SEQUENCE", &entry.sequence.to_string());
        self.line("DTSTAMP", &utc(entry.stamp));
        self.line("LAST-MODIFIED", &utc(entry.stamp));
        self.moment("DTSTART", entry.starts_at, &entry.zone);
        if let Some(ends_at) = entry.ends_at {
            self.moment("DTEND", ends_at, &entry.zone);
        }
        self.line("SUMMARY", &entry.summary);
        for (name, text) in [
            ("DESCRIPTION", &entry.description),
            ("LOCATION", &entry.location),
            ("CONTACT", &entry.contact),
        ] {
            if !text.is_empty() {
                self.line(name, text);
            }
        }
        self.line("URL", &entry.url);
        self.line("STATUS", entry.status.as_str());
        self.line("END", "VEVENT");
    }

    /// Writes the local time and its zone, so that calendars show the event's own time. The second of
    /// two equal local times cannot be written so (RFC 5545, section 3.3.5): it is in UTC.
    fn moment(&mut self, name: &str, at: Timestamp, zone: &Zone) {
        let local = LocalTime::of(at, zone);
        let read = local_time::read(&local.field(), zone);
        if read.is_some_and(|(moment, _)| moment == at) {
            let mut property = Property::new(name, local.compact());
            self.push(property.add_parameter("TZID", zone.name()));
        } else {
            self.line(name, &utc(at));
        }
    }
}

/// `20261212T180000Z`.
fn utc(at: Timestamp) -> String {
    LocalTime::of(at, &Zone::default()).compact() + "Z"
}

/// `+0530`, or `-004430` for the offsets of old times.
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes, rest) = (
        seconds.abs() / 3_600,
        seconds.abs() / 60 % 60,
        seconds.abs() % 60,
    );
    let mut text = format!("{sign}{hours:02}{minutes:02}");
    if rest != 0 {
        text += &format!("{rest:02}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            uid: "gala-q7f2k9@headcount".to_owned(),
            sequence: 3,
            stamp: "2026-11-21T09:00:00.5Z".parse().unwrap(),
            starts_at: "2026-12-12T18:00:00Z".parse().unwrap(),
            ends_at: Some("2026-12-12T21:00:00Z".parse().unwrap()),
            zone: Zone::parse("Europe/Berlin").unwrap(),
            summary: "Gala, dinner; \\ and dance".to_owned(),
            description: "Bring a torch.\nEND:VEVENT".to_owned(),
            location: "大厅 ".repeat(40),
            contact: String::new(),
            url: "https://events.example.org/e/gala".to_owned(),
            status: Status::Confirmed,
        }
    }

    #[test]
    fn an_entry_has_the_rules_of_its_zone_and_escaped_text() {
        let file = calendar(None, &[entry()]);
        for line in [
            "BEGIN:VCALENDAR",
            "BEGIN:VTIMEZONE",
            "TZID:Europe/Berlin",
            "DTSTART:20261025T030000",
            "TZOFFSETFROM:+0200",
            "TZOFFSETTO:+0100",
            "UID:gala-q7f2k9@headcount",
            "SEQUENCE:3",
            "DTSTAMP:20261121T090000Z",
            "DTSTART;TZID=Europe/Berlin:20261212T190000",
            "DTEND;TZID=Europe/Berlin:20261212T220000",
            r"SUMMARY:Gala\, dinner\; \\ and dance",
            r"DESCRIPTION:Bring a torch.\nEND:VEVENT",
            "STATUS:CONFIRMED",
        ] {
            assert!(file.contains(&format!("{line}\r\n")), "{line} in\n{file}");
        }
        assert!(!file.contains("CONTACT") && file.ends_with("END:VCALENDAR\r\n"));
        assert_eq!(file, calendar(None, &[entry()]), "nothing random");
    }

    #[test]
    fn a_feed_of_many_years_has_the_rules_around_every_entry() {
        let mut mistyped = entry();
        mistyped.starts_at = "1970-01-01T00:00:00Z".parse().unwrap();
        mistyped.ends_at = None;
        let file = calendar(None, &[mistyped, entry()]);
        assert_eq!(file.matches("BEGIN:VTIMEZONE").count(), 1);
        for start in ["19491002T030000", "20261025T030000", "20270328T020000"] {
            assert!(
                file.contains(&format!("DTSTART:{start}\r\n")),
                "{start} in\n{file}"
            );
        }
        assert_eq!(file.matches("DTSTART:20261025T030000").count(), 1);
    }

    #[test]
    fn lines_are_folded_at_75_octets_between_characters() {
        let mut long = entry();
        long.description = "Füße im Gras, Kopf in den Wolken; 你好，世界。🌸 ".repeat(80);
        let file = calendar(Some(&"名".repeat(200)), &[long.clone()]);
        let lines: Vec<&str> = file.split("\r\n").collect();
        assert!(lines.iter().all(|line| line.len() <= 75), "{file}");
        let unfolded = file.replace("\r\n ", "");
        let escaped = long.description.replace(',', "\\,").replace(';', "\\;");
        assert!(unfolded.contains(&format!("DESCRIPTION:{escaped}\r\n")));
    }

    #[test]
    fn the_second_of_two_equal_local_times_is_written_in_utc() {
        let mut overlap = entry();
        overlap.starts_at = "2026-10-25T00:30:00Z".parse().unwrap();
        overlap.ends_at = Some("2026-10-25T01:30:00Z".parse().unwrap());
        let file = calendar(None, &[overlap]);
        assert!(
            file.contains("DTSTART;TZID=Europe/Berlin:20261025T023000\r\n"),
            "{file}"
        );
        assert!(file.contains("DTEND:20261025T013000Z\r\n"), "{file}");
    }

    #[test]
    fn a_feed_describes_each_zone_once() {
        let mut other = entry();
        other.zone = Zone::default();
        let file = calendar(Some("Events"), &[entry(), other, entry()]);
        assert_eq!(file.matches("BEGIN:VTIMEZONE").count(), 2);
        assert_eq!(file.matches("BEGIN:VEVENT").count(), 3);
        assert!(file.contains("X-WR-CALNAME;VALUE=TEXT:Events\r\n"));
        assert_eq!(
            (offset(-12_600), offset(-2_670)),
            ("-0330".to_owned(), "-004430".to_owned())
        );
    }
}
