//! The store's contract, told as a story to both databases: every method is a line in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use headcount::domain::audit::Actor;
use headcount::domain::change::{Change, Kind};
use headcount::domain::clock::{Clock, Timestamp};
use headcount::domain::command::{Answer, Applicant, Command, Decision, Refusal};
use headcount::domain::event::{Capacity, Edit, Event, EventId, NewEvent, Slug};
use headcount::domain::headcount::State;
use headcount::domain::person::{Email, Name};
use headcount::domain::registration::{IdempotencyKey, Locator, Registration, Secret, Status};
use headcount::store::{Commit, CreateError, DatabaseUrl, Filter, Store, StoreError};
use sqlx::{ConnectOptions as _, Executor as _};

use crate::support::{postgres, sqlite};

/// Every chapter is a test on either database.
macro_rules! told_to_both {
    ($($chapter:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $chapter() {
                let file = super::sqlite::File::new();
                super::$chapter(super::Stage::set(file.url()).await).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $chapter() {
                let url = super::postgres::shared().create_database().await;
                super::$chapter(super::Stage::set(url).await).await;
            })*
        }
    };
}

told_to_both!(
    an_event_is_created_and_found,
    people_register_until_it_is_full,
    people_wait_and_move_up,
    an_address_has_one_place,
    a_key_is_answered_again,
    a_registration_is_given_back,
    an_organiser_changes_settings,
    a_round_is_reset_and_brought_back,
    the_schedule_falls_due,
    an_event_is_deleted_with_all_its_rows,
    organisers_commands_stand_between_visits,
    registrations_are_listed_and_searched,
    announcements_settings_and_sessions_are_kept,
    refusals_write_nothing,
    a_batch_that_fails_stores_nothing,
    the_schema_refuses_what_must_not_be,
    a_crowd_gets_exactly_the_places,
    a_cancelled_future_leaves_nothing_half_open,
    nodes_that_start_together_agree,
);

const NOON: i64 = 1_795_251_600_000;

struct Stage {
    url: DatabaseUrl,
    store: Store,
    clock: Arc<AtomicI64>,
}

impl Stage {
    async fn set(url: DatabaseUrl) -> Self {
        let store = Store::open(&url, None).await.expect("a new database");
        Self { url, store, clock: Arc::new(AtomicI64::new(NOON)) }
    }

    /// What no version of the program does.
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
        self.store.create(new_event(slug, capacity, waitlist), "token", self.clock().now()).await.expect("a new slug")
    }

    fn clock(&self) -> Clock {
        Clock::Manual(self.clock.clone())
    }

    async fn commit(&self, event: EventId, commands: Vec<Command>) -> Commit {
        self.store.commit(event, &commands, &self.clock()).await.expect("a database that works")
    }

    async fn one(&self, event: EventId, command: Command) -> (Decision, Vec<Kind>) {
        let mut commit = self.commit(event, vec![command]).await;
        (commit.decisions.remove(0), commit.changes.iter().map(|change| change.kind).collect())
    }

    async fn registers(&self, event: EventId, person: &str) -> Registration {
        accepted(self.one(event, register(person)).await.0)
    }

    /// The log has every revision, the last is the event's, and the counts are those of the rows.
    async fn check(&self, event: EventId) -> Vec<Change> {
        let event = self.store.event_by_id(event).await.unwrap().expect("the event");
        let changes = self.store.changes(&event, 0, 10_000).await.unwrap();
        let revisions: Vec<i64> = changes.iter().map(|change| change.headcount.revision).collect();
        assert_eq!(revisions, (1..=event.revision).collect::<Vec<_>>());
        assert_eq!(changes.last().unwrap().headcount, event.headcount());
        let (counted, registered) = self.store.recount(event.id).await.unwrap().unwrap();
        assert_eq!((counted, registered), (event.registered, event.registered));
        let waiting = self
            .store
            .registrations(event.id, &Filter { status: Some(Status::Waiting), round: event.round, limit: 10_000, ..Filter::default() })
            .await
            .unwrap();
        assert_eq!(waiting.len(), event.waiting as usize);
        assert!(waiting.iter().zip(1..).all(|(row, position)| row.waiting_position == Some(position)));
        changes
    }
}

