//! Limits: what is over one is refused, and what has ended no longer counts.

use std::time::Duration;

use headcount::server::{Config, Deadlines};

use super::host::{Host, config};
use super::wire::{Ending, Wire};

fn capped(total: usize, per_address: usize) -> Config {
    Config {
        max_connections: total,
        max_connections_per_address: per_address,
        max_refusals: 2,
        ..config()
    }
}

/// A stream that has been admitted; its head and first chunk are read.
async fn watcher(host: &Host) -> Wire {
    let mut wire = host.connect().await;
    wire.get("/stream").await;
    let head = wire.head().await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    wire.chunk().await;
    wire
}

/// What the application answers to a stream on a new connection.
async fn asked(host: &Host) -> String {
    let mut wire = host.connect().await;
    wire.get("/stream").await;
    let head = wire.head().await;
    if head.contains("transfer-encoding") {
        return "served".to_owned();
    }
    assert!(head.contains("connection: close"), "{head}");
    let (body, ending) = wire.rest().await;
    assert_eq!(ending, Ending::Closed);
    String::from_utf8(body).unwrap()
}

/// The server notices the close a moment later.
async fn becomes(host: &Host, expected: &str) {
    let ask = async { while asked(host).await != expected {} };
    tokio::time::timeout(super::host::TIMEOUT, ask)
        .await
        .unwrap_or_else(|_| panic!("never {expected}"));
}

#[tokio::test]
async fn a_connection_over_a_limit_is_refused_until_another_closes() {
    for (total, per_address) in [(3, 9), (9, 3)] {
        for handoff in [true, false] {
            let host = Host::start(Config {
                handoff,
                ..capped(total, per_address)
            });
            let mut held = vec![
                watcher(&host).await,
                watcher(&host).await,
                watcher(&host).await,
            ];
            assert_eq!(asked(&host).await, "bye limit", "hand-off {handoff}");
            held.pop();
            becomes(&host, "served").await;
            // A keep-alive must not hold a place for refusals.
            held.push(watcher(&host).await);
            for _ in 0..10 {
                becomes(&host, "bye limit").await;
            }
            drop(held);
            becomes(&host, "served").await;
            host.finish().await;
        }
    }
}

