//! WebSocket: the handshake byte by byte, and a real client.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use headcount::domain::clock::Clock;
use headcount::store::Announcement;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{gala, join};
use crate::cli::tls::Files;
use crate::server::tls::stream;
use crate::server::wire::Io;
use crate::support::app::App;

const PATH: &str = "/api/v1/events/gala/ws";
const HANDSHAKE: &str = "upgrade: websocket\r\nconnection: keep-alive, Upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n";

/// A connection behind its handshake.
pub(super) async fn raise(app: &App, query: &str) -> TcpStream {
    let mut stream = TcpStream::connect(app.address())
        .await
        .expect("a connection");
    stream
        .write_all(
            format!("GET {PATH}{query} HTTP/1.1\r\nhost: test\r\n{HANDSHAKE}\r\n").as_bytes(),
        )
        .await
        .expect("the server reads");
    // Byte by byte: what follows the head belongs to the socket.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", head.escape_ascii());
    stream
}

/// A client that has finished its handshake.
pub(super) async fn connect(app: &App, query: &str) -> WebSocketStream<TcpStream> {
    WebSocketStream::from_raw_socket(raise(app, query).await, Role::Client, None).await
}

/// The next message of that type.
pub(super) async fn next(socket: &mut WebSocketStream<impl Io>, kind: &str) -> Value {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                let message: Value = serde_json::from_str(text.as_str()).expect("JSON");
                if message["type"] == kind {
                    return message;
                }
            }
            Some(Ok(_)) => {}
            other => panic!("no {kind}: {other:?}"),
        }
    }
}

