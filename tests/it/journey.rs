//! The main job, end to end over real sockets, on both databases.

use std::collections::BTreeSet;

use headcount::domain::clock::Clock;
use serde_json::{Value, json};

use super::support::app::{App, Database, register};
use super::support::sse::Stream;

const BOTH: [Database; 2] = [Database::Sqlite, Database::Postgres];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_registers_and_every_watcher_sees_it() {
    for database in BOTH {
        let app = App::start(database, &[], Clock::System).await;
        let (mut one, mut two) = (
            Stream::open(&app, "/api/v1/events/welcome/stream", "").await,
            Stream::open(&app, "/api/v1/events/welcome/stream", "").await,
        );
        assert_eq!(one.next("count").await.json()["registered"], 0);
        assert_eq!(two.next("count").await.json()["registered"], 0);

        let answer = app.register("welcome", "Ada", "ada@example.org").await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let receipt = answer.json();
        assert_eq!(
            (
                &receipt["number"],
                &receipt["status"],
                &receipt["waiting_position"]
            ),
            (&json!(1), &json!("confirmed"), &Value::Null)
        );

        // After the answer, the next read contains its revision.
        let count = app.get("/api/v1/events/welcome").await.json();
        assert_eq!(
            (&count["registered"], &count["position"]),
            (&json!(1), &receipt["position"])
        );
        for stream in [&mut one, &mut two] {
            let event = stream.next("count").await;
            assert_eq!(event.id.as_deref(), receipt["position"].as_str());
            assert_eq!(event.json(), count, "the same object on every transport");
        }

        let reset = app
            .organise(
                "POST",
                "/api/v1/events/welcome/reset",
                &json!({ "confirm": "welcome", "capacity": 7 }),
            )
            .await;
        assert_eq!(reset.status, 200, "{}", reset.body);
        for stream in [&mut one, &mut two] {
            let count = stream.next("count").await.json();
            assert_eq!(
                (&count["registered"], &count["capacity"], &count["round"]),
                (&json!(0), &json!(7), &json!(2))
            );
        }
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_people_for_a_hundred_places_from_64_clients() {
    for database in BOTH {
        let app = App::start(database, &[], Clock::System).await;
        app.event("rush", 100).await;
        let address = app.address();
        let (people, queue) = async_people(200);
        let clients: Vec<_> = (0..64)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move {
                    let mut answers = Vec::new();
                    while let Some(n) = next(&queue) {
                        answers.push(
                            register(
                                address,
                                "rush",
                                &format!("Person {n}"),
                                &format!("person-{n}@example.org"),
                            )
                            .await,
                        );
                    }
                    answers
                })
            })
            .collect();
        let (mut numbers, mut full) = (BTreeSet::new(), 0);
        for client in clients {
            for answer in client.await.expect("no client panics") {
                match answer.status {
                    201 => assert!(
                        numbers.insert(answer.json()["number"].as_u64().unwrap()),
                        "a number was given twice"
                    ),
                    409 => {
                        assert_eq!(answer.code(), "event-full");
                        full += 1;
                    }
                    other => panic!("{other}: {}", answer.body),
                }
            }
        }
        assert_eq!(numbers, (1..=100).collect(), "{database:?}");
        assert_eq!(full, people - 100);
        let count = app.get("/api/v1/events/rush").await.json();
        assert_eq!(
            (&count["registered"], &count["remaining"], &count["state"]),
            (&json!(100), &json!(0), &json!("full"))
        );
        app.stop().await;
    }
}

/// How many people there are, and the counter that hands them out.
fn async_people(n: u64) -> (u64, std::sync::Arc<std::sync::atomic::AtomicU64>) {
    (n, std::sync::Arc::new(std::sync::atomic::AtomicU64::new(n)))
}

fn next(queue: &std::sync::atomic::AtomicU64) -> Option<u64> {
    use std::sync::atomic::Ordering;
    queue
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        })
        .ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_was_cut_shows_the_right_number_with_its_first_frame() {
    let app = App::sqlite().await;
    app.event("gala", 1000).await;
    let path = "/api/v1/events/gala/stream";
    let mut stream = Stream::open(&app, path, "").await;
    let cursor = stream
        .next("count")
        .await
        .id
        .expect("the first count carries an id");
    drop(stream);
    for n in 0..100 {
        assert_eq!(
            app.register("gala", "Ada", &format!("ada-{n}@example.org"))
                .await
                .status,
            201
        );
    }
    for headers in [format!("last-event-id: {cursor}\r\n"), String::new()] {
        let mut stream = Stream::open(&app, path, &headers).await;
        let first = stream.next("count").await;
        assert_eq!(first.json()["registered"], 100);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_cursor_is_ever_an_error() {
    let app = App::sqlite().await;
    let path = "/api/v1/events/welcome/stream";
    let current = Stream::open(&app, path, "")
        .await
        .next("count")
        .await
        .id
        .expect("an id");
    let future = format!("{}-999999", current.split_once('-').unwrap().0);
    for cursor in [
        "",
        "garbage",
        "-1",
        "q7f2k9ab-1",
        future.as_str(),
        "q7f2k9-99999999999999999999999",
        "\u{1F600}",
        "<script>",
        "null",
        "\"",
    ] {
        let mut stream = Stream::open(&app, path, &format!("last-event-id: {cursor}\r\n")).await;
        assert!(
            stream.head.starts_with("http/1.1 200"),
            "{cursor:?}: {}",
            stream.head
        );
        assert_eq!(
            stream.next("count").await.id.as_deref(),
            Some(current.as_str()),
            "{cursor:?}"
        );
    }
    // A client that is up to date gets a comment, then the next change.
    let mut stream = Stream::open(&app, path, &format!("last-event-id: {current}\r\n")).await;
    assert!(stream.block().await.is_some_and(|first| first.comment));
    app.register("welcome", "Ada", "ada@example.org").await;
    assert_eq!(stream.next("count").await.json()["registered"], 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_lossless_while_live_views_conflate() {
    let app = App::start(
        Database::Sqlite,
        &["--publish-interval", "1s"],
        Clock::System,
    )
    .await;
    app.event("burst", 1000).await;
    let mut live = Stream::open(&app, "/api/v1/events/burst/stream", "").await;
    let mut log = Stream::open(
        &app,
        "/api/v1/events/burst/changes",
        "accept: text/event-stream\r\n",
    )
    .await;
    for n in 0..40 {
        assert_eq!(
            app.register("burst", "Ada", &format!("ada-{n}@example.org"))
                .await
                .status,
            201
        );
    }
    let newest = app.get("/api/v1/events/burst").await.json()["revision"]
        .as_i64()
        .unwrap();
    let mut revisions = Vec::new();
    while revisions.last() != Some(&newest) {
        revisions.push(
            log.next("change").await.json()["revision"]
                .as_i64()
                .unwrap(),
        );
    }
    assert_eq!(
        revisions,
        (1..=newest).collect::<Vec<_>>(),
        "every revision, in order"
    );
    let mut seen = 0;
    live.count(|count| {
        seen += 1;
        count["registered"] == 40
    })
    .await;
    assert!(seen < 40, "a burst is conflated, but {seen} frames came");
    app.stop().await;
}
