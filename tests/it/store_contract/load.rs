//! Many readers at once, and long lists.

use super::*;

both_databases!(
    long_reads_leave_room_for_commits_and_the_ping,
    a_long_waiting_list_is_listed_and_exported_in_time,
    an_export_shows_one_moment
);

/// People on the long waiting list.
const WAITING: u32 = 40_000;
/// A waiting person with this number.
macro_rules! waiting {
    ($people:literal) => {
        concat!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ",
            $people,
            ") INSERT INTO registrations (event_id, round, number, secret, name, search_key, email, email_key, status,
                accepted_waiting, accepted_revision, revision, at)
            SELECT 1, 1, i, 's' || i, 'Person ' || i, 'person ' || i || ' p' || i || '@example.org', 'p' || i || '@example.org', 'p' || i || '@example.org', 'waiting',
                i, 1, 1, 0 FROM n"
        )
    };
}

async fn long_reads_leave_room_for_commits_and_the_ping(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    stage
        .tamper(
            "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1001)
            INSERT INTO changes (event_id, revision, kind, round, state, capacity, registered, waiting, at)
            SELECT 1, i, 'registered', 1, 'open', NULL, 0, 0, 0 FROM n",
        )
        .await;
    stage.tamper("UPDATE events SET revision = 1001").await;
    let readers = (0..2_000).map(|_| {
        let (store, event) = (stage.store.clone(), event.clone());
        tokio::spawn(async move { store.changes(&event, 0, 1_000).await.map(|page| page.len()) })
    });
    let readers: Vec<_> = readers.collect();
    let mut longest = Duration::ZERO;
    for n in 0..10 {
        let begun = Instant::now();
        stage
            .store
            .ping()
            .await
            .expect("the ping has its own connection");
        stage.store.heads().await.expect("and so has the poll");
        longest = longest.max(begun.elapsed());
        stage.registers(event.id, &format!("person{n}")).await;
    }
    let (mut read, mut busy) = (0, 0);
    for reader in readers {
        match reader.await.expect("no panic") {
            Ok(1_000) => read += 1,
            Err(StoreError::Busy) => busy += 1,
            other => panic!("{other:?} after {read} reads and {busy} refusals"),
        }
    }
    assert!(read > 0, "all {busy} were refused");
    assert!(longest < Duration::from_secs(2), "{longest:?}, {read} read");
    let page = stage.store.changes(&event, 0, 1_000).await;
    assert_eq!(page.expect("a turn, when the crowd is gone").len(), 1_000);
}

async fn a_long_waiting_list_is_listed_and_exported_in_time(stage: Stage) {
    let event = stage.event("gala", Some(0), true).await;
    // Before Postgres has statistics.
    stage.tamper(waiting!("40000")).await;
    stage
        .tamper("UPDATE events SET waiting = 40000, last_number = 40000")
        .await;
    let all = Filter {
        round: 1,
        limit: 1_000,
        ..Filter::default()
    };
    for (after, query) in [(0, ""), (39_000, ""), (0, "p3999")] {
        let filter = Filter {
            after,
            search: Search::parse(query).unwrap_or_default(),
            ..all.clone()
        };
        let page = stage.store.registrations(event.id, &filter).await.unwrap();
        assert!(!page.rows.is_empty(), "{filter:?}");
        assert!(page.total as usize >= page.rows.len(), "{filter:?}");
        for row in page.rows {
            let number = row.registration.locator.number;
            assert_eq!(row.waiting_position, Some(number), "{filter:?}");
        }
    }
    let begun = Instant::now();
    let mut export = stage.store.export(event.id, all).await.unwrap();
    let mut rows = 0;
    while let Some(piece) = export.next().await {
        for row in piece.expect("no failure") {
            rows += 1;
            assert_eq!(row.registration.locator.number, rows);
            assert_eq!(row.waiting_position, Some(rows));
        }
    }
    assert_eq!(rows, WAITING);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
}

/// Changes after its start are not in it, and do not wait for it.
async fn an_export_shows_one_moment(stage: Stage) {
    let event = stage.event("gala", Some(0), true).await;
    stage.tamper(waiting!("6000")).await;
    stage
        .tamper("UPDATE events SET waiting = 6000, last_number = 6000")
        .await;
    let filter = Filter {
        round: 1,
        ..Filter::default()
    };
    let mut export = stage.store.export(event.id, filter.clone()).await.unwrap();
    let mut rows = export.next().await.unwrap().unwrap();
    stage.does(event.id, capacity(10)).await;
    stage.does(event.id, register("late")).await;
    while let Some(piece) = export.next().await {
        rows.extend(piece.unwrap());
    }
    assert_eq!(rows.len(), 6_000);
    for (row, position) in rows.iter().zip(1..) {
        assert_eq!(row.waiting_position, Some(position));
    }
    // Two at once; a third is `Busy`.
    let _two = [
        stage.store.export(event.id, filter.clone()).await.unwrap(),
        stage.store.export(event.id, filter.clone()).await.unwrap(),
    ];
    let third = stage.store.export(event.id, filter).await;
    assert!(matches!(third, Err(StoreError::Busy)), "{third:?}");
}
