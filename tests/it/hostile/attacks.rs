//! A table of attacks by one client. During each of them a visitor and an organiser are served in
//! time, and the server's memory is bounded, over HTTP/1.1, HTTP/2 and TLS.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::timeout;

use super::attacker::{ATTACKER, Attacker, Held, Protocol, VISITOR};
use super::http2::{DATA, HEADERS, Http2, RST_STREAM};
use super::means;
use super::target::Target;
use crate::server::host::TIMEOUT;

/// A visitor's page and registration and an organiser's list, on a machine that runs a test suite on
/// two cores and builds without optimisation. In production these take milliseconds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);
/// What the server's memory may grow by.
const MEMORY: usize = 150 * 1024 * 1024;
/// Lines of the log that an attack may cause.
const LINES: usize = 20;
/// Each wrong guess is one; they are limited for each address.
const LINES_OF_GUESSES: usize = 600;
/// How often the visitor comes while an attack stands.
const VISITS: usize = 3;

type Attack = fn(Attacker) -> Pin<Box<dyn Future<Output = Held> + Send>>;

struct Row {
    name: &'static str,
    protocols: &'static [Protocol],
    attack: Attack,
    /// Whether the organiser signs in meanwhile.
    signs_in: bool,
    /// Whether the visitor has the attacker's address, as behind one NAT.
    is_neighbour: bool,
    /// Lines of the log that it may cause.
    lines: usize,
}

const ALL: &[Protocol] = &[Protocol::Http1, Protocol::Http2, Protocol::Tls];
/// For attacks that need many requests on one connection.
const STREAMS: &[Protocol] = &[Protocol::Http2, Protocol::Tls];
/// For attacks that are the same over every protocol.
const ONE: &[Protocol] = &[Protocol::Http1];

/// A public answer of some 100 KB.
const LARGE: &str = "/api/v1/openapi.json";
const STREAM: &str = "/api/v1/events/welcome/stream";

const TABLE: &[Row] = &[
    row(
        "readers that take nothing of large answers",
        ALL,
        |attacker| Box::pin(means::take_nothing(attacker, LARGE)),
    ),
    row("watchers that take nothing", ALL, |attacker| {
        Box::pin(means::take_nothing(attacker, STREAM))
    }),
    row(
        "pages by hundreds of connections that take nothing",
        STREAMS,
        |attacker| Box::pin(means::ask_for_pages(attacker)),
    ),
    row(
        "database connections by pages of the change log",
        ALL,
        |attacker| Box::pin(means::read_the_log(attacker)),
    ),
    row("live addresses asked again and again", ALL, |attacker| {
        Box::pin(means::ask_for_live_views(attacker))
    }),
    Row {
        is_neighbour: true,
        ..row("unread answers of a neighbour", ALL, |attacker| {
            Box::pin(means::leave_unread(attacker, LARGE))
        })
    },
    row("streams that are reset at once", STREAMS, |attacker| {
        Box::pin(means::reset_streams(attacker))
    }),
    row("exports of a long waiting list", ONE, |attacker| {
        Box::pin(means::export_the_list(attacker))
    }),
    Row {
        signs_in: true,
        lines: LINES_OF_GUESSES,
        ..row("guesses of the organiser's password", ONE, |attacker| {
            Box::pin(means::guess_passwords(attacker))
        })
    },
    row("Socket.IO sessions by polling", ONE, |attacker| {
        Box::pin(means::poll_sessions(attacker))
    }),
    row("a long Host on the wall", ONE, |attacker| {
        Box::pin(std::future::ready(means::wall_pages_under_many_hosts(
            &attacker,
        )))
    }),
    row("a lab filled up again and again", ONE, |attacker| {
        Box::pin(means::fill_the_lab(attacker))
    }),
];

