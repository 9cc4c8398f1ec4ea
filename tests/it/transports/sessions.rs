//! Misbehaving Socket.IO sessions: thousands on one connection, sessions without polls, bodies that
//! stop. Each is bounded, and other clients are not affected.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::socketio::Polling;
use super::{gala, until};
use crate::support::app::App;
use crate::support::memory::{allocated, measured, measuring};
use crate::support::sse::Stream;

const OPEN: &str = "/socket.io/?EIO=4&transport=polling";
/// `--max-connections-per-ip` of the churn test.
const MOST: usize = 500;
/// Handshakes on one connection.
const HANDSHAKES: usize = 20_000;
/// Bytes for each session that is allowed, joined and idle.
const BOUND: usize = 6 * 1024;

fn open_sessions(answer: &str) -> Option<String> {
    let open: Value = serde_json::from_str(answer.strip_prefix('0')?).ok()?;
    open["sid"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn sessions_are_limited_for_each_address_and_the_limit_is_a_503() {
    let (app, _) = gala(&["--max-connections-per-ip", "20"]).await;
    let mut wire = app.wire().await;
    let mut sids = Vec::new();
    let refusal = loop {
        wire.get(OPEN).await;
        let (head, body) = wire.answer().await;
        match open_sessions(&body) {
            Some(sid) => sids.push(sid),
            None => break (head, body),
        }
        assert!(
            sids.len() <= 20,
            "one connection opens {} sessions",
            sids.len()
        );
    };
    assert_eq!(sids.len(), 20);
    let (head, body) = refusal;
    assert!(
        head.starts_with("http/1.1 503 ") && head.contains("\r\nretry-after: "),
        "{head}"
    );
    assert!(body.contains("\"code\":\"busy\""), "{body}");
    // A session that ends frees its place.
    let close = format!(
        "POST {OPEN}&sid={} HTTP/1.1\r\nhost: test\r\ncontent-length: 1\r\n\r\n1",
        sids[0]
    );
    wire.send(close).await;
    assert!(wire.answer().await.0.starts_with("http/1.1 200 "));
    let again = async {
        loop {
            wire.get(OPEN).await;
            if open_sessions(&wire.answer().await.1).is_some() {
                break;
            }
        }
    };
    tokio::time::timeout(super::SOON, again)
        .await
        .expect("a place");
    app.stop().await;
}

/// A trusted proxy's connections are everybody's: each client has its limit, and all together have
/// one.
#[tokio::test]
async fn sessions_through_a_proxy_are_limited_for_each_client_and_in_all() {
    const UPGRADE: &str = "upgrade: websocket\r\nconnection: Upgrade\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n";
    for (transport, fields) in [("polling", ""), ("websocket", UPGRADE)] {
        let (app, _) = gala(&[
            "--max-connections",
            "25",
            "--max-connections-per-ip",
            "10",
            "--trusted-proxies",
            "127.0.0.0/8",
        ])
        .await;
        let (mut sessions, mut held) = ([0; 4], Vec::new());
        for (client, sessions) in sessions.iter_mut().enumerate() {
            loop {
                let mut wire = app.wire().await;
                wire.send(format!(
                    "GET /socket.io/?EIO=4&transport={transport} HTTP/1.1\r\nhost: test\r\n\
                     x-forwarded-for: 203.0.113.{client}\r\n{fields}\r\n"
                ))
                .await;
                let head = wire.head().await;
                if head.starts_with("http/1.1 503 ") {
                    assert!(head.contains("\r\nretry-after: "), "{head}");
                    break;
                }
                assert!(*sessions < 10, "{transport}: {head}");
                *sessions += 1;
                // A WebSocket's session ends with its connection; one of polls does not.
                if transport == "websocket" {
                    held.push(wire);
                }
            }
        }
        assert_eq!(sessions, [10, 10, 5, 0], "{transport}");
        drop(held);
        app.stop().await;
    }
}

#[test]
fn sessions_on_one_connection_leave_memory_in_bounds() {
    if measuring() {
        return measure();
    }
    let measured = measured(
        "transports::sessions::sessions_on_one_connection_leave_memory_in_bounds",
        "before and after, bytes:",
    );
    println!(
        "{} sessions take {} bytes",
        MOST,
        measured[1].saturating_sub(measured[0])
    );
    assert!(measured[1] < measured[0] + MOST * BOUND, "{measured:?}");
}

fn measure() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let most = MOST.to_string();
        let (app, _) = gala(&["--max-connections-per-ip", &most]).await;
        let mut wire = app.wire().await;
        wire.get(OPEN).await;
        wire.answer().await;
        let before = allocated();
        let mut joined = 0;
        for _ in 0..HANDSHAKES {
            wire.get(OPEN).await;
            let Some(sid) = open_sessions(&wire.answer().await.1) else {
                continue;
            };
            joined += 1;
            let join = r#"40{"event":"gala"}"#;
            wire.send(format!(
                "POST {OPEN}&sid={sid} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n{join}",
                join.len()
            ))
            .await;
            wire.answer().await;
        }
        assert!((1..=MOST).contains(&joined), "{joined} sessions");
        println!("before and after, bytes: {before} {}", allocated());
        app.stop().await;
    });
}