async fn close_code(socket: &mut WebSocketStream<impl Io>) -> u16 {
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("not closed: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_handshake_is_that_of_the_standard() {
    let (app, _) = gala(&[]).await;
    let ask = async |lines: &str| {
        let mut wire = app.wire().await;
        wire.send(format!("GET {PATH} HTTP/1.1\r\nhost: test\r\n{lines}\r\n"))
            .await;
        wire.head().await
    };
    let head = ask(HANDSHAKE).await;
    assert!(
        head.starts_with("http/1.1 101")
            && head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    assert!(!head.contains("sec-websocket-extensions"), "{head}");
    let head = ask(&HANDSHAKE.replace("version: 13", "version: 8")).await;
    assert!(
        head.starts_with("http/1.1 426") && head.contains("sec-websocket-version: 13"),
        "{head}"
    );
    assert!(ask("").await.starts_with("http/1.1 426"));
    assert!(
        ask(&HANDSHAKE.replace("dGhlIHNhbXBsZSBub25jZQ==", "short"))
            .await
            .starts_with("http/1.1 400")
    );
    let mut wire = app.wire().await;
    wire.send(format!(
        "GET /api/v1/events/nope/ws HTTP/1.1\r\nhost: test\r\n{HANDSHAKE}\r\n"
    ))
    .await;
    assert!(wire.head().await.starts_with("http/1.1 404"));
    app.stop().await;
}

#[tokio::test]
async fn counts_pongs_and_codes() {
    let (app, position) = gala(&[]).await;
    let mut socket = connect(&app, "").await;
    assert_eq!(
        next(&mut socket, "count").await["data"]["position"],
        position.as_str()
    );
    socket
        .send(Message::text(
            json!({ "type": "ping", "id": 7 }).to_string(),
        ))
        .await
        .expect("an open socket");
    let pong = next(&mut socket, "pong").await;
    assert!(pong["id"] == 7 && pong["at"].is_string(), "{pong}");
    let newer = join(&app, 1).await;
    assert_eq!(
        next(&mut socket, "count").await["data"]["position"],
        newer.as_str()
    );

    // At the newest position nothing is sent before the next change.
    let mut current = connect(&app, &format!("?after={newer}")).await;
    let newest = join(&app, 2).await;
    assert_eq!(
        next(&mut current, "count").await["data"]["position"],
        newest.as_str()
    );

    for (message, code) in [
        (Message::binary(vec![0]), 1003),
        (Message::text("{}"), 1008),
        (Message::text(r#"["ping",1]"#), 1008),
        (Message::text("x".repeat(1_000_000)), 1009),
    ] {
        let mut socket = connect(&app, "").await;
        // The server may have closed before all of it is sent.
        let _ = socket.send(message).await;
        assert_eq!(close_code(&mut socket).await, code);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_drain_is_1001_and_the_limit_1013() {
    let (app, _) = gala(&["--drain", "2s", "--max-connections", "4"]).await;
    let mut held = Vec::new();
    loop {
        assert!(held.len() <= 4, "the limit holds");
        // The client library's handshake hides why it was refused.
        let stream = TcpStream::connect(app.address())
            .await
            .expect("a connection");
        let (mut socket, _) = client_async(format!("ws://test{PATH}"), stream)
            .await
            .expect("a handshake, also over the limit");
        let Some(Ok(Message::Text(first))) = socket.next().await else {
            panic!("nothing is sent")
        };
        let first: Value = serde_json::from_str(first.as_str()).expect("JSON");
        if first["type"] == "count" {
            held.push(socket);
            continue;
        }
        assert!(
            first["reason"] == "limit" && first["retry_ms"].as_u64().is_some_and(|ms| ms >= 1_000),
            "{first}"
        );
        assert_eq!(close_code(&mut socket).await, 1013);
        break;
    }
    assert!(!held.is_empty());
    let stop = tokio::spawn(app.stop());
    for socket in &mut held {
        assert_eq!(next(socket, "bye").await["reason"], "drain");
        assert_eq!(close_code(socket).await, 1001);
    }
    stop.await.expect("a stop");
}

/// TLS has buffers of its own between our frames and the kernel: each kind of frame must be flushed
/// out of them.
#[tokio::test]
async fn over_tls_every_kind_of_frame_arrives() {
    let files = Files::self_signed();
    let app = files.server(&["--drain", "2s"]).await;
    let open = async || {
        let stream = stream(app.address(), &files.certificate(), b"http/1.1").await;
        client_async("wss://localhost/api/v1/events/welcome/ws", stream)
            .await
            .expect("a handshake")
            .0
    };
    let mut socket = open().await;
    assert_eq!(next(&mut socket, "count").await["data"]["registered"], 0);
    // The protocol's own ping and a WebSocket ping, in turn.
    for id in 0..20 {
        socket
            .send(Message::text(
                json!({ "type": "ping", "id": id }).to_string(),
            ))
            .await
            .expect("an open socket");
        assert_eq!(next(&mut socket, "pong").await["id"], id);
        socket
            .send(Message::Ping(vec![id].into()))
            .await
            .expect("an open socket");
        while socket
            .next()
            .await
            .expect("an open socket")
            .expect("a frame")
            != Message::Pong(vec![id].into())
        {}
    }
    // Records of TLS hold 16 KiB: several of these.
    let hub = &app.running.context.hub;
    let event = hub.channels()[0].newest().event.id;
    for id in 1..=200 {
        hub.announce(
            event,
            &Announcement {
                id,
                text: format!("{id} {}", "x".repeat(200)),
                at: Clock::System.now(),
                ends_at: Clock::System.now().plus(Duration::from_mins(1)),
            },
        );
        tokio::task::yield_now().await;
    }
    while !next(&mut socket, "notice").await["data"]["text"]
        .as_str()
        .expect("text")
        .starts_with("200 ")
    {}

    let mut wrong = open().await;
    wrong
        .send(Message::binary(vec![0]))
        .await
        .expect("an open socket");
    assert_eq!(close_code(&mut wrong).await, 1003);
    let stop = tokio::spawn(app.stop());
    assert_eq!(next(&mut socket, "bye").await["reason"], "drain");
    assert_eq!(close_code(&mut socket).await, 1001);
    stop.await.expect("a stop");
}
