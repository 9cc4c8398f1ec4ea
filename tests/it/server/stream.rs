//! Endless answers, handed off and not.

use std::time::Duration;

use headcount::server::{Config, Deadlines};

use super::host::{Host, TIMEOUT, config};
use super::tls::certificate;
use super::wire::Ending;

/// One host for each way out, and whether it hands off.
fn hosts() -> [(bool, Host); 4] {
    hosts_with(config().deadlines)
}

fn hosts_with(deadlines: Deadlines) -> [(bool, Host); 4] {
    [(true, false), (true, true), (false, false), (false, true)].map(|(handoff, tls)| {
        let host = Host::start(Config {
            handoff,
            tls: tls.then(|| certificate().0),
            deadlines,
            ..config()
        });
        (handoff, host)
    })
}

/// The head of a stream; a socket that will be handed off is announced as closing.
#[track_caller]
fn assert_head(head: &str, handoff: bool) {
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    assert!(
        head.contains("\r\ntransfer-encoding: chunked\r\n"),
        "{head}"
    );
    assert!(head.contains("\r\ndate: "), "{head}");
    assert_eq!(
        head.contains("\r\nconnection: close\r\n"),
        handoff,
        "{head}"
    );
}

#[tokio::test]
async fn every_update_arrives_and_the_end_is_clean() {
    for (handoff, host) in hosts() {
        let mut wire = host.open().await;
        wire.get("/stream").await;
        assert_head(&wire.head().await, handoff);
        assert_eq!(wire.chunk().await.unwrap(), "first");
        for update in 0..50 {
            host.feed.publish(format!("update {update}"));
            assert_eq!(wire.chunk().await.unwrap(), format!("update {update}"));
        }
        host.feed.end();
        assert_eq!(wire.chunk().await, None);
        if handoff {
            assert_eq!(wire.rest().await, (vec![], Ending::Closed));
        } else {
            // Nothing announced its end, so the connection stays open.
            wire.get("/hello").await;
            assert_eq!(wire.answer().await.1, "hello");
        }
        drop(wire);
        assert_eq!(host.finish().await.cut, 0);
    }
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    for (handoff, host) in hosts() {
        let mut wire = host.open().await;
        for byte in b"GET /stream HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\n\r\n" {
            wire.send([*byte]).await;
            tokio::task::yield_now().await;
        }
        assert_head(&wire.head().await, handoff);
        assert_eq!(wire.chunk().await.unwrap(), "first");
        host.finish().await;
    }
}

#[tokio::test]
async fn a_stream_may_follow_other_requests_on_its_connection() {
    for (handoff, host) in hosts() {
        let mut wire = host.open().await;
        for _ in 0..3 {
            wire.get("/hello").await;
            let (head, body) = wire.answer().await;
            assert!(!head.contains("connection: close"), "{head}");
            assert_eq!(body, "hello");
        }
        wire.get("/stream").await;
        assert_head(&wire.head().await, handoff);
        assert_eq!(wire.chunk().await.unwrap(), "first");
        host.finish().await;
    }
}

#[tokio::test]
async fn a_request_pipelined_behind_a_stream_is_not_answered_in_it() {
    for (handoff, host) in hosts() {
        let mut wire = host.open().await;
        wire.send(
            "GET /stream HTTP/1.1\r\nHost: test\r\n\r\nGET /hello HTTP/1.1\r\nHost: test\r\n\r\n",
        )
        .await;
        assert_head(&wire.head().await, handoff);
        assert_eq!(wire.chunk().await.unwrap(), "first");
        host.feed.publish("second");
        assert_eq!(wire.chunk().await.unwrap(), "second");
        host.feed.end();
        assert_eq!(wire.chunk().await, None);
        if handoff {
            // Announced by `Connection: close`; and no reset, which could have eaten the end of the
            // stream.
            assert_eq!(wire.rest().await, (vec![], Ending::Closed));
        } else {
            assert_eq!(wire.answer().await.1, "hello");
        }
        host.finish().await;
    }
}

