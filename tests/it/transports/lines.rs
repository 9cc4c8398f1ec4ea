//! NDJSON: the stream for `fetch()`.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use super::{SOON, gala, join};
use crate::server::wire::Wire;
use crate::support::app::App;

const STREAM: &str = "/api/v1/events/gala/stream";
const ACCEPT: &str = "accept: application/x-ndjson\r\n";

/// An open stream.
pub(super) struct Lines {
    wire: Wire,
    head: String,
    text: String,
}

impl Lines {
    pub(super) async fn open(app: &App, path: &str) -> Self {
        Self::open_with(app, path, ACCEPT).await
    }

    async fn open_with(app: &App, path: &str, headers: &str) -> Self {
        let mut wire = app.wire().await;
        wire.send(format!(
            "GET {path} HTTP/1.1\r\nhost: test\r\n{headers}\r\n"
        ))
        .await;
        let head = wire.head().await;
        Self {
            wire,
            head,
            text: String::new(),
        }
    }

    /// The next line, without its end; none at the clean end of the stream.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some((line, rest)) = self.text.split_once('\n') {
                let (line, rest) = (line.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(line);
            }
            self.text += &self.wire.chunk().await?;
        }
    }

    /// The next message of a type.
    pub(super) async fn next(&mut self, kind: &str) -> Value {
        let found = async {
            loop {
                let line = self.line().await.expect("the stream continues");
                if line.is_empty() {
                    continue;
                }
                let message: Value = serde_json::from_str(&line).expect("JSON");
                if message["type"] == kind {
                    return message;
                }
            }
        };
        timeout(SOON, found)
            .await
            .unwrap_or_else(|_| panic!("no {kind} in time"))
    }
}

#[tokio::test]
async fn accept_chooses_lines_and_anything_else_gets_events() {
    let (app, position) = gala(&["--max-connections-per-ip", "50"]).await;
    for (accept, media) in [
        ("application/x-ndjson", "application/x-ndjson"),
        (
            "Application/X-NDJSON, text/event-stream;q=0.5",
            "application/x-ndjson",
        ),
        (
            "text/event-stream, application/x-ndjson",
            "text/event-stream",
        ),
        ("*/*", "text/event-stream"),
        ("application/json", "text/event-stream"),
        ("application/x-ndjson;q=0", "text/event-stream"),
    ] {
        let header = format!("accept: {accept}\r\n");
        let lines = Lines::open_with(&app, STREAM, &header).await;
        let line = format!("content-type: {media}");
        assert!(lines.head.contains(&line), "{accept}: {}", lines.head);
    }
    let mut lines = Lines::open(&app, STREAM).await;
    for line in [
        "cache-control: no-cache, no-transform",
        "x-accel-buffering: no",
        "access-control-allow-origin: *",
    ] {
        assert!(lines.head.contains(line), "{line} in {}", lines.head);
    }
    assert_eq!(lines.next("count").await["data"]["position"], position);
    app.stop().await;
}

#[tokio::test]
async fn lines_resume_where_they_were() {
    let (app, position) = gala(&[]).await;
    let mut current = Lines::open(&app, &format!("{STREAM}?after={position}")).await;
    let mut unknown = Lines::open(&app, &format!("{STREAM}?after=zzzzzz-1")).await;
    assert_eq!(unknown.next("count").await["data"]["position"], position);
    let newer = join(&app, 1).await;
    for lines in [&mut current, &mut unknown] {
        assert_eq!(lines.next("count").await["data"]["position"], newer);
    }
    app.stop().await;
}

#[tokio::test]
async fn an_empty_line_shows_that_an_idle_stream_is_alive() {
    let (app, _) = gala(&["--heartbeat", "1s"]).await;
    let mut lines = Lines::open(&app, STREAM).await;
    lines.next("count").await;
    for _ in 0..3 {
        let empty =
            async { while !lines.line().await.expect("the stream continues").is_empty() {} };
        timeout(Duration::from_millis(1_500), empty)
            .await
            .expect("an empty line in time");
    }
    app.stop().await;
}

#[tokio::test]
async fn lines_say_goodbye_in_the_drain_and_over_a_limit() {
    let (app, _) = gala(&["--drain", "2s", "--max-connections-per-ip", "2"]).await;
    let mut live = Lines::open(&app, STREAM).await;
    live.next("count").await;
    let _second = Lines::open(&app, STREAM).await;
    let mut third = Lines::open(&app, STREAM).await;
    assert!(third.head.starts_with("http/1.1 200"), "{}", third.head);
    let (bye, _) = third.wire.rest().await;
    assert!(bye.ends_with(b"}\n"), "{}", bye.escape_ascii());
    let bye: Value = serde_json::from_slice(&bye).expect("one line of JSON");
    assert_eq!(
        (&bye["type"], &bye["reason"]),
        (&"bye".into(), &"limit".into())
    );
    assert!(bye["retry_ms"].as_u64() >= Some(1_000), "{bye}");
    drop(third);
    let stop = tokio::spawn(app.stop());
    assert_eq!(live.next("bye").await["reason"], "drain");
    assert_eq!(live.line().await, None, "a clean end");
    stop.await.expect("stops");
}
