//! Commands are decided in the order of arrival, and everybody gets an answer.

use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::future::join_all;
use headcount::domain::audit::Actor;
use headcount::domain::headcount::State;
use headcount::live::channel::LiveState;
use headcount::wire::message::Payload;
use headcount::write_path::schedule;
use sqlx::{ConnectOptions as _, Executor as _, PgConnection, SqliteConnection};
use tokio::task::unconstrained;
use tokio::time::timeout;

use super::*;

pub(super) async fn first_come_first_served(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(300, true).await;
    // More commands than fit into one batch.
    let answers = join_all(line_up(&node, &event, (0..700).map(register)).await).await;
    for (answer, number) in answers.iter().zip(1..) {
        let registration =
            accepted(answer.as_ref().expect("an answer")).expect("a place or a place in the line");
        assert_eq!(registration.locator.number, number);
        assert_eq!(
            registration.email.as_ref().expect("they gave one").as_str(),
            format!("{}@example.org", number - 1)
        );
        assert_eq!(
            registration.accepted_waiting,
            number.checked_sub(300).filter(|place| *place > 0)
        );
    }
    node.audited(event.id).await;
}

pub(super) async fn a_full_queue_refuses_at_once_and_stores_nothing(url: DatabaseUrl) {
    let node = Node::with_queue(&url, 4).await;
    let event = node.event(100, false).await;
    let answers = join_all(line_up(&node, &event, (0..10).map(register)).await).await;
    for (client, answer) in answers.iter().enumerate() {
        match answer {
            Ok(decision) => assert!(client < 4 && decision.is_ok(), "{client}: {decision:?}"),
            Err(Failure::Busy { retry_after }) => {
                assert!(client >= 4 && !retry_after.is_zero(), "{client}");
            }
            Err(other) => panic!("{client}: {other:?}"),
        }
    }
    let (event, _) = node.audited(event.id).await;
    assert_eq!(event.registered, 4);
    // The refused people retry with the same key.
    for client in 0..10 {
        let decision = node
            .registrar
            .submit(event.id, register(client))
            .await
            .expect("there is room again");
        assert!(
            matches!(decision, Ok(Answer::Registered { replayed, .. }) if replayed == (client < 4)),
            "{decision:?}"
        );
    }
    assert_eq!(node.audited(event.id).await.0.registered, 10);
}

/// A lock that every commit waits for.
enum Lock {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Lock {
    async fn take(url: &DatabaseUrl) -> Self {
        match url {
            DatabaseUrl::Sqlite(options) => {
                let mut connection = options.connect().await.unwrap();
                connection.execute("BEGIN IMMEDIATE").await.unwrap();
                Self::Sqlite(connection)
            }
            DatabaseUrl::Postgres(options) => {
                let mut connection = options.connect().await.unwrap();
                connection.execute("BEGIN").await.unwrap();
                connection.execute("LOCK TABLE events").await.unwrap();
                Self::Postgres(connection)
            }
        }
    }