fn new_event(slug: &str, capacity: Option<i64>, waitlist: bool) -> NewEvent {
    let capacity = capacity.map_or(Capacity::UNLIMITED, |places| Capacity::limited(places).unwrap());
    let (slug, title, description) = (Slug::parse(slug).unwrap(), "Spring gala".into(), "First line\nsecond".into());
    NewEvent { slug, title, description, capacity, waitlist, opens_at: None, closes_at: None }
}

fn applicant(person: &str) -> Applicant {
    let email = Email::parse(&format!("{person}@example.org")).unwrap();
    Applicant { name: Name::parse(person).unwrap(), email, key: None, secret: Secret::draw() }
}

fn register(person: &str) -> Command {
    Command::Register(applicant(person))
}

fn with_key(person: &str, key: &str) -> Command {
    Command::Register(Applicant { key: Some(IdempotencyKey::parse(key).unwrap()), ..applicant(person) })
}

fn cancel(registration: &Registration) -> Command {
    Command::Cancel { locator: registration.locator, secret: Some(registration.secret.clone()), by: Actor::Visitor }
}

fn edit(edit: Edit) -> Command {
    Command::Edit { edit, expected: None, by: Actor::Console }
}

fn capacity(places: i64) -> Command {
    edit(Edit { capacity: Some(Capacity::limited(places).unwrap()), ..Edit::default() })
}

fn reset() -> Command {
    Command::Reset { capacity: None, by: Actor::Console }
}

fn undo() -> Command {
    Command::Undo { by: Actor::Console }
}

#[track_caller]
fn accepted(decision: Decision) -> Registration {
    match decision {
        Ok(Answer::Registered { registration, replayed: false }) => *registration,
        other => panic!("not accepted: {other:?}"),
    }
}

