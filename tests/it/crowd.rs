//! Many people at once, through the queue, the writer and a real database: exactly the places there are, first come, first
//! served, and everybody is answered.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::join_all;
use headcount::domain::audit::Actor;
use headcount::domain::clock::Clock;
use headcount::domain::command::{Answer, Applicant, Command, Decision, Refusal};
use headcount::domain::event::{Capacity, Edit, Event, EventId, NewEvent, Slug};
use headcount::domain::headcount::{Headcount, State};
use headcount::domain::person::{Email, Name};
use headcount::domain::registration::{IdempotencyKey, Registration, Secret, Status};
use headcount::live::channel::{Channel, Update};
use headcount::live::cluster::{self, Announcer};
use headcount::live::hub::Hub;
use headcount::register::Failure;
use headcount::register::queue::{QUEUE, Registrar};
use headcount::register::schedule;
use headcount::store::{DatabaseUrl, Filter, Store};
use headcount::wire::message::Body;
use sqlx::{ConnectOptions as _, Executor as _};
use tokio::sync::Barrier;
use tokio::task::{JoinSet, unconstrained};
use tokio::time::timeout;

use crate::model::invariants;
use crate::model::machine::Dump;
use crate::support::{postgres, sqlite};

/// Every chapter is a test on either database. In the ordered ones a single thread runs everything, so that who came first is
/// no question of luck.
macro_rules! told_to_both {
    ($(#[$flavor:meta] $chapter:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[$flavor]
            async fn $chapter() {
                let file = super::sqlite::File::new();
                super::$chapter(file.url()).await;
            })*
        }
        mod on_postgres {
            $(#[$flavor]
            async fn $chapter() {
                super::$chapter(super::postgres::shared().create_database().await).await;
            })*
        }
    };
}

told_to_both!(
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    a_stampede_gets_exactly_the_last_places,
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    two_nodes_give_no_place_twice,
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    whoever_gives_a_place_back_gives_it_to_the_next,
    #[tokio::test]
    first_come_first_served,
    #[tokio::test]
    a_full_queue_refuses_at_once_and_stores_nothing,
    #[tokio::test]
    whoever_goes_away_keeps_the_place,
    #[tokio::test]
    what_was_admitted_is_answered_before_the_end,
    #[tokio::test]
    a_deleted_event_answers_everybody_who_still_waits,
    #[tokio::test]
    a_moment_of_the_schedule_needs_nobody_to_come,
    #[tokio::test]
    a_database_that_is_away_is_told_to_everybody,
    #[tokio::test]
    a_statement_that_fails_is_told_to_everybody_and_stores_nothing,
    #[tokio::test]
    a_commit_that_fails_is_told_to_everybody_and_publishes_nothing,
);

const NOON: i64 = 1_795_251_600_000;
/// Only so that a test which waits in vain ends.
const PATIENCE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// One process with its own hub and connections.
struct Node {
    store: Store,
    hub: Hub,
    registrar: Registrar,
    announcer: Announcer,
}

impl Node {
    async fn start(url: &DatabaseUrl) -> Self {
        Self::with_queue(url, QUEUE).await
    }

    async fn with_queue(url: &DatabaseUrl, capacity: usize) -> Self {
        let store = Store::open(url, None).await.expect("a database");
        let hub = Hub::new(Duration::ZERO);
        let (announcer, announcing) = cluster::announcing(store.clone(), Duration::ZERO);
        tokio::spawn(announcing);
        let registrar = Registrar::new(store.clone(), hub.clone(), Clock::System, announcer.clone(), capacity);
        Self { store, hub, registrar, announcer }
    }

    async fn event(&self, capacity: i64, waitlist: bool) -> Event {
        let event = self.store.create(gala(capacity, waitlist), "token", Clock::System.now()).await.unwrap();
        self.hub.publish(event.clone());
        event
    }

    fn channel(&self, event: &Event) -> Arc<Channel> {
        self.hub.channel_by_id(event.id).expect("a channel")
    }

