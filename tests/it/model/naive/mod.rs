//! The naive model of an event: a list of everybody who ever registered, and no counters.
//!
//! Every figure is counted again from the list each time: confirmed, waiting, numbers given,
//! changes. It is slow on purpose, and written from docs/protocol.md, not from the deciding code.

use std::collections::HashMap;

use headcount::domain::audit::{Actor, AuditEntry};
use headcount::domain::change::{Change, Kind};
use headcount::domain::clock::Timestamp;
use headcount::domain::command::{Answer, Command};
use headcount::domain::event::{Capacity, Event, PartySize};
use headcount::domain::headcount::{Headcount, State};
use headcount::domain::position::{Position, Revision};
use headcount::domain::registration::{Registration, Status};
use serde_json::{Value, json};

mod by_hand;
mod organiser;
mod visitor;

/// A problem code of section 9; `event-not-open` comes with the opening time.
pub(super) type Refused = (&'static str, Option<Timestamp>);

/// The revision of each new registration, by secret. Which registrations share a batch, and so a
/// revision, is up to the server: the model takes it from the answers. If their event was deleted
/// there are no answers, and the model assumes that all of them share one revision.
pub(super) type Hints = HashMap<String, Revision>;

/// An opening or closing time, and whether it has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment {
    at: Timestamp,
    has_come: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    /// For its key, slug and epoch only.
    identity: Event,
    title: String,
    description: String,
    capacity: Option<u32>,
    waitlist: bool,
    largest_party: u32,
    opens: Option<Moment>,
    closes: Option<Moment>,
    closed: bool,
    round: u32,
    /// What the capacity was in each archived round.
    shelf: Vec<Option<u32>>,
    /// Of every round, in the order they came.
    pub(super) everybody: Vec<Registration>,
    pub(super) log: Vec<Change>,
    pub(super) audit: Vec<AuditEntry>,
    pub(super) gone: bool,
}

impl Model {
    /// A new event, described by its row. `audit` has the lines of earlier events with its slug.
    pub(super) fn new(event: &Event, who: &str, mut audit: Vec<AuditEntry>) -> Self {
        let mut model = Self {
            identity: event.clone(),
            title: event.title.clone(),
            description: event.description.clone(),
            capacity: event.capacity.get(),
            waitlist: event.waitlist,
            largest_party: event.max_party_size.get(),
            opens: event.opens_at.map(|at| Moment {
                at,
                has_come: at <= event.at,
            }),
            closes: event.closes_at.map(|at| Moment {
                at,
                has_come: at <= event.at,
            }),
            closed: false,
            round: 1,
            shelf: Vec::new(),
            everybody: Vec::new(),
            log: Vec::new(),
            audit: Vec::new(),
            gone: false,
        };
        model.change(Kind::Created, event.at);
        audit.push(AuditEntry {
            at: event.at,
            who: who.to_owned(),
            action: "create".to_owned(),
            before: Value::Null,
            after: model.described(),
        });
        model.audit = audit;
        model
    }

    // --- what can be counted ---------------------------------------------------------------

    fn now_in_round(&self) -> impl Iterator<Item = &Registration> {
        self.everybody
            .iter()
            .filter(|row| row.locator.round == self.round)
    }

    /// People, not registrations.
    fn how_many(&self, status: Status) -> u32 {
        let rows = self.now_in_round().filter(|row| row.status == status);
        rows.map(|row| row.party_size.get()).sum()
    }

    /// Registrations that wait.
    fn line(&self) -> u32 {
        let rows = self.now_in_round();
        let waiting = rows.filter(|row| row.status == Status::Waiting).count();
        u32::try_from(waiting).expect("few people")
    }

    fn numbers_given(&self) -> u32 {
        u32::try_from(self.now_in_round().count()).expect("few people")
    }

    fn are_free(&self, places: u32) -> bool {
        self.capacity
            .is_none_or(|all| self.how_many(Status::Confirmed) + places <= all)
    }

    /// Whether newcomers get places: nobody waits for them.
    fn are_open(&self, places: u32) -> bool {
        self.line() == 0 && self.are_free(places)
    }

    pub(super) fn revision(&self) -> Revision {
        Revision::try_from(self.log.len()).expect("few changes")
    }

    pub(super) fn position(&self) -> Position {
        Position {
            epoch: self.identity.epoch.clone(),
            revision: self.revision(),
        }
    }

    fn is_closed(&self) -> bool {
        self.closed || self.closes.is_some_and(|moment| moment.has_come)
    }

    fn is_before_opening(&self) -> bool {
        self.opens.is_some_and(|moment| !moment.has_come)
    }

    fn state(&self) -> State {
        match (
            self.is_closed(),
            self.is_before_opening(),
            self.are_open(1),
            self.waitlist,
        ) {
            (true, _, _, _) => State::Closed,
            (false, true, _, _) => State::Scheduled,
            (false, false, true, _) => State::Open,
            (false, false, false, true) => State::Waitlist,
            (false, false, false, false) => State::Full,
        }
    }

    fn headcount(&self, at: Timestamp) -> Headcount {
        let registered = self.how_many(Status::Confirmed);
        Headcount {
            event: self.identity.slug.clone(),
            position: self.position(),
            revision: self.revision(),
            round: self.round,
            state: self.state(),
            capacity: limit(self.capacity),
            registered,
            remaining: self
                .capacity
                .map(|places| places.saturating_sub(registered)),
            over_by: self
                .capacity
                .map_or(0, |places| registered.saturating_sub(places)),
            waiting: self.how_many(Status::Waiting),
            at,
            stale_since: None,
        }
    }

