//! Refusals before the request's body was read: the client receives them, and cannot send for ever.

use std::time::Duration;

use headcount::server::{Config, Deadlines};

use super::host::{self, Host, TIMEOUT};
use super::tls;
use super::wire::{Ending, Wire};

const SIZE: usize = 10_000_000;

/// A refusal that takes longer is a failure.
fn config() -> Config {
    let host = host::config();
    Config {
        deadlines: Deadlines {
            unread: TIMEOUT,
            ..host.deadlines
        },
        ..host
    }
}

fn request(length: usize) -> String {
    format!("POST /refuse HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n")
}

/// Sends everything before it reads, as many client libraries do.
async fn hears_the_refusal(wire: &mut Wire) {
    wire.send(request(SIZE)).await;
    wire.send(vec![b'x'; SIZE]).await;
    let (head, body) = wire.answer().await;
    assert!(head.starts_with("http/1.1 413 "), "{head}");
    assert_eq!(body, "no");
    assert_eq!(wire.rest().await, (Vec::new(), Ending::Closed));
}

#[tokio::test]
async fn a_client_that_sends_everything_first_receives_the_refusal() {
    let host = Host::start(config());
    hears_the_refusal(&mut host.connect().await).await;
    assert_eq!(host.finish().await.cut, 0, "the client's end was noticed");
    let (tls, certificate) = tls::certificate();
    let host = Host::start(Config {
        tls: Some(tls),
        ..config()
    });
    hears_the_refusal(&mut Wire::new(
        tls::stream(host.addr, &certificate, b"http/1.1").await,
    ))
    .await;
    assert_eq!(host.finish().await.cut, 0);
}

#[tokio::test]
async fn a_client_that_sends_without_end_is_cut_off() {
    let host = Host::start(config());
    let mut wire = host.connect().await;
    wire.send("POST /refuse HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let chunk = [b"10000\r\n", &*vec![b'x'; 0x10000], b"\r\n"].concat();
    assert!(
        wire.send_until_refused(&chunk, 4096).await < 4096,
        "256 MiB were taken"
    );
    assert_eq!(host.finish().await.cut, 0);
}

#[tokio::test]
async fn a_client_that_sends_nothing_more_is_cut_off() {
    let deadlines = Deadlines {
        unread: Duration::from_millis(300),
        ..config().deadlines
    };
    let host = Host::start(Config {
        deadlines,
        ..config()
    });
    let mut wire = host.connect().await;
    wire.send(request(SIZE)).await;
    assert!(wire.answer().await.0.starts_with("http/1.1 413 "));
    assert_eq!(
        wire.rest().await,
        (Vec::new(), Ending::Closed),
        "the writing side ends at once"
    );
    // The client keeps its side open; nothing but the deadline ends this.
    assert_eq!(host.finish().await.cut, 0);
    drop(wire);
}

/// The client of an answered request need not close first. Otherwise every connection would delay a
/// drain.
#[tokio::test]
async fn a_body_that_was_read_is_not_waited_for() {
    let host = Host::start(Config {
        drain: TIMEOUT / 2,
        ..config()
    });
    let mut kept = Vec::new();
    for body in [
        "Content-Length: 3\r\n\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ] {
        let mut wire = host.connect().await;
        wire.send(format!("POST /echo HTTP/1.1\r\nHost: test\r\n{body}"))
            .await;
        assert_eq!(wire.answer().await.1, "abc");
        kept.push(wire);
    }
    assert_eq!(host.finish().await.cut, 0);
    drop(kept);
}