    /// The stored event, after everything that must be true of it was looked at.
    async fn audited(&self, id: EventId) -> (Event, Vec<Registration>) {
        let event = self.store.event_by_id(id).await.unwrap().expect("the event");
        let mut rows = Vec::new();
        loop {
            // Page by page: a thousand rows at once can take longer to read than a database may take to answer.
            let after = u32::try_from(rows.len()).unwrap();
            let page = self.store.registrations(id, &Filter { round: event.round, after, limit: 200, ..Filter::default() }).await.unwrap();
            if page.is_empty() {
                break;
            }
            rows.extend(page.into_iter().map(|listed| listed.registration));
        }
        let changes = self.store.changes(&event, 0, u32::MAX).await.unwrap();
        let dump = Dump { event: Some(event.clone()), registrations: rows.clone(), changes, audit: Vec::new() };
        invariants::hold(&dump).unwrap_or_else(|error| panic!("{error}"));
        (event, rows)
    }

    async fn log(&self, event: &Event) -> Vec<Headcount> {
        self.store.changes(event, 0, u32::MAX).await.unwrap().into_iter().map(|change| change.headcount).collect()
    }
}

fn gala(capacity: i64, waitlist: bool) -> NewEvent {
    let (slug, title, description) = (Slug::parse("gala").unwrap(), "Gala".to_owned(), String::new());
    NewEvent { slug, title, description, capacity: Capacity::limited(capacity).unwrap(), waitlist, opens_at: None, closes_at: None }
}

fn register(person: impl std::fmt::Display) -> Command {
    Command::Register(Applicant {
        name: Name::parse(&format!("Person {person}")).unwrap(),
        email: Email::parse(&format!("{person}@example.org")).unwrap(),
        key: Some(IdempotencyKey::parse(&format!("key of {person}")).unwrap()),
        secret: Secret::draw(),
    })
}

fn accepted(decision: &Decision) -> Option<&Registration> {
    match decision {
        Ok(Answer::Registered { registration, .. }) => Some(registration),
        Err(Refusal::EventFull) => None,
        other => panic!("{other:?}"),
    }
}

type Submitted<'a> = Pin<Box<dyn Future<Output = Result<Decision, Failure>> + Send + 'a>>;

/// Puts commands into the queue in this order and returns what waits for the answers.
async fn line_up<'a>(node: &'a Node, event: &Event, commands: impl IntoIterator<Item = Command>) -> Vec<Submitted<'a>> {
    let mut line = Vec::new();
    for command in commands {
        let mut submitted: Submitted<'a> = Box::pin(node.registrar.submit(event.id, command));
        // The first poll puts it into the queue. The writer has had no turn yet: there is one thread, and it is here.
        let at_once = poll_fn(|context| Poll::Ready(submitted.as_mut().poll(context))).await;
        line.push(match at_once {
            Poll::Pending => submitted,
            Poll::Ready(answer) => Box::pin(std::future::ready(answer)),
        });
    }
    line
}

async fn a_stampede_gets_exactly_the_last_places(url: DatabaseUrl) {
    let node = Arc::new(Node::start(&url).await);
    for (round, (clients, places, waitlist)) in
        [(2, 1, false), (16, 1, false), (64, 7, true), (256, 20, false), (512, 500, true), (512, 1, false)].into_iter().enumerate()
    {
        if round > 0 {
            let confirmed = Command::Delete { confirmed: true, by: Actor::Console };
            let former = node.store.event(&Slug::parse("gala").unwrap()).await.unwrap().unwrap();
            node.registrar.submit(former.id, confirmed).await.unwrap().unwrap();
        }
        let event = node.event(places, waitlist).await;
        let mut updates = node.channel(&event).updates();
        let (done, mut is_done) = tokio::sync::watch::channel(false);
        let watcher = tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let message = Arc::clone(&updates.borrow_and_update().count.message);
                if let Body::Count(count) = message.body() {
                    seen.push(count.clone());
                }
                tokio::select! {
                    changed = updates.changed() => if changed.is_err() { return seen },
                    _ = is_done.changed() => return seen,
                }
            }
        });
        // Everybody clicks twice, and both clicks start together with everybody else's.
        let start = Arc::new(Barrier::new(clients * 2));
        let mut crowd = JoinSet::new();
        for click in 0..clients * 2 {
            let (node, start, event) = (Arc::clone(&node), Arc::clone(&start), event.clone());
            crowd.spawn(async move {
                start.wait().await;
                let decision = node.registrar.submit(event.id, register(click / 2)).await.expect("an answer");
                let registration = accepted(&decision)?;
                let newest = node.channel(&event).newest().event;
                assert!(newest.revision >= registration.accepted_revision, "answered before it was published");
                let stored = node.store.registration(registration.locator).await.unwrap();
                assert!(stored.is_some(), "answered before it was committed");
                Some((click / 2, registration.locator.number, registration.accepted_waiting.is_none()))
            });
        }
        let answers: BTreeSet<_> = crowd.join_all().await.into_iter().flatten().collect();
        done.send_replace(true);
        let (event, rows) = node.audited(event.id).await;
        let confirmed = u32::try_from(clients.min(usize::try_from(places).unwrap())).unwrap();
        let taken = if waitlist { clients } else { usize::try_from(confirmed).unwrap() };
        assert_eq!((event.registered, rows.len()), (confirmed, taken), "{clients} clients for {places} places");
        // Both clicks of one person were told the same, so that one answer is left of two.
        assert_eq!(answers.len(), taken, "{answers:?}");
        let numbers: Vec<_> = answers.iter().map(|(_, number, _)| *number).collect::<BTreeSet<_>>().into_iter().collect();
        assert_eq!(numbers, (1..=event.last_number).collect::<Vec<_>>());
        assert!(answers.iter().all(|(_, number, has_place)| *has_place == (*number <= confirmed)), "{answers:?}");
        assert_eq!(*node.channel(&event).newest().event, event);
        let log = node.log(&event).await;
        for count in watcher.await.unwrap() {
            assert!(log.contains(&count), "{count:?} was published but never committed");
        }
    }
}