    /// The row that a database should hold.
    pub(super) fn event(&self) -> Event {
        Event {
            title: self.title.clone(),
            description: self.description.clone(),
            capacity: limit(self.capacity),
            waitlist: self.waitlist,
            opens_at: self.opens.map(|moment| moment.at),
            closes_at: self.closes.map(|moment| moment.at),
            scheduled: self.is_before_opening(),
            ended: self.closes.is_some_and(|moment| moment.has_come),
            closed: self.closed,
            round: self.round,
            revision: self.revision(),
            registered: self.how_many(Status::Confirmed),
            waiting: self.how_many(Status::Waiting),
            waiting_companions: self.how_many(Status::Waiting) - self.line(),
            max_party_size: PartySize::parse("max_party_size", self.largest_party.into())
                .expect("it was one before"),
            last_number: self.numbers_given(),
            at: self.log.last().expect("it was created").headcount.at,
            ..self.identity.clone()
        }
    }

    fn described(&self) -> Value {
        let count = self.log.last().map_or(0, |last| last.headcount.revision);
        json!({
            "title": self.title, "description": self.description, "capacity": self.capacity, "waitlist": self.waitlist,
            "max_party_size": self.largest_party,
            "opens_at": self.opens.map(|moment| moment.at), "closes_at": self.closes.map(|moment| moment.at),
            "starts_at": self.identity.occasion.starts_at, "ends_at": self.identity.occasion.ends_at, "time_zone": "UTC",
            "location": "", "online_url": null, "contact": "", "erase_after_days": self.identity.erase_after,
            "proof_of_work": "off",
            "public_chart": self.identity.public_chart, "visibility": "public", "archived": false,
            "state": self.state(), "round": self.round, "registered": self.how_many(Status::Confirmed),
            "waiting": self.how_many(Status::Waiting), "revision": count,
        })
    }

    // --- what can happen -------------------------------------------------------------------

    /// Records a change: one more revision, whose time is not earlier than the one before.
    fn change(&mut self, kind: Kind, now: Timestamp) {
        let at = self
            .log
            .last()
            .map_or(now, |last| last.headcount.at.max(now));
        // The new revision counts itself.
        let mut headcount = self.headcount(at);
        headcount.revision += 1;
        headcount.position.revision += 1;
        self.log.push(Change { headcount, kind });
    }

    fn write_down(
        &mut self,
        by: &Actor,
        action: &str,
        now: Timestamp,
        before: Value,
        after: Value,
    ) {
        let at = self
            .log
            .last()
            .map_or(now, |last| last.headcount.at.max(now));
        self.audit.push(AuditEntry {
            at,
            who: by.who().into_owned(),
            action: action.to_owned(),
            before,
            after,
        });
    }

    /// Decides `command` at `now`; `since` is the number of changes before its batch.
    pub(super) fn decide(
        &mut self,
        command: &Command,
        now: Timestamp,
        hints: &Hints,
        since: usize,
    ) -> Result<Answer, Refused> {
        if self.gone {
            return Err(("event-not-found", None));
        }
        self.time_passes(now);
        match command {
            Command::Register(applicant) => self.register(applicant, None, now, hints, since),
            Command::Add {
                applicant,
                over_capacity,
                by,
            } => self.add(applicant, *over_capacity, by, now, hints, since),
            Command::Import {
                people,
                dry_run,
                by,
            } => Ok(self.import(people, *dry_run, by, now)),
            Command::Restore {
                locator,
                expected,
                by,
            } => self.restore(*locator, expected.as_deref(), by, now),
            Command::Cancel {
                locator,
                secret,
                by,
            } => self.cancel(*locator, secret.as_ref(), by, now),
            Command::Change {
                locator,
                secret,
                revised,
                expected,
                by,
            } => self.revise(
                *locator,
                secret.as_ref(),
                revised,
                expected.as_deref(),
                by,
                now,
            ),
            Command::Erase {
                locator,
                secret,
                by,
            } => self.erase(*locator, secret.as_ref(), by, now),
            Command::EraseDue { locators } => Ok(self.erase_due(locators, now)),
            Command::Edit { edit, expected, by } => match expected {
                Some(positions) if !positions.contains(&self.position()) => {
                    Err(("changed-meanwhile", None))
                }
                _ => self.edit(edit, by, now),
            },
            Command::Reset { capacity, by, .. } => Ok(self.reset(*capacity, by, now)),
            Command::Undo { by, .. } => self.undo(by, now),
            Command::Delete { confirmed, by, .. } => self.delete(*confirmed, by, now),
            Command::ApplySchedule => Ok(Answer::Noted),
        }
    }

    fn time_passes(&mut self, now: Timestamp) {
        let (state, before) = (self.state(), self.described());
        if let Some(moment) = self
            .opens
            .as_mut()
            .filter(|moment| !moment.has_come && moment.at <= now)
        {
            moment.has_come = true;
            if self.state() != state {
                self.change(Kind::Opened, now);
                self.write_down(&Actor::Schedule, "opened", now, before, self.described());
            }
        }
        let (state, before) = (self.state(), self.described());
        if let Some(moment) = self
            .closes
            .as_mut()
            .filter(|moment| !moment.has_come && moment.at <= now)
        {
            moment.has_come = true;
            if self.state() != state {
                self.change(Kind::Closed, now);
                self.write_down(&Actor::Schedule, "closed", now, before, self.described());
            }
        }
    }
}

fn limit(capacity: Option<u32>) -> Capacity {
    capacity.map_or(Capacity::UNLIMITED, |places| {
        Capacity::limited(i64::from(places)).expect("it was a capacity before")
    })
}
