//! The store's contract, run against both databases.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use headcount::domain::audit::Actor;
use headcount::domain::change::{Change, Kind};
use headcount::domain::clock::{Clock, Timestamp};
use headcount::domain::command::{Answer, Applicant, Command, Decision, Refusal};
use headcount::domain::event::{Capacity, Edit, Event, EventId, NewEvent, PartySize, Slug};
use headcount::domain::headcount::State;
use headcount::domain::person::{Email, Name};
use headcount::domain::registration::{IdempotencyKey, Locator, Registration, Secret, Status};
use headcount::domain::search::Search;
use headcount::store::{Commit, CreateError, DatabaseUrl, Filter, Order, Store, StoreError};
use sqlx::{ConnectOptions as _, Executor as _};

/// Every case is a test on either database.
macro_rules! both_databases {
    ($($case:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let file = $crate::support::sqlite::File::new();
                super::$case(super::Stage::set(file.url()).await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let url = $crate::support::postgres::shared().create_database().await;
                super::$case(super::Stage::set(url).await).await;
            })*
        }
    };
}

mod batches;
mod by_hand;
mod confirmations;
mod constraints;
mod erasing;
mod file;
mod groups;
mod keeping;
mod load;
mod lost;
mod nodes;
mod organiser;
mod outbox;
mod outbox_end;
mod questions;
mod reading;
mod schedule;
mod series;
mod visits;

const NOON: i64 = 1_795_251_600_000;

struct Stage {
    url: DatabaseUrl,
    store: Store,
    clock: Arc<AtomicI64>,
}

impl Stage {
    async fn set(url: DatabaseUrl) -> Self {
        let store = Store::open(&url, None).await.expect("a new database");
        Self {
            url,
            store,
            clock: Arc::new(AtomicI64::new(NOON)),
        }
    }

    /// Changes rows as no version of the program does.
    async fn tamper(&self, sql: &'static str) {
        self.try_tamper(sql).await.expect(sql);
    }

    async fn try_tamper(&self, sql: &'static str) -> Result<(), sqlx::Error> {
        match &self.url {
            DatabaseUrl::Sqlite(options) => options.connect().await?.execute(sql).await.map(drop),
            DatabaseUrl::Postgres(options) => options.connect().await?.execute(sql).await.map(drop),
        }
    }

    async fn event(&self, slug: &str, capacity: Option<i64>, waitlist: bool) -> Event {
        self.store
            .create(
                new_event(slug, capacity, waitlist),
                "token",
                self.clock().now(),
            )
            .await
            .expect("a new slug")
    }

    fn clock(&self) -> Clock {
        Clock::Manual(self.clock.clone())
    }

    async fn commit(&self, event: EventId, commands: Vec<Command>) -> Commit {
        self.store
            .commit(event, &commands, &self.clock())
            .await
            .expect("a database that works")
    }

    async fn one(&self, event: EventId, command: Command) -> (Decision, Vec<Kind>) {
        let mut commit = self.commit(event, vec![command]).await;
        (
            commit.decisions.remove(0),
            commit.changes.iter().map(|change| change.kind).collect(),
        )
    }

    /// Commits a command that must succeed.
    async fn does(&self, event: EventId, command: Command) {
        self.one(event, command).await.0.expect("not refused");
    }

    async fn registers(&self, event: EventId, person: &str) -> Registration {
        accepted(self.one(event, register(person)).await.0)
    }

    /// Checks that the log has every revision, that the last one is the event's, and that the
    /// counts match the rows.
    async fn check(&self, event: EventId) -> Vec<Change> {
        let event = self
            .store
            .event_by_id(event)
            .await
            .unwrap()
            .expect("the event");
        let changes = self.store.changes(&event, 0, 10_000).await.unwrap();
        let revisions: Vec<i64> = changes
            .iter()
            .map(|change| change.headcount.revision)
            .collect();
        assert_eq!(revisions, (1..=event.revision).collect::<Vec<_>>());
        assert_eq!(changes.last().unwrap().headcount, event.headcount());
        let (counted, registered) = self.store.recount(event.id).await.unwrap().unwrap();
        assert_eq!((counted, registered), (event.registered, event.registered));
        let waiting = self
            .store
            .registrations(
                event.id,
                &Filter {
                    status: Some(Status::Waiting),
                    round: event.round,
                    limit: 10_000,
                    ..Filter::default()
                },
            )
            .await
            .unwrap();
        assert_eq!(waiting.total, event.waiting_parties());
        let waiting = waiting.rows;
        let people = waiting.iter().map(|row| row.registration.party_size.get());
        assert_eq!(people.sum::<u32>(), event.waiting);
        assert_eq!(waiting.len(), event.waiting_parties() as usize);
        assert!(
            waiting
                .iter()
                .zip(1..)
                .all(|(row, position)| row.waiting_position == Some(position))
        );
        changes
    }
}

fn new_event(slug: &str, capacity: Option<i64>, waitlist: bool) -> NewEvent {
    let capacity = capacity.map_or(Capacity::UNLIMITED, |places| {
        Capacity::limited(places).unwrap()
    });
    NewEvent {
        description: "First line\nsecond".into(),
        waitlist,
        max_party_size: party(20),
        ..NewEvent::new(Slug::parse(slug).unwrap(), "Spring gala", capacity)
    }
}

fn applicant(person: &str) -> Applicant {
    let email = Email::parse(&format!("{person}@example.org")).unwrap();
    Applicant::new(Name::parse(person).unwrap(), email, None, Secret::draw())
}

fn party(people: i64) -> PartySize {
    PartySize::parse("party_size", people).unwrap()
}

fn register(person: &str) -> Command {
    Command::Register(applicant(person))
}

fn with_key(person: &str, key: &str) -> Command {
    Command::Register(Applicant {
        key: Some(IdempotencyKey::parse(key).unwrap()),
        ..applicant(person)
    })
}

fn cancel(registration: &Registration) -> Command {
    Command::Cancel {
        locator: registration.locator,
        secret: Some(registration.secret.clone()),
        by: Actor::Visitor,
    }
}

fn edit(edit: Edit) -> Command {
    Command::Edit {
        edit,
        expected: None,
        by: Actor::Owner,
    }
}

fn capacity(places: i64) -> Command {
    edit(Edit {
        capacity: Some(Capacity::limited(places).unwrap()),
        ..Edit::default()
    })
}

fn reset() -> Command {
    Command::Reset {
        expected: None,
        capacity: None,
        by: Actor::Owner,
    }
}

fn undo() -> Command {
    Command::Undo {
        expected: None,
        by: Actor::Owner,
    }
}

#[track_caller]
fn accepted(decision: Decision) -> Registration {
    match decision {
        Ok(Answer::Registered {
            registration,
            replayed: false,
        }) => Arc::unwrap_or_clone(registration),
        other => panic!("not accepted: {other:?}"),
    }
}

#[track_caller]
fn cancelled(decision: Decision) -> Registration {
    match decision {
        Ok(Answer::Cancelled(registration)) => Arc::unwrap_or_clone(registration),
        other => panic!("not cancelled: {other:?}"),
    }
}

#[track_caller]
fn changed(decision: Decision) -> Event {
    match decision {
        Ok(Answer::Event(event)) => *event,
        other => panic!("not changed: {other:?}"),
    }
}
