//! The one function that decides about places.
//!
//! [`apply`] takes what a transaction has read and one command, and changes that picture in memory: the event's row, the
//! registrations it knows, and what has to be written. It reads no clock and no database, so the same logic runs on both
//! databases, in the model tests, and nowhere else. The store writes the picture back in the same transaction.

use std::collections::{HashMap, VecDeque};

use super::audit::{self, Actor, AuditEntry};
use super::change::{Change, Kind};
use super::clock::Timestamp;
use super::command::{Answer, Applicant, Command, Decision, Refusal};
use super::event::{self, Capacity, Edit, Event};
use super::headcount::State as EventState;
use super::registration::{Locator, Registration, Secret, Status};

/// An archived round, counted inside the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived {
    /// Which round.
    pub round: u32,
    /// Its capacity when it was archived.
    pub capacity: Capacity,
    /// Confirmed registrations, counted now: somebody may have cancelled since.
    pub registered: u32,
    /// People waiting, counted now.
    pub waiting: u32,
    /// The last number it gave.
    pub last_number: u32,
}

/// The part of the database that a batch of commands can touch, as read under the event's lock.
///
/// For visitors' commands that is: of the current round every registration with one of the batch's keys, every
/// not-cancelled one with one of its e-mail addresses; every registration it cancels; and of the waiting the
/// longest ones, at least as many as it cancels. For `Edit`: all the waiting. For `Undo`: the round before and its waiting.
#[derive(Debug, Clone, Default)]
pub struct Known {
    registrations: HashMap<Locator, Registration>,
    by_email: HashMap<String, Locator>,
    by_key: HashMap<String, Locator>,
    waiting: VecDeque<Locator>,
    /// The round before the current one.
    pub archived: Option<Archived>,
}

impl Known {
    /// Adds a row. Rows may come twice; the waiting must come with the longest waiting first.
    pub fn insert(&mut self, registration: Registration, round: u32) {
        let locator = registration.locator;
        if self.registrations.contains_key(&locator) {
            return;
        }
        if locator.round == round {
            if registration.status != Status::Cancelled {
                self.by_email.insert(registration.email.key().to_owned(), locator);
            }
            if let Some(key) = &registration.key {
                self.by_key.insert(key.as_str().to_owned(), locator);
            }
        }
        self.registrations.insert(locator, registration);
    }

    /// Adds one of the waiting; call it in the order of their numbers.
    pub fn insert_waiting(&mut self, registration: Registration, round: u32) {
        self.waiting.push_back(registration.locator);
        self.insert(registration, round);
    }
}

/// What has to be written to make the decisions true.
#[derive(Debug, Clone, Default)]
pub struct Writes {
    /// New rows, by number.
    pub inserted: Vec<Locator>,
    /// Rows whose status and revision changed; a new row can be among them.
    pub touched: Vec<Locator>,
    /// New revisions, in order.
    pub changes: Vec<Change>,
    /// Lines of the audit log.
    pub audit: Vec<AuditEntry>,
    /// The round to archive, with its capacity.
    pub archive: Option<(u32, Capacity)>,
    /// The archived round that is current again.
    pub restored: Option<u32>,
    /// The event is to be removed.
    pub deleted: bool,
}

/// One transaction's picture of an event.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The row; after [`apply`], as it has to be written.
    pub event: Event,
    /// The rows it knows.
    pub known: Known,
    /// What has to be written.
    pub writes: Writes,
    before: Event,
}

impl Picture {
    /// A picture in which nothing was decided yet.
    pub fn new(event: Event, known: Known) -> Self {
        Self { before: event.clone(), event, known, writes: Writes::default() }
    }

    /// Whether there is nothing to write.
    pub fn is_unchanged(&self) -> bool {
        self.event == self.before && self.writes.touched.is_empty() && self.writes.audit.is_empty() && !self.writes.deleted
    }

    /// The row of a locator that `writes` names.
    pub fn registration(&self, locator: Locator) -> &Registration {
        // `writes` names only locators that were inserted into `known` before.
        &self.known.registrations[&locator]
    }

    /// Makes a new revision of the present state.
    fn commit(&mut self, kind: Kind, now: Timestamp) {
        self.event.revision += 1;
        // A clock that was set back must not make a change older than the one before.
        self.event.at = now.max(self.event.at);
        self.writes.changes.push(Change { headcount: self.event.headcount(), kind });
    }

    fn audit(&mut self, by: Actor, action: &str, now: Timestamp, before: serde_json::Value, after: serde_json::Value) {
        self.writes.audit.push(AuditEntry { at: now, who: by.as_str().to_owned(), action: action.to_owned(), before, after });
    }

    fn set_status(&mut self, locator: Locator, status: Status, revision: Option<i64>) -> Registration {
        // Callers have just found the locator in `known`.
        let row = self.known.registrations.get_mut(&locator).expect("a known registration");
        row.status = status;
        if let Some(revision) = revision {
            row.revision = revision;
        }
        if status == Status::Cancelled && self.known.by_email.get(row.email.key()) == Some(&locator) {
            self.known.by_email.remove(row.email.key());
        }
        self.writes.touched.push(locator);
        row.clone()
    }
}

