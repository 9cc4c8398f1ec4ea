//! The attacks of the table.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::attacker::{ATTACKER, AbortOnDrop, Attacker, Held, Protocol};
use crate::support::app::{TOKEN, exchange};

/// Streams that one HTTP/2 connection may have.
const STREAMS: usize = 100;

/// 20 connections. Over HTTP/2 each has 100 streams whose windows are closed; over HTTP/1.1 each
/// sends 100 requests and reads nothing.
pub(super) async fn take_nothing(attacker: Attacker, path: &'static str) -> Held {
    let mut held: Held = Vec::new();
    for _ in 0..20 {
        match attacker.protocol {
            Protocol::Http2 | Protocol::Tls => {
                let mut connection = attacker.http2(0).await;
                connection.get_many(path, STREAMS).await;
                held.push(Box::new(connection));
            }
            Protocol::Http1 => {
                let mut stream = attacker.connect().await;
                let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
                // The server stops reading before it has read all.
                let all = request.repeat(STREAMS);
                let sending = stream.write_all(all.as_bytes());
                let _ = timeout(Duration::from_millis(200), sending).await;
                held.push(Box::new(stream));
            }
        }
    }
    held
}

/// 20,000 pages that nobody reads. Over TLS a quarter of them: its handshakes would take most of the
/// test's time.
pub(super) async fn ask_for_pages(attacker: Attacker) -> Held {
    let connections = match attacker.protocol {
        Protocol::Http1 | Protocol::Http2 => 200,
        Protocol::Tls => 50,
    };
    let mut held: Held = Vec::new();
    for _ in 0..connections {
        let mut connection = attacker.http2(0).await;
        connection.get_many("/e/welcome", STREAMS).await;
        held.push(Box::new(connection));
    }
    held
}

/// Pages of a log with 200 changes: 1,000 at once of which nothing is taken, and clients that take
/// one after the other.
pub(super) async fn read_the_log(attacker: Attacker) -> Held {
    const LOG: &str = "/api/v1/events/welcome/changes";
    let bearer = format!("Bearer {TOKEN}");
    for change in 0..200 {
        let settings = json!({ "capacity": 1_000 + change }).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("authorization", bearer.as_str()),
        ];
        let wire = attacker.wire(ATTACKER).await;
        let path = "/api/v1/events/welcome";
        let answer = exchange(wire, "x", "PATCH", path, &headers, &settings).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let mut held = take_nothing(attacker.clone(), LOG).await;
    for _ in 0..20 {
        let attacker = attacker.clone();
        let pulling = tokio::spawn(async move {
            loop {
                let wire = attacker.wire(ATTACKER).await;
                exchange(wire, "x", "GET", LOG, &[], "").await;
            }
        });
        held.push(Box::new(AbortOnDrop(pulling)));
    }
    held
}

