//! Failures: nothing half stored, and the store works afterwards.

use std::cell::Cell;

use super::*;

both_databases!(
    a_batch_that_fails_stores_nothing,
    the_schema_refuses_what_must_not_be,
    a_cancelled_future_leaves_nothing_half_open,
    everybody_who_waits_for_a_connection_gets_one,
    a_store_closes_at_once,
    nodes_that_start_together_agree,
    nodes_that_write_at_once_take_turns
);

/// A batch that fails half-way stores nothing, and the writer still works.
async fn a_batch_that_fails_stores_nothing(stage: Stage) {
    let event = stage.event("gala", Some(10), false).await;
    let ada = stage.registers(event.id, "ada").await;
    let bob = stage.registers(event.id, "bob").await;
    // A half-restored database: the change log is ahead of its event.
    stage
        .tamper("UPDATE events SET revision = 1, last_number = 3")
        .await;
    let failed = stage
        .store
        .commit(event.id, &[cancel(&ada), register("cem")], &stage.clock())
        .await;
    assert!(
        matches!(failed, Err(StoreError::Unexpected(_))),
        "{failed:?}"
    );
    assert_eq!(
        stage
            .store
            .registration(ada.locator)
            .await
            .unwrap()
            .unwrap()
            .registration,
        ada
    );

    stage
        .tamper("UPDATE events SET revision = 3, registered = 1, last_number = 1")
        .await;
    let failed = stage
        .store
        .commit(event.id, &[cancel(&ada), register("cem")], &stage.clock())
        .await;
    assert!(
        matches!(failed, Err(StoreError::Unexpected(_))),
        "a number is given twice: {failed:?}"
    );
    assert_eq!(
        stage
            .store
            .registration(bob.locator)
            .await
            .unwrap()
            .unwrap()
            .registration,
        bob
    );

    stage
        .tamper("UPDATE events SET registered = 2, last_number = 2")
        .await;
    assert_eq!(stage.registers(event.id, "cem").await.locator.number, 3);
    stage.check(event.id).await;
}

/// The schema as a backstop: it refuses rows that the decision never writes.
async fn the_schema_refuses_what_must_not_be(stage: Stage) {
    let event = stage.event("gala", Some(10), false).await;
    stage.does(event.id, with_key("ada", "attempt")).await;
    stage.does(event.id, with_key("bob", "other")).await;
    for forbidden in [
        "UPDATE registrations SET email_key = 'ada@example.org'",
        "UPDATE registrations SET idempotency_key = 'attempt'",
        "UPDATE registrations SET number = 1",
        "UPDATE registrations SET number = 0 WHERE number = 1",
        "UPDATE registrations SET status = 'lost'",
        "UPDATE registrations SET event_id = 999",
        "UPDATE events SET registered = -1",
        // Two registrations are for 40 people at most.
        "UPDATE events SET waiting = 39",
        "UPDATE events SET waiting_companions = 1",
        "UPDATE events SET waiting_companions = -1",
        "UPDATE events SET max_party_size = 21",
        "UPDATE events SET max_party_size = 0",
        "UPDATE registrations SET party_size = 0",
        "UPDATE registrations SET party_size = 21",
        "UPDATE events SET capacity = 1000001",
        "DELETE FROM events",
        "TRUNCATE events CASCADE",
    ] {
        assert!(stage.try_tamper(forbidden).await.is_err(), "{forbidden}");
    }
    stage.check(event.id).await;
}

async fn a_cancelled_future_leaves_nothing_half_open(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    for patience_us in (0..2_000).step_by(40) {
        let commands = [register(&format!("person{patience_us}"))];
        let commit = stage.store.commit(event.id, &commands, &Clock::System);
        // It may be stored or not, but never in part, and the next commit must work.
        let _ = tokio::time::timeout(Duration::from_micros(patience_us), commit).await;
    }
    let last = stage.registers(event.id, "last").await;
    let event = stage.store.event_by_id(event.id).await.unwrap().unwrap();
    assert_eq!(event.registered, last.locator.number);
    stage.check(event.id).await;
}

/// More events at once than there are connections: none waits for ever. It counts turns and not
/// seconds, so that a slow machine cannot fail it.
async fn everybody_who_waits_for_a_connection_gets_one(stage: Stage) {
    const EVENTS: usize = 24;
    const TURNS: usize = EVENTS * 60;
    /// The most commits of others while one waits: a few for each event.
    const OVERTAKEN: usize = EVENTS * 10;
    /// A wait of seconds on a slow machine is an error that is repeated; the turns still count.
    const ATTEMPTS: usize = 20;
    let mut events = Vec::new();
    for n in 0..EVENTS {
        events.push(stage.event(&format!("gala{n}"), None, false).await);
    }
    let (clock, turns) = (stage.clock(), Cell::new(0));
    let crowds = events.iter().map(async |event| {
        let (mut registered, mut overtaken) = (0, 0);
        while turns.get() < TURNS {
            registered += 1;
            let person = [register(&format!("person{registered}"))];
            let before = turns.get();
            let mut attempts = 1;
            while let Err(error) = stage.store.commit(event.id, &person, &clock).await {
                attempts += 1;
                assert!(attempts <= ATTEMPTS, "{error}");
            }
            overtaken = overtaken.max(turns.get() - before);
            turns.set(turns.get() + 1);
        }
        (registered, overtaken)
    });
    for (event, (registered, overtaken)) in events
        .iter()
        .zip(futures_util::future::join_all(crowds).await)
    {
        assert!(
            registered > 0 && overtaken <= OVERTAKEN,
            "{}: {registered} of {TURNS} turns, {overtaken} commits of others during one wait",
            event.slug
        );
        let stored = stage.store.event_by_id(event.id).await.unwrap().unwrap();
        assert_eq!(stored.registered, registered);
    }
}

