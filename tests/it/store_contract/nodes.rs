//! Several nodes on one Postgres server, and a server that is lost.

use std::time::Instant;

use headcount::store::Notification;

use super::*;
use crate::support::postgres::{Cluster, shared};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_that_write_at_once_keep_revisions_without_gaps() {
    let one = Stage::set(shared().create_database().await).await;
    let other = Stage::set(one.url.clone()).await;
    let event = one.event("gala", Some(150), true).await;
    let writers = (0..8).map(|writer| {
        let store = if writer % 2 == 0 {
            one.store.clone()
        } else {
            other.store.clone()
        };
        tokio::spawn(async move {
            for batch in 0..5 {
                let mut commands: Vec<Command> = (0..5)
                    .map(|n| register(&format!("w{writer}-{batch}-{n}")))
                    .collect();
                commands.push(Command::ApplySchedule);
                let commit = store
                    .commit(event.id, &commands, &Clock::System)
                    .await
                    .unwrap();
                let revision = commit.event.unwrap().revision;
                assert_eq!(
                    commit
                        .changes
                        .iter()
                        .map(|change| change.headcount.revision)
                        .collect::<Vec<_>>(),
                    [revision]
                );
                let first = commit.decisions.into_iter().next().map(accepted).unwrap();
                store
                    .commit(event.id, &[cancel(&first)], &Clock::System)
                    .await
                    .unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    one.check(event.id).await;
    let event = other.store.event_by_id(event.id).await.unwrap().unwrap();
    // 200 people registered and 40 cancelled.
    assert_eq!(
        (event.last_number, event.registered, event.waiting),
        (200, 150, 10)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_is_notified_of_every_commit() {
    let one = Stage::set(shared().create_database().await).await;
    let other = Store::open(&one.url, Some(&one.url)).await.unwrap();
    let event = one.event("gala", None, false).await;
    let mut listeners = [
        one.store.listen().await.unwrap().unwrap(),
        other.listen().await.unwrap().unwrap(),
    ];
    one.tamper("NOTIFY headcount, 'nonsense'").await;
    one.store.notify(event.id, Some(2)).await.unwrap();
    other.notify(event.id, Some(3)).await.unwrap();
    other.notify(event.id, None).await.unwrap();
    for listener in &mut listeners {
        assert_eq!(listener.next().await, Notification::Committed(event.id, 2));
        assert_eq!(listener.next().await, Notification::Committed(event.id, 3));
        assert_eq!(listener.next().await, Notification::Invalidated(event.id));
    }
    // Dropping the future loses nothing, and silence longer than the test interval is not a loss.
    for _ in 0..20 {
        assert!(
            tokio::time::timeout(Duration::from_millis(120), listeners[0].next())
                .await
                .is_err()
        );
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    other.notify(event.id, Some(4)).await.unwrap();
    assert_eq!(
        listeners[0].next().await,
        Notification::Committed(event.id, 4)
    );

    one.tamper(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' \
        AND datname = current_database()",
    )
    .await;
    assert_eq!(
        listeners[1].next().await,
        Notification::Committed(event.id, 4)
    );
    assert_eq!(listeners[1].next().await, Notification::Lost);
    assert_eq!(listeners[1].next().await, Notification::Lost);
    let mut again = other.listen().await.unwrap().unwrap();
    one.store.notify(event.id, Some(5)).await.unwrap();
    assert_eq!(again.next().await, Notification::Committed(event.id, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_server_is_noticed_and_found_again() {
    let server = Cluster::start_new();
    let stage = Stage::set(server.create_database().await).await;
    let event = stage.event("gala", None, false).await;
    let mut listener = stage.store.listen().await.unwrap().unwrap();
    let mut acknowledged = vec![stage.registers(event.id, "ada").await];

    for stop in [Cluster::stop, Cluster::drain] {
        stop(&server);
        let noticed = Instant::now();
        for _ in 0..3 {
            let failed = stage
                .store
                .commit(event.id, &[register("nobody")], &Clock::System)
                .await;
            assert!(
                matches!(failed, Err(StoreError::Unreachable(_))),
                "{failed:?}"
            );
        }
        assert!(matches!(
            stage.store.ping().await,
            Err(StoreError::Unreachable(_))
        ));
        assert!(matches!(
            stage.store.listen().await,
            Err(StoreError::Unreachable(_))
        ));
        assert_eq!(listener.next().await, Notification::Lost);
        assert!(
            noticed.elapsed() < Duration::from_secs(15),
            "{:?}",
            noticed.elapsed()
        );

        server.start();
        stage.store.ping().await.unwrap();
        let person = format!("person{}", acknowledged.len());
        acknowledged.push(stage.registers(event.id, &person).await);
        listener = stage.store.listen().await.unwrap().unwrap();
        stage.store.notify(event.id, Some(9)).await.unwrap();
        assert_eq!(listener.next().await, Notification::Committed(event.id, 9));
    }
    for registration in acknowledged {
        assert_eq!(
            stage
                .store
                .registration(registration.locator)
                .await
                .unwrap()
                .unwrap()
                .registration,
            registration
        );
    }
    stage.check(event.id).await;
}

/// Another transaction holds the event's row: the commit times out, and nothing of it happens
/// later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_hangs_gives_up() {
    let stage = Stage::set(shared().create_database().await).await;
    let event = stage.event("gala", None, false).await;
    let DatabaseUrl::Postgres(options) = &stage.url else {
        unreachable!("a Postgres server was asked for")
    };
    let mut holder = options.connect().await.unwrap();
    holder
        .execute("BEGIN; SELECT * FROM events FOR UPDATE")
        .await
        .unwrap();
    let begun = Instant::now();
    let failed = stage
        .store
        .commit(event.id, &[register("ada")], &Clock::System)
        .await;
    assert!(
        matches!(failed, Err(StoreError::Unreachable(_))),
        "{failed:?}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    holder.execute("ROLLBACK").await.unwrap();
    stage.registers(event.id, "ada").await;
    stage.check(event.id).await;
}

/// An event that is newer than the statistics: its registrations are still looked up by index.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_event_is_looked_up_by_index() {
    let stage = Stage::set(shared().create_database().await).await;
    stage.event("old", None, false).await;
    let event = stage.event("new", None, false).await;
    stage
        .tamper(
            "INSERT INTO registrations SELECT e.id, 1, n, 's', 'n', 'n', 'x' || n, 'x' || n, 'k' || n, 'confirmed', NULL, 1, 1, 0
             FROM events e, generate_series(1, 20000) n WHERE e.slug = 'old';
             ANALYZE registrations;
             INSERT INTO registrations SELECT e.id, 1, n, 's', 'n', 'n', 'x' || n, 'x' || n, 'k' || n, 'confirmed', NULL, 1, 1, 0
             FROM events e, generate_series(1, 2000) n WHERE e.slug = 'new';
             UPDATE events SET registered = 2000, last_number = 2000 WHERE slug = 'new'",
        )
        .await;
    for n in 0..20 {
        stage.registers(event.id, &format!("person{n}")).await;
    }
    let DatabaseUrl::Postgres(options) = &stage.url else {
        unreachable!("a Postgres server was asked for")
    };
    let mut connection = options.connect().await.unwrap();
    let read = "SELECT coalesce(sum(idx_tup_read), 0)::bigint FROM pg_stat_user_indexes WHERE \
        indexrelname = $1";
    let scans =
        "SELECT sum(idx_scan)::bigint FROM pg_stat_user_indexes WHERE relname = 'registrations'";
    // The server updates its statistics with a delay.
    let begun = Instant::now();
    while sqlx::query_scalar::<_, i64>(scans)
        .fetch_one(&mut connection)
        .await
        .unwrap()
        < 20
    {
        assert!(begun.elapsed() < Duration::from_secs(30), "no statistics");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let walked: i64 = sqlx::query_scalar(read)
        .bind("registrations_pkey")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(walked < 2_000, "{walked} rows were read for 20 look-ups");
}