/// Live addresses whose answers are not streams. Connections with 100 unread answers each, opened
/// again and again.
pub(super) async fn ask_for_live_views(attacker: Attacker) -> Held {
    let paths = ["", "/changes", "?after=x-1&wait=9", "/frame"];
    let clients = match attacker.protocol {
        Protocol::Http1 => 200,
        // Without optimisation, 4,000 requests a second are most of a core's work.
        Protocol::Http2 => 20,
        Protocol::Tls => 10,
    };
    let mut held: Held = Vec::new();
    for client in 0..clients {
        let path = format!("/api/v1/events/welcome{}", paths[client % paths.len()]);
        let attacker = attacker.clone();
        let task = tokio::spawn(async move {
            loop {
                match attacker.protocol {
                    Protocol::Http2 | Protocol::Tls => {
                        let mut connection = attacker.http2(0).await;
                        let last = connection.get_many(&path, STREAMS).await;
                        connection.answered(last).await;
                    }
                    Protocol::Http1 => {
                        let wire = attacker.wire(ATTACKER).await;
                        let head = [("accept", "application/json")];
                        if !path.ends_with("frame") {
                            exchange(wire, "x", "GET", &path, &head, "").await;
                        }
                    }
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        held.push(Box::new(AbortOnDrop(task)));
    }
    tokio::task::yield_now().await;
    held
}

/// Hundreds of connections that leave four answers each unread.
pub(super) async fn leave_unread(attacker: Attacker, path: &'static str) -> Held {
    let connections = match attacker.protocol {
        Protocol::Http1 | Protocol::Http2 => 400,
        Protocol::Tls => 100,
    };
    let mut held: Held = Vec::new();
    for _ in 0..connections {
        if attacker.protocol == Protocol::Http1 {
            let mut stream = attacker.connect().await;
            let requests = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").repeat(4);
            let sent = stream.write_all(requests.as_bytes()).await;
            sent.expect("the server reads");
            held.push(Box::new(stream));
        } else {
            let mut connection = attacker.http2(0).await;
            connection.get_many(path, 4).await;
            held.push(Box::new(connection));
        }
    }
    held
}

/// 50 connections that reset each request as soon as it is sent (CVE-2023-44487), until the server
/// closes them.
pub(super) async fn reset_streams(attacker: Attacker) -> Held {
    for _ in 0..50 {
        let mut connection = attacker.http2(65_535).await;
        connection.get_and_reset("/e/welcome", 5_000).await;
    }
    Vec::new()
}

/// Registers 1,000 people.
async fn crowd(attacker: &Attacker, slug: &'static str) {
    let parts = (0..20).map(|part| {
        let attacker = attacker.clone();
        tokio::spawn(async move {
            let mut wire = attacker.wire(ATTACKER).await;
            for person in 0..50 {
                let email = format!("waiting-{part}-{person}@example.org");
                let body = json!({ "name": "Ada", "email": email }).to_string();
                let request = format!(
                    "POST /api/v1/events/{slug}/registrations HTTP/1.1\r\nhost: x\r\n\
                     content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                let answer = wire.try_exchange(request.as_bytes()).await;
                let (head, body) = answer.expect("an answer");
                assert!(head.starts_with("http/1.1 201"), "{head}: {body}");
            }
        })
    });
    for part in parts.collect::<Vec<_>>() {
        part.await.expect("everybody is registered");
    }
}

/// 20 exports of 1,000 people, 999 of them waiting, by a client that reads nothing.
pub(super) async fn export_the_list(attacker: Attacker) -> Held {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
    ];
    let settings = json!({ "slug": "long", "title": "Long", "capacity": 1, "waitlist": true });
    let wire = attacker.wire(ATTACKER).await;
    let path = "/api/v1/events";
    let answer = exchange(wire, "x", "POST", path, &headers, &settings.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    crowd(&attacker, "long").await;
    let mut held: Held = Vec::new();
    for _ in 0..20 {
        let mut stream = attacker.connect().await;
        let request = format!(
            "GET /api/v1/events/long/registrations.csv HTTP/1.1\r\nhost: x\r\n\
             authorization: {bearer}\r\n\r\n"
        );
        let sent = stream.write_all(request.as_bytes()).await;
        sent.expect("the server reads");
        held.push(Box::new(stream));
    }
    held
}

/// 60 clients at 20 addresses that try one password after the other, in the console and as a bearer
/// token.
pub(super) async fn guess_passwords(attacker: Attacker) -> Held {
    let mut held: Held = Vec::new();
    for client in 0..60_u8 {
        let (attacker, host) = (attacker.clone(), ATTACKER + client % 20);
        let task = tokio::spawn(async move {
            for guess in 0.. {
                let form = format!("password=guess-{client}-{guess}");
                let kind = ("content-type", "application/x-www-form-urlencoded");
                let wire = attacker.wire(host).await;
                exchange(wire, "x", "POST", "/admin/login", &[kind], &form).await;
                let bearer = format!("Bearer guess-{client}-{guess}");
                let headers = [("authorization", bearer.as_str())];
                let wire = attacker.wire(host).await;
                let path = "/api/v1/events/welcome/audit";
                exchange(wire, "x", "GET", path, &headers, "").await;
            }
        });
        held.push(Box::new(AbortOnDrop(task)));
    }
    tokio::task::yield_now().await;
    held
}

/// One connection that opens sessions one after the other, joins none and polls none.
pub(super) async fn poll_sessions(attacker: Attacker) -> Held {
    const SESSIONS: usize = 5_000;
    let (mut read, mut write) = attacker.connect().await.into_split();
    let reading = tokio::spawn(async move {
        let mut space = [0; 16 * 1024];
        while let Ok(1..) = read.read(&mut space).await {}
    });
    let request = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: x\r\n\r\n";
    for _ in 0..SESSIONS / 100 {
        let sent = write.write_all(request.repeat(100).as_bytes()).await;
        sent.expect("the server reads");
    }
    vec![Box::new(write), Box::new(AbortOnDrop(reading))]
}

/// 50 clients that request the wall, each time under another `Host` of the greatest length.
pub(super) fn wall_pages_under_many_hosts(attacker: &Attacker) -> Held {
    let mut held: Held = Vec::new();
    for client in 0..50 {
        let attacker = attacker.clone();
        let task = tokio::spawn(async move {
            for request in 0.. {
                let host = format!("{client:03}-{request:06}-{}", "a".repeat(244));
                let wire = attacker.wire(ATTACKER).await;
                exchange(wire, &host, "GET", "/e/welcome/wall", &[], "").await;
            }
        });
        held.push(Box::new(AbortOnDrop(task)));
    }
    held
}

/// Opens and fills the lab; then 20 clients continue to register there.
pub(super) async fn fill_the_lab(attacker: Attacker) -> Held {
    let wire = attacker.wire(ATTACKER).await;
    let opened = exchange(wire, "x", "POST", "/compare/lab", &[], "").await;
    assert_eq!(opened.status, 303, "{}", opened.body);
    crowd(&attacker, "lab").await;
    let mut held: Held = Vec::new();
    for client in 0..20 {
        let attacker = attacker.clone();
        let task = tokio::spawn(async move {
            for person in 0.. {
                let email = format!("more-{client}-{person}@example.org");
                let body = json!({ "name": "Ada", "email": email }).to_string();
                let json = ("content-type", "application/json");
                let wire = attacker.wire(ATTACKER).await;
                let path = "/api/v1/events/lab/registrations";
                let answer = exchange(wire, "x", "POST", path, &[json], &body).await;
                // The lab may be full, emptied or deleted at this moment.
                let expected = matches!(answer.status, 201 | 404 | 409 | 503);
                assert!(expected, "{}", answer.body);
                let wire = attacker.wire(ATTACKER).await;
                let lab = exchange(wire, "x", "GET", "/api/v1/events/lab", &[], "").await;
                let registered = lab.json()["registered"].as_u64();
                assert!(registered <= Some(1_000), "{}", lab.body);
            }
        });
        held.push(Box::new(AbortOnDrop(task)));
    }
    held
}
