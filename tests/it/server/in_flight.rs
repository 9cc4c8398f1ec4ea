//! Requests in flight: how many one address may have, beside one for each connection.

use std::time::Duration;

use headcount::server::{Config, Deadlines, Demand};

use super::host::{Host, config};
use super::tls;
use crate::hostile::http2::{DATA, Frame, HEADERS, Http2, RST_STREAM};

/// A few requests at once beside one for each connection.
fn few_requests(per_address: usize, total: usize) -> Config {
    let deadlines = Deadlines {
        stall: Duration::from_secs(2),
        ..config().deadlines
    };
    Config {
        max_requests: total,
        max_requests_per_address: per_address,
        demand: |_, path| match path {
            "/stream" | "/live" => Demand::Live,
            "/who" => Demand::Probe,
            _ => Demand::Ordinary,
        },
        deadlines,
        ..config()
    }
}

/// Whether the answer is 200, entry 8 of the static table (RFC 7541, appendix A).
async fn is_ok(connection: &mut Http2, stream: u32) -> bool {
    connection.next(HEADERS, stream).await.payload[0] == 0x88
}

#[tokio::test]
async fn requests_that_are_unanswered_or_unread_are_bounded() {
    for (per_address, total) in [(3, 9), (9, 3)] {
        let host = Host::start(few_requests(per_address, total));
        // Unanswered.
        let mut connection = Http2::plain(host.addr, 65_535).await;
        let last = connection.get_many("/wait", 10).await;
        for refused in [9, 11, 13, 15, 17, last] {
            assert!(!is_ok(&mut connection, refused).await, "{refused}");
        }
        // Probes do not count, nor does the first request of a connection.
        let probe = connection.get("/who").await;
        assert!(is_ok(&mut connection, probe).await);
        let mut other = Http2::plain(host.addr, 0).await;
        let first = other.get("/hello").await;
        assert!(is_ok(&mut other, first).await);
        let second = other.get("/hello").await;
        assert!(!is_ok(&mut other, second).await);
        let mut wire = host.connect().await;
        wire.get("/hello").await;
        assert_eq!(wire.answer().await.1, "hello");
        for answered in [1, 3, 5, 7] {
            host.feed.release.notify_one();
            host.feed.release.notify_waiters();
            assert!(is_ok(&mut connection, answered).await);
        }
        // Unread, until the deadline ends them.
        let streams: Vec<u32> = (0..3).map(|at| second + 2 + 2 * at).collect();
        let last = other.get_many("/hello", 4).await;
        for stream in streams {
            assert!(is_ok(&mut other, stream).await, "{stream}");
        }
        assert!(!is_ok(&mut other, last).await);
        other.next(RST_STREAM, last).await;
        let again = other.get_many("/hello", 4).await;
        assert!(is_ok(&mut other, again).await);
        drop((connection, other));
        host.drained().await;
    }
}

/// A client that is refused and does not read must not cost memory for each further request.
#[tokio::test]
async fn refusals_that_are_not_read_end_in_resets_that_cost_nothing() {
    let host = Host::start(few_requests(1, 9));
    let mut connection = Http2::plain(host.addr, 0).await;
    // The first, one beside it, and eight refusals wait to be read.
    let last = connection.get_many("/hello", 100).await;
    for stream in (21..=last).step_by(2) {
        let Frame { payload, .. } = connection.next(RST_STREAM, stream).await;
        // REFUSED_STREAM (RFC 9113, section 7).
        assert_eq!(payload, [0, 0, 0, 7], "{stream}");
    }
    drop(connection);
    host.drained().await;
}

/// What a live address answers shows only later: an attacker asks it for answers that are no streams.
#[tokio::test]
async fn a_live_address_counts_as_a_request_until_its_answer_is_a_stream() {
    let (own_tls, certificate) = tls::certificate();
    for (own_tls, certificate) in [(None, None), (Some(own_tls), Some(&certificate))] {
        let host = Host::start(Config {
            tls: own_tls,
            ..few_requests(3, 9)
        });
        let mut connection = match certificate {
            Some(certificate) => Http2::tls(host.addr, certificate, 65_535).await,
            None => Http2::plain(host.addr, 65_535).await,
        };
        // The first is the connection's. Three more wait for an answer that is no stream.
        let last = connection.get_many("/live", 4).await;
        let refused = connection.get("/live").await;
        let Frame { payload, .. } = connection.next(DATA, refused).await;
        assert_eq!(payload, b"bye limit", "refused in its own way");
        let ordinary = connection.get("/hello").await;
        assert!(!is_ok(&mut connection, ordinary).await);
        for answered in [1, 3, 5, last] {
            host.feed.release.notify_one();
            host.feed.release.notify_waiters();
            assert!(is_ok(&mut connection, answered).await);
        }
        // Streams are no requests in flight: there is room for many, and beside them.
        for _ in 0..10 {
            let stream = connection.get("/stream").await;
            let Frame { payload, .. } = connection.next(DATA, stream).await;
            assert_eq!(payload, b"first");
        }
        let ordinary = connection.get("/hello").await;
        assert!(is_ok(&mut connection, ordinary).await);
        drop(connection);
        host.finish().await;
    }
}
