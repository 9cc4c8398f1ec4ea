//! What mail and webhooks cost those who register: registrations a second at 64 connections without
//! them, with mail, and with a webhook, in turns on one machine.
//!
//! ```sh
//! cargo bench --bench outgoing
//! BENCH_SECONDS=5 BENCH_ROUNDS=7 BENCH_CONNECTIONS=64 cargo bench --bench outgoing
//! ```
//!
//! Each run has a server of its own, on the first core, with a new database. The load, the mail server
//! and the receiver of webhooks run on the second. Nothing waits in the outbox for a budget.

use std::net::SocketAddr;
use std::time::Duration;

use program::Program;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[path = "support/load.rs"]
mod load;
#[path = "support/pinning.rs"]
#[expect(dead_code, reason = "others start themselves")]
mod pinning;
#[path = "../tests/it/support/port.rs"]
mod port;
#[path = "../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod postgres;
#[path = "support/program.rs"]
#[expect(dead_code, reason = "others need no flags")]
mod program;
#[path = "support/settings.rs"]
mod settings;
#[path = "support/sinks.rs"]
mod sinks;

use settings::number;

const TOKEN: &str = "a-token-of-a-benchmark";
/// More mails an hour than a run has registrations.
const BUDGET: &str = "100000000";

/// What a server sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sends {
    Nothing,
    Mail,
    Webhook,
}

impl Sends {
    const ALL: [Self; 3] = [Self::Nothing, Self::Mail, Self::Webhook];
}

fn main() {
    let seconds = Duration::from_secs(number("BENCH_SECONDS", 3));
    let (rounds, connections) = (
        number("BENCH_ROUNDS", 3_u32),
        number("BENCH_CONNECTIONS", 64),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    // Before this process is pinned, so that the database can use both cores.
    let cluster = postgres::Cluster::start_new();
    pinning::move_to_second_core();
    println!("database   nothing       mail  of it    webhook  of it");
    for database in ["SQLite", "Postgres"] {
        let mut rates = [const { Vec::new() }; Sends::ALL.len()];
        for round in 0..rounds {
            for (at, sends) in Sends::ALL.into_iter().enumerate() {
                let file = folder.path().join(format!("{round}-{at}.db"));
                let url = match database {
                    "SQLite" => format!("sqlite://{}", file.display()),
                    _ => runtime.block_on(cluster.new_database()),
                };
                rates[at].push(runtime.block_on(run(&url, sends, connections, seconds)));
            }
        }
        let [nothing, mail, webhook] = rates.map(median);
        println!(
            "{database:<9} {nothing:>8.0} {mail:>10.0} {:>6.2} {webhook:>10.0} {:>6.2}",
            mail / nothing,
            webhook / nothing
        );
    }
}

/// Registrations a second with a new server.
async fn run(url: &str, sends: Sends, connections: usize, seconds: Duration) -> f64 {
    let (mail, hook) = (sinks::mail_server().await, sinks::receiver().await);
    let listen = port::free_address();
    let (smtp, public) = (
        format!("smtp://{mail}?tls=none"),
        format!("http://{listen}"),
    );
    let mut command = pinning::on_first_core_of(env!("CARGO_BIN_EXE_headcount"));
    command.args([
        "--listen",
        &listen.to_string(),
        "--register-rate-per-ip",
        "0",
    ]);
    command.args(["--database-url", url, "--admin-token", TOKEN]);
    command.args(["--webhook-allow", "127.0.0.0/8"]);
    if sends == Sends::Mail {
        command.args(["--public-url", &public, "--smtp-url", &smtp]);
        command.args(["--mail-per-event", BUDGET, "--mail-per-hour", BUDGET]);
    }
    let server = Program::start(&mut command);
    create(
        server.address,
        "events",
        r#"{"slug":"load","title":"Load","capacity":null}"#,
    )
    .await;
    if sends == Sends::Webhook {
        let body = format!(r#"{{"url":"http://{hook}/","events":["registration.created"]}}"#);
        create(server.address, "webhooks", &body).await;
    }
    let path = "/api/v1/events/load/registrations";
    let outcome = load::register(
        server.address,
        path,
        connections,
        Duration::ZERO,
        seconds,
        "p",
    )
    .await;
    assert_eq!(
        (outcome.refused, outcome.failed),
        (0, 0),
        "every request is served"
    );
    let count = load::headcount(server.address, "load").await;
    assert_eq!(count, outcome.created, "the headcount is what was answered");
    outcome.rate()
}

/// An organiser's `POST`.
async fn create(address: SocketAddr, what: &str, body: &str) {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let request = format!(
        "POST /api/v1/{what} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\
        content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the server reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    assert!(text.starts_with("HTTP/1.1 201"), "{text}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
