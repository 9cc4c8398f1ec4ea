//! Something to register for.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::clock::Timestamp;
use super::headcount::{Headcount, State};
use super::invalid::{self, Invalid};
use super::position::{Epoch, Position, Revision};

pub use super::edit::Edit;

/// An event's key in the database; never shown.
pub type EventId = i64;

/// An event's name in URLs: `[a-z0-9-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Slug(Arc<str>);

impl Slug {
    /// What fits in a link that is read out.
    pub const MAX: usize = 64;

    /// Parses a path segment or an organiser's input.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let ok = (1..=Self::MAX).contains(&raw.len())
            && raw
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if ok {
            Ok(Self(raw.into()))
        } else {
            Err(Invalid::new(
                "slug",
                "malformed",
                "slug must be 1 to 64 characters of a-z, 0-9 and -",
            ))
        }
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many may be confirmed: 0..=1,000,000, or no limit. JSON: a number or `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Capacity(Option<u32>);

impl Capacity {
    /// More people than any room holds; keeps every sum far from overflow.
    pub const MAX: u32 = 1_000_000;
    /// Everybody gets a place.
    pub const UNLIMITED: Self = Self(None);

    /// A limit of `places`.
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

    /// The limit, if there is one.
    pub fn get(self) -> Option<u32> {
        self.0
    }

    /// Places left beside `registered`; `None` without a limit.
    pub fn remaining(self, registered: u32) -> Option<u32> {
        self.0.map(|places| places.saturating_sub(registered))
    }

    /// Whether one more may be confirmed beside `registered`.
    pub fn has_place(self, registered: u32) -> bool {
        self.remaining(registered) != Some(0)
    }

    /// How far `registered` stands above the limit.
    pub fn over_by(self, registered: u32) -> u32 {
        self.0.map_or(0, |places| registered.saturating_sub(places))
    }
}

/// Code points of a title: what a wall screen shows on two lines.
pub const TITLE_MAX: usize = 200;
/// Code points of a description: a page and a half.
pub const DESCRIPTION_MAX: usize = 4_000;

/// An event's title: 1..=[`TITLE_MAX`] code points on one line.
pub fn parse_title(raw: &str) -> Result<String, Invalid> {
    invalid::text("title", raw, 1, TITLE_MAX, false)
}

/// An event's description: at most [`DESCRIPTION_MAX`] code points; line breaks are kept, as line feeds.
pub fn parse_description(raw: &str) -> Result<String, Invalid> {
    invalid::text("description", raw, 0, DESCRIPTION_MAX, true)
}

/// An event as its row says: settings, schedule and the counters of the current round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Key in the database.
    pub id: EventId,
    /// Name in URLs.
    pub slug: Slug,
    /// Which history its revisions count.
    pub epoch: Epoch,
    /// One line of text.
    pub title: String,
    /// Some lines of text, maybe none.
    pub description: String,
    /// How many may be confirmed.
    pub capacity: Capacity,
    /// Whether people may wait for a place.
    pub waitlist: bool,
    /// When registering begins.
    pub opens_at: Option<Timestamp>,
    /// When registering ends.
    pub closes_at: Option<Timestamp>,
    /// `opens_at` has not fallen due yet.
    pub scheduled: bool,
    /// `closes_at` has fallen due.
    pub ended: bool,
    /// The organiser has closed it.
    pub closed: bool,
    /// The current round, from 1.
    pub round: u32,
    /// The newest change.
    pub revision: Revision,
    /// Confirmed registrations of the current round.
    pub registered: u32,
    /// People waiting in the current round.
    pub waiting: u32,
    /// The last number given in the current round; numbers are never reused.
    pub last_number: u32,
    /// When the newest change was committed.
    pub at: Timestamp,
    /// The newest announcement's key; 0 when there was none.
    pub announcement: i64,
}

impl Event {
    /// The cursor of the present state.
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch.clone(),
            revision: self.revision,
        }
    }

    /// Whether somebody who comes now gets a place. `closed` wins over `scheduled`, that over `waitlist` and `full`.
    pub fn state(&self) -> State {
        if self.closed || self.ended {
            State::Closed
        } else if self.scheduled {
            State::Scheduled
        } else if self.capacity.has_place(self.registered) {
            State::Open
        } else if self.waitlist {
            State::Waitlist
        } else {
            State::Full
        }
    }

    /// The count of the present state.
    pub fn headcount(&self) -> Headcount {
        Headcount {
            event: self.slug.clone(),
            position: self.position(),
            revision: self.revision,
            round: self.round,
            state: self.state(),
            capacity: self.capacity,
            registered: self.registered,
            remaining: self.capacity.remaining(self.registered),
            over_by: self.capacity.over_by(self.registered),
            waiting: self.waiting,
            at: self.at,
            stale_since: None,
        }
    }

    /// Whether everything that the event's details say beside its count is the same in `other`.
    pub fn has_details_of(&self, other: &Self) -> bool {
        self.title == other.title
            && self.description == other.description
            && self.opens_at == other.opens_at
            && self.closes_at == other.closes_at
            && self.waitlist == other.waitlist
    }

    /// The next moment at which the schedule changes something by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        let opening = self.opens_at.filter(|_| self.scheduled);
        let closing = self.closes_at.filter(|_| !self.ended);
        opening.into_iter().chain(closing).min()
    }
}

/// What an organiser gives to create an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Name in URLs.
    pub slug: Slug,
    /// See [`parse_title`].
    pub title: String,
    /// See [`parse_description`].
    pub description: String,
    /// How many may be confirmed.
    pub capacity: Capacity,
    /// Whether people may wait for a place.
    pub waitlist: bool,
    /// When registering begins.
    pub opens_at: Option<Timestamp>,
    /// When registering ends.
    pub closes_at: Option<Timestamp>,
}

impl NewEvent {
    /// The event at revision 1, the change `created`, made at `now`. Its `id` is the store's to give.
    pub fn open(self, epoch: Epoch, now: Timestamp) -> Event {
        Event {
            id: 0,
            slug: self.slug,
            epoch,
            title: self.title,
            description: self.description,
            capacity: self.capacity,
            waitlist: self.waitlist,
            opens_at: self.opens_at,
            closes_at: self.closes_at,
            scheduled: self.opens_at.is_some_and(|at| at > now),
            ended: self.closes_at.is_some_and(|at| at <= now),
            closed: false,
            round: 1,
            revision: 1,
            registered: 0,
            waiting: 0,
            last_number: 0,
            at: now,
            announcement: 0,
        }
    }
}

/// `opens_at` must come before `closes_at` where both are given.
pub fn check_schedule(
    opens_at: Option<Timestamp>,
    closes_at: Option<Timestamp>,
) -> Result<(), Invalid> {
    match (opens_at, closes_at) {
        (Some(opens), Some(closes)) if closes <= opens => Err(Invalid::new(
            "closes_at",
            "before-opening",
            "closes_at must be later than opens_at",
        )),
        _ => Ok(()),
    }
}

/// Reads a capacity out of JSON: a whole number or `null`.
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
    use std::time::Duration;

    #[test]
    fn slugs_are_short_and_plain() {
        for good in ["a", "spring-gala-2026", &"x".repeat(64)] {
            let slug = Slug::parse(good).unwrap();
            assert_eq!((slug.as_str(), slug.to_string().as_str()), (good, good));
        }
        for bad in [
            "",
            &"x".repeat(65),
            "Gala",
            "gala!",
            "gäla",
            "a b",
            "a/b",
            "a.b",
            "a_b",
            "%",
        ] {
            assert_eq!(Slug::parse(bad).unwrap_err().field, "slug", "{bad:?}");
        }
    }

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

    #[test]
    fn texts_are_trimmed_and_bounded() {
        type Parse = fn(&str) -> Result<String, Invalid>;
        let limits: [(&str, Parse, usize); 2] = [
            ("title", parse_title, 200),
            ("description", parse_description, 4_000),
        ];
        for (field, parse, max) in limits {
            assert_eq!(parse("  Frühlingsfest ").unwrap(), "Frühlingsfest");
            assert!(parse(&"節".repeat(max)).is_ok());
            assert_eq!(parse(&"節".repeat(max + 1)).unwrap_err().field, field);
        }
        assert_eq!(parse_description("One\r\ntwo").unwrap(), "One\ntwo");
        assert_eq!(parse_description("").unwrap(), "");
        assert!(parse_title("One\ntwo").is_err() && parse_title(" ").is_err());
    }

    #[test]
    fn a_schedule_opens_before_it_closes() {
        let at = |hour: i64| Some(Timestamp::from_millis(hour * 3_600_000));
        for (opens_at, closes_at, valid) in [
            (None, None, true),
            (at(2), None, true),
            (None, at(1), true),
            (at(1), at(2), true),
            (at(2), at(2), false),
            (at(2), at(1), false),
        ] {
            assert_eq!(
                check_schedule(opens_at, closes_at).is_ok(),
                valid,
                "{opens_at:?} {closes_at:?}"
            );
        }
    }

    #[test]
    fn the_schedule_comes_due_at_the_earlier_of_what_is_still_to_come() {
        let now = Timestamp::from_millis(1_795_251_600_000);
        let later = |hours| Some(now.plus(Duration::from_hours(hours)));
        let due = |opens_at, closes_at| {
            let slug = Slug::parse("gala").unwrap();
            let new = NewEvent {
                slug,
                title: "Gala".into(),
                description: String::new(),
                capacity: Capacity::UNLIMITED,
                waitlist: false,
                opens_at,
                closes_at,
            };
            new.open(Epoch::draw(), now).next_due()
        };
        assert_eq!(due(None, None), None);
        assert_eq!(due(later(1), None), later(1));
        assert_eq!(due(None, later(2)), later(2));
        assert_eq!(due(later(1), later(2)), later(1));
        // What is due at the very beginning has come already.
        assert_eq!(due(Some(now), later(2)), later(2));
        assert_eq!(due(Some(now), Some(now)), None);
    }
}