#[tokio::test]
async fn a_session_that_nobody_polls_is_not_watching_and_one_that_polls_is() {
    let (app, _) = gala(&[]).await;
    let channel = &app.running.context.hub.channels()[1];
    assert_eq!(channel.newest().event.slug.as_str(), "gala");
    let auth = serde_json::json!({ "event": "gala" });
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(Polling::open(&app).await);
        idle.last().expect("one").send(&format!("40{auth}")).await;
    }
    // A session without a poll stops counting as a watcher after a few seconds.
    until(|| channel.presence.open() == 0).await;
    let mut stream = Stream::open(&app, "/api/v1/events/gala/stream", "").await;
    let mut polling = Polling::join(&app, auth).await;
    polling.event("count").await;
    assert_eq!(channel.presence.open(), 2);
    let counted =
        async { while stream.next("watching").await.json()["watching"].as_u64() != Some(2) {} };
    let polls = async {
        loop {
            polling.next().await;
        }
    };
    tokio::select! {
        () = counted => {}
        () = polls => {}
        () = tokio::time::sleep(super::SOON) => panic!("not pushed"),
    }
    // It counts again with its next poll.
    idle[0].next().await;
    assert_eq!(channel.presence.open(), 3);
    drop(idle);
    app.stop().await;
}

#[tokio::test]
async fn a_body_that_stops_ends_its_session_in_time() {
    let (app, _) = gala(&[]).await;
    let client = Polling::open(&app).await;
    let mut wire = app.wire().await;
    let began = Instant::now();
    wire.send(format!(
        "POST {} HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\n4",
        client.path()
    ))
    .await;
    let (head, _) = wire.answer().await;
    assert!(
        head.starts_with("http/1.1 400 ") && head.contains("connection: close"),
        "{head}"
    );
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        app.get(client.path()).await.status,
        400,
        "the session is over"
    );
    app.stop().await;
}

#[tokio::test]
async fn every_answer_has_the_common_headers() {
    let (app, _) = gala(&["--max-connections-per-ip", "3"]).await;
    let client = Polling::join(&app, serde_json::json!({ "event": "gala" })).await;
    let unknown = format!("{OPEN}&sid=nobody");
    let path = client.path().to_owned();
    Polling::open(&app).await;
    Polling::open(&app).await;
    for (method, path, body, status) in [
        ("GET", OPEN, "", 503),
        ("GET", unknown.as_str(), "", 400),
        ("GET", "/socket.io/", "", 400),
        ("GET", "/socket.io", "", 400),
        ("GET", "/socket.io/?EIO=3&transport=polling", "", 400),
        ("GET", "/socket.io/?EIO=4&transport=carrier-pigeon", "", 400),
        ("GET", "/socket.io/?EIO=4&transport=websocket", "", 400),
        ("PUT", OPEN, "", 400),
        ("POST", OPEN, "", 400),
        ("OPTIONS", OPEN, "", 204),
        ("GET", path.as_str(), "", 200),
        ("POST", path.as_str(), "3", 200),
        ("POST", path.as_str(), "abc", 400),
    ] {
        let answer = app.call(method, path, &[], body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("access-control-allow-origin", "*"),
            ("referrer-policy", "same-origin"),
        ] {
            assert_eq!(
                answer.header(name),
                Some(value),
                "{method} {path}: {}",
                answer.head
            );
        }
        let policy = answer.header("content-security-policy");
        assert!(
            policy.is_some_and(|policy| policy.contains("default-src 'none'")),
            "{policy:?}"
        );
    }
    app.stop().await;
}