const fn row(name: &'static str, protocols: &'static [Protocol], attack: Attack) -> Row {
    Row {
        name,
        protocols,
        attack,
        signs_in: false,
        is_neighbour: false,
        lines: LINES,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_every_attack_others_are_served_and_memory_is_bounded() {
    for row in TABLE {
        for protocol in row.protocols {
            let target = match protocol {
                Protocol::Http1 | Protocol::Http2 => Target::start(&[]),
                Protocol::Tls => Target::start_tls(),
            };
            // The first visit fills caches and pools.
            target.visit("first@example.org").await;
            let before = target.memory();
            let lines = target.log().lines().count();
            let held = (row.attack)(Attacker::new(&target, *protocol)).await;
            let host = if row.is_neighbour { ATTACKER } else { VISITOR };
            let (mut slowest, mut most) = (Duration::ZERO, 0);
            for visit in 0..VISITS {
                let email = format!("visitor-{visit}@example.org");
                let waited = target.visit_from(host, &email).await;
                slowest = slowest.max(waited);
                if row.signs_in {
                    slowest = slowest.max(target.sign_in().await);
                }
                most = most.max(target.memory().saturating_sub(before));
            }
            println!(
                "| {} | {protocol:?} | {slowest:.0?} | {} MiB |",
                row.name,
                most / 1024 / 1024
            );
            assert!(slowest < ANSWERED_WITHIN, "{}: {slowest:?}", row.name);
            assert!(most < MEMORY, "{}: {most} bytes", row.name);
            let log = target.log();
            assert!(
                log.lines().count() < lines + row.lines,
                "{}: {log}",
                row.name
            );
            target.is_well().await;
            drop(held);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_count_as_connections() {
    let target = Target::start(&["--max-connections", "6"]);
    let mut connection = Http2::plain(target.address(), 65_535).await;
    let mut watching = 0;
    for _ in 0..20 {
        let stream = connection.get("/api/v1/events/welcome/stream").await;
        let event = first_event(&mut connection, stream).await;
        watching += usize::from(event.contains("event: count"));
    }
    assert_eq!(watching, 6);
    // There is no place for another connection either.
    let mut other = Http2::plain(target.address(), 65_535).await;
    let stream = other.get("/api/v1/events/welcome/stream").await;
    let event = first_event(&mut other, stream).await;
    assert!(event.contains("event: bye"), "{event}");
    drop(connection);
}

/// An unread answer is a request in flight, whatever was asked. An address may have 512, and one for
/// each connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_of_live_addresses_are_requests_in_flight_until_they_are_streams() {
    const CONNECTIONS: usize = 8;
    for target in [Target::start(&[]), Target::start_tls()] {
        let protocol = target
            .certificate()
            .map_or(Protocol::Http2, |_| Protocol::Tls);
        let attacker = Attacker::new(&target, protocol);
        for path in ["", "/changes", "?after=x-1&wait=50", "/changes?after=x-1"] {
            let path = format!("/api/v1/events/welcome{path}");
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS {
                let mut connection = attacker.http2(0).await;
                let last = connection.get_many(&path, 100).await;
                connections.push((connection, last));
            }
            let mut answered = 0;
            for (connection, last) in &mut connections {
                for _ in 0..=*last / 2 {
                    let frame = connection.next_of(&[HEADERS, RST_STREAM]).await;
                    // `:status 200` (RFC 7541, appendix A).
                    answered += usize::from(frame.kind == HEADERS && frame.payload[0] == 0x88);
                }
            }
            let bound = 512 + CONNECTIONS;
            assert!((1..=bound).contains(&answered), "{path}: {answered}");
        }
    }
}

/// A client that waits for news does no work, so that a hall may wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_that_are_held_take_no_place_of_requests() {
    let target = Target::start(&[]);
    let event = target.call("GET", "/api/v1/events/welcome", &[], "").await;
    let position = event.json()["position"].as_str().expect("one").to_owned();
    let held = format!("/api/v1/events/welcome?after={position}&wait=50");
    let mut hall = Vec::new();
    for _ in 0..8 {
        let mut connection = Http2::plain(target.address(), 65_535).await;
        connection.get_many(&held, 50).await;
        // Socket.IO: as many sessions, each with its poll.
        for _ in 0..50 {
            let open = "/socket.io/?EIO=4&transport=polling";
            let opened = target.call("GET", open, &[], "").await;
            let sid = opened.body.split("\"sid\":\"").nth(1).expect("a session");
            let sid = sid.split('"').next().expect("a session");
            connection.get(&format!("{open}&sid={sid}")).await;
        }
        hall.push(connection);
    }
    // All 800 are held a moment later, and from then on two requests on one connection are served.
    let served = async {
        loop {
            let mut visitor = Http2::plain(target.address(), 65_535).await;
            let last = visitor.get_many("/e/welcome", 2).await;
            if visitor.next(HEADERS, last).await.payload[0] == 0x88 {
                break;
            }
        }
    };
    timeout(TIMEOUT, served).await.expect("places");
    drop(hall);
}

/// The first block of a stream of events.
async fn first_event(connection: &mut Http2, stream: u32) -> String {
    let mut text = String::new();
    while !(text.contains("event: count") || text.contains("event: bye")) {
        let frame = connection.next(DATA, stream).await;
        text += &String::from_utf8_lossy(&frame.payload);
    }
    text
}