/// The head can't be written while earlier answers fill the socket; nothing may be lost or torn
/// around the hand-off.
#[tokio::test]
async fn a_head_that_is_blocked_by_earlier_answers_comes_whole() {
    const BEFORE: usize = 400;
    for (handoff, host) in hosts() {
        let mut wire = host.open_narrow().await;
        let mut requests = "GET /big HTTP/1.1\r\nHost: test\r\n\r\n".repeat(BEFORE);
        requests.push_str("GET /stream HTTP/1.1\r\nHost: test\r\n\r\n");
        wire.send(requests).await;
        // 4 MB of answers precede the head, and the client has read none of them.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(host.feed.watchers(), 0);
        for _ in 0..BEFORE {
            let (head, body) = wire.answer().await;
            assert!(head.starts_with("http/1.1 200 ok"), "{head}");
            assert_eq!(body.len(), 10_000);
        }
        assert_head(&wire.head().await, handoff);
        assert_eq!(wire.chunk().await.unwrap(), "first");
        host.feed.publish("second");
        assert_eq!(wire.chunk().await.unwrap(), "second");
        host.finish().await;
    }
}

/// Bytes that the client sends before it has seen the end must not cause a reset.
#[tokio::test]
async fn bytes_after_the_end_cause_no_reset() {
    for (_, host) in hosts().into_iter().filter(|(handoff, _)| *handoff) {
        let mut wire = host.open().await;
        wire.get("/stream").await;
        wire.head().await;
        wire.chunk().await;
        host.feed.publish("last");
        host.feed.end();
        host.watched_by(0).await;
        for _ in 0..3 {
            wire.send("x").await;
            tokio::task::yield_now().await;
        }
        while wire.chunk().await.is_some() {}
        assert_eq!(wire.rest().await, (vec![], Ending::Closed));
        host.finish().await;
    }
}

#[tokio::test]
async fn http_1_0_gets_a_body_without_chunks_that_ends_with_the_connection() {
    for (_, host) in hosts() {
        let mut wire = host.open().await;
        wire.send("GET /stream HTTP/1.0\r\nHost: test\r\n\r\n")
            .await;
        let head = wire.head().await;
        assert!(head.starts_with("http/1.0 200 ok\r\n"), "{head}");
        assert!(!head.contains("transfer-encoding"), "{head}");
        assert_eq!(wire.exactly(5).await, b"first");
        host.feed.publish("second");
        assert_eq!(wire.exactly(6).await, b"second");
        host.feed.end();
        assert_eq!(wire.rest().await, (vec![], Ending::Closed));
        host.finish().await;
    }
}

#[tokio::test]
async fn head_starts_no_stream_and_leaves_the_connection_usable() {
    for (_, host) in hosts() {
        let mut wire = host.open().await;
        wire.send("HEAD /stream HTTP/1.1\r\nHost: test\r\n\r\n")
            .await;
        let head = wire.head().await;
        assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        host.watched_by(0).await;
        wire.get("/hello").await;
        assert_eq!(wire.answer().await.1, "hello");
        host.finish().await;
    }
}

/// The body is still on its way when the answer starts, so the socket stays with hyper.
#[tokio::test]
async fn a_get_with_a_body_is_streamed_by_hyper() {
    for (_, host) in hosts() {
        let mut wire = host.open().await;
        wire.send("GET /stream HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbo")
            .await;
        assert_head(&wire.head().await, false);
        assert_eq!(wire.chunk().await.unwrap(), "first");
        wire.send("dy").await;
        host.feed.publish("second");
        assert_eq!(wire.chunk().await.unwrap(), "second");
        drop(wire);
        host.finish().await;
    }
}

#[tokio::test]
async fn a_client_that_closes_or_half_closes_stops_watching() {
    for (_, host) in hosts() {
        let mut gone = host.open().await;
        let mut half = host.open().await;
        for wire in [&mut gone, &mut half] {
            wire.get("/stream").await;
            wire.head().await;
            wire.chunk().await;
        }
        assert_eq!(host.feed.watchers(), 2);
        drop(gone);
        host.watched_by(1).await;
        half.half_close().await;
        half.rest().await;
        host.watched_by(0).await;
        host.finish().await;
    }
}

/// Only a handed-off stream reads further bytes; hyper leaves them to TCP.
#[tokio::test]
async fn a_client_that_keeps_sending_is_cut() {
    for (_, host) in hosts().into_iter().filter(|(handoff, _)| *handoff) {
        let mut wire = host.open().await;
        wire.get("/stream").await;
        wire.head().await;
        wire.send(vec![b'x'; 60 * 1024]).await;
        host.feed.publish("still served");
        assert_eq!(wire.chunk().await.unwrap(), "first");
        assert_eq!(wire.chunk().await.unwrap(), "still served");
        let sent = wire.send_until_refused(&[b'x'; 1024], 100_000).await;
        assert!(sent < 100_000, "a talker is cut");
        host.watched_by(0).await;
        host.finish().await;
    }
}

