//! Rows in memory instead of a database, around the pure decision. It stores only what a
//! [`BatchState`] says to write, and gives each decision no more than [`Known`] promises.

use std::collections::BTreeMap;

use headcount::domain::audit::{self, AuditEntry};
use headcount::domain::change::{Change, Kind};
use headcount::domain::clock::{Clock, Timestamp};
use headcount::domain::command::{Command, Refusal};
use headcount::domain::decide::{Archived, BatchState, Known, apply};
use headcount::domain::event::{Capacity, Event, EventId, NewEvent, Slug};
use headcount::domain::person::Email;
use headcount::domain::position::Epoch;
use headcount::domain::registration::{Locator, Registration, Status};
use headcount::store::Commit;

use super::machine::{Dump, Subject, WHO};

#[derive(Debug, Clone, Default)]
struct Tables {
    event: Option<Event>,
    registrations: BTreeMap<Locator, Registration>,
    changes: Vec<Change>,
    rounds: BTreeMap<u32, Capacity>,
    audit: Vec<AuditEntry>,
}

#[derive(Debug)]
pub(super) struct Memory {
    tables: Tables,
    clock: Clock,
    created: EventId,
    slug: Option<Slug>,
}

impl Memory {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            tables: Tables::default(),
            clock,
            created: 0,
            slug: None,
        }
    }
}

impl Subject for Memory {
    async fn create(&mut self, new: NewEvent, now: Timestamp) -> Event {
        self.created += 1;
        let event = Event {
            id: self.created,
            ..new.open(Epoch::draw(), now)
        };
        // The audit log of a slug outlives its events; nothing else does.
        let audit = if self.slug.as_ref() == Some(&event.slug) {
            std::mem::take(&mut self.tables.audit)
        } else {
            Vec::new()
        };
        self.slug = Some(event.slug.clone());
        self.tables = Tables {
            audit,
            ..Tables::default()
        };
        self.tables.changes.push(Change {
            headcount: event.headcount(),
            kind: Kind::Created,
        });
        let after = audit::event(&event);
        self.tables.audit.push(AuditEntry {
            at: now,
            who: WHO.to_owned(),
            action: "create".to_owned(),
            before: serde_json::Value::Null,
            after,
        });
        self.tables.event = Some(event.clone());
        event
    }

    async fn commit(&mut self, event: EventId, commands: &[Command]) -> Commit {
        // A transaction: nothing is visible before all of it is decided.
        let mut tables = self.tables.clone();
        let commit = tables.commit(event, commands, &self.clock);
        self.tables = tables;
        commit
    }

    async fn abandon(&mut self, event: EventId, commands: &[Command], after: usize) {
        let mut tables = self.tables.clone();
        tables.commit(event, commands, &self.clock);
        if after.is_multiple_of(2) {
            self.tables = tables;
        }
    }

    async fn restart(&mut self) {}

    async fn dump(&mut self, _: &Event) -> Dump {
        let tables = &self.tables;
        Dump {
            event: tables.event.clone(),
            registrations: tables.registrations.values().cloned().collect(),
            changes: tables.changes.clone(),
            audit: tables.audit.clone(),
        }
    }
}

/// Whether a registration has this address now.
fn has_address(row: &Registration, email: Option<&Email>) -> bool {
    let own = row.email.as_ref().map(Email::key);
    row.status != Status::Cancelled && own.is_some() && own == email.map(Email::key)
}

impl Tables {
    fn commit(&mut self, id: EventId, commands: &[Command], clock: &Clock) -> Commit {
        let mut commit = Commit {
            event: None,
            changes: Vec::new(),
            decisions: Vec::new(),
        };
        for together in commands.chunk_by(|one, next| one.is_batched() && next.is_batched()) {
            let Some(event) = self.event.clone().filter(|event| event.id == id) else {
                commit
                    .decisions
                    .extend(together.iter().map(|_| Err(Refusal::EventNotFound)));
                continue;
            };
            let mut batch = BatchState::new(event.clone(), self.known(&event, together));
            commit.decisions.extend(
                together
                    .iter()
                    .map(|command| apply(&mut batch, command, clock.now())),
            );
            let stored = self.clone();
            self.write(&batch);
            if batch.is_unchanged() {
                assert_eq!(
                    stored.event, self.event,
                    "there was something to write after all"
                );
                assert_eq!(
                    stored.registrations, self.registrations,
                    "there was something to write after all"
                );
                assert_eq!(
                    (stored.changes.len(), stored.audit.len()),
                    (self.changes.len(), self.audit.len()),
                    "there was something to write after all"
                );
            }
            commit.changes.extend(batch.writes.changes);
        }
        commit.event.clone_from(&self.event);
        commit
    }