#[track_caller]
fn cancelled(decision: Decision) -> Registration {
    match decision {
        Ok(Answer::Cancelled(registration)) => *registration,
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

async fn an_event_is_created_and_found(stage: Stage) {
    let store = &stage.store;
    assert!(store.events().await.unwrap().is_empty());
    let gala = stage.event("spring-gala", Some(100), true).await;
    assert_eq!((gala.revision, gala.round, gala.state()), (1, 1, State::Open));
    let open_end = stage.event("open-end", None, false).await;
    assert_eq!(store.events().await.unwrap(), [gala.clone(), open_end.clone()]);
    assert_eq!(store.event(&gala.slug).await.unwrap().as_ref(), Some(&gala));
    assert_eq!(store.event_by_id(open_end.id).await.unwrap().as_ref(), Some(&open_end));
    assert_eq!(store.event(&Slug::parse("nowhere").unwrap()).await.unwrap(), None);
    assert_eq!(store.event_by_id(open_end.id + 1).await.unwrap(), None);
    assert_eq!(store.recount(open_end.id + 1).await.unwrap(), None);

    assert!(matches!(store.create(new_event("spring-gala", None, false), "token", Timestamp::from_millis(NOON)).await, Err(CreateError::SlugTaken)));
    // The refusal left the writer usable and the first event as it was.
    let changes = stage.check(gala.id).await;
    assert_eq!(changes[0].kind, Kind::Created);
    let audit = store.audit(&gala.slug, None, 10).await.unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!((audit[0].1.who.as_str(), audit[0].1.action.as_str(), &audit[0].1.before), ("token", "create", &serde_json::Value::Null));
    assert_eq!(audit[0].1.after["capacity"], 100);
    store.ping().await.unwrap();
}

async fn people_register_until_it_is_full(stage: Stage) {
    let event = stage.event("gala", Some(3), false).await;
    let first = stage.registers(event.id, "ada").await;
    assert_eq!((first.locator, first.status, first.accepted_revision), (Locator { event: event.id, round: 1, number: 1 }, Status::Confirmed, 2));
    assert_eq!(first.at, Timestamp::from_millis(NOON));

    let commit = stage.commit(event.id, vec![register("bob"), register("cem"), register("dan")]).await;
    let numbers: Vec<_> = commit.decisions.iter().map(|decision| decision.as_ref().map(|_| ())).collect();
    assert_eq!(numbers, [Ok(()), Ok(()), Err(&Refusal::EventFull)]);
    // One commit of many registrations is one revision.
    assert_eq!(commit.changes.len(), 1);
    let count = &commit.changes[0].headcount;
    assert_eq!((count.revision, count.registered, count.remaining, count.state), (3, 3, Some(0), State::Full));
    assert_eq!(commit.event.unwrap().headcount(), *count);

    let stored = stage.store.registration(first.locator).await.unwrap().unwrap();
    assert_eq!((stored.registration, stored.waiting_position), (first.clone(), None));
    assert!(stage.store.registration(Locator { number: 4, ..first.locator }).await.unwrap().is_none());
    stage.check(event.id).await;
}

async fn people_wait_and_move_up(stage: Stage) {
    let event = stage.event("gala", Some(1), true).await;
    let ada = stage.registers(event.id, "ada").await;
    let commit = stage.commit(event.id, vec![register("bob"), register("cem"), register("dan")]).await;
    let waiting: Vec<Registration> = commit.decisions.into_iter().map(accepted).collect();
    let places: Vec<_> = waiting.iter().map(|row| (row.locator.number, row.status, row.accepted_waiting)).collect();
    assert_eq!(places, [(2, Status::Waiting, Some(1)), (3, Status::Waiting, Some(2)), (4, Status::Waiting, Some(3))]);
    stage.check(event.id).await;

    // One who waits leaves; then a place comes free: two revisions, and the longest waiting has it.
    let (decision, kinds) = stage.one(event.id, cancel(&waiting[0])).await;
    assert_eq!((cancelled(decision).status, kinds), (Status::Cancelled, vec![Kind::Cancelled]));
    let (decision, kinds) = stage.one(event.id, cancel(&ada)).await;
    assert_eq!((cancelled(decision).revision, kinds), (5, vec![Kind::Cancelled, Kind::Promoted]));
    let cem = stage.store.registration(waiting[1].locator).await.unwrap().unwrap();
    assert_eq!((cem.registration.status, cem.registration.revision, cem.registration.accepted_waiting), (Status::Confirmed, 6, Some(2)));
    let dan = stage.store.registration(waiting[2].locator).await.unwrap().unwrap();
    assert_eq!(dan.waiting_position, Some(1));
    stage.check(event.id).await;

    // In one batch: a place given back, the one who waits moves up, a new one waits behind.
    let commit = stage.commit(event.id, vec![register("eve"), cancel(&cem.registration), cancel(&dan.registration)]).await;
    let kinds: Vec<Kind> = commit.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [Kind::Registered, Kind::Cancelled, Kind::Promoted, Kind::Cancelled, Kind::Promoted]);
    let eve = accepted(commit.decisions.into_iter().next().unwrap());
    assert_eq!(eve.accepted_waiting, Some(2));
    assert_eq!(stage.store.registration(eve.locator).await.unwrap().unwrap().registration.status, Status::Confirmed);
    stage.check(event.id).await;
}

async fn an_address_has_one_place(stage: Stage) {
    let event = stage.event("gala", Some(10), false).await;
    let ada = stage.registers(event.id, "ada").await;
    assert_eq!(stage.one(event.id, register("ADA")).await, (Err(Refusal::AlreadyRegistered), vec![]));
    let commit = stage.commit(event.id, vec![register("bob"), register("Bob")]).await;
    assert!(matches!(commit.decisions.as_slice(), [Ok(_), Err(Refusal::AlreadyRegistered)]));

    // Given back and taken again in one batch: the address is free in between.
    let commit = stage.commit(event.id, vec![cancel(&ada), register("ada"), register("Ada")]).await;
    assert!(matches!(commit.decisions.as_slice(), [Ok(_), Ok(_), Err(Refusal::AlreadyRegistered)]));
    assert_eq!(stage.one(event.id, register("aDa")).await.0, Err(Refusal::AlreadyRegistered));
    // Another event is another matter.
    let other = stage.event("other", Some(10), false).await;
    stage.registers(other.id, "ada").await;
    stage.check(event.id).await;
}

async fn a_key_is_answered_again(stage: Stage) {
    let event = stage.event("gala", Some(2), true).await;
    let first = accepted(stage.one(event.id, with_key("ada", "attempt-1")).await.0);
    let replayed = |decision: Decision| match decision {
        Ok(Answer::Registered { registration, replayed: true }) => *registration,
        other => panic!("not replayed: {other:?}"),
    };
    let (again, kinds) = stage.one(event.id, with_key("ada", "attempt-1")).await;
    assert_eq!((replayed(again), kinds), (first.clone(), vec![]));
    assert_eq!(stage.one(event.id, with_key("bob", "attempt-1")).await, (Err(Refusal::IdempotencyMismatch), vec![]));

    // A double click in one batch is one place.
    let mut commit = stage.commit(event.id, vec![with_key("cem", "attempt-2"), with_key("cem", "attempt-2")]).await;
    let twice = replayed(commit.decisions.pop().unwrap());
    assert_eq!(accepted(commit.decisions.pop().unwrap()), twice);

    // The key answers as long as its row exists, even cancelled; a new attempt needs a new key.
    stage.one(event.id, cancel(&first)).await;
    assert_eq!(replayed(stage.one(event.id, with_key("ada", "attempt-1")).await.0).status, Status::Cancelled);
    accepted(stage.one(event.id, with_key("ada", "attempt-3")).await.0);
    // In the next round keys are free again.
    stage.one(event.id, reset()).await;
    accepted(stage.one(event.id, with_key("ada", "attempt-1")).await.0);
    stage.check(event.id).await;
}

async fn a_registration_is_given_back(stage: Stage) {
    let event = stage.event("gala", Some(2), false).await;
    let ada = stage.registers(event.id, "ada").await;
    let forged = Command::Cancel { locator: ada.locator, secret: Some(Secret::draw()), by: Actor::Visitor };
    assert_eq!(stage.one(event.id, forged).await, (Err(Refusal::RegistrationNotFound), vec![]));
    let elsewhere = Command::Cancel { locator: Locator { event: event.id + 1, ..ada.locator }, secret: None, by: Actor::Console };
    assert_eq!(stage.one(event.id, elsewhere).await.0, Err(Refusal::RegistrationNotFound));

    let (decision, kinds) = stage.one(event.id, cancel(&ada)).await;
    let gone = cancelled(decision);
    assert_eq!((gone.status, kinds), (Status::Cancelled, vec![Kind::Cancelled]));
    // Again: the same answer, no new revision.
    let (decision, kinds) = stage.one(event.id, cancel(&ada)).await;
    assert_eq!((cancelled(decision), kinds), (gone, vec![]));
    // The place is free, the number is not.
    assert_eq!(stage.registers(event.id, "bob").await.locator.number, 2);

    // The organiser needs no secret, and leaves a trace.
    let bob = Locator { number: 2, ..ada.locator };
    cancelled(stage.one(event.id, Command::Cancel { locator: bob, secret: None, by: Actor::Token }).await.0);
    let audit = stage.store.audit(&event.slug, None, 1).await.unwrap();
    assert_eq!((audit[0].1.who.as_str(), audit[0].1.action.as_str()), ("token", "cancel"));
    assert_eq!((&audit[0].1.before["status"], &audit[0].1.after["status"]), (&"confirmed".into(), &"cancelled".into()));
    stage.check(event.id).await;
}

async fn an_organiser_changes_settings(stage: Stage) {
    let event = stage.event("gala", Some(1), true).await;
    for person in ["ada", "bob", "cem", "dan", "eve"] {
        stage.registers(event.id, person).await;
    }
    let before = stage.store.event_by_id(event.id).await.unwrap().unwrap();

    // More places go to the longest waiting, in the same transaction.
    let (decision, kinds) = stage.one(event.id, capacity(3)).await;
    let more = changed(decision);
    assert_eq!((more.registered, more.waiting, kinds), (3, 2, vec![Kind::Capacity, Kind::Promoted]));
    stage.check(event.id).await;

    // Fewer places: nobody is thrown out.
    let fewer = changed(stage.one(event.id, capacity(1)).await.0);
    assert_eq!((fewer.registered, fewer.headcount().over_by, fewer.headcount().remaining), (3, 2, Some(0)));
    let unlimited = edit(Edit { capacity: Some(Capacity::UNLIMITED), ..Edit::default() });
    let unlimited = changed(stage.one(event.id, unlimited).await.0);
    assert_eq!((unlimited.registered, unlimited.waiting), (5, 0));
    stage.check(event.id).await;

    // `If-Match` against an outdated position.
    let stale = Command::Edit { edit: Edit::default(), expected: Some(vec![before.position()]), by: Actor::Token };
    assert_eq!(stage.one(event.id, stale).await, (Err(Refusal::ChangedMeanwhile), vec![]));
    let current = Edit { title: Some("Summer gala".into()), description: Some(String::new()), closed: Some(true), ..Edit::default() };
    let current = Command::Edit { edit: current, expected: Some(vec![unlimited.position()]), by: Actor::Token };
    let (decision, kinds) = stage.one(event.id, current).await;
    let closed = changed(decision);
    assert_eq!((closed.state(), kinds), (State::Closed, vec![Kind::Closed]));
    assert_eq!(stage.store.event(&event.slug).await.unwrap(), Some(closed));
    assert_eq!(stage.one(event.id, register("fay")).await.0, Err(Refusal::EventClosed));
    assert_eq!(stage.store.audit(&event.slug, None, 10).await.unwrap().len(), 5);
    stage.check(event.id).await;
}

async fn a_round_is_reset_and_brought_back(stage: Stage) {
    let event = stage.event("gala", Some(2), true).await;
    assert!(matches!(stage.one(event.id, undo()).await.0, Err(Refusal::NotEmpty(_))));
    let mut people = Vec::new();
    for person in ["ada", "bob", "cem", "dan"] {
        people.push(stage.registers(event.id, person).await);
    }
    let (decision, kinds) = stage.one(event.id, Command::Reset { capacity: Some(Capacity::limited(5).unwrap()), by: Actor::Console }).await;
    let fresh = changed(decision);
    assert_eq!((fresh.round, fresh.registered, fresh.waiting, fresh.last_number, kinds), (2, 0, 0, 0, vec![Kind::Reset]));
    stage.check(event.id).await;

    // Giving a place of the archived round back changes that registration only...
    let (decision, kinds) = stage.one(event.id, cancel(&people[0])).await;
    assert_eq!((cancelled(decision).status, kinds), (Status::Cancelled, vec![]));
    // ... and when the round comes back, with its own capacity, whoever waits has it.
    let (decision, kinds) = stage.one(event.id, undo()).await;
    let back = changed(decision);
    assert_eq!((back.round, back.registered, back.waiting, back.last_number, back.capacity), (1, 2, 1, 4, event.capacity));
    assert_eq!(kinds, [Kind::Restored, Kind::Promoted]);
    assert_eq!(stage.store.registration(people[2].locator).await.unwrap().unwrap().registration.status, Status::Confirmed);
    stage.check(event.id).await;

    // Once somebody has registered in the new round, it stays. Numbers begin again at 1; addresses are free again.
    stage.one(event.id, reset()).await;
    assert_eq!(stage.registers(event.id, "bob").await.locator, Locator { event: event.id, round: 2, number: 1 });
    assert!(matches!(stage.one(event.id, undo()).await.0, Err(Refusal::NotEmpty(_))));
    let archived = stage.store.registrations(event.id, &Filter { round: 1, limit: 10, ..Filter::default() }).await.unwrap();
    assert_eq!(archived.len(), 4);
    stage.check(event.id).await;
}

async fn the_schedule_falls_due(stage: Stage) {
    let at = |seconds: i64| Some(Timestamp::from_millis(NOON + seconds * 1000));
    let new = NewEvent { opens_at: at(10), closes_at: at(20), ..new_event("gala", Some(5), false) };
    let event = stage.store.create(new, "token", Timestamp::from_millis(NOON)).await.unwrap();
    assert_eq!((event.state(), event.next_due()), (State::Scheduled, at(10)));
    assert_eq!(stage.one(event.id, register("ada")).await, (Err(Refusal::EventNotOpen { opens_at: at(10) }), vec![]));
    assert_eq!(stage.one(event.id, Command::FallDue).await, (Ok(Answer::Noted), vec![]));

    stage.clock.store(NOON + 10_000, Ordering::SeqCst);
    // Whoever comes first at that moment finds it open; the opening is a change of its own.
    let (decision, kinds) = stage.one(event.id, register("ada")).await;
    assert_eq!((accepted(decision).at, kinds), (at(10).unwrap(), vec![Kind::Opened, Kind::Registered]));
    stage.clock.store(NOON + 20_000, Ordering::SeqCst);
    assert_eq!(stage.one(event.id, Command::FallDue).await, (Ok(Answer::Noted), vec![Kind::Closed]));
    assert_eq!(stage.one(event.id, Command::FallDue).await, (Ok(Answer::Noted), vec![]));
    let closed = stage.store.event_by_id(event.id).await.unwrap().unwrap();
    assert_eq!((closed.state(), closed.next_due(), Some(closed.at)), (State::Closed, None, at(20)));

    // A clock that was set back makes no change older than the one before.
    stage.clock.store(NOON, Ordering::SeqCst);
    let later = changed(stage.one(event.id, edit(Edit { closes_at: Some(at(60)), ..Edit::default() })).await.0);
    assert_eq!((later.state(), Some(later.at)), (State::Open, at(20)));
    stage.check(event.id).await;
}

async fn an_event_is_deleted_with_all_its_rows(stage: Stage) {
    let event = stage.event("gala", Some(5), false).await;
    let other = stage.event("other", Some(5), false).await;
    let ada = stage.registers(event.id, "ada").await;
    stage.registers(other.id, "ada").await;
    stage.one(event.id, reset()).await;
    stage.store.announce(event.id, "Doors open", "console", Timestamp::from_millis(NOON)).await.unwrap();
    let delete = |confirmed| Command::Delete { confirmed, by: Actor::Console };
    assert!(matches!(stage.one(event.id, delete(false)).await.0, Err(Refusal::NotEmpty(_))));

    let commit = stage.commit(event.id, vec![register("bob"), delete(true), register("cem")]).await;
    assert!(commit.event.is_none());
    assert!(matches!(commit.decisions.as_slice(), [Ok(_), Ok(Answer::Deleted), Err(Refusal::EventNotFound)]));
    assert_eq!(stage.store.event(&event.slug).await.unwrap(), None);
    assert!(stage.store.registration(ada.locator).await.unwrap().is_none());
    assert!(stage.store.changes(&event, 0, 10).await.unwrap().is_empty());
    assert!(stage.store.announcement(event.id).await.unwrap().is_none());
    let commit = stage.commit(event.id, vec![register("bob"), Command::FallDue]).await;
    assert_eq!(commit.decisions, [Err(Refusal::EventNotFound), Err(Refusal::EventNotFound)]);
    assert!(stage.store.announce(event.id, "Too late", "console", Timestamp::from_millis(NOON)).await.unwrap().is_none());

    // Who deleted it is still known; the slug is free again, for another event with another key.
    let audit = stage.store.audit(&event.slug, None, 10).await.unwrap();
    assert_eq!((audit[0].1.action.as_str(), &audit[0].1.after), ("delete", &serde_json::Value::Null));
    let again = stage.event("gala", Some(5), false).await;
    assert!(again.id > other.id && again.epoch != event.epoch);
    stage.check(again.id).await;
    stage.check(other.id).await;
}

async fn organisers_commands_stand_between_visits(stage: Stage) {
    let event = stage.event("gala", Some(1), true).await;
    let commands = vec![register("ada"), register("bob"), capacity(2), register("cem"), reset(), register("ada"), undo(), Command::FallDue, register("bob")];
    let commit = stage.commit(event.id, commands).await;
    assert!(matches!(commit.decisions[6], Err(Refusal::NotEmpty(_))));
    let kinds: Vec<Kind> = commit.changes.iter().map(|change| change.kind).collect();
    let expected = [Kind::Registered, Kind::Capacity, Kind::Promoted, Kind::Registered, Kind::Reset, Kind::Registered, Kind::Registered];
    assert_eq!(kinds, expected);
    let event = commit.event.unwrap();
    assert_eq!((event.round, event.registered, event.revision), (2, 2, 8));
    stage.check(event.id).await;
}

async fn registrations_are_listed_and_searched(stage: Stage) {
    let event = stage.event("gala", Some(3), true).await;
    let person = |name: &str, email: &str| {
        Command::Register(Applicant { name: Name::parse(name).unwrap(), email: Email::parse(email).unwrap(), key: None, secret: Secret::draw() })
    };
    let people = vec![
        person("Ada Lovelace", "ada@example.org"),
        person("Özgür Çelik", "oz@example.com"),
        person("100% Bob", "bob_1@example.org"),
        person("王小明", "Ming@Example.COM"),
        person("Ünal", "unal@example.net"),
    ];
    let commit = stage.commit(event.id, people).await;
    assert!(commit.decisions.iter().all(Result::is_ok));
    let all = Filter { round: 1, limit: 100, ..Filter::default() };
    let list = async |filter: Filter| -> Vec<(u32, Option<u32>)> {
        let rows = stage.store.registrations(event.id, &filter).await.unwrap();
        rows.iter().map(|row| (row.registration.locator.number, row.waiting_position)).collect()
    };
    assert_eq!(list(all.clone()).await, [(1, None), (2, None), (3, None), (4, Some(1)), (5, Some(2))]);
    assert_eq!(list(Filter { after: 1, limit: 2, ..all.clone() }).await, [(2, None), (3, None)]);
    assert_eq!(list(Filter { after: 4, ..all.clone() }).await, [(5, Some(2))]);
    assert_eq!(list(Filter { status: Some(Status::Waiting), ..all.clone() }).await, [(4, Some(1)), (5, Some(2))]);
    assert_eq!(list(Filter { round: 2, ..all.clone() }).await, []);
    for (query, numbers) in [
        ("LOVE", vec![1]),
        ("example.org", vec![1, 3]),
        ("EXAMPLE.com", vec![2, 4]),
        ("özgür", vec![2]),
        ("ÖZGÜR", vec![2]),
        ("ünal", vec![5]),
        ("小明", vec![4]),
        ("%", vec![3]),
        ("_", vec![3]),
        ("0% b", vec![3]),
        ("!", vec![]),
        ("\\", vec![]),
        ("'; DROP TABLE registrations; --", vec![]),
        ("\0", vec![]),
        ("", vec![1, 2, 3, 4, 5]),
    ] {
        let found = list(Filter { query: Some(query.to_owned()), ..all.clone() }).await;
        assert_eq!(found.iter().map(|(number, _)| *number).collect::<Vec<_>>(), numbers, "{query:?}");
    }
}

async fn announcements_settings_and_sessions_are_kept(stage: Stage) {
    let store = &stage.store;
    let now = Timestamp::from_millis(NOON);
    let event = stage.event("gala", None, false).await;
    assert_eq!(store.announcement(event.id).await.unwrap(), None);
    let first = store.announce(event.id, "Doors open at eight", "console", now).await.unwrap().unwrap();
    let second = store.announce(event.id, "Nine, sorry", "console", now).await.unwrap().unwrap();
    assert!(second.id > first.id);
    assert_eq!(store.announcement(event.id).await.unwrap(), Some(second.clone()));
    // An announcement is no change of the count, and a change keeps it.
    stage.registers(event.id, "ada").await;
    let marks = store.marks().await.unwrap();
    assert_eq!(marks.iter().map(|mark| (mark.event, mark.revision, mark.announcement)).collect::<Vec<_>>(), [(event.id, 2, second.id)]);
    let audit = store.audit(&event.slug, None, 10).await.unwrap();
    assert_eq!(audit.iter().map(|(_, entry)| entry.action.as_str()).collect::<Vec<_>>(), ["announce", "announce", "create"]);
    assert_eq!(audit[0].1.after["text"], "Nine, sorry");
    let older = store.audit(&event.slug, Some(audit[0].0), 1).await.unwrap();
    assert_eq!(older[0], audit[1]);

    assert_eq!(store.setting("password").await.unwrap(), None);
    assert_eq!(store.setting_or_insert("password", "one").await.unwrap(), "one");
    assert_eq!(store.setting_or_insert("password", "two").await.unwrap(), "one");
    store.set_setting("password", "three").await.unwrap();
    assert_eq!(store.setting("password").await.unwrap().as_deref(), Some("three"));

    let later = Timestamp::from_millis(NOON + 1000);
    store.create_session("a", later, now).await.unwrap();
    assert_eq!(store.session("a").await.unwrap(), Some(later));
    store.delete_session("a").await.unwrap();
    assert_eq!(store.session("a").await.unwrap(), None);
    store.create_session("b", later, now).await.unwrap();
    store.create_session("c", Timestamp::from_millis(NOON + 2000), later).await.unwrap();
    assert_eq!(store.session("b").await.unwrap(), None, "expired, and forgotten");
}

async fn refusals_write_nothing(stage: Stage) {
    let event = stage.event("gala", Some(0), false).await;
    let commit = stage.commit(event.id, vec![register("ada"), register("bob"), Command::FallDue]).await;
    assert_eq!(commit.decisions, [Err(Refusal::EventFull), Err(Refusal::EventFull), Ok(Answer::Noted)]);
    assert!(commit.changes.is_empty());
    assert_eq!(commit.event, Some(event.clone()));
    let commit = stage.commit(event.id, vec![]).await;
    assert_eq!((commit.event, commit.decisions.len()), (Some(event.clone()), 0));
    stage.check(event.id).await;
}

/// A batch that fails half-way leaves nothing behind, and the writer works on.
async fn a_batch_that_fails_stores_nothing(stage: Stage) {
    let event = stage.event("gala", Some(10), false).await;
    let ada = stage.registers(event.id, "ada").await;
    let bob = stage.registers(event.id, "bob").await;
    // Somebody has restored half a database: the change log is ahead of its event.
    stage.tamper("UPDATE events SET revision = 1, last_number = 3").await;
    let failed = stage.store.commit(event.id, &[cancel(&ada), register("cem")], &stage.clock()).await;
    assert!(matches!(failed, Err(StoreError::Unexpected(_))), "{failed:?}");
    assert_eq!(stage.store.registration(ada.locator).await.unwrap().unwrap().registration, ada);

    stage.tamper("UPDATE events SET revision = 3, registered = 1, last_number = 1").await;
    let failed = stage.store.commit(event.id, &[cancel(&ada), register("cem")], &stage.clock()).await;
    assert!(matches!(failed, Err(StoreError::Unexpected(_))), "a number is given twice: {failed:?}");
    assert_eq!(stage.store.registration(bob.locator).await.unwrap().unwrap().registration, bob);

    stage.tamper("UPDATE events SET registered = 2, last_number = 2").await;
    assert_eq!(stage.registers(event.id, "cem").await.locator.number, 3);
    stage.check(event.id).await;
}

/// The second wall, without the first: rows that the decision never makes.
async fn the_schema_refuses_what_must_not_be(stage: Stage) {
    let event = stage.event("gala", Some(10), false).await;
    stage.one(event.id, with_key("ada", "attempt")).await;
    stage.one(event.id, with_key("bob", "other")).await;
    for forbidden in [
        "UPDATE registrations SET email_key = 'ada@example.org'",
        "UPDATE registrations SET idempotency_key = 'attempt'",
        "UPDATE registrations SET number = 1",
        "UPDATE registrations SET number = 0 WHERE number = 1",
        "UPDATE registrations SET status = 'lost'",
        "UPDATE registrations SET event_id = 999",
        "UPDATE events SET registered = -1",
        "UPDATE events SET waiting = 1",
        "UPDATE events SET capacity = 1000001",
        "DELETE FROM events",
    ] {
        assert!(stage.try_tamper(forbidden).await.is_err(), "{forbidden}");
    }
    stage.check(event.id).await;
}

async fn a_crowd_gets_exactly_the_places(stage: Stage) {
    let event = stage.event("gala", Some(100), false).await;
    let crowd = (0..200).map(|n| {
        let store = stage.store.clone();
        tokio::spawn(async move { store.commit(event.id, &[register(&format!("person{n}"))], &Clock::System).await.unwrap().decisions.remove(0) })
    });
    let mut numbers = Vec::new();
    for visitor in crowd.collect::<Vec<_>>() {
        match visitor.await.unwrap() {
            Ok(Answer::Registered { registration, replayed: false }) => numbers.push(registration.locator.number),
            Err(Refusal::EventFull) => {}
            other => panic!("{other:?}"),
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    stage.check(event.id).await;
}

async fn a_cancelled_future_leaves_nothing_half_open(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    for patience_us in (0..2_000).step_by(40) {
        let commands = [register(&format!("person{patience_us}"))];
        let commit = stage.store.commit(event.id, &commands, &Clock::System);
        // Whether it was stored is not known then; that it is all or nothing, and that the next one works, is.
        let _ = tokio::time::timeout(Duration::from_micros(patience_us), commit).await;
    }
    let last = stage.registers(event.id, "last").await;
    let event = stage.store.event_by_id(event.id).await.unwrap().unwrap();
    assert_eq!(event.registered, last.locator.number);
    stage.check(event.id).await;
}

async fn nodes_that_start_together_agree(stage: Stage) {
    let starting = (0..6).map(|n| {
        let url = stage.url.clone();
        tokio::spawn(async move {
            let store = Store::open(&url, None).await.unwrap();
            let password = store.setting_or_insert("password", &n.to_string()).await.unwrap();
            store.close().await;
            password
        })
    });
    let mut passwords = Vec::new();
    for node in starting.collect::<Vec<_>>() {
        passwords.push(node.await.unwrap());
    }
    passwords.dedup();
    assert_eq!(passwords.len(), 1, "{passwords:?}");
}
