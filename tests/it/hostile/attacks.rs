//! A table of attacks by one client. During each of them a visitor and an organiser are served in
//! time, and the server's memory is bounded, over HTTP/1.1, HTTP/2 and TLS.

use std::pin::Pin;
use std::time::Duration;

use super::attacker::{Attacker, Held, Protocol};
use super::http2::{DATA, Http2};
use super::means;
use super::target::Target;

/// A visitor's page and registration and an organiser's list, on a machine that runs a test suite on
/// two cores and builds without optimisation. In production these take milliseconds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);
/// What the server's memory may grow by.
const MEMORY: usize = 150 * 1024 * 1024;
/// How often the visitor comes while an attack stands.
const VISITS: usize = 3;

type Attack = fn(Attacker) -> Pin<Box<dyn Future<Output = Held> + Send>>;

struct Row {
    name: &'static str,
    protocols: &'static [Protocol],
    attack: Attack,
    /// Whether the organiser signs in meanwhile.
    signs_in: bool,
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
    row("exports of a long waiting list", ONE, |attacker| {
        Box::pin(means::export_the_list(attacker))
    }),
    Row {
        signs_in: true,
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
            let held = (row.attack)(Attacker::new(&target, *protocol)).await;
            let (mut slowest, mut most) = (Duration::ZERO, 0);
            for visit in 0..VISITS {
                let waited = target.visit(&format!("visitor-{visit}@example.org")).await;
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

/// The first block of a stream of events.
async fn first_event(connection: &mut Http2, stream: u32) -> String {
    let mut text = String::new();
    while !(text.contains("event: count") || text.contains("event: bye")) {
        let frame = connection.next(DATA, stream).await;
        text += &String::from_utf8_lossy(&frame.payload);
    }
    text
}
