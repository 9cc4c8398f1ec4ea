//! What one client can do, as one table: each attack beside a well-behaved visitor, over HTTP/1.1,
//! HTTP/2 and TLS, with bounds for the visitor's answers and the server's memory.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::http2::Http2;
use super::target::Target;
use crate::support::app::{TOKEN, call, organise, register};

/// A visitor's page and registration, on a machine that runs a test suite on two cores and builds
/// without optimisation. In production these take milliseconds.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);
/// What the server's memory may grow by.
const MEMORY: usize = 150 * 1024 * 1024;
/// How often the visitor comes while an attack stands.
const VISITS: usize = 5;

/// The way that an attacker comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// What an attack leaves open; it ends when this is dropped.
type Held = Vec<Box<dyn std::any::Any + Send>>;
type Attack = fn(SocketAddr, Protocol) -> Pin<Box<dyn Future<Output = Held> + Send>>;

struct Row {
    name: &'static str,
    protocols: &'static [Protocol],
    attack: Attack,
}

const BOTH: &[Protocol] = &[Protocol::Http1, Protocol::Http2];

/// An answer of some 100 KB that everybody may have.
const LARGE: &str = "/api/v1/openapi.json";

const TABLE: &[Row] = &[
    Row {
        name: "readers that take nothing of large answers",
        protocols: BOTH,
        attack: |address, protocol| Box::pin(take_nothing(address, protocol, LARGE)),
    },
    Row {
        name: "watchers that take nothing",
        protocols: BOTH,
        attack: |address, protocol| {
            Box::pin(take_nothing(
                address,
                protocol,
                "/api/v1/events/welcome/stream",
            ))
        },
    },
    Row {
        name: "database connections by pages of the change log",
        protocols: BOTH,
        attack: |address, protocol| Box::pin(read_the_log(address, protocol)),
    },
    Row {
        name: "exports of a long waiting list",
        protocols: &[Protocol::Http1],
        attack: |address, _| Box::pin(export_the_list(address)),
    },
    Row {
        name: "guesses of the organiser's password",
        protocols: &[Protocol::Http1],
        attack: |address, _| Box::pin(guess_passwords(address)),
    },
    Row {
        name: "Socket.IO sessions by polling",
        protocols: &[Protocol::Http1],
        attack: |address, _| Box::pin(poll_sessions(address)),
    },
    Row {
        name: "a long Host on the wall",
        protocols: &[Protocol::Http1],
        attack: |address, _| Box::pin(std::future::ready(walls_of_many_hosts(address))),
    },
];

/// 20 connections. Over HTTP/2 each has 100 streams whose windows are closed; over HTTP/1.1 each
/// sends 100 requests and reads nothing.
async fn take_nothing(address: SocketAddr, protocol: Protocol, path: &'static str) -> Held {
    let mut held: Held = Vec::new();
    for _ in 0..20 {
        match protocol {
            Protocol::Http2 => {
                let mut connection = Http2::plain(address, 0).await;
                for _ in 0..100 {
                    connection.get(path).await;
                }
                held.push(Box::new(connection));
            }
            Protocol::Http1 => {
                let mut stream = TcpStream::connect(address).await.expect("a connection");
                let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
                // The server stops reading before it has read all.
                let all = request.repeat(100);
                let _ = tokio::time::timeout(
                    Duration::from_millis(200),
                    stream.write_all(all.as_bytes()),
                )
                .await;
                held.push(Box::new(stream));
            }
        }
    }
    held
}

/// Pages of a log with 200 changes, 1,000 at once, of which nothing is taken.
async fn read_the_log(address: SocketAddr, protocol: Protocol) -> Held {
    const LOG: &str = "/api/v1/events/welcome/changes";
    for change in 0..200 {
        let settings = serde_json::json!({ "capacity": 1_000 + change });
        let path = "/api/v1/events/welcome";
        let answer = organise(address, "PATCH", path, &settings).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    take_nothing(address, protocol, LOG).await
}

/// 20 exports of 1,000 people, of which 999 wait, by somebody who reads nothing.
async fn export_the_list(address: SocketAddr) -> Held {
    let settings = serde_json::json!({
        "slug": "long", "title": "Long", "capacity": 1, "waitlist": true,
    });
    let path = "/api/v1/events";
    let answer = organise(address, "POST", path, &settings).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let crowd = (0..20).map(|part| {
        tokio::spawn(async move {
            for person in 0..50 {
                let email = format!("waiting-{part}-{person}@example.org");
                let answer = register(address, "long", "Ada", &email).await;
                assert_eq!(answer.status, 201, "{}", answer.body);
            }
        })
    });
    for part in crowd.collect::<Vec<_>>() {
        part.await.expect("everybody is registered");
    }
    let mut held: Held = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let request = format!(
            "GET /api/v1/events/long/registrations.csv HTTP/1.1\r\nhost: x\r\n\
             authorization: Bearer {TOKEN}\r\n\r\n"
        );
        let sent = stream.write_all(request.as_bytes()).await;
        sent.expect("the server reads");
        held.push(Box::new(stream));
    }
    held
}