async fn two_nodes_give_no_place_twice(url: DatabaseUrl) {
    let nodes = [Arc::new(Node::start(&url).await), Arc::new(Node::start(&url).await)];
    let places = 40;
    let event = nodes[0].event(places, false).await;
    let mut crowd = JoinSet::new();
    // Each sends one after the other, so that the nodes commit many small batches in turn.
    for client in 0..16_usize {
        let (node, id) = (Arc::clone(&nodes[client % 2]), event.id);
        crowd.spawn(async move {
            let mut numbers = Vec::new();
            for turn in 0..5 {
                let decision = node.registrar.submit(id, register(client * 5 + turn)).await.expect("an answer");
                numbers.extend(accepted(&decision).map(|registration| registration.locator.number));
            }
            numbers
        });
    }
    let mut numbers: Vec<_> = crowd.join_all().await.into_iter().flatten().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    let (event, _) = nodes[1].audited(event.id).await;
    assert_eq!(i64::from(event.registered), places);
}

async fn whoever_gives_a_place_back_gives_it_to_the_next(url: DatabaseUrl) {
    let node = Arc::new(Node::start(&url).await);
    let event = node.event(8, true).await;
    let mut crowd = JoinSet::new();
    for client in 0..64_u32 {
        let (node, id) = (Arc::clone(&node), event.id);
        crowd.spawn(async move {
            let decision = node.registrar.submit(id, register(client)).await.expect("an answer");
            let Ok(Answer::Registered { registration, .. }) = decision else { panic!("{decision:?}") };
            // Every second person has second thoughts.
            if client % 2 == 0 {
                let cancel = Command::Cancel { locator: registration.locator, secret: Some(registration.secret), by: Actor::Visitor };
                assert!(node.registrar.submit(id, cancel).await.expect("an answer").is_ok());
            }
        });
    }
    // Meanwhile the organiser cannot make up his mind either.
    for capacity in [4, 12, 0, 8] {
        let edit = Edit { capacity: Some(Capacity::limited(capacity).unwrap()), ..Edit::default() };
        node.registrar.submit(event.id, Command::Edit { edit, expected: None, by: Actor::Console }).await.expect("an answer").unwrap();
    }
    crowd.join_all().await;
    let (event, rows) = node.audited(event.id).await;
    let people = |status| rows.iter().filter(|row| row.status == status).count();
    assert_eq!((people(Status::Cancelled), people(Status::Confirmed) + people(Status::Waiting)), (32, 32));
    // Nobody was thrown out when there were fewer places, so there may be more people than places, but never fewer.
    assert!(people(Status::Confirmed) >= 8, "{event:?}");
}

async fn first_come_first_served(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(300, true).await;
    // More than fits into one batch.
    let answers = join_all(line_up(&node, &event, (0..700).map(register)).await).await;
    for (answer, number) in answers.iter().zip(1..) {
        let registration = accepted(answer.as_ref().expect("an answer")).expect("a place or a place in the line");
        assert_eq!(registration.locator.number, number);
        assert_eq!(registration.email.as_str(), format!("{}@example.org", number - 1));
        assert_eq!(registration.accepted_waiting, number.checked_sub(300).filter(|place| *place > 0));
    }
    node.audited(event.id).await;
}