/// What Engine.IO's own test suite requires of a server, by polling.
#[tokio::test]
async fn the_server_follows_engine_io() {
    let (app, _) = gala(&[]).await;
    // Nothing is sent before the first ping is due: the poll waits.
    let idle = Polling::open(&app).await;
    let early = tokio::time::timeout(Duration::from_secs(2), app.get(idle.path())).await;
    assert!(early.is_err(), "{:?}", early.map(|answer| answer.body));

    // Two polls at once end the session: the first learns it, the second is refused.
    let twice = Polling::open(&app).await;
    let second = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        app.get(twice.path()).await
    };
    let (first, second) = tokio::join!(app.get(twice.path()), second);
    assert_eq!(
        (first.status, first.body.as_str(), second.status),
        (200, "1", 400)
    );
    assert_eq!(app.get(twice.path()).await.status, 400);

    // A client that closes ends its poll with nothing.
    let closing = Polling::open(&app).await;
    let close = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        closing.send("1").await
    };
    let (poll, close) = tokio::join!(app.get(closing.path()), close);
    assert_eq!(
        (poll.status, poll.body.as_str(), close.body.as_str()),
        (200, "6", "ok")
    );
    assert_eq!(app.get(closing.path()).await.status, 400);
    app.stop().await;
}

/// The session of a connection that a client has moved to a WebSocket.
async fn upgraded(
    app: &App,
    path: &str,
) -> tokio_tungstenite::WebSocketStream<tokio::net::TcpStream> {
    let stream = tokio::net::TcpStream::connect(app.address())
        .await
        .expect("a connection");
    let path = path.replace("transport=polling", "transport=websocket");
    tokio_tungstenite::client_async(format!("ws://test{path}"), stream)
        .await
        .expect("a handshake")
        .0
}

async fn text(socket: &mut (impl futures_util::Stream<Item = Received> + Unpin)) -> String {
    use futures_util::StreamExt as _;
    match socket.next().await {
        Some(Ok(message)) => message.into_text().expect("text").as_str().to_owned(),
        other => panic!("no text: {other:?}"),
    }
}

type Received =
    Result<tokio_tungstenite::tungstenite::Message, tokio_tungstenite::tungstenite::Error>;

#[tokio::test]
async fn a_session_moves_to_a_websocket_and_stays_there() {
    use futures_util::SinkExt as _;
    let (app, _) = gala(&[]).await;
    let client = Polling::open(&app).await;
    let mut socket = upgraded(&app, client.path()).await;
    socket.send("2probe".into()).await.expect("an open socket");
    assert_eq!(text(&mut socket).await, "3probe");
    let poll = app.get(client.path()).await;
    assert_eq!((poll.status, poll.body.as_str()), (200, "6"));
    socket.send("5".into()).await.expect("an open socket");
    socket
        .send(r#"40{"event":"gala"}"#.into())
        .await
        .expect("an open socket");
    assert!(text(&mut socket).await.starts_with("40{\"sid\":"));
    assert!(text(&mut socket).await.starts_with("42[\"count\","));
    assert_eq!(app.get(client.path()).await.status, 400);
    let mut again = upgraded(&app, client.path()).await;
    again.send("2probe".into()).await.expect("an open socket");
    let closed = async {
        use futures_util::StreamExt as _;
        while let Some(Ok(_)) = again.next().await {}
    };
    tokio::time::timeout(super::SOON, closed)
        .await
        .expect("a second one is closed");
    socket
        .send(r#"421["watch","nope"]"#.into())
        .await
        .expect("the first one continues");
    assert_eq!(
        text(&mut socket).await,
        r#"431[{"code":"event-not-found","ok":false}]"#
    );
    app.stop().await;
}
