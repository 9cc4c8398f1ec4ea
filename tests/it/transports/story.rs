//! One script for every transport: each connection is cut in the middle, reconnects with its
//! cursor, and must end on the same state as all others.

use serde_json::{Value, json};
use tokio::time::timeout;

use super::lines::Lines;
use super::socketio::Polling;
use super::webtransport::{Session, with_webtransport};
use super::{SOON, join, websockets};
use crate::support::app::App;
use crate::support::sse::Stream;

/// A client's cursor: the last position that it received.
type Cursor = String;

fn cursor(count: &Value) -> Cursor {
    count["position"].as_str().expect("a position").to_owned()
}

/// Follows by one transport from `after` until `registered` people have registered. Returns the
/// cursor.
async fn follow(app: &App, transport: &str, after: &str, registered: u64) -> Cursor {
    let there = |count: &Value| count["registered"].as_u64() >= Some(registered);
    let path = |rest: &str| format!("/api/v1/events/gala{rest}after={after}");
    match transport {
        "sse" => cursor(
            &Stream::open(app, &path("/stream?"), "")
                .await
                .count(there)
                .await,
        ),
        "changes" => {
            let mut log =
                Stream::open(app, &path("/changes?"), "accept: text/event-stream\r\n").await;
            loop {
                let change = log.next("change").await.json();
                if there(&change) {
                    return cursor(&change);
                }
            }
        }
        "ndjson" => {
            let mut lines = Lines::open(app, &path("/stream?")).await;
            loop {
                let count = lines.next("count").await;
                if there(&count["data"]) {
                    return cursor(&count["data"]);
                }
            }
        }
        "ws" => {
            let mut socket = websockets::connect(app, &format!("?after={after}")).await;
            loop {
                let count = &websockets::next(&mut socket, "count").await["data"];
                if there(count) {
                    return cursor(count);
                }
            }
        }
        "wt" => {
            let mut session = Session::open(app, &path("/wt?")).await;
            loop {
                let count = &session.next("count").await["data"];
                if there(count) {
                    return cursor(count);
                }
            }
        }
        "socketio" => {
            let mut client = Polling::join(app, json!({ "event": "gala", "after": after })).await;
            loop {
                let count = client.event("count").await;
                if there(&count) {
                    return cursor(&count);
                }
            }
        }
        "frame" => {
            let mut wire = app.wire().await;
            wire.get(&path("/frame?")).await;
            wire.head().await;
            loop {
                let chunk = wire
                    .chunk()
                    .await
                    .expect("the document continues")
                    .replace("&quot;", "\"");
                for count in chunk
                    .split("data-count=\"")
                    .skip(1)
                    .filter_map(|rest| rest.split_once("\">"))
                {
                    let count = serde_json::from_str(count.0).expect("JSON");
                    if there(&count) {
                        return cursor(&count);
                    }
                }
            }
        }
        "long-poll" | "poll" => {
            let mut after = after.to_owned();
            loop {
                let wait = if transport == "poll" { "" } else { "&wait=20" };
                let answer = app
                    .get(&format!("/api/v1/events/gala?after={after}{wait}"))
                    .await;
                if answer.status == 200 {
                    after = cursor(&answer.json());
                    if there(&answer.json()) {
                        return after;
                    }
                }
                if transport == "poll" {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            }
        }
        other => panic!("no transport {other}"),
    }
}

#[tokio::test]
async fn every_transport_ends_on_the_same_state() {
    const TRANSPORTS: [&str; 9] = [
        "sse",
        "ndjson",
        "changes",
        "ws",
        "wt",
        "socketio",
        "frame",
        "long-poll",
        "poll",
    ];
    let (app, begin) = with_webtransport(&[]).await;
    let play = async |registrations: std::ops::RangeInclusive<usize>| {
        let mut last = String::new();
        for n in registrations {
            last = join(&app, n).await;
        }
        last
    };
    let follow_all = async |from: Vec<Cursor>, registered| {
        let all = TRANSPORTS.iter().zip(from).map(|(transport, after)| {
            let app = &app;
            async move {
                timeout(SOON * 3, follow(app, transport, &after, registered))
                    .await
                    .unwrap_or_else(|_| panic!("{transport} hangs"))
            }
        });
        futures_util::future::join_all(all).await
    };
    let (middle, last) = tokio::join!(follow_all(vec![begin; TRANSPORTS.len()], 10), play(1..=10));
    assert!(
        middle.iter().all(|position| *position == last),
        "{middle:?} {last}"
    );
    // All connections are cut here. Three people register meanwhile, and each transport resumes
    // with the cursor of another one.
    play(11..=13).await;
    let (end, last) = tokio::join!(
        follow_all(middle.into_iter().rev().collect(), 20),
        play(14..=20)
    );
    assert!(
        end.iter().all(|position| *position == last),
        "{end:?} {last}"
    );
    app.stop().await;
}