/// Decides one command at the moment `now` and changes the picture accordingly; a refusal changes nothing, save
/// what the schedule had due anyway.
pub fn apply(picture: &mut Picture, command: &Command, now: Timestamp) -> Decision {
    fall_due(picture, now);
    match command {
        Command::Register(applicant) => register(picture, applicant, now),
        Command::Cancel { locator, secret, by } => cancel(picture, *locator, secret.as_ref(), *by, now),
        Command::Edit { edit, expected, by } => {
            if expected.as_ref().is_some_and(|positions| !positions.contains(&picture.event.position())) {
                return Err(Refusal::ChangedMeanwhile);
            }
            settings(picture, edit, *by, now)
        }
        Command::Reset { capacity, by } => Ok(reset(picture, *capacity, *by, now)),
        Command::Undo { by } => undo(picture, *by, now),
        Command::Delete { confirmed, by } => delete(picture, *confirmed, *by, now),
        Command::FallDue => Ok(Answer::Noted),
    }
}

/// What the schedule has due becomes a change of its own, before anything else is decided at that moment.
fn fall_due(picture: &mut Picture, now: Timestamp) {
    let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    if picture.event.scheduled && due(picture.event.opens_at) {
        let state = picture.event.state();
        picture.event.scheduled = false;
        if picture.event.state() != state {
            picture.commit(Kind::Opened, now);
        }
    }
    if !picture.event.ended && due(picture.event.closes_at) {
        let state = picture.event.state();
        picture.event.ended = true;
        if picture.event.state() != state {
            picture.commit(Kind::Closed, now);
        }
    }
}

fn register(picture: &mut Picture, applicant: &Applicant, now: Timestamp) -> Decision {
    if let Some(key) = &applicant.key
        && let Some(earlier) = picture.known.by_key.get(key.as_str())
    {
        let earlier = &picture.known.registrations[earlier];
        let same = earlier.name == applicant.name && earlier.email == applicant.email;
        return if same { Ok(Answer::Registered { registration: Box::new(earlier.clone()), replayed: true }) } else { Err(Refusal::IdempotencyMismatch) };
    }
    let event = &mut picture.event;
    let status = match event.state() {
        EventState::Closed => return Err(Refusal::EventClosed),
        EventState::Scheduled => return Err(Refusal::EventNotOpen { opens_at: event.opens_at }),
        _ if picture.known.by_email.contains_key(applicant.email.key()) => return Err(Refusal::AlreadyRegistered),
        EventState::Open => Status::Confirmed,
        EventState::Waitlist => Status::Waiting,
        EventState::Full => return Err(Refusal::EventFull),
    };
    let accepted_waiting = match status {
        Status::Waiting => {
            event.waiting += 1;
            Some(event.waiting)
        }
        Status::Confirmed | Status::Cancelled => {
            event.registered += 1;
            None
        }
    };
    event.last_number += 1;
    let locator = Locator { event: event.id, round: event.round, number: event.last_number };
    // A commit's registrations in a row share one revision: one line in the log, however many came together.
    match picture.writes.changes.last_mut() {
        Some(last) if last.kind == Kind::Registered => last.headcount = event.headcount(),
        _ => picture.commit(Kind::Registered, now),
    }
    let registration = Registration {
        locator,
        secret: applicant.secret.clone(),
        name: applicant.name.clone(),
        email: applicant.email.clone(),
        key: applicant.key.clone(),
        status,
        accepted_waiting,
        accepted_revision: picture.event.revision,
        revision: picture.event.revision,
        at: now,
    };
    picture.known.insert(registration.clone(), locator.round);
    if status == Status::Waiting {
        picture.known.waiting.push_back(locator);
    }
    picture.writes.inserted.push(locator);
    Ok(Answer::Registered { registration: Box::new(registration), replayed: false })
}

fn cancel(picture: &mut Picture, locator: Locator, secret: Option<&Secret>, by: Actor, now: Timestamp) -> Decision {
    let found = picture.known.registrations.get(&locator).filter(|row| secret.is_none_or(|secret| row.secret.matches(secret)));
    let row = found.ok_or(Refusal::RegistrationNotFound)?.clone();
    if row.status == Status::Cancelled {
        return Ok(Answer::Cancelled(Box::new(row)));
    }
    let current = locator.round == picture.event.round;
    if current {
        match row.status {
            Status::Waiting => {
                picture.event.waiting -= 1;
                picture.known.waiting.retain(|waiting| *waiting != locator);
            }
            Status::Confirmed | Status::Cancelled => picture.event.registered -= 1,
        }
        picture.commit(Kind::Cancelled, now);
    }
    let revision = current.then_some(picture.event.revision);
    let after = picture.set_status(locator, Status::Cancelled, revision);
    if by != Actor::Visitor {
        picture.audit(by, "cancel", now, audit::registration(&row), audit::registration(&after));
    }
    promote(picture, now);
    Ok(Answer::Cancelled(Box::new(after)))
}

