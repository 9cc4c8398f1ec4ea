//! Clients that leave the server waiting, each in its own way. With hyper alone, each of them kept
//! a connection open for ever.

use std::time::Duration;

use headcount::server::{Config, Deadlines};

use super::host::{Host, config};
use super::wire::Wire;

/// The HTTP/2 preface with empty SETTINGS (RFC 9113, section 3.4).
pub(crate) const PREFACE: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/// Short for a test, and long enough for a request to be sent and read on a busy machine.
const SHORT: Duration = Duration::from_millis(600);

fn hasty() -> Config {
    let deadlines = Deadlines {
        first_request: SHORT,
        idle: SHORT,
        idle_http2: SHORT,
        handshake: SHORT,
        ..config().deadlines
    };
    Config {
        deadlines,
        ..config()
    }
}

#[tokio::test]
async fn a_client_that_sends_no_request_is_closed() {
    let host = Host::start(hasty());
    let beginnings: &[&[u8]] = &[
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: t",
        b"\r\n",
        b"PRI * HT",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        PREFACE,
    ];
    let mut wires = Vec::new();
    for bytes in beginnings {
        let mut wire = host.connect().await;
        wire.send(bytes).await;
        wires.push((wire, bytes));
    }
    for (wire, bytes) in &mut wires {
        let (answer, _) = wire.rest().await;
        assert!(
            !answer.starts_with(b"HTTP/1.1 200"),
            "{:?}",
            bytes.escape_ascii()
        );
    }
    assert_eq!(host.finish().await.cut, 0);
}

/// A header line now and then must not restart the clock.
#[tokio::test]
async fn a_head_that_trickles_is_closed() {
    let host = Host::start(hasty());
    let mut wire = host.connect().await;
    wire.send("GET /hello HTTP/1.1\r\n").await;
    let trickled = async {
        while wire.send_until_refused(b"X-Slow: 1\r\n", 1).await == 1 {
            tokio::time::sleep(SHORT / 10).await;
        }
    };
    tokio::time::timeout(super::host::TIMEOUT, trickled)
        .await
        .expect("the server closes");
    host.finish().await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_answer() {
    let host = Host::start(hasty());
    let mut wire = host.connect().await;
    wire.get("/hello").await;
    assert_eq!(wire.answer().await.1, "hello");
    assert!(wire.rest().await.0.is_empty());
    host.finish().await;
}

/// HTTP/2 pings keep a connection alive; they must not keep it for ever.
#[tokio::test]
async fn an_idle_http_2_connection_gets_goaway() {
    let host = Host::start(hasty());
    let mut wire = host.connect().await;
    wire.send(PREFACE).await;
    // HEADERS with END_STREAM and END_HEADERS on stream 1; GET, http, and two literals (RFC 7541,
    // section 6).
    wire.send(b"\x00\x00\x10\x01\x05\x00\x00\x00\x01\x82\x86\x04\x06/hello\x01\x04test")
        .await;
    wire.read_to(b"hello").await;
    // GOAWAY is type 7, on stream 0.
    wire.read_to(b"\x07\x00\x00\x00\x00\x00").await;
    drop(wire);
    host.finish().await;
}

/// Deadlines bound the wait for a client, not a client's wait for its answer.
#[tokio::test]
async fn an_answer_may_take_longer_than_every_deadline() {
    for handoff in [true, false] {
        let host = Host::start(Config { handoff, ..hasty() });
        let mut waiting = host.connect().await;
        waiting.get("/wait").await;
        let mut stream = host.connect().await;
        stream.get("/stream").await;
        stream.head().await;
        assert_eq!(stream.chunk().await.unwrap(), "first");
        tokio::time::sleep(SHORT * 3).await;
        stream.is_silent().await;
        host.feed.release.notify_waiters();
        assert_eq!(waiting.answer().await.1, "released");
        host.feed.publish("second");
        assert_eq!(stream.chunk().await.unwrap(), "second");
        host.finish().await;
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let host = Host::start(config());
    let mut wire = host.connect().await;
    wire.send(format!(
        "GET /hello HTTP/1.1\r\nHost: test\r\nX-Large: {}\r\n\r\n",
        "x".repeat(17_000)
    ))
    .await;
    assert!(wire.head().await.starts_with("http/1.1 431 "));
    let mut wire = host.connect().await;
    wire.send(format!(
        "GET /hello HTTP/1.1\r\nHost: test\r\n{}\r\n",
        "X-Many: 1\r\n".repeat(150)
    ))
    .await;
    assert!(wire.head().await.starts_with("http/1.1 431 "));
    host.finish().await;
}

#[tokio::test]
async fn a_tls_handshake_that_never_ends_is_closed() {
    let (tls, _) = super::tls::certificate();
    let host = Host::start(Config {
        tls: Some(tls),
        ..hasty()
    });
    for bytes in [&b""[..], b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut wire: Wire = host.connect().await;
        wire.send(bytes).await;
        wire.rest().await;
    }
    host.finish().await;
}
