//! Events: what people register for.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::clock::Timestamp;
use super::headcount::{Headcount, State};
use super::invalid::{self, Invalid};
use super::mail::MailSettings;
use super::occasion::Occasion;
use super::position::{Epoch, Position, Revision};
use super::proof_of_work::ProofOfWork;
use super::questions::{Question, Questions};
use super::registration::Status;
use super::retention::EraseAfter;
use super::visibility::Visibility;

pub use super::capacity::Capacity;
pub use super::edit::Edit;
pub use super::party::PartySize;

/// The key of an event in the database. The ids and tokens of its registrations begin with it.
pub type EventId = i64;

/// The name of an event in URLs: `[a-z0-9-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Slug(Arc<str>);

impl Slug {
    /// The longest slug: people read links to each other.
    pub const MAX: usize = 64;

    /// Parses a path segment or an organiser's input. Fails unless it matches the pattern above.
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

/// The longest title, in code points: a wall screen shows it on two lines.
pub const TITLE_MAX: usize = 200;
/// The longest description, in code points: about one and a half pages.
pub const DESCRIPTION_MAX: usize = 4_000;

/// Parses a title: 1..=[`TITLE_MAX`] code points on one line. Fails with the rule it breaks.
pub fn parse_title(raw: &str) -> Result<String, Invalid> {
    invalid::text("title", raw, 1, TITLE_MAX, false)
}

/// Parses a description: at most [`DESCRIPTION_MAX`] code points. Every line break becomes a line
/// feed. Fails with the rule it breaks.
pub fn parse_description(raw: &str) -> Result<String, Invalid> {
    invalid::text("description", raw, 0, DESCRIPTION_MAX, true)
}

/// An event as stored: settings, schedule and the counters of the current round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The key in the database.
    pub id: EventId,
    /// The name in URLs.
    pub slug: Slug,
    /// The history that its revisions count.
    pub epoch: Epoch,
    /// One line, see [`parse_title`].
    pub title: String,
    /// Any number of lines, see [`parse_description`].
    pub description: String,
    /// How many people may be confirmed.
    pub capacity: Capacity,
    /// Whether a full event has a waiting list.
    pub waitlist: bool,
    /// The largest party that may register. Parties that registered before keep their size.
    pub max_party_size: PartySize,
    /// When registration opens; `None` for at once.
    pub opens_at: Option<Timestamp>,
    /// When registration closes; `None` for never.
    pub closes_at: Option<Timestamp>,
    /// When and where it takes place. Shared, because every commit copies the event.
    pub occasion: Arc<Occasion>,
    /// How long after its end registrations are kept; `None` for ever.
    pub erase_after: Option<EraseAfter>,
    /// Whether visitors need a proof of work.
    pub proof_of_work: ProofOfWork,
    /// Whether anybody may see how the counts developed.
    pub public_chart: bool,
    /// Who finds it.
    pub visibility: Visibility,
    /// Whether it is over and put away. It is closed then.
    pub archived: bool,
    /// Which mails it sends, and when it reminds.
    pub mail: MailSettings,
    /// How often the settings were edited.
    pub edits: u32,
    /// When the settings were last written; `None` for an event of 0.1.0 that nobody has edited
    /// since.
    pub edited_at: Option<Timestamp>,
    /// Whether `opens_at` has not passed yet.
    pub scheduled: bool,
    /// Whether `closes_at` has passed.
    pub ended: bool,
    /// Whether the organiser has closed it.
    pub closed: bool,
    /// The current round, from 1.
    pub round: u32,
    /// The revision of the newest change.
    pub revision: Revision,
    /// How many people are confirmed in the current round.
    pub registered: u32,
    /// How many people wait in the current round.
    pub waiting: u32,
    /// How many of the people who wait were added by another person's registration. A node of 0.1.0
    /// keeps this right, because it only adds parties of one.
    pub waiting_companions: u32,
    /// The greatest number of a registration in the current round; 0 if there is none. Numbers are
    /// never reused.
    pub last_number: u32,
    /// What it asks of everybody who registers.
    pub questions: Arc<Questions>,
    /// When the newest change was committed.
    pub at: Timestamp,
    /// The key of the newest announcement; 0 if there is none.
    pub announcement: i64,
}