async fn a_full_queue_refuses_at_once_and_stores_nothing(url: DatabaseUrl) {
    let node = Node::with_queue(&url, 4).await;
    let event = node.event(100, false).await;
    let answers = join_all(line_up(&node, &event, (0..10).map(register)).await).await;
    for (client, answer) in answers.iter().enumerate() {
        match answer {
            Ok(decision) => assert!(client < 4 && decision.is_ok(), "{client}: {decision:?}"),
            Err(Failure::Busy { retry_after }) => assert!(client >= 4 && !retry_after.is_zero(), "{client}"),
            Err(other) => panic!("{client}: {other:?}"),
        }
    }
    let (event, _) = node.audited(event.id).await;
    assert_eq!(event.registered, 4);
    // Whoever was refused comes again, with the same key.
    for client in 0..10 {
        let decision = node.registrar.submit(event.id, register(client)).await.expect("there is room again");
        assert!(matches!(decision, Ok(Answer::Registered { replayed, .. }) if replayed == (client < 4)), "{decision:?}");
    }
    assert_eq!(node.audited(event.id).await.0.registered, 10);
}

async fn whoever_goes_away_keeps_the_place(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(1, false).await;
    drop(line_up(&node, &event, [register("ada")]).await);
    assert_eq!(node.registrar.submit(event.id, register("bob")).await, Ok(Err(Refusal::EventFull)));
    let decision = node.registrar.submit(event.id, register("ada")).await.unwrap();
    assert!(matches!(decision, Ok(Answer::Registered { replayed: true, .. })), "{decision:?}");
}

async fn what_was_admitted_is_answered_before_the_end(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(1_000, false).await;
    let new = NewEvent { slug: Slug::parse("ball").unwrap(), ..gala(1_000, false) };
    let other = node.store.create(new, "token", Clock::System.now()).await.unwrap();
    node.hub.publish(other.clone());
    let mut line = line_up(&node, &event, (0..900).map(register)).await;
    // The end waits for every event's writer, not only for the newest.
    line.extend(line_up(&node, &other, [register("ada")]).await);
    node.registrar.close().await;
    assert_eq!(node.registrar.submit(event.id, register("late")).await, Err(Failure::Draining));
    // Nothing runs any more that could still answer, so every answer is there already.
    for mut submitted in line {
        // Unconstrained: a task that finds hundreds of answers without a pause would be told to make one.
        let answer = unconstrained(poll_fn(|context| Poll::Ready(submitted.as_mut().poll(context)))).await;
        assert!(matches!(answer, Poll::Ready(Ok(Ok(_)))), "{answer:?}");
    }
    assert_eq!(node.audited(event.id).await.0.registered, 900);
    node.registrar.close().await;
}

