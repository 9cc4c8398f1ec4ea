//! Several nodes on one Postgres server: what one of them commits, the others show.

mod canary;
mod clocks;
mod tickets;
mod writing;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use headcount::domain::clock::Clock;
use headcount::store::Store;
use serde_json::json;
use tokio::time::timeout;

use super::support::app::{App, call, organise};
use super::support::postgres;
use super::support::process::Process;
use super::support::sse::Stream;

/// Ends a test that waits without success.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Waits until the stream reports this many watchers.
async fn watching(stream: &mut Stream, expected: u64) {
    let said = async {
        while stream.next("watching").await.json()["watching"].as_u64() != Some(expected) {}
    };
    timeout(TIMEOUT, said)
        .await
        .unwrap_or_else(|_| panic!("never {expected} watchers"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_are_one_number_over_all_nodes() {
    let url = postgres::shared().new_database().await;
    let one = App::on(&url, &[], Clock::System).await;
    let other = Process::start(&url, &[]);
    let mut here = Stream::open_at(one.address, "/api/v1/events/welcome/stream", "").await;
    let mut there = Stream::open_at(other.address, "/api/v1/events/welcome/stream", "").await;
    let mut there_too = Stream::open_at(other.address, "/api/v1/events/welcome/stream", "").await;
    tokio::join!(
        watching(&mut here, 3),
        watching(&mut there, 3),
        watching(&mut there_too, 3)
    );

    // It was killed and cannot withdraw its report: the report expires.
    other.signal("KILL");
    watching(&mut here, 1).await;

    // A node that stops withdraws its report.
    let third = App::on(&url, &["--drain", "1s"], Clock::System).await;
    let mut elsewhere = Stream::open_at(third.address, "/api/v1/events/welcome/stream", "").await;
    tokio::join!(watching(&mut here, 2), watching(&mut elsewhere, 2));
    third.stop().await;
    let reported = one
        .context
        .store
        .watching_elsewhere("nobody's name")
        .await
        .unwrap();
    assert_eq!(reported, HashMap::from([(1, 1)]));
    watching(&mut here, 1).await;

    drop(here);
    let nobody = async {
        while !one
            .context
            .store
            .watching_elsewhere("nobody's name")
            .await
            .unwrap()
            .is_empty()
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(TIMEOUT, nobody)
        .await
        .expect("a node without watchers reports nothing");
    one.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_are_summed_and_expire_by_the_servers_clock() {
    let url = postgres::shared().create_database().await;
    let store = Store::open(&url, None).await.unwrap();
    for (node, watchers) in [
        ("a", HashMap::from([(7, 3), (8, 1)])),
        ("b", HashMap::from([(7, 40)])),
        ("c", HashMap::from([(7, 500)])),
    ] {
        store.report_watching(node, &watchers).await.unwrap();
    }
    assert_eq!(
        store.watching_elsewhere("c").await.unwrap(),
        HashMap::from([(7, 43), (8, 1)])
    );
    store
        .report_watching("a", &HashMap::from([(8, 2)]))
        .await
        .unwrap();
    store.report_watching("b", &HashMap::new()).await.unwrap();
    assert_eq!(
        store.watching_elsewhere("c").await.unwrap(),
        HashMap::from([(8, 2)])
    );
    let headcount::store::DatabaseUrl::Postgres(options) = &url else {
        unreachable!("a Postgres server was asked for")
    };
    let mut server = sqlx::ConnectOptions::connect(&**options).await.unwrap();
    sqlx::Executor::execute(
        &mut server,
        "UPDATE watching SET at = at - interval '7 seconds' WHERE node = 'c'",
    )
    .await
    .unwrap();
    assert_eq!(store.watching_elsewhere("a").await.unwrap(), HashMap::new());
    sqlx::Executor::execute(
        &mut server,
        "UPDATE watching SET at = at - interval '2 minutes' WHERE node = 'c'",
    )
    .await
    .unwrap();
    store.watching_elsewhere("a").await.unwrap();
    let nodes: Vec<String> = sqlx::query_scalar("SELECT node FROM watching")
        .fetch_all(&mut server)
        .await
        .unwrap();
    assert_eq!(nodes, ["a"], "who reads tidies up");
}

/// By the poll alone each of these steps takes its whole second, because it begins right after the
/// poll that saw the step before. So one fast round proves that notifications arrive, however busy
/// the machine is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_announcements_reach_other_nodes_by_notification() {
    const QUICK: Duration = Duration::from_millis(500);
    let url = postgres::shared().new_database().await;
    let (one, other) = tokio::join!(
        App::on(&url, &[], Clock::System),
        App::on(&url, &[], Clock::System)
    );
    let mut quickest = [TIMEOUT; 3];
    for round in 0..15 {
        let slug = format!("event-{round}");
        let began = Instant::now();
        let event = json!({ "slug": slug, "title": "Event", "capacity": 5 });
        assert_eq!(
            organise(one.address, "POST", "/api/v1/events", &event)
                .await
                .status,
            201
        );
        timeout(TIMEOUT, known(other.address, &slug))
            .await
            .expect("the event is known");
        let created = began.elapsed();
        let mut stream =
            Stream::open_at(other.address, &format!("/api/v1/events/{slug}/stream"), "").await;
        stream.next("count").await;

        let began = Instant::now();
        let announced = organise(
            one.address,
            "POST",
            &format!("/api/v1/events/{slug}/announcements"),
            &json!({ "text": slug }),
        )
        .await;
        assert_eq!(announced.status, 201);
        let notice = timeout(TIMEOUT, stream.next("notice"))
            .await
            .expect("the notice");
        assert_eq!(notice.json()["text"], slug.as_str());
        let announced = began.elapsed();

        let began = Instant::now();
        assert_eq!(
            organise(
                one.address,
                "DELETE",
                &format!("/api/v1/events/{slug}"),
                &json!(null)
            )
            .await
            .status,
            204
        );
        let bye = timeout(TIMEOUT, stream.next("bye"))
            .await
            .expect("the farewell");
        assert_eq!(bye.json()["reason"], "deleted");
        // In the first round a poll can be due at any moment.
        if round > 0 {
            for (quickest, took) in quickest
                .iter_mut()
                .zip([created, announced, began.elapsed()])
            {
                *quickest = took.min(*quickest);
            }
        }
        if quickest.iter().all(|quickest| *quickest < QUICK) {
            break;
        }
    }
    assert!(
        quickest.iter().all(|quickest| *quickest < QUICK),
        "created, announced, deleted: {quickest:?}"
    );
    tokio::join!(one.stop(), other.stop());
}

/// Waits until the node's live addresses know the event; they never read the database.
async fn known(node: SocketAddr, slug: &str) {
    while call(
        node,
        "GET",
        &format!("/api/v1/events/{slug}/changes"),
        &[],
        "",
    )
    .await
    .status
        == 404
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