/// Free places go to the longest waiting; all that move in one go share one revision.
fn promote(picture: &mut Picture, now: Timestamp) {
    let mut promoted = Vec::new();
    while picture.event.waiting > 0 && picture.event.capacity.has_place(picture.event.registered) {
        let Some(locator) = picture.known.waiting.pop_front() else { break };
        picture.event.waiting -= 1;
        picture.event.registered += 1;
        promoted.push(locator);
    }
    if promoted.is_empty() {
        return;
    }
    picture.commit(Kind::Promoted, now);
    for locator in promoted {
        picture.set_status(locator, Status::Confirmed, Some(picture.event.revision));
    }
}

fn settings(picture: &mut Picture, edit: &Edit, by: Actor, now: Timestamp) -> Decision {
    let before = picture.event.clone();
    let opens_at = edit.opens_at.unwrap_or(before.opens_at);
    let mut closes_at = edit.closes_at.unwrap_or(before.closes_at);
    if edit.opens_at.is_some() || edit.closes_at.is_some() {
        event::check_schedule(opens_at, closes_at).map_err(Refusal::Invalid)?;
    }
    let reopened = edit.closed == Some(false);
    if reopened && edit.closes_at.is_none() && closes_at.is_some_and(|at| at <= now) {
        // The organiser opens again what the schedule has closed: that closing time is spent.
        closes_at = None;
    }
    {
        let event = &mut picture.event;
        event.title = edit.title.clone().unwrap_or_else(|| before.title.clone());
        event.description = edit.description.clone().unwrap_or_else(|| before.description.clone());
        event.waitlist = edit.waitlist.unwrap_or(before.waitlist);
        if opens_at != before.opens_at {
            event.opens_at = opens_at;
            event.scheduled = opens_at.is_some_and(|at| at > now);
        }
        if closes_at != before.closes_at {
            event.closes_at = closes_at;
            event.ended = closes_at.is_some_and(|at| at <= now);
        }
    }
    if picture.event != before {
        let kind = match (before.state(), picture.event.state()) {
            (EventState::Closed, after) if after != EventState::Closed => Kind::Opened,
            (EventState::Scheduled, after) if after != EventState::Scheduled && after != EventState::Closed => Kind::Opened,
            (former, EventState::Closed) if former != EventState::Closed => Kind::Closed,
            _ => Kind::Edited,
        };
        picture.commit(kind, now);
    }
    if let Some(capacity) = edit.capacity.filter(|capacity| *capacity != picture.event.capacity) {
        picture.event.capacity = capacity;
        picture.commit(Kind::Capacity, now);
    }
    promote(picture, now);
    if let Some(closed) = edit.closed.filter(|closed| *closed != picture.event.closed) {
        picture.event.closed = closed;
        picture.commit(if closed { Kind::Closed } else { Kind::Opened }, now);
    }
    if picture.event != before {
        let after = audit::event(&picture.event);
        picture.audit(by, "edit", now, audit::event(&before), after);
    }
    Ok(Answer::Event(Box::new(picture.event.clone())))
}

fn reset(picture: &mut Picture, capacity: Option<Capacity>, by: Actor, now: Timestamp) -> Answer {
    let before = audit::event(&picture.event);
    picture.writes.archive = Some((picture.event.round, picture.event.capacity));
    let event = &mut picture.event;
    event.round += 1;
    event.registered = 0;
    event.waiting = 0;
    event.last_number = 0;
    event.capacity = capacity.unwrap_or(event.capacity);
    picture.commit(Kind::Reset, now);
    let after = audit::event(&picture.event);
    picture.audit(by, "reset", now, before, after);
    Answer::Event(Box::new(picture.event.clone()))
}

fn undo(picture: &mut Picture, by: Actor, now: Timestamp) -> Decision {
    let Some(archived) = picture.known.archived else {
        return Err(Refusal::NotEmpty("there is no reset to undo"));
    };
    if picture.event.last_number > 0 {
        return Err(Refusal::NotEmpty("somebody has registered since the reset, so it cannot be undone"));
    }
    let before = audit::event(&picture.event);
    picture.writes.restored = Some(archived.round);
    let event = &mut picture.event;
    event.round = archived.round;
    event.capacity = archived.capacity;
    event.registered = archived.registered;
    event.waiting = archived.waiting;
    event.last_number = archived.last_number;
    picture.commit(Kind::Restored, now);
    promote(picture, now);
    let after = audit::event(&picture.event);
    picture.audit(by, "undo", now, before, after);
    Ok(Answer::Event(Box::new(picture.event.clone())))
}

fn delete(picture: &mut Picture, confirmed: bool, by: Actor, now: Timestamp) -> Decision {
    if !confirmed && (picture.event.last_number > 0 || picture.event.round > 1) {
        return Err(Refusal::NotEmpty("the event has registrations; repeat its slug as ?confirm= to delete it with them"));
    }
    let before = audit::event(&picture.event);
    picture.writes.deleted = true;
    picture.audit(by, "delete", now, before, serde_json::Value::Null);
    Ok(Answer::Deleted)
}
