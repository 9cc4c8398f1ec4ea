//! The state of a batch: what is known of its event when it is decided, and what its transaction
//! has to write.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::{HashMap, HashMapExt as _};
use serde_json::Value;

use crate::domain::audit::{Actor, AuditEntry};
use crate::domain::change::{Change, Kind};
use crate::domain::clock::Timestamp;
use crate::domain::event::{Capacity, Event};
use crate::domain::lab;
use crate::domain::outbox::Notice;
use crate::domain::person::Email;
use crate::domain::registration::{IdempotencyKey, Locator, Registration, Status};

/// An archived round, counted inside the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Archived {
    /// Which round.
    pub round: u32,
    /// Its capacity when it was archived.
    pub capacity: Capacity,
    /// People confirmed, counted now: somebody may have cancelled since.
    pub registered: u32,
    /// People waiting, counted now.
    pub waiting: u32,
    /// See [`Event::waiting_companions`], counted now.
    pub waiting_companions: u32,
    /// The last number it gave.
    pub last_number: u32,
}

/// The part of the database that a batch of commands can touch, as read under the event's lock.
///
/// - Commands about one party (`Command::is_batched`): the registrations of the current round with one
///   of the batch's keys, and those with one of its email addresses that are not cancelled. Also every
///   registration that the batch cancels, changes or erases. If there are any, then also the head of
///   the waiting list: as many parties as there are free places plus people in those registrations.
///   That is enough: a party that moves up takes at least one free place, and one that leaves is
///   among those registrations.
/// - `Import`: the registrations of the current round with one of its email addresses.
/// - `Restore`: the registration, and the one that has its email address now.
/// - `Edit`: as many of the longest waiting as the new capacity has places for.
/// - `Undo`: the round before, and its longest waiting in the same way.
/// - `EraseDue`: the registrations that it names.
///
/// Every other command has a state of its own: after a reset, what was read of the former round is
/// of no use.
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
    /// Knows no registration yet, and has room for this many.
    pub fn with_capacity(registrations: usize) -> Self {
        Self {
            registrations: HashMap::with_capacity(registrations),
            by_email: HashMap::with_capacity(registrations),
            by_key: HashMap::with_capacity(registrations),
            ..Self::default()
        }
    }

    /// Adds a row. A row may come twice.
    pub fn insert(&mut self, registration: impl Into<Arc<Registration>>, round: u32) {
        let registration = registration.into();
        let locator = registration.locator;
        let Entry::Vacant(entry) = self.registrations.entry(locator) else {
            return;
        };
        if locator.round == round {
            if registration.status != Status::Cancelled {
                insert_email(&mut self.by_email, &registration);
            }
            if let Some(key) = &registration.key {
                self.by_key.insert(key.as_str().to_owned(), locator);
            }
        }
        entry.insert(registration);
    }

    /// Maps the registration's email address to it again.
    pub(super) fn insert_email(&mut self, registration: &Registration) {
        insert_email(&mut self.by_email, registration);
    }

    /// Whether another registration has the address.
    pub(super) fn has_email(&self, email: Option<&Email>) -> bool {
        email.is_some_and(|email| self.by_email.contains_key(email.key()))
    }

    /// Adds a waiting registration. Call it in the order of the numbers.
    pub fn insert_waiting(&mut self, registration: Registration, round: u32) {
        self.waiting.push_back(registration.locator);
        self.insert(registration, round);
    }
}

/// Notes that an address has this registration.
fn insert_email(by_email: &mut HashMap<String, Locator>, registration: &Registration) {
    if let Some(email) = &registration.email {
        by_email.insert(email.key().to_owned(), registration.locator);
    }
}

/// What has to be written.
#[derive(Debug, Clone, Default)]
pub struct Writes {
    /// New rows, by number.
    pub inserted: Vec<Locator>,
    /// Rows whose status, party or revision changed; may include new rows.
    pub updated: Vec<Locator>,
    /// Those of `updated` whose name or answers changed; may include new rows.
    pub rewritten: Vec<Locator>,
    /// Rows that were erased; may include new rows.
    pub erased: Vec<Locator>,
    /// New revisions, in order.
    pub changes: Vec<Change>,
    /// Lines of the audit log.
    pub audit: Vec<AuditEntry>,
    /// What happened, for mails and webhooks.
    pub notices: Vec<Notice>,
    /// Whether the settings that only an edit changes have to be written.
    pub settings: bool,
    /// The round to archive, with its capacity.
    pub archive: Option<(u32, Capacity)>,
    /// The archived round that is current again.
    pub restored: Option<u32>,
    /// The event has to be removed.
    pub deleted: bool,
}

/// An event while a batch is decided.
#[derive(Debug, Clone)]
pub struct BatchState {
    /// The row. After [`super::apply`], as it has to be written.
    pub event: Event,
    /// The rows it knows.
    pub known: Known,
    /// What has to be written.
    pub writes: Writes,
    before: Event,
}

impl BatchState {
    /// The state before the first decision.
    pub fn new(event: Event, known: Known) -> Self {
        Self {
            before: event.clone(),
            event,
            known,
            writes: Writes::default(),
        }
    }

    /// The event before the first decision.
    pub fn before(&self) -> &Event {
        &self.before
    }

    /// Whether there is nothing to write.
    pub fn is_unchanged(&self) -> bool {
        self.event == self.before
            && self.writes.updated.is_empty()
            && self.writes.audit.is_empty()
            && !self.writes.deleted
    }