impl Event {
    /// The position of the present state in the event's history.
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch.clone(),
            revision: self.revision,
        }
    }

    /// What happens to a person who registers now. Where several states apply, `closed` comes
    /// first, then `scheduled`. While anybody waits, newcomers get no place, even if some are free:
    /// the group that is next needs more.
    pub fn state(&self) -> State {
        if self.closed || self.ended {
            State::Closed
        } else if self.scheduled {
            State::Scheduled
        } else if self.has_places_for(1) {
            State::Open
        } else if self.waitlist {
            State::Waitlist
        } else {
            State::Full
        }
    }

    /// Whether `people` more get places at once: enough are free, and nobody waits for them.
    pub fn has_places_for(&self, people: u32) -> bool {
        self.waiting == 0 && self.capacity.has_places(self.registered, people)
    }

    /// How many registrations wait. Each is a party of one or more.
    pub fn waiting_parties(&self) -> u32 {
        self.waiting.saturating_sub(self.waiting_companions)
    }

    /// The count in the present state.
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

    /// Whether `other` has the same details: all that a page shows of an event, except its count
    /// and its announcement.
    pub fn has_details_of(&self, other: &Self) -> bool {
        self.title == other.title
            && self.description == other.description
            && self.opens_at == other.opens_at
            && self.closes_at == other.closes_at
            && self.waitlist == other.waitlist
            && self.max_party_size == other.max_party_size
            && self.occasion == other.occasion
            && self.erase_after == other.erase_after
            && self.proof_of_work == other.proof_of_work
            && self.public_chart == other.public_chart
            && self.visibility == other.visibility
            && self.archived == other.archived
            && self.mail == other.mail
            && self.questions.asked() == other.questions.asked()
    }

    /// Whether lists and feeds for everybody name it.
    pub fn is_listed(&self) -> bool {
        self.visibility == Visibility::Public && !self.archived
    }

    /// Whether only organisers know it.
    pub fn is_draft(&self) -> bool {
        self.visibility == Visibility::Draft
    }

    /// When its registrations are due to be erased; `None` if they are kept.
    pub fn erase_due(&self) -> Option<Timestamp> {
        let ends_at = self.occasion.ends_at?;
        Some(self.erase_after?.due(ends_at))
    }

    /// Where it takes place online, for a registration of `round` that has this status: only people
    /// with a place may know.
    pub fn online_url_of(&self, round: u32, status: Status) -> Option<&str> {
        let has_place = status == Status::Confirmed && round == self.round;
        let url = self.occasion.online_url.as_ref()?;
        has_place.then(|| url.as_str())
    }

    /// The next time at which the schedule changes the event; `None` if it does not.
    pub fn next_due(&self) -> Option<Timestamp> {
        let opening = self.opens_at.filter(|_| self.scheduled);
        let closing = self.closes_at.filter(|_| !self.ended);
        opening.into_iter().chain(closing).min()
    }
}

/// The settings of an event that an organiser creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The name in URLs.
    pub slug: Slug,
    /// One line, see [`parse_title`].
    pub title: String,
    /// Any number of lines, see [`parse_description`].
    pub description: String,
    /// How many people may be confirmed.
    pub capacity: Capacity,
    /// Whether a full event has a waiting list.
    pub waitlist: bool,
    /// The largest party that may register. Parties that registered before keep their size.
    pub max_party_size: PartySize,
    /// When registration opens; `None` for at once.
    pub opens_at: Option<Timestamp>,
    /// When registration closes; `None` for never.
    pub closes_at: Option<Timestamp>,
    /// When and where it takes place.
    pub occasion: Occasion,
    /// What it asks of everybody who registers.
    pub questions: Vec<Question>,
    /// How long after its end registrations are kept; `None` for ever.
    pub erase_after: Option<EraseAfter>,
    /// Whether visitors need a proof of work.
    pub proof_of_work: ProofOfWork,
    /// Whether anybody may see how the counts developed.
    pub public_chart: bool,
    /// Who finds it.
    pub visibility: Visibility,
    /// Whether it is put away, and closed.
    pub archived: bool,
    /// Which mails it sends, and when it reminds.
    pub mail: MailSettings,
}

impl NewEvent {
    /// An event with these settings, and the defaults of all others.
    pub fn new(slug: Slug, title: impl Into<String>, capacity: Capacity) -> Self {
        Self {
            slug,
            title: title.into(),
            description: String::new(),
            capacity,
            waitlist: false,
            max_party_size: PartySize::ONE,
            opens_at: None,
            closes_at: None,
            occasion: Occasion::default(),
            questions: Vec::new(),
            erase_after: None,
            proof_of_work: ProofOfWork::Off,
            public_chart: false,
            visibility: Visibility::Public,
            archived: false,
            mail: MailSettings::default(),
        }
    }

    /// The event after its first change, `created`, at `now`. The store sets its `id`.
    pub fn open(self, epoch: Epoch, now: Timestamp) -> Event {
        Event {
            id: 0,
            slug: self.slug,
            epoch,
            title: self.title,
            description: self.description,
            capacity: self.capacity,
            waitlist: self.waitlist,
            max_party_size: self.max_party_size,
            opens_at: self.opens_at,
            closes_at: self.closes_at,
            occasion: Arc::new(self.occasion),
            erase_after: self.erase_after,
            proof_of_work: self.proof_of_work,
            public_chart: self.public_chart,
            visibility: self.visibility,
            archived: self.archived,
            mail: self.mail,
            edits: 0,
            edited_at: Some(now),
            scheduled: self.opens_at.is_some_and(|at| at > now),
            ended: self.closes_at.is_some_and(|at| at <= now),
            closed: self.archived,
            round: 1,
            revision: 1,
            registered: 0,
            waiting: 0,
            waiting_companions: 0,
            last_number: 0,
            questions: Arc::new(Questions::new(self.questions)),
            at: now,
            announcement: 0,
        }
    }
}

/// Fails unless `opens_at` is before `closes_at`, if both are given.
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

#[cfg(test)]
mod tests;
