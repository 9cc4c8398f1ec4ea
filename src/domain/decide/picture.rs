//! What is known of an event when a batch is decided, and what its transaction has to write.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use serde_json::Value;

use crate::domain::audit::{Actor, AuditEntry};
use crate::domain::change::{Change, Kind};
use crate::domain::clock::Timestamp;
use crate::domain::event::{Capacity, Event};
use crate::domain::registration::{Locator, Registration, Status};

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

/// The part of the database that a batch of commands can touch, as read under the event's lock, or as it is assumed to be.
///
/// For visitors' commands that is: of the current round every registration with one of the batch's keys, every
/// not-cancelled one with one of its e-mail addresses; every registration it cancels; and of the waiting the
/// longest ones, at least as many as it cancels. For `Edit`: of the waiting the longest ones, as many as the capacity that it
/// sets has places for. For `Undo`: the round before, and its waiting in the same way. An organiser's command has a picture
/// of its own, because after a reset what was read of the former round is of no use.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub(super) registrations: HashMap<Locator, Arc<Registration>>,
    pub(super) by_email: HashMap<String, Locator>,
    pub(super) by_key: HashMap<String, Locator>,
    pub(super) waiting: VecDeque<Locator>,
    /// The round before the current one.
    pub archived: Option<Archived>,
}

impl Known {
    /// Nobody is known yet; has room for so many.
    pub fn with_capacity(registrations: usize) -> Self {
        Self {
            registrations: HashMap::with_capacity(registrations),
            by_email: HashMap::with_capacity(registrations),
            by_key: HashMap::with_capacity(registrations),
            ..Self::default()
        }
    }

    /// Adds a row. Rows may come twice; the waiting must come with the longest waiting first.
    pub fn insert(&mut self, registration: impl Into<Arc<Registration>>, round: u32) {
        let registration = registration.into();
        let locator = registration.locator;
        let Entry::Vacant(place) = self.registrations.entry(locator) else {
            return;
        };
        if locator.round == round {
            if registration.status != Status::Cancelled {
                self.by_email
                    .insert(registration.email.key().to_owned(), locator);
            }
            if let Some(key) = &registration.key {
                self.by_key.insert(key.as_str().to_owned(), locator);
            }
        }
        place.insert(registration);
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
    /// The row; after `apply`, as it has to be written.
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
        Self {
            before: event.clone(),
            event,
            known,
            writes: Writes::default(),
        }
    }

    /// The row before anything was decided.
    pub fn before(&self) -> &Event {
        &self.before
    }

    /// Whether there is nothing to write.
    pub fn is_unchanged(&self) -> bool {
        self.event == self.before
            && self.writes.touched.is_empty()
            && self.writes.audit.is_empty()
            && !self.writes.deleted
    }

    /// Whether new registrations, counted in one revision, are all there is to write. (A schedule that falls due before them is a
    /// change of its own; a registration of a former round is given back without one.)
    pub fn is_registering_only(&self) -> bool {
        matches!(
            self.writes.changes[..],
            [Change {
                kind: Kind::Registered,
                ..
            }]
        ) && self.writes.touched.is_empty()
            && self.writes.audit.is_empty()
    }

    /// The row of a locator that `writes` names.
    pub fn registration(&self, locator: Locator) -> &Registration {
        // `writes` names only locators that were inserted into `known` before.
        &self.known.registrations[&locator]
    }

    /// Makes a new revision of the present state.
    pub(super) fn commit(&mut self, kind: Kind, now: Timestamp) {
        self.event.revision += 1;
        // A clock that was set back must not make a change older than the one before.
        self.event.at = now.max(self.event.at);
        self.writes.changes.push(Change {
            headcount: self.event.headcount(),
            kind,
        });
    }

    /// Counts one more registration, in the newest revision if that is of registrations as well: one line in the log, however
    /// many came together.
    pub(super) fn commit_registered(&mut self, now: Timestamp) {
        match self.writes.changes.last_mut() {
            Some(last) if last.kind == Kind::Registered => {
                self.event.at = now.max(self.event.at);
                last.headcount = self.event.headcount();
            }
            _ => self.commit(Kind::Registered, now),
        }
    }

    pub(super) fn audit(
        &mut self,
        by: Actor,
        action: &str,
        now: Timestamp,
        before: Value,
        after: Value,
    ) {
        let at = now.max(self.event.at);
        self.writes.audit.push(AuditEntry {
            at,
            who: by.as_str().to_owned(),
            action: action.to_owned(),
            before,
            after,
        });
    }

    pub(super) fn set_status(
        &mut self,
        locator: Locator,
        status: Status,
        revision: Option<i64>,
    ) -> Arc<Registration> {
        // Callers have just found the locator in `known`.
        let row = self
            .known
            .registrations
            .get_mut(&locator)
            .expect("a known registration");
        // Whoever was told of it before keeps what was told.
        let changed = Arc::make_mut(row);
        changed.status = status;
        if let Some(revision) = revision {
            changed.revision = revision;
        }
        if status == Status::Cancelled && self.known.by_email.get(row.email.key()) == Some(&locator)
        {
            self.known.by_email.remove(row.email.key());
        }
        self.writes.touched.push(locator);
        Arc::clone(row)
    }
}
