//! Server-sent events: the live stream and the change log.

use std::time::Duration;

use tokio::time::timeout;

use super::{SOON, gala, join};
use crate::support::sse::Stream;

const STREAM: &str = "/api/v1/events/gala/stream";
const CHANGES: &str = "/api/v1/events/gala/changes";

#[tokio::test]
async fn the_first_block_is_the_count_with_the_retry_in_it() {
    let (app, position) = gala(&[]).await;
    let mut wire = app.wire().await;
    wire.get(STREAM).await;
    let head = wire.head().await;
    for line in [
        "content-type: text/event-stream",
        "cache-control: no-cache, no-transform",
        "x-accel-buffering: no",
        "access-control-allow-origin: *",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
    assert!(!head.contains("content-encoding"));
    let first = wire.chunk().await.expect("a chunk");
    assert!(
        first.starts_with("retry: ")
            && first.contains(&format!("\nevent: count\nid: {position}\ndata: {{"))
            && first.find("\n\n") == Some(first.len() - 2),
        "{first}"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_stream_resumes_where_it_was() {
    let (app, position) = gala(&[]).await;
    let current = [
        (STREAM.to_owned(), format!("last-event-id: {position}\r\n")),
        (format!("{STREAM}?last_event_id={position}"), String::new()),
        (format!("{STREAM}?after={position}"), String::new()),
        (
            format!("{STREAM}?after=zzzzzz-1"),
            format!("last-event-id: {position}\r\n"),
        ),
    ];
    let mut open = Vec::new();
    for (path, header) in &current {
        let mut stream = Stream::open(&app, path, header).await;
        assert!(
            stream.block().await.expect("a comment").comment,
            "{path} {header}"
        );
        open.push(stream);
    }
    for after in ["garbage", "zzzzzz-1", "", "%00"] {
        let mut stream = Stream::open(&app, &format!("{STREAM}?after={after}"), "").await;
        assert_eq!(
            stream.next("count").await.id.as_deref(),
            Some(position.as_str()),
            "{after}"
        );
    }
    let newer = join(&app, 1).await;
    for stream in &mut open {
        // `watching` may come first; the first block has the `retry`.
        let mut first = timeout(SOON, stream.block())
            .await
            .expect("soon")
            .expect("an event");
        assert!(!first.data.is_empty(), "{first:?}");
        assert!(
            first.retry.is_some_and(|ms| (1_000..=3_000).contains(&ms)),
            "{first:?}"
        );
        if first.name != "count" {
            first = timeout(SOON, stream.next("count")).await.expect("soon");
            assert_eq!(first.retry, None, "said once");
        }
        let count = first;
        assert_eq!(
            (count.id.as_deref(), count.json()["registered"].as_u64()),
            (Some(newer.as_str()), Some(1))
        );
    }
    app.stop().await;
}

#[tokio::test]
async fn an_idle_stream_shows_that_it_is_alive() {
    let (app, _) = gala(&["--heartbeat", "1s"]).await;
    let mut stream = Stream::open(&app, STREAM, "").await;
    stream.next("count").await;
    for _ in 0..3 {
        let comment =
            async { while !stream.block().await.expect("the stream continues").comment {} };
        timeout(Duration::from_millis(1_500), comment)
            .await
            .expect("a comment in time");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_stream_says_goodbye_in_the_drain_and_ends_cleanly() {
    let (app, _) = gala(&["--drain", "2s"]).await;
    let mut live = Stream::open(&app, STREAM, "").await;
    let mut log = Stream::open(&app, CHANGES, "accept: text/event-stream\r\n").await;
    live.next("count").await;
    log.next("change").await;
    let stop = tokio::spawn(app.stop());
    for stream in [&mut live, &mut log] {
        let bye = stream.next("bye").await;
        assert!(bye.retry.is_some_and(|ms| ms >= 1_000));
        assert_eq!(bye.json()["reason"], "drain");
        assert_eq!(stream.block().await, None, "a clean end");
    }
    stop.await.expect("a stop");
}

#[tokio::test]
async fn over_the_limit_a_stream_gets_a_time_to_reconnect() {
    let (app, _) = gala(&["--max-connections", "4"]).await;
    let mut held = Vec::new();
    let head = loop {
        assert!(held.len() <= 4, "the limit holds");
        let mut wire = app.wire().await;
        wire.get(STREAM).await;
        let answer = wire.head().await;
        held.push(wire);
        // An ordinary body, not a chunked one.
        if answer.contains("content-length: ") {
            break answer;
        }
    };
    assert!(
        head.starts_with("http/1.1 200") && head.contains("content-type: text/event-stream"),
        "{head}"
    );
    let (body, _) = held.pop().expect("the refused one").rest().await;
    let body = String::from_utf8(body).expect("text");
    assert!(
        body.starts_with("retry: ") && body.contains("event: bye\ndata: {\"reason\":\"limit\""),
        "{body}"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_deleted_event_ends_its_streams_and_is_gone() {
    let (app, _) = gala(&[]).await;
    let mut stream = Stream::open(&app, STREAM, "").await;
    stream.next("count").await;
    assert_eq!(
        app.organise("DELETE", "/api/v1/events/gala", &serde_json::Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(stream.next("bye").await.json()["reason"], "deleted");
    assert_eq!(stream.block().await, None);
    assert_eq!(app.get(STREAM).await.status, 404);
    app.stop().await;
}

#[tokio::test]
async fn the_log_has_every_revision_in_pages_and_as_a_stream() {
    let (app, created) = gala(&[]).await;
    for n in 1..=7 {
        join(&app, n).await;
    }
    // In pages of three.
    let (mut after, mut revisions) = (String::new(), Vec::new());
    loop {
        let page = app.get(&format!("{CHANGES}?limit=3{after}")).await.json();
        let changes = page["changes"].as_array().expect("changes").clone();
        assert_eq!(page.get("reset"), None);
        if changes.is_empty() {
            break;
        }
        assert_eq!(page["position"], changes.last().unwrap()["position"]);
        revisions.extend(
            changes
                .iter()
                .map(|change| change["revision"].as_i64().unwrap()),
        );
        after = format!("&after={}", page["position"].as_str().unwrap());
    }
    assert_eq!(revisions, (1..=8).collect::<Vec<_>>());
    // An empty page keeps the position of the request.
    assert_eq!(
        app.get(&format!("{CHANGES}?limit=3{after}")).await.json()["position"],
        after["&after=".len()..]
    );

    // As a stream, resumed in the middle, over the change to live.
    let mut stream = Stream::open(
        &app,
        &format!("{CHANGES}?after={created}"),
        "accept: text/event-stream\r\n",
    )
    .await;
    for revision in 2..=8 {
        assert_eq!(stream.next("change").await.json()["revision"], revision);
    }
    join(&app, 8).await;
    let change = timeout(SOON, stream.next("change")).await.expect("soon");
    assert_eq!(
        (
            change.json()["revision"].as_i64(),
            change.json()["kind"].as_str()
        ),
        (Some(9), Some("registered"))
    );
    assert_eq!(change.id.as_deref(), change.json()["position"].as_str());
    app.stop().await;
}

#[tokio::test]
async fn a_position_of_another_history_starts_the_log_over() {
    let (app, position) = gala(&[]).await;
    let future = position.replace("-1", "-99");
    for after in ["garbage", "zzzzzz-1", &future] {
        let page = app.get(&format!("{CHANGES}?after={after}")).await.json();
        assert_eq!(
            (page["reset"].as_bool(), page["changes"][0]["kind"].as_str()),
            (Some(true), Some("created")),
            "{after}"
        );
        let mut stream = Stream::open(
            &app,
            &format!("{CHANGES}?after={after}"),
            "accept: text/event-stream\r\n",
        )
        .await;
        assert!(
            !stream.next("reset").await.data.is_empty(),
            "a browser drops an event without data"
        );
        assert_eq!(stream.next("change").await.json()["kind"], "created");
    }
    app.stop().await;
}

#[tokio::test]
async fn an_invalid_limit_is_refused_in_both_forms() {
    let (app, _) = gala(&[]).await;
    for accept in ["application/json", "text/event-stream"] {
        for limit in ["0", "-1", "many", ""] {
            let answer = app
                .call(
                    "GET",
                    &format!("{CHANGES}?limit={limit}"),
                    &[("accept", accept)],
                    "",
                )
                .await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (400, "bad-request"),
                "{accept} {limit}"
            );
            assert_eq!(answer.header("vary"), Some("accept"));
        }
    }
    // The stream has no pages: a limit cuts nothing off.
    join(&app, 1).await;
    let mut stream = Stream::open(
        &app,
        &format!("{CHANGES}?limit=1"),
        "accept: text/event-stream\r\n",
    )
    .await;
    for revision in 1..=2 {
        assert_eq!(stream.next("change").await.json()["revision"], revision);
    }
    app.stop().await;
}