async fn a_deleted_event_answers_everybody_who_still_waits(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(10, false).await;
    let delete = Command::Delete { confirmed: true, by: Actor::Console };
    let tasks = tokio::runtime::Handle::current().metrics();
    let without_writer = tasks.num_alive_tasks();
    let line = line_up(&node, &event, [register("ada"), delete, register("bob")]).await;
    node.registrar.forget(event.id);
    let answers = join_all(line).await;
    let ended = async {
        while tasks.num_alive_tasks() > without_writer {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, ended).await.expect("a deleted event leaves no writer behind");
    assert!(matches!(answers[0], Ok(Ok(Answer::Registered { .. }))), "{answers:?}");
    assert_eq!(answers[1..], [Ok(Ok(Answer::Deleted)), Ok(Err(Refusal::EventNotFound))]);
    assert!(node.hub.channel_by_id(event.id).is_none());
    // A writer of an event that is gone does no harm.
    assert_eq!(node.registrar.submit(event.id, register("cem")).await, Ok(Err(Refusal::EventNotFound)));
}

async fn a_moment_of_the_schedule_needs_nobody_to_come(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let moment = Arc::new(AtomicI64::new(NOON));
    let clock = Clock::Manual(Arc::clone(&moment));
    let registrar = Registrar::new(node.store.clone(), node.hub.clone(), clock.clone(), node.announcer.clone(), QUEUE);
    let (opens_at, closes_at) = (Some(clock.now().plus(HOUR)), Some(clock.now().plus(HOUR * 2)));
    let new = NewEvent { opens_at, closes_at, ..gala(10, false) };
    let event = node.store.create(new, "token", clock.now()).await.unwrap();
    node.hub.publish(event.clone());
    let mut updates = node.channel(&event).updates();
    let schedule = tokio::spawn(schedule::run(registrar.clone(), node.hub.clone(), clock.clone()));
    // A database that is away is left alone.
    node.hub.set_stale(Some(clock.now()));
    for (state, hours) in [(State::Open, 1), (State::Closed, 2)] {
        moment.store(NOON + hours * 3_600_000, Ordering::SeqCst);
        node.hub.set_stale(None);
        let is_there = |update: &Update| matches!(update.count.message.body(), Body::Count(count) if count.state == state);
        let newest = timeout(PATIENCE, updates.wait_for(is_there)).await.expect("a change by itself").unwrap().clone();
        let Body::Count(count) = newest.count.message.body() else { unreachable!() };
        assert_eq!((count.revision, count.at), (1 + hours, clock.now()));
    }
    schedule.abort();
    assert_eq!(node.audited(event.id).await.0.revision, 3);
}

async fn a_database_that_is_away_is_told_to_everybody(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(10, false).await;
    node.store.close().await;
    // More than fits into one batch.
    for answer in join_all(line_up(&node, &event, (0..600).map(register)).await).await {
        assert_eq!(answer, Err(Failure::DatabaseUnreachable));
    }
    assert_eq!(*node.channel(&event).newest().event, event, "nothing was committed, so nothing is published");
    let node = Node::start(&url).await;
    assert_eq!(node.audited(event.id).await.0.registered, 0);
    assert!(node.registrar.submit(event.id, register(0)).await.unwrap().is_ok());
}

async fn a_statement_that_fails_is_told_to_everybody_and_stores_nothing(url: DatabaseUrl) {
    // Somebody has built a trap: rows are refused as they are written.
    let traps = [
        "CREATE TRIGGER trap BEFORE INSERT ON registrations WHEN NEW.name = 'Person trap' BEGIN SELECT RAISE(ABORT, 'a trap'); END",
        "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a trap'; END $$;
         CREATE TRIGGER trap BEFORE INSERT ON registrations FOR EACH ROW WHEN (NEW.name = 'Person trap') EXECUTE FUNCTION trap()",
    ];
    fails_together(url, traps).await;
}

async fn a_commit_that_fails_is_told_to_everybody_and_publishes_nothing(url: DatabaseUrl) {
    // Everything is written and only the very last word, COMMIT, is refused.
    let traps = [
        "CREATE TABLE trap (event_id INTEGER REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER trap AFTER INSERT ON registrations WHEN NEW.name = 'Person trap' BEGIN INSERT INTO trap VALUES (-1); END",
        "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a trap'; END $$;
         CREATE CONSTRAINT TRIGGER trap AFTER INSERT ON registrations DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW WHEN (NEW.name = 'Person trap') EXECUTE FUNCTION trap()",
    ];
    fails_together(url, traps).await;
}

/// One of a batch steps into the trap, and all are told; the next batch goes on as if nothing had been.
async fn fails_together(url: DatabaseUrl, [on_sqlite, on_postgres]: [&'static str; 2]) {
    let node = Node::start(&url).await;
    let event = node.event(100, false).await;
    match &url {
        DatabaseUrl::Sqlite(options) => options.connect().await.unwrap().execute(sqlx::raw_sql(on_sqlite)).await.map(drop),
        DatabaseUrl::Postgres(options) => options.connect().await.unwrap().execute(sqlx::raw_sql(on_postgres)).await.map(drop),
    }
    .expect("a trap");
    let (channel, mut updates) = (node.channel(&event), node.channel(&event).updates());
    updates.mark_unchanged();
    let people = ["ada", "bob", "trap", "cem"];
    for answer in join_all(line_up(&node, &event, people.map(register)).await).await {
        assert_eq!(answer, Err(Failure::Internal));
    }
    assert_eq!(*channel.newest().event, event);
    assert!(!updates.has_changed().unwrap(), "something was published that is not stored");
    assert_eq!(node.audited(event.id).await.0, event);
    let answers = join_all(line_up(&node, &event, ["ada", "bob", "cem"].map(register)).await).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Ok(Answer::Registered { replayed: false, .. })))), "{answers:?}");
    assert_eq!(node.audited(event.id).await.0.registered, 3);
}