    async fn release(self) {
        match self {
            Self::Sqlite(mut connection) => connection.execute("ROLLBACK").await.map(drop).unwrap(),
            Self::Postgres(mut connection) => {
                connection.execute("ROLLBACK").await.map(drop).unwrap();
            }
        }
    }
}

pub(super) async fn a_commit_is_underway_until_its_answers(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(10, false).await;
    // A fast database commits before any other task runs.
    let lock = Lock::take(&url).await;
    let line = line_up(&node, &event, [register("ada")]).await;
    assert!(
        !node.hub.commits().are_underway(),
        "the writer has had no turn yet"
    );
    // One thread: now the writer runs, until it waits for the database.
    let begun = async {
        while !node.hub.commits().are_underway() {
            tokio::task::yield_now().await;
        }
    };
    timeout(TIMEOUT, begun).await.expect("a commit begins");
    lock.release().await;
    assert!(
        join_all(line)
            .await
            .iter()
            .all(|answer| matches!(answer, Ok(Ok(_))))
    );
    assert!(
        !node.hub.commits().are_underway(),
        "the answer comes after the commit"
    );
}

pub(super) async fn a_disconnected_visitor_keeps_the_place(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(1, false).await;
    drop(line_up(&node, &event, [register("ada")]).await);
    assert_eq!(
        node.registrar.submit(event.id, register("bob")).await,
        Ok(Err(Refusal::EventFull { remaining: 0 }))
    );
    let decision = node
        .registrar
        .submit(event.id, register("ada"))
        .await
        .unwrap();
    assert!(
        matches!(decision, Ok(Answer::Registered { replayed: true, .. })),
        "{decision:?}"
    );
}

pub(super) async fn admitted_commands_are_answered_before_shutdown(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(1_000, false).await;
    let new = NewEvent {
        slug: Slug::parse("ball").unwrap(),
        ..gala(1_000, false)
    };
    let other = node
        .store
        .create(new, "token", Clock::System.now())
        .await
        .unwrap();
    node.hub.publish(other.clone());
    let mut line = line_up(&node, &event, (0..900).map(register)).await;
    // Closing waits for every event's writer, not only for the newest.
    line.extend(line_up(&node, &other, [register("ada")]).await);
    node.registrar.close().await;
    assert_eq!(
        node.registrar.submit(event.id, register("late")).await,
        Err(Failure::Draining)
    );
    // No task is left that could answer, so every answer must be here.
    for mut submitted in line {
        // Unconstrained: tokio would make a task that finds hundreds of ready answers yield.
        let answer = unconstrained(poll_fn(|context| {
            Poll::Ready(submitted.as_mut().poll(context))
        }))
        .await;
        assert!(matches!(answer, Poll::Ready(Ok(Ok(_)))), "{answer:?}");
    }
    assert_eq!(node.audited(event.id).await.0.registered, 900);
    node.registrar.close().await;
}

pub(super) async fn a_deleted_event_answers_everybody_who_still_waits(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(10, false).await;
    let delete = Command::Delete {
        expected: None,
        confirmed: true,
        by: Actor::Owner,
    };
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
    timeout(TIMEOUT, ended)
        .await
        .expect("a deleted event leaves no writer behind");
    assert!(
        matches!(answers[0], Ok(Ok(Answer::Registered { .. }))),
        "{answers:?}"
    );
    assert_eq!(
        answers[1..],
        [Ok(Ok(Answer::Deleted)), Ok(Err(Refusal::EventNotFound))]
    );
    assert!(node.hub.channel_by_id(event.id).is_none());
    // The writer of a deleted event does no harm.
    assert_eq!(
        node.registrar.submit(event.id, register("cem")).await,
        Ok(Err(Refusal::EventNotFound))
    );
}

pub(super) async fn an_event_opens_and_closes_without_visitors(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let moment = Arc::new(AtomicI64::new(NOON));
    let clock = Clock::Manual(Arc::clone(&moment));
    let registrar = Registrar::new(
        node.store.clone(),
        node.hub.clone(),
        clock.clone(),
        node.broadcaster.clone(),
        QUEUE,
    );
    let (opens_at, closes_at) = (
        Some(clock.now().plus(HOUR)),
        Some(clock.now().plus(HOUR * 2)),
    );
    let new = NewEvent {
        opens_at,
        closes_at,
        ..gala(10, false)
    };
    let event = node.store.create(new, "token", clock.now()).await.unwrap();
    node.hub.publish(event.clone());
    let mut updates = node.channel(&event).updates();
    let schedule = tokio::spawn(schedule::run(
        registrar.clone(),
        node.hub.clone(),
        clock.clone(),
    ));
    // While the database is unreachable, nothing is sent to it.
    node.hub.set_stale(Some(clock.now()));
    for (state, hours) in [(State::Open, 1), (State::Closed, 2)] {
        moment.store(NOON + hours * 3_600_000, Ordering::SeqCst);
        node.hub.set_stale(None);
        let is_there = |update: &LiveState| matches!(update.count.message.payload(), Payload::Count(count) if count.state == state);
        let newest = timeout(TIMEOUT, updates.wait_for(is_there))
            .await
            .expect("a change by itself")
            .unwrap()
            .clone();
        let Payload::Count(count) = newest.count.message.payload() else {
            unreachable!()
        };
        assert_eq!((count.revision, count.at), (1 + hours, clock.now()));
    }
    schedule.abort();
    assert_eq!(node.audited(event.id).await.0.revision, 3);
}
