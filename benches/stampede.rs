//! A stampede: 20,000 people ask for 500 places at the same moment. Everybody gets a definite
//! answer, and exactly 500 are confirmed. Clients repeat a refusal that may be repeated, after
//! `Retry-After`.
//!
//! ```sh
//! cargo bench --bench stampede                     # both databases
//! BENCH_PEOPLE=50000 BENCH_PLACES=700 cargo bench --bench stampede
//! ```

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[path = "../tests/it/support/port.rs"]
mod port;
#[path = "../tests/it/support/postgres.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod postgres;
#[path = "support/program.rs"]
mod program;
#[path = "support/settings.rs"]
mod settings;

use program::{Program, headcount};
use settings::number;

const TOKEN: &str = "a-token-for-the-stampede";
/// Connections that stay open. All start at once, and each registers people one after the other.
const CONNECTIONS: usize = 2_000;

/// As in the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let cluster = postgres::Cluster::start_new();
    let databases = [
        (
            "SQLite",
            format!("sqlite://{}", folder.path().join("stampede.db").display()),
        ),
        ("Postgres", cluster.new_database().await),
    ];
    let (people, places) = (number("BENCH_PEOPLE", 20_000), number("BENCH_PLACES", 500));
    for (name, url) in databases {
        let server = Program::start(headcount(&url).args(["--admin-token", TOKEN]));
        run(name, server.address, people, places).await;
    }
}

async fn run(database: &str, address: SocketAddr, people: usize, places: usize) {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let event = json!({ "slug": "stampede", "title": "Stampede", "capacity": places }).to_string();
    let created = ask(
        &mut stream,
        "/api/v1/events",
        &format!("authorization: Bearer {TOKEN}\r\n"),
        &event,
    )
    .await
    .expect("an answer");
    assert_eq!(created.0, 201, "{}", created.2);
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS.min(people) {
        streams.push(
            TcpStream::connect(address)
                .await
                .expect("the server listens"),
        );
    }
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let clients: Vec<_> = streams
        .into_iter()
        .map(|stream| tokio::spawn(client(stream, address, Arc::clone(&next), people)))
        .collect();
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    let mut numbers = Vec::new();
    for client in clients {
        for (word, number) in client.await.expect("no client panics") {
            *answers.entry(word).or_default() += 1;
            numbers.extend(number);
        }
    }
    let elapsed = begun.elapsed();
    numbers.sort_unstable();
    assert_eq!(
        numbers,
        (1..=places as u64).collect::<Vec<_>>(),
        "exactly {places} are confirmed, each number once"
    );
    let retried = answers.remove("retried").unwrap_or(0);
    assert_eq!(
        answers.values().sum::<usize>(),
        people,
        "everybody has a definite answer: {answers:?}"
    );
    println!(
        "{database:<9} {people} people, {places} places, {CONNECTIONS} connections: {:.2} s, \
        {answers:?}, {retried} polite retries",
        elapsed.as_secs_f64()
    );
}

/// Registers people until none is left; returns each one's outcome and number.
async fn client(
    mut stream: TcpStream,
    address: SocketAddr,
    next: Arc<AtomicUsize>,
    people: usize,
) -> Vec<(String, Option<u64>)> {
    let mut outcomes = Vec::new();
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= people {
            return outcomes;
        }
        let body = json!({ "name": format!("Person {n}"), "email": format!("person-{n}@example.invalid") }).to_string();
        let key = format!("idempotency-key: person-{n}\r\n");
        loop {
            let Ok((status, head, text)) = ask(
                &mut stream,
                "/api/v1/events/stampede/registrations",
                &key,
                &body,
            )
            .await
            else {
                // The same key makes it safe to ask again on another connection.
                stream = TcpStream::connect(address)
                    .await
                    .expect("the server listens");
                outcomes.push(("retried".into(), None));
                continue;
            };
            let answer: Value = serde_json::from_str(&text).expect("JSON");
            match status {
                201 => outcomes.push(("confirmed".into(), answer["number"].as_u64())),
                429 | 503 => {
                    let wait = head
                        .lines()
                        .find_map(|line| line.strip_prefix("retry-after: "))
                        .expect("a retriable refusal says when")
                        .trim()
                        .parse()
                        .expect("seconds");
                    outcomes.push(("retried".into(), None));
                    // What the server asks for is what a polite client does.
                    tokio::time::sleep(Duration::from_secs(wait)).await;
                    continue;
                }
                _ => outcomes.push((answer["code"].as_str().expect("a code").to_owned(), None)),
            }
            break;
        }
    }
}

/// One request on a connection that stays open: status, head in lower case, body.
async fn ask(
    stream: &mut TcpStream,
    path: &str,
    headers: &str,
    body: &str,
) -> std::io::Result<(u16, String, String)> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        if answer.len() >= end + 4 + length {
            let status = head[9..12].parse().map_err(std::io::Error::other)?;
            return Ok((
                status,
                head,
                String::from_utf8_lossy(&answer[end + 4..]).into_owned(),
            ));
        }
    }
}
