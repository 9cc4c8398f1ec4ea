//! A whole server in this process, on a port of its own, and a client that hides nothing.

use std::net::SocketAddr;

use clap::Parser as _;
use headcount::app::config::Config;
use headcount::app::{self, Running};
use headcount::cli::ServeArgs;
use headcount::domain::clock::Clock;
use serde_json::Value;

use super::postgres;
use super::sqlite::File;
use super::wire::Wire;

/// The bearer token of every server here.
pub(crate) const TOKEN: &str = "a-token-for-tests";
/// The console's password of every server here.
pub(crate) const PASSWORD: &str = "a password for tests";

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// A running server; its database is removed with it.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) running: Running,
    _file: Option<File>,
}

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    serve: ServeArgs,
}

/// The configuration that a command line gives, with a token, a password and any free port.
pub(crate) fn config(database_url: &str, flags: &[&str]) -> Config {
    let fixed = [
        "headcount",
        "--listen",
        "127.0.0.1:0",
        "--admin-token",
        TOKEN,
        "--admin-password",
        PASSWORD,
        "--database-url",
        database_url,
    ];
    let line = Line::parse_from(fixed.iter().chain(flags));
    Config::read(&line.serve).expect("a valid configuration")
}

impl App {
    /// A server on a new SQLite file.
    pub(crate) async fn sqlite() -> Self {
        Self::start(Database::Sqlite, &[], Clock::System).await
    }

    /// A server on a new database of either kind.
    pub(crate) async fn start(database: Database, flags: &[&str], clock: Clock) -> Self {
        let (url, file) = match database {
            Database::Sqlite => {
                let file = File::new();
                (file.text(), Some(file))
            }
            Database::Postgres => (postgres::shared().new_database().await, None),
        };
        Self {
            running: Self::on(&url, flags, clock).await,
            _file: file,
        }
    }

    /// A server that runs already, on a database that the caller keeps.
    pub(crate) fn of(running: Running) -> Self {
        Self {
            running,
            _file: None,
        }
    }

    /// A server on that database.
    pub(crate) async fn on(url: &str, flags: &[&str], clock: Clock) -> Running {
        let config = config(url, flags);
        let listener = headcount::server::bind(config.listen).expect("a free port");
        app::start(config, listener, clock)
            .await
            .expect("the server starts")
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// A connection to it.
    pub(crate) async fn wire(&self) -> Wire {
        Wire::connect(self.address()).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        call(self.address(), method, path, headers, body).await
    }

    /// A `GET`.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], "").await
    }

    /// The organiser's call, with the token.
    pub(crate) async fn organise(&self, method: &str, path: &str, body: &Value) -> Answer {
        organise(self.address(), method, path, body).await
    }

    /// Registers somebody.
    pub(crate) async fn register(&self, slug: &str, name: &str, email: &str) -> Answer {
        register(self.address(), slug, name, email).await
    }

    /// An event with that many places.
    pub(crate) async fn event(&self, slug: &str, capacity: u32) -> Value {
        let answer = self
            .organise(
                "POST",
                "/api/v1/events",
                &serde_json::json!({ "slug": slug, "title": slug, "capacity": capacity }),
            )
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    /// Drains it.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
    }
}

/// One request on a connection of its own.
pub(crate) async fn call(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let wire = Wire::connect(address).await;
    exchange(wire, &address.to_string(), method, path, headers, body).await
}

/// The same on a connection that exists, and is closed afterwards.
pub(crate) async fn exchange(
    mut wire: Wire,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || method == "POST" {
        request += &format!("content-length: {}\r\n", body.len());
    }
    wire.send(format!("{request}\r\n{body}")).await;
    let head = wire.head().await;
    let (rest, _) = wire.rest().await;
    Answer::new(&head, rest)
}

/// The organiser's call, with the token.
pub(crate) async fn organise(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &Value,
) -> Answer {
    let bearer = format!("Bearer {TOKEN}");
    let text = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    call(
        address,
        method,
        path,
        &[
            ("authorization", &bearer),
            ("content-type", "application/json"),
        ],
        &text,
    )
    .await
}

/// Registers somebody.
pub(crate) async fn register(address: SocketAddr, slug: &str, name: &str, email: &str) -> Answer {
    let body = serde_json::json!({ "name": name, "email": email }).to_string();
    call(
        address,
        "POST",
        &format!("/api/v1/events/{slug}/registrations"),
        &[("content-type", "application/json")],
        &body,
    )
    .await
}

/// One request to a server that may be gone; `None` without a complete answer.
pub(crate) async fn try_call(address: SocketAddr, method: &str, path: &str) -> Option<Answer> {
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let (head, body) = Wire::try_connect(address)
        .await
        .ok()?
        .try_exchange(request.as_bytes())
        .await?;
    Some(Answer::new(&head, body.into_bytes()))
}

/// Registers a person under an idempotency key at a server that may be gone; `None` without a
/// complete answer.
pub(crate) async fn try_register(
    address: SocketAddr,
    slug: &str,
    email: &str,
    key: &str,
) -> Option<Answer> {
    let body = serde_json::json!({ "name": "Ada Lovelace", "email": email }).to_string();
    let request = format!(
        "POST /api/v1/events/{slug}/registrations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nidempotency-key: {key}\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (head, body) = Wire::try_connect(address)
        .await
        .ok()?
        .try_exchange(request.as_bytes())
        .await?;
    Some(Answer::new(&head, body.into_bytes()))
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn new(head: &str, body: Vec<u8>) -> Self {
        let status = head
            .get(9..12)
            .and_then(|status| status.parse().ok())
            .unwrap_or_else(|| panic!("no status in {head:?}"));
        let body = if head.contains("transfer-encoding: chunked") {
            unchunk(&body)
        } else {
            body
        };
        Self {
            status,
            head: head.to_owned(),
            body: String::from_utf8(body).expect("text"),
        }
    }

    /// A header's value, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}) in {:?}", self.body))
    }

    /// The problem's code.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().expect("a code").to_owned()
    }
}

fn unchunk(mut rest: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size =
            usize::from_str_radix(std::str::from_utf8(&rest[..end]).expect("a chunk size"), 16)
                .expect("a chunk size");
        data.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
        if size == 0 {
            break;
        }
    }
    data
}