/// If hyper's task held the place, it would be free as soon as the socket leaves hyper.
#[tokio::test]
async fn an_upgraded_connection_keeps_its_place_until_its_socket_closes() {
    let host = Host::start(capped(1, 9));
    let mut wire = host.connect().await;
    wire.send("GET /switch HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        .await;
    assert!(wire.head().await.starts_with("http/1.1 101 "));
    wire.send("ping").await;
    assert_eq!(wire.exactly(4).await, b"ping");
    for _ in 0..3 {
        assert_eq!(asked(&host).await, "bye limit");
    }
    drop(wire);
    becomes(&host, "served").await;
    host.finish().await;
}

/// A WebSocket is refused by a close frame, so its upgrade must work.
#[tokio::test]
async fn an_upgrade_over_the_cap_still_upgrades() {
    let host = Host::start(capped(1, 9));
    let _held = watcher(&host).await;
    let mut wire = host.connect().await;
    wire.send("GET /switch HTTP/1.1\r\nHost: test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        .await;
    let head = wire.head().await;
    // With `Connection: close`, some clients, such as tungstenite, treat the handshake as refused.
    assert!(
        head.starts_with("http/1.1 101 ")
            && head.contains("connection: upgrade")
            && !head.contains("close"),
        "{head}"
    );
    wire.send("ping").await;
    assert_eq!(wire.exactly(4).await, b"ping");
    drop(wire);
    host.finish().await;
}

/// HTTP/1.0 has its own rules for what is kept open.
#[tokio::test]
async fn a_client_of_http_1_0_is_not_kept_over_the_cap() {
    let host = Host::start(capped(1, 9));
    let _held = watcher(&host).await;
    let mut wire = host.connect().await;
    wire.send("GET /hello HTTP/1.0\r\nHost: test\r\nConnection: keep-alive\r\n\r\n")
        .await;
    assert!(wire.head().await.contains(" 200 "));
    assert_eq!(wire.rest().await, (b"hello".to_vec(), Ending::Closed));
    host.finish().await;
}

/// A flood of connections over the limit that send nothing.
#[tokio::test]
async fn refusals_have_a_cap_and_a_deadline_of_their_own() {
    let deadlines = Deadlines {
        refusal: Duration::from_millis(900),
        ..config().deadlines
    };
    let host = Host::start(Config {
        deadlines,
        ..capped(1, 9)
    });
    let _held = watcher(&host).await;
    let mut silent = Vec::new();
    for _ in 0..2 {
        silent.push(host.connect().await);
    }
    // Both places for refusals are taken as soon as the server has accepted them, in order.
    let mut unheard = host.connect().await;
    assert!(unheard.rest().await.0.is_empty());
    for wire in &mut silent {
        assert!(wire.rest().await.0.is_empty(), "closed by the deadline");
    }
    becomes(&host, "bye limit").await;
    host.finish().await;
}

#[tokio::test]
async fn churn_leaves_nothing_behind() {
    for handoff in [true, false] {
        let host = Host::start(Config {
            handoff,
            ..capped(64, 64)
        });
        for round in 0..300 {
            let mut wire = host.connect().await;
            match round % 5 {
                0 => {}
                1 => wire.send("GET /str").await,
                2 => wire.get("/stream").await,
                3 => {
                    wire.get("/stream").await;
                    wire.head().await;
                }
                _ => wire.send("nonsense\r\n\r\n").await,
            }
        }
        host.watched_by(0).await;
        let mut held = Vec::new();
        for _ in 0..64 {
            becomes(&host, "served").await;
            held.push(watcher(&host).await);
        }
        assert_eq!(asked(&host).await, "bye limit");
        drop(held);
        assert_eq!(host.finish().await.cut, 0);
    }
}

/// Clients share a proxy's socket, so the limit counts clients.
#[tokio::test]
async fn requests_through_a_trusted_proxy_are_counted_by_client() {
    for handoff in [true, false] {
        let host = Host::start(Config {
            handoff,
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            ..capped(64, 2)
        });
        let ask = async |client: &str| {
            let mut wire = host.connect().await;
            wire.send(format!(
                "GET /stream HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: {client}\r\n\r\n"
            ))
            .await;
            let head = wire.head().await;
            (wire, head)
        };
        let streams = |head: &str| head.contains("transfer-encoding: chunked");
        let (first, head) = ask("203.0.113.1").await;
        assert!(streams(&head));
        let (_second, head) = ask("198.51.100.1, 203.0.113.1").await;
        assert!(streams(&head));
        // Another client through the same proxy is served; the proxy's connection is not closed for
        // one client's sake.
        let (_other, head) = ask("203.0.113.2").await;
        assert!(streams(&head));
        let (mut refused, head) = ask("203.0.113.1").await;
        assert!(
            !streams(&head) && !head.contains("connection: close"),
            "{head}"
        );
        assert_eq!(refused.exactly(9).await, b"bye limit");
        refused.get("/hello").await;
        assert_eq!(refused.answer().await.1, "hello");
        drop(first);
        host.watched_by(2).await;
        let (_third, head) = ask("203.0.113.1").await;
        assert!(streams(&head), "{head}");
        host.finish().await;
    }
}

/// The request ends with its 101; the client counts until the socket closes.
#[tokio::test]
async fn an_upgrade_through_a_trusted_proxy_is_counted_until_its_socket_closes() {
    let host = Host::start(Config {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..capped(64, 1)
    });
    let mut upgraded = host.connect().await;
    upgraded
        .send(
            "GET /switch HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 203.0.113.1\r\n\
         Connection: upgrade\r\nUpgrade: echo\r\n\r\n",
        )
        .await;
    assert!(upgraded.head().await.starts_with("http/1.1 101 "));
    let ask = async || {
        let mut wire = host.connect().await;
        wire.send("GET /stream HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n")
            .await;
        wire.head().await.contains("transfer-encoding: chunked")
    };
    for _ in 0..3 {
        assert!(!ask().await);
    }
    drop(upgraded);
    let served = async { while !ask().await {} };
    tokio::time::timeout(super::host::TIMEOUT, served)
        .await
        .expect("the place comes back");
    host.finish().await;
}

#[tokio::test]
async fn the_application_gets_the_clients_address() {
    let host = Host::start(config());
    let mut wire = host.connect().await;
    wire.send(
        "GET /who HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 203.0.113.1\r\n\
         X-Forwarded-Proto: https\r\n\r\n",
    )
    .await;
    assert_eq!(wire.answer().await.1, "127.0.0.1 false");
    host.finish().await;
    let host = Host::start(Config {
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        ..config()
    });
    let mut wire = host.connect().await;
    wire.send(
        "GET /who HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 203.0.113.1\r\n\
         X-Forwarded-Proto: https\r\n\r\n",
    )
    .await;
    assert_eq!(wire.answer().await.1, "203.0.113.1 true");
    host.finish().await;
}