/// 20 clients that try one password after the other, in the console and as a bearer token.
async fn guess_passwords(address: SocketAddr) -> Held {
    let mut held: Held = Vec::new();
    for client in 0..20 {
        let task = tokio::spawn(async move {
            for guess in 0.. {
                let form = format!("password=guess-{client}-{guess}");
                let kind = ("content-type", "application/x-www-form-urlencoded");
                call(address, "POST", "/admin/login", &[kind], &form).await;
                let bearer = format!("Bearer guess-{client}-{guess}");
                let headers = [("authorization", bearer.as_str())];
                call(address, "GET", "/api/v1/events/welcome/audit", &headers, "").await;
            }
        });
        held.push(Box::new(AbortOnDrop(task)));
    }
    tokio::task::yield_now().await;
    held
}

/// One connection that opens sessions one after the other, joins none and polls none.
async fn poll_sessions(address: SocketAddr) -> Held {
    const SESSIONS: usize = 5_000;
    let stream = TcpStream::connect(address).await.expect("a connection");
    let (mut read, mut write) = stream.into_split();
    let reading = tokio::spawn(async move {
        let mut space = [0; 16 * 1024];
        while let Ok(1..) = tokio::io::AsyncReadExt::read(&mut read, &mut space).await {}
    });
    let request = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: x\r\n\r\n";
    for _ in 0..SESSIONS / 100 {
        let sent = write.write_all(request.repeat(100).as_bytes()).await;
        sent.expect("the server reads");
    }
    vec![Box::new(write), Box::new(AbortOnDrop(reading))]
}

/// 50 clients that ask for the wall, each under ever new names of the longest length.
fn walls_of_many_hosts(address: SocketAddr) -> Held {
    let mut held: Held = Vec::new();
    for client in 0..50 {
        let task = tokio::spawn(async move {
            for request in 0.. {
                let host = format!("{client:03}-{request:06}-{}", "a".repeat(244));
                let asked = format!(
                    "GET /e/welcome/wall HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
                );
                let Ok(mut stream) = TcpStream::connect(address).await else {
                    return;
                };
                if stream.write_all(asked.as_bytes()).await.is_err() {
                    return;
                }
                let mut answer = Vec::new();
                let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
            }
        });
        held.push(Box::new(AbortOnDrop(task)));
    }
    held
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_one_client_does_others_are_served_and_memory_is_bounded() {
    for row in TABLE {
        for protocol in row.protocols {
            let target = Target::start(&[]);
            // The first visit pays for what is made once.
            target.visit("first@example.org").await;
            let before = target.memory();
            let held = (row.attack)(target.address(), *protocol).await;
            let (mut slowest, mut most) = (Duration::ZERO, 0);
            for visit in 0..VISITS {
                let waited = target.visit(&format!("visitor-{visit}@example.org")).await;
                slowest = slowest.max(waited);
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
async fn streams_are_counted_by_the_limit_of_connections() {
    let target = Target::start(&["--max-connections", "6"]);
    let mut connection = Http2::plain(target.address(), 65_535).await;
    let mut watching = 0;
    for _ in 0..20 {
        let stream = connection.get("/api/v1/events/welcome/stream").await;
        let event = first_event(&mut connection, stream).await;
        watching += usize::from(event.contains("event: count"));
    }
    assert_eq!(watching, 6);
    // Neither is there a place for another connection.
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
        let frame = connection.next(super::http2::DATA, stream).await;
        text += &String::from_utf8_lossy(&frame.payload);
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_over_tls_that_takes_nothing_is_bounded_too() {
    let files = crate::cli::tls::Files::self_signed();
    let target = Target::start(&files.flags());
    let certificate: CertificateDer<'static> = files.certificate();
    let before = target.memory();
    let begun = Instant::now();
    let mut held: Vec<Http2> = Vec::new();
    for _ in 0..10 {
        let mut connection = Http2::tls(target.address(), &certificate, 0).await;
        for _ in 0..100 {
            connection.get(LARGE).await;
        }
        held.push(connection);
    }
    let mut well = Http2::tls(target.address(), &certificate, 65_535).await;
    let stream = well.get("/e/welcome").await;
    well.next(super::http2::DATA, stream).await;
    let most = target.memory().saturating_sub(before);
    println!(
        "| the same over TLS | Http2 | {:.0?} | {} MiB |",
        begun.elapsed(),
        most >> 20
    );
    assert!(most < MEMORY, "{most} bytes");
}