    /// Exactly what is promised, so that a decision that needs more fails.
    fn known(&self, event: &Event, commands: &[Command]) -> Known {
        let mut known = Known::default();
        let mut round = event.round;
        let max_promotions = |capacity: Capacity, registered: u32, waiting: u32| {
            capacity
                .remaining(registered)
                .unwrap_or(waiting)
                .min(waiting)
        };
        let mut queue = match commands {
            [Command::Edit { edit, .. }] => max_promotions(
                edit.capacity.unwrap_or(event.capacity),
                event.registered,
                event.waiting,
            ),
            [Command::Undo { .. }] => {
                round -= 1;
                known.archived = self.archived(round);
                known.archived.map_or(0, |archived| {
                    max_promotions(archived.capacity, archived.registered, archived.waiting)
                })
            }
            // Free places, and the people of the parties that are named. A registration that is not
            // stored yet may have the largest party.
            visits => {
                let people = |locator: &Locator| {
                    let row = self.registrations.get(locator);
                    row.map_or(20, |row| row.party_size.get())
                };
                let named = visits.iter().filter_map(|command| match command {
                    Command::Cancel { locator, .. } | Command::Change { locator, .. } => {
                        Some(people(locator))
                    }
                    _ => None,
                });
                let named: Vec<u32> = named.collect();
                let free = event.capacity.remaining(event.registered).unwrap_or(0);
                if named.is_empty() {
                    0
                } else {
                    free + named.iter().sum::<u32>()
                }
            }
        };
        for row in self.registrations.values() {
            let is_named = commands.iter().any(|command| match command {
                Command::Register(applicant) | Command::Add { applicant, .. } => {
                    row.locator.round == round
                        && (has_address(row, applicant.email.as_ref())
                            || (applicant.key.is_some() && row.key == applicant.key))
                }
                Command::Import { people, .. } => {
                    let mut people = people.iter();
                    row.locator.round == round
                        && people.any(|person| has_address(row, person.email.as_ref()))
                }
                Command::Restore { locator, .. } => {
                    let email = self.registrations.get(locator);
                    let email = email.and_then(|named| named.email.as_ref());
                    row.locator == *locator
                        || (row.locator.round == round && has_address(row, email))
                }
                Command::Cancel { locator, .. }
                | Command::Change { locator, .. }
                | Command::Erase { locator, .. } => row.locator == *locator,
                Command::EraseDue { locators } => locators.contains(&row.locator),
                _ => false,
            });
            if is_named {
                known.insert(row.clone(), round);
            }
            if queue > 0 && row.locator.round == round && row.status == Status::Waiting {
                queue -= 1;
                known.insert_waiting(row.clone(), round);
            }
        }
        known
    }

    fn archived(&self, round: u32) -> Option<Archived> {
        let capacity = *self.rounds.get(&round)?;
        let rows = || {
            self.registrations
                .values()
                .filter(|row| row.locator.round == round)
        };
        let of = |status| rows().filter(move |row| row.status == status);
        let people = |status| of(status).map(|row| row.party_size.get()).sum::<u32>();
        let waiting = people(Status::Waiting);
        let parties = u32::try_from(of(Status::Waiting).count()).expect("few");
        let last_number = rows().map(|row| row.locator.number).max().unwrap_or(0);
        Some(Archived {
            round,
            capacity,
            registered: people(Status::Confirmed),
            waiting,
            waiting_companions: waiting - parties,
            last_number,
        })
    }

    /// Writes rows with the unique keys of the real schema.
    fn write(&mut self, batch: &BatchState) {
        let writes = &batch.writes;
        self.audit.extend(writes.audit.iter().cloned());
        if writes.deleted {
            *self = Self {
                audit: std::mem::take(&mut self.audit),
                ..Self::default()
            };
            return;
        }
        for locator in &writes.updated {
            self.registrations.entry(*locator).and_modify(|row| {
                let new = batch.registration(*locator);
                (row.status, row.revision) = (new.status, new.revision);
                row.party_size = new.party_size;
            });
        }
        for locator in &writes.rewritten {
            self.registrations.entry(*locator).and_modify(|row| {
                let new = batch.registration(*locator);
                (row.name, row.answers) = (new.name.clone(), new.answers.clone());
                row.renamed_at = new.renamed_at;
            });
        }
        for locator in &writes.erased {
            self.registrations
                .entry(*locator)
                .and_modify(|row| *row = batch.registration(*locator).clone());
        }
        for locator in &writes.inserted {
            let former = self
                .registrations
                .insert(*locator, batch.registration(*locator).clone());
            assert_eq!(former, None, "a number was given twice");
        }
        for change in &writes.changes {
            let newest = self
                .changes
                .last()
                .map_or(0, |last| last.headcount.revision);
            assert_eq!(
                change.headcount.revision,
                newest + 1,
                "revisions have a gap"
            );
            self.changes.push(change.clone());
        }
        if let Some((round, capacity)) = writes.archive {
            assert_eq!(
                self.rounds.insert(round, capacity),
                None,
                "a round was archived twice"
            );
        }
        if let Some(round) = writes.restored {
            assert!(
                self.rounds.remove(&round).is_some(),
                "a round was restored that nobody archived"
            );
        }
        self.event = Some(batch.event.clone());
    }
}
