//! A load of registrations over keep-alive connections, cheap enough to leave the server's core
//! alone.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What a load saw.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Answers by class: 201, other 4xx, 5xx.
    pub(crate) created: u64,
    /// 409 and the like.
    pub(crate) refused: u64,
    /// 5xx.
    pub(crate) failed: u64,
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// Milliseconds.
    pub(crate) p50_ms: f64,
    /// Milliseconds.
    pub(crate) p99_ms: f64,
    /// Milliseconds.
    pub(crate) max_ms: f64,
}

impl Outcome {
    /// Registrations a second.
    pub(crate) fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.created).expect("a benchmark is short"))
            / self.elapsed.as_secs_f64()
    }
}

/// Registers new people at `path` over `connections` connections for `duration`, each after a
/// `pause`. `tag` keeps the e-mail addresses of two runs apart.
pub(crate) async fn register(
    address: SocketAddr,
    path: &str,
    connections: usize,
    pause: Duration,
    duration: Duration,
    tag: &str,
) -> Outcome {
    let person = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let until = begun + duration;
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let (path, tag, person) = (path.to_owned(), tag.to_owned(), Arc::clone(&person));
            tokio::spawn(async move {
                one_connection(address, &path, &tag, &person, pause, until).await
            })
        })
        .collect();
    let mut outcome = Outcome::default();
    let mut times = Histogram::<u64>::new(3).expect("three digits are valid");
    for task in tasks {
        let (mine, [created, refused, failed]) = task
            .await
            .expect("a connection does not panic")
            .expect("a connection lives");
        times.add(mine).expect("the same bounds");
        outcome.created += created;
        outcome.refused += refused;
        outcome.failed += failed;
    }
    outcome.elapsed = begun.elapsed();
    let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1000.0;
    outcome.p50_ms = ms(times.value_at_quantile(0.5));
    outcome.p99_ms = ms(times.value_at_quantile(0.99));
    outcome.max_ms = ms(times.max());
    outcome
}

async fn one_connection(
    address: SocketAddr,
    path: &str,
    tag: &str,
    person: &AtomicU64,
    pause: Duration,
    until: Instant,
) -> std::io::Result<(Histogram<u64>, [u64; 3])> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut times = Histogram::<u64>::new(3).expect("three digits are valid");
    let (mut counts, mut answer) = ([0; 3], Vec::with_capacity(4096));
    while Instant::now() < until {
        if !pause.is_zero() {
            // Drawn, so that the connections do not fall into step.
            tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.5))).await;
        }
        let n = person.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        let status = send(&mut stream, path, &format!("{tag}-{n}"), &mut answer).await?;
        times
            .record(u64::try_from(begun.elapsed().as_micros()).expect("a benchmark is short"))
            .expect("it resizes");
        counts[match status {
            200..=299 => 0,
            500..=599 => 2,
            _ => 1,
        }] += 1;
    }
    Ok((times, counts))
}

/// Registers one new person; returns the status of the response, which stays in `answer`.
pub(crate) async fn send(
    stream: &mut TcpStream,
    path: &str,
    person: &str,
    answer: &mut Vec<u8>,
) -> std::io::Result<u16> {
    let body = format!(r#"{{"name":"Person {person}","email":"{person}@example.invalid"}}"#);
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nidempotency-key: {person}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    read_answer(stream, answer).await
}

/// Reads one response with a `content-length`; returns its status.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> std::io::Result<u16> {
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&answer[..end]).map_err(std::io::Error::other)?;
        let length: usize = head
            .lines()
            .find_map(|line| {
                line.split_once(": ")
                    .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                    .map(|(_, value)| value)
            })
            .and_then(|value| value.parse().ok())
            .unwrap_or(0);
        if answer.len() >= end + 4 + length {
            return head[9..12].parse().map_err(std::io::Error::other);
        }
    }
}

/// The event's headcount, as the API tells it.
pub(crate) async fn headcount(address: SocketAddr, slug: &str) -> u64 {
    let mut stream = TcpStream::connect(address)
        .await
        .expect("the server listens");
    let request = format!(
        "GET /api/v1/events/{slug} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the server reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("an answer");
    let json = text.split_once("\r\n\r\n").expect("a body").1;
    serde_json::from_str::<serde_json::Value>(json).expect("JSON")["registered"]
        .as_u64()
        .expect("a number")
}