    /// New rows, by number, in their final state.
    pub fn inserted(&self) -> Vec<&Registration> {
        let rows = self.writes.inserted.iter();
        rows.map(|locator| self.registration(*locator)).collect()
    }

    /// The first new row. Its secret proves that this batch is stored.
    pub fn first_inserted(&self) -> Option<Arc<Registration>> {
        let first = self.writes.inserted.first()?;
        self.known.registrations.get(first).map(Arc::clone)
    }

    /// Rows that are in the database already and whose status, party or revision has changed. New
    /// rows are inserted in their final state.
    pub fn updated(&self) -> Vec<&Registration> {
        self.stored(&self.writes.updated)
    }

    /// Rows that are in the database already and whose name has changed.
    pub fn rewritten(&self) -> Vec<&Registration> {
        self.stored(&self.writes.rewritten)
    }

    /// Rows that were erased: those that are in the database already, and new ones.
    pub fn erased(&self) -> [Vec<&Registration>; 2] {
        let stored = self.stored(&self.writes.erased);
        let is_stored = |row: &&Registration| stored.iter().any(|own| own.locator == row.locator);
        let mut new = self.writes.erased.clone();
        new.sort_unstable();
        new.dedup();
        let new = new.into_iter().map(|locator| self.registration(locator));
        let new = new.filter(|row| !is_stored(row)).collect();
        [stored, new]
    }

    /// The rows of `locators` that are in the database already, each once.
    fn stored(&self, locators: &[Locator]) -> Vec<&Registration> {
        // Numbers only grow, so the new rows of a batch are those from its first new number on.
        let is_new = |locator: &Locator| {
            let first = self.writes.inserted.first();
            first
                .is_some_and(|first| locator.round == first.round && locator.number >= first.number)
        };
        let mut stored = locators.to_vec();
        stored.retain(|locator| !is_new(locator));
        stored.sort_unstable();
        stored.dedup();
        let rows = stored.into_iter();
        rows.map(|locator| self.registration(locator)).collect()
    }

    /// The row of a locator that `writes` names.
    pub fn registration(&self, locator: Locator) -> &Registration {
        // `writes` names only locators that were inserted into `known` before.
        &self.known.registrations[&locator]
    }

    /// Makes a new revision of the present state.
    pub(super) fn bump_revision(&mut self, kind: Kind, now: Timestamp) {
        self.event.revision += 1;
        // A clock that was set back must not make a change older than the one before.
        self.event.at = now.max(self.event.at);
        self.writes.changes.push(Change {
            headcount: self.event.headcount(),
            kind,
        });
    }

    /// Counts one more registration. It joins the newest revision if that counts registrations as
    /// well: one line in the change log, however many come together.
    pub(super) fn bump_registered(&mut self, now: Timestamp) {
        match self.writes.changes.last_mut() {
            Some(last) if last.kind == Kind::Registered => {
                self.event.at = now.max(self.event.at);
                last.headcount = self.event.headcount();
            }
            _ => self.bump_revision(Kind::Registered, now),
        }
    }

    pub(super) fn audit(
        &mut self,
        by: &Actor,
        action: &str,
        now: Timestamp,
        before: Value,
        after: Value,
    ) {
        if *by == Actor::Visitor && self.event.slug.as_str() == lab::SLUG {
            // Made-up people. The log would outlive the lab, and anybody could make it grow.
            return;
        }
        let at = now.max(self.event.at);
        self.writes.audit.push(AuditEntry {
            at,
            who: by.who().into_owned(),
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
        let row = self.change(locator, revision, |row| row.status = status);
        if status == Status::Cancelled
            && let Some(email) = &row.email
            && self.known.by_email.get(email.key()) == Some(&locator)
        {
            self.known.by_email.remove(email.key());
        }
        row
    }

    /// Erases a known row, and returns it as it is then.
    pub(super) fn erase(
        &mut self,
        locator: Locator,
        revision: Option<i64>,
        at: Timestamp,
    ) -> Arc<Registration> {
        // A later command of the batch finds neither its address nor its key.
        let row = &self.known.registrations[&locator];
        let email = row.email.as_ref().map(Email::key);
        if let Some(email) = email.filter(|email| self.known.by_email.get(*email) == Some(&locator))
        {
            self.known.by_email.remove(email);
        }
        let key = row.key.as_ref().map(IdempotencyKey::as_str);
        // In another round the key may be somebody else's.
        if let Some(key) = key.filter(|key| self.known.by_key.get(*key) == Some(&locator)) {
            self.known.by_key.remove(key);
        }
        self.writes.erased.push(locator);
        self.change(locator, revision, |row| row.erase(at))
    }

    /// Changes a known row, and returns it as it is then.
    pub(super) fn change(
        &mut self,
        locator: Locator,
        revision: Option<i64>,
        change: impl FnOnce(&mut Registration),
    ) -> Arc<Registration> {
        // Callers have just found the locator in `known`.
        let row = self
            .known
            .registrations
            .get_mut(&locator)
            .expect("a known registration");
        // Answers that hold the row keep it as it was.
        let changed = Arc::make_mut(row);
        change(changed);
        if let Some(revision) = revision {
            changed.revision = revision;
        }
        self.writes.updated.push(locator);
        Arc::clone(row)
    }
}
