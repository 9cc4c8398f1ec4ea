//! An event as one would describe it to a friend: a list of everybody who ever came, and nothing
//! else that could be wrong.
//!
//! There is no counter here. Who has a place, who waits, how many numbers were given, how often
//! something changed: all is counted again each time it is asked. Slow on purpose, and written from
//! docs/protocol.md, not from the deciding code.

use std::collections::HashMap;
use std::sync::Arc;

use headcount::domain::audit::{Actor, AuditEntry};
use headcount::domain::change::{Change, Kind};
use headcount::domain::clock::Timestamp;
use headcount::domain::command::{Answer, Applicant, Command};
use headcount::domain::event::{Capacity, Event};
use headcount::domain::headcount::{Headcount, State};
use headcount::domain::position::{Position, Revision};
use headcount::domain::registration::{Locator, Registration, Secret, Status};
use serde_json::{Value, json};

mod organiser;

/// A code of section 9, and the opening time that goes with one of them.
pub(super) type Refused = (&'static str, Option<Timestamp>);

/// In which revision each new registration stands, by secret. Section 13.4 leaves it open whether
/// registrations that are committed together share a revision, so this much is taken from the
/// answers; of those that nobody knows of, because the event was deleted with them, it is taken
/// that they share one.
pub(super) type Hints = HashMap<String, Revision>;

/// A moment of the schedule, and whether it has come.
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
    /// A new event, whose row is as good a description as any; `audit` is what is known of the slug
    /// from before.
    pub(super) fn new(event: &Event, who: &str, mut audit: Vec<AuditEntry>) -> Self {
        let mut model = Self {
            identity: event.clone(),
            title: event.title.clone(),
            description: event.description.clone(),
            capacity: event.capacity.get(),
            waitlist: event.waitlist,
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

    fn how_many(&self, status: Status) -> u32 {
        u32::try_from(
            self.now_in_round()
                .filter(|row| row.status == status)
                .count(),
        )
        .expect("few people")
    }

    fn numbers_given(&self) -> u32 {
        u32::try_from(self.now_in_round().count()).expect("few people")
    }

    fn is_place_free(&self) -> bool {
        self.capacity
            .is_none_or(|places| self.how_many(Status::Confirmed) < places)
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
            self.is_place_free(),
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
            last_number: self.numbers_given(),
            at: self.log.last().expect("it was created").headcount.at,
            ..self.identity.clone()
        }
    }

    fn described(&self) -> Value {
        let count = self.log.last().map_or(0, |last| last.headcount.revision);
        json!({
            "title": self.title, "description": self.description, "capacity": self.capacity, "waitlist": self.waitlist,
            "opens_at": self.opens.map(|moment| moment.at), "closes_at": self.closes.map(|moment| moment.at),
            "state": self.state(), "round": self.round, "registered": self.how_many(Status::Confirmed),
            "waiting": self.how_many(Status::Waiting), "revision": count,
        })
    }

    // --- what can happen -------------------------------------------------------------------

    /// Everybody who may see the event sees it change: one more revision, never older than the one
    /// before.
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

    fn write_down(&mut self, by: Actor, action: &str, now: Timestamp, before: Value, after: Value) {
        let at = self
            .log
            .last()
            .map_or(now, |last| last.headcount.at.max(now));
        self.audit.push(AuditEntry {
            at,
            who: by.as_str().to_owned(),
            action: action.to_owned(),
            before,
            after,
        });
    }

    /// What becomes of `command` at `now`; `since` is how many changes there were before the batch
    /// it belongs to.
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
            Command::Register(applicant) => self.register(applicant, now, hints, since),
            Command::Cancel {
                locator,
                secret,
                by,
            } => self.cancel(*locator, secret.as_ref(), *by, now),
            Command::Edit { edit, expected, by } => match expected {
                Some(positions) if !positions.contains(&self.position()) => {
                    Err(("changed-meanwhile", None))
                }
                _ => self.edit(edit, *by, now),
            },
            Command::Reset { capacity, by, .. } => Ok(self.reset(*capacity, *by, now)),
            Command::Undo { by, .. } => self.undo(*by, now),
            Command::Delete { confirmed, by, .. } => self.delete(*confirmed, *by, now),
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
                self.write_down(Actor::Schedule, "opened", now, before, self.described());
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
                self.write_down(Actor::Schedule, "closed", now, before, self.described());
            }
        }
    }

    fn register(
        &mut self,
        applicant: &Applicant,
        now: Timestamp,
        hints: &Hints,
        since: usize,
    ) -> Result<Answer, Refused> {
        let earlier = self
            .now_in_round()
            .find(|row| row.key.is_some() && row.key == applicant.key);
        if let Some(earlier) = earlier {
            let is_same = earlier.name.as_str() == applicant.name.as_str()
                && earlier.email.as_str() == applicant.email.as_str();
            return if is_same {
                Ok(Answer::Registered {
                    registration: Arc::new(earlier.clone()),
                    replayed: true,
                })
            } else {
                Err(("idempotency-mismatch", None))
            };
        }
        if self.is_closed() {
            return Err(("event-closed", None));
        }
        if self.is_before_opening() {
            return Err(("event-not-open", self.opens.map(|moment| moment.at)));
        }
        if !self.is_place_free() && !self.waitlist {
            return Err(("event-full", None));
        }
        let address = applicant.email.as_str().to_lowercase();
        if self.now_in_round().any(|row| {
            row.status != Status::Cancelled && row.email.as_str().to_lowercase() == address
        }) {
            return Err(("already-registered", None));
        }
        let status = if self.is_place_free() {
            Status::Confirmed
        } else {
            Status::Waiting
        };
        let number = self.numbers_given() + 1;
        self.everybody.push(Registration {
            locator: Locator {
                event: self.identity.id,
                round: self.round,
                number,
            },
            secret: applicant.secret.clone(),
            name: applicant.name.clone(),
            email: applicant.email.clone(),
            key: applicant.key.clone(),
            status,
            accepted_waiting: None,
            accepted_revision: 0,
            revision: 0,
            at: now,
        });
        let place_in_line = (status == Status::Waiting).then(|| self.how_many(Status::Waiting));
        let may_share = self.log.len() > since
            && self
                .log
                .last()
                .is_some_and(|last| last.kind == Kind::Registered);
        if may_share
            && hints
                .get(applicant.secret.reveal())
                .is_none_or(|revision| *revision == self.revision())
        {
            self.log.pop();
        }
        self.change(Kind::Registered, now);
        let (revision, at) = (
            self.revision(),
            self.log.last().expect("just pushed").headcount.at,
        );
        let row = self.everybody.last_mut().expect("just pushed");
        (
            row.accepted_waiting,
            row.accepted_revision,
            row.revision,
            row.at,
        ) = (place_in_line, revision, revision, at);
        Ok(Answer::Registered {
            registration: Arc::new(row.clone()),
            replayed: false,
        })
    }

    fn cancel(
        &mut self,
        locator: Locator,
        secret: Option<&Secret>,
        by: Actor,
        now: Timestamp,
    ) -> Result<Answer, Refused> {
        let index = self
            .everybody
            .iter()
            .position(|row| row.locator == locator)
            .ok_or(("registration-not-found", None))?;
        if secret.is_some_and(|secret| secret.reveal() != self.everybody[index].secret.reveal()) {
            return Err(("registration-not-found", None));
        }
        let before = self.everybody[index].status;
        if before == Status::Cancelled {
            return Ok(Answer::Cancelled(Arc::new(self.everybody[index].clone())));
        }
        self.everybody[index].status = Status::Cancelled;
        if locator.round == self.round {
            self.change(Kind::Cancelled, now);
            self.everybody[index].revision = self.revision();
        }
        if by != Actor::Visitor {
            let described = |status: Status| json!({ "id": locator.to_string(), "number": locator.number, "status": status });
            self.write_down(
                by,
                "cancel",
                now,
                described(before),
                described(Status::Cancelled),
            );
        }
        let answer = Answer::Cancelled(Arc::new(self.everybody[index].clone()));
        self.promote(now);
        Ok(answer)
    }

    /// While there is a free place, the one who came first of those who wait gets it.
    fn promote(&mut self, now: Timestamp) {
        let mut lucky = Vec::new();
        while self.is_place_free() {
            let round = self.round;
            let first = self
                .everybody
                .iter_mut()
                .filter(|row| row.locator.round == round && row.status == Status::Waiting)
                .min_by_key(|row| row.locator.number);
            let Some(first) = first else { break };
            first.status = Status::Confirmed;
            lucky.push(first.locator);
        }
        if !lucky.is_empty() {
            self.change(Kind::Promoted, now);
            let revision = self.revision();
            self.everybody
                .iter_mut()
                .filter(|row| lucky.contains(&row.locator))
                .for_each(|row| row.revision = revision);
        }
    }
}

fn limit(capacity: Option<u32>) -> Capacity {
    capacity.map_or(Capacity::UNLIMITED, |places| {
        Capacity::limited(i64::from(places)).expect("it was a capacity before")
    })
}