/// With a connection kept for the next batch, fresh or old.
async fn a_store_closes_at_once(stage: Stage) {
    for pause in [Duration::ZERO, Duration::from_millis(1_100)] {
        let store = Store::open(&stage.url, None).await.unwrap();
        let event = stage
            .event(&format!("gala{}", pause.as_millis()), None, false)
            .await;
        for person in ["ada", "bob"] {
            store
                .commit(event.id, &[register(person)], &stage.clock())
                .await
                .unwrap();
            tokio::time::sleep(pause).await;
        }
        tokio::time::timeout(Duration::from_secs(10), store.close())
            .await
            .expect("it closes");
        let late = store
            .commit(event.id, &[register("cem")], &stage.clock())
            .await;
        assert!(matches!(late, Err(StoreError::Unreachable(_))), "{late:?}");
        assert_eq!(
            stage
                .store
                .event_by_id(event.id)
                .await
                .unwrap()
                .unwrap()
                .registered,
            2
        );
    }
}

async fn nodes_that_start_together_agree(stage: Stage) {
    let starting = (0..6).map(|n| {
        let url = stage.url.clone();
        tokio::spawn(async move {
            let store = Store::open(&url, None).await.unwrap();
            let password = store
                .setting_or_insert("password", &n.to_string())
                .await
                .unwrap();
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

/// Each node reads before it writes. What it read must still be true when it writes, and neither
/// node gets an error.
async fn nodes_that_write_at_once_take_turns(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let nodes = (0..2).map(|node| {
        let (url, clock) = (stage.url.clone(), stage.clock());
        tokio::spawn(async move {
            let store = Store::open(&url, None).await.unwrap();
            let mut numbers = Vec::new();
            for n in 0..100 {
                let mut commit = store
                    .commit(event.id, &[register(&format!("person{node}-{n}"))], &clock)
                    .await
                    .unwrap();
                numbers.push(accepted(commit.decisions.remove(0)).locator.number);
            }
            numbers
        })
    });
    let mut numbers = Vec::new();
    for node in nodes.collect::<Vec<_>>() {
        numbers.extend(node.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
    stage.check(event.id).await;
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let url: DatabaseUrl = "sqlite:///nowhere/at/all/headcount.db".parse().unwrap();
    let failed = Store::open(&url, None).await.unwrap_err();
    assert!(
        matches!(&failed, StoreError::Unreachable(_))
            && failed.to_string().contains("/nowhere/at/all"),
        "{failed}"
    );
}

/// Another process holds SQLite's write lock, as a careless backup does: a passing failure, after
/// which the writer works again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_file_is_a_passing_failure() {
    let file = crate::support::sqlite::File::new();
    let stage = Stage::set(file.url()).await;
    let event = stage.event("gala", None, false).await;
    let DatabaseUrl::Sqlite(options) = &stage.url else {
        unreachable!("a SQLite file was asked for")
    };
    let mut holder = options.connect().await.unwrap();
    holder.execute("BEGIN IMMEDIATE").await.unwrap();
    let failed = stage
        .store
        .commit(event.id, &[register("ada")], &Clock::System)
        .await;
    assert!(
        matches!(failed, Err(StoreError::Unreachable(_))),
        "{failed:?}"
    );
    // Readers do not wait for writers.
    assert_eq!(
        stage.store.event_by_id(event.id).await.unwrap(),
        Some(event.clone())
    );
    holder.execute("ROLLBACK").await.unwrap();
    stage.registers(event.id, "ada").await;
    stage.check(event.id).await;
    assert!(stage.store.listen().await.unwrap().is_none());
    stage.store.notify(event.id, Some(1)).await.unwrap();
}

/// After a clean shutdown the file has everything: copying it needs no other file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_file_is_complete_and_opens_again() {
    let file = crate::support::sqlite::File::new();
    let stage = Stage::set(file.url()).await;
    let event = stage.event("gala", None, false).await;
    stage.registers(event.id, "ada").await;
    stage.store.close().await;
    let DatabaseUrl::Sqlite(options) = &stage.url else {
        unreachable!("a SQLite file was asked for")
    };
    assert_eq!(
        options
            .get_filename()
            .parent()
            .unwrap()
            .read_dir()
            .unwrap()
            .count(),
        1
    );
    assert!(matches!(
        stage.store.ping().await,
        Err(StoreError::Unreachable(_))
    ));
    let closed = stage
        .store
        .commit(event.id, &[register("bob")], &Clock::System)
        .await;
    assert!(
        matches!(closed, Err(StoreError::Unreachable(_))),
        "{closed:?}"
    );
    let again = Stage::set(file.url()).await;
    assert_eq!(again.registers(event.id, "bob").await.locator.number, 2);
    again.check(event.id).await;
}