/// The promise of a live view: whole frames, never an older one after a newer one, the newest last,
/// and no backlog.
#[tokio::test]
async fn a_reader_that_stalls_gets_whole_frames_and_the_newest() {
    stalls(2_000, 4_000, 200).await;
}

/// The kernel takes a part only.
#[tokio::test]
async fn frames_that_are_written_in_parts_are_whole() {
    stalls(50, 600_000, 10).await;
}

async fn stalls(updates: usize, length: usize, most: usize) {
    let frame = |update: usize| {
        let mut frame = format!("{update:04}").into_bytes();
        frame.extend((4..length).map(|at| b'a' + u8::try_from((at + update) % 26).unwrap()));
        frame
    };
    for (handoff, host) in hosts() {
        let mut wire = host.open_narrow().await;
        wire.get("/stream").await;
        assert_head(&wire.head().await, handoff);
        assert_eq!(wire.chunk().await.unwrap(), "first");
        for update in 1..=updates {
            host.feed.publish(frame(update));
            // Gives the server's tasks their turn; without it all but the last would be conflated
            // before the socket.
            tokio::task::yield_now().await;
        }
        let mut frames = 0;
        let mut last = 0;
        while last < updates {
            let received = wire.chunk().await.expect("the stream continues");
            let update = received[..4].parse().unwrap();
            assert!(update > last, "{update} came after {last}");
            assert!(
                received.as_bytes() == frame(update),
                "update {update} is torn"
            );
            last = update;
            frames += 1;
        }
        // This is what both kernels buffer, not a queue of the server.
        assert!(
            frames < most,
            "{frames} stale frames stood before the newest (hand-off {handoff})"
        );
        host.finish().await;
    }
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_closed() {
    let deadlines = Deadlines {
        stall: Duration::from_millis(100),
        ..config().deadlines
    };
    for (_, host) in hosts_with(deadlines) {
        let mut wire = host.open_narrow().await;
        wire.get("/stream").await;
        wire.head().await;
        host.watched_by(1).await;
        // An update now and then, as the heartbeat is: through hyper a stall is noticed by the next
        // chunk.
        let feed = host.feed.clone();
        let publishing = tokio::spawn(async move {
            loop {
                feed.publish("x".repeat(10_000));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        host.watched_by(0).await;
        publishing.abort();
        host.finish().await;
    }
}

/// A slow reader is not a stalled one: a client that reads a little now and then is served.
#[tokio::test]
async fn a_reader_that_takes_a_little_is_kept() {
    let deadlines = Deadlines {
        stall: Duration::from_secs(2),
        ..config().deadlines
    };
    for (_, host) in hosts_with(deadlines) {
        host.feed.publish("x".repeat(400_000));
        let mut wire = host.open_narrow().await;
        wire.get("/stream").await;
        wire.head().await;
        wire.read_to(b"\r\n").await;
        // In total longer than a stall may last.
        for _ in 0..10 {
            wire.exactly(40_000).await;
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        host.feed.publish("second");
        assert_eq!(wire.exactly(2).await, b"\r\n");
        assert_eq!(wire.chunk().await.unwrap(), "second");
        host.finish().await;
    }
}

/// Longer than the stall deadline, and in so small steps that the kernel calls the window closed.
#[tokio::test]
async fn a_reader_that_takes_a_little_all_the_time_is_kept_for_long() {
    const STEPS: usize = 400;
    const STEP: usize = 300;
    let reading = hosts().map(|(_, host)| async move {
        host.feed.publish("x".repeat(STEPS * STEP + 400_000));
        let mut wire = host.open_narrow().await;
        wire.get("/stream").await;
        wire.head().await;
        wire.read_to(b"\r\n").await;
        for _ in 0..STEPS {
            wire.exactly(STEP).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // Everything, in one go.
        wire.exactly(400_000).await;
        host.finish().await;
    });
    futures_util::future::join_all(reading).await;
}

#[tokio::test]
async fn many_watchers_come_and_go() {
    for (_, host) in hosts() {
        for round in 0..10 {
            let mut wires = Vec::new();
            for _ in 0..20 {
                let mut wire = host.open().await;
                wire.get("/stream").await;
                wires.push(wire);
            }
            host.watched_by(20).await;
            host.feed.publish(format!("round {round}"));
            for wire in &mut wires {
                wire.head().await;
                while wire.chunk().await.unwrap() != format!("round {round}") {}
            }
            drop(wires);
            host.watched_by(0).await;
        }
        let drained = tokio::time::timeout(TIMEOUT, host.finish()).await.unwrap();
        assert_eq!(drained.cut, 0);
    }
}
