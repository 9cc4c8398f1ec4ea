//! A watcher that records what it receives and when, and reconnects after a cut, as a browser does.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::sse::Event;

/// How long a watcher waits for a message, whatever bound the caller asserts: a hang is a failure
/// too.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The wait after a cut when the server sent no `retry`.
const RETRY: Duration = Duration::from_millis(200);

/// A message that a watcher received.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    /// The event's name; `open` and `end` stand for the connection's own.
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Received {
    /// Whether it is a count read while the database was reachable.
    pub(crate) fn is_live_count(&self) -> bool {
        self.name == "count" && self.data["stale_since"].is_null()
    }

    /// The revision of a count.
    pub(crate) fn revision(&self) -> i64 {
        self.data["revision"].as_i64().unwrap_or(0)
    }
}

/// Follows one event by server-sent events until it is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    received: watch::Receiver<Vec<Received>>,
    task: JoinHandle<()>,
    address: Arc<Mutex<SocketAddr>>,
}

impl Watcher {
    /// Follows `slug` at `address`.
    pub(crate) fn open(address: SocketAddr, slug: &str) -> Self {
        let (record, received) = watch::channel(Vec::new());
        let address = Arc::new(Mutex::new(address));
        let task = tokio::spawn(follow(
            Arc::clone(&address),
            format!("/api/v1/events/{slug}/stream"),
            record,
        ));
        Self {
            received,
            task,
            address,
        }
    }

    /// Reconnects there after the next cut, as through a load balancer.
    pub(crate) fn move_to(&self, address: SocketAddr) {
        *self.address.lock().expect("no test panics here") = address;
    }

    /// Waits for the first message after `since` that is `wanted`.
    #[track_caller]
    pub(crate) fn first(
        &self,
        since: Instant,
        what: &str,
        wanted: impl Fn(&Received) -> bool,
    ) -> impl Future<Output = Received> {
        let (mut received, caller) = (self.received.clone(), std::panic::Location::caller());
        async move {
            let find = |received: &Vec<Received>| {
                received
                    .iter()
                    .find(|received| received.at >= since && wanted(received))
                    .cloned()
            };
            let found = tokio::time::timeout(
                TIMEOUT,
                received.wait_for(|received| find(received).is_some()),
            )
            .await;
            let found = found
                .ok()
                .and_then(|received| find(&received.expect("the watcher lives")));
            found.unwrap_or_else(|| {
                panic!(
                    "{caller}: {what} did not arrive in {TIMEOUT:?}; the newest: {:?}",
                    self.received
                        .borrow()
                        .iter()
                        .rev()
                        .take(5)
                        .collect::<Vec<_>>()
                )
            })
        }
    }

    /// Everything received since `since`.
    pub(crate) fn since(&self, since: Instant) -> Vec<Received> {
        self.received
            .borrow()
            .iter()
            .filter(|received| received.at >= since)
            .cloned()
            .collect()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(
    address: Arc<Mutex<SocketAddr>>,
    path: String,
    record: watch::Sender<Vec<Received>>,
) {
    let (mut position, mut retry) = (None, RETRY);
    let note = |name: &str, data: Value| {
        record.send_modify(|received| {
            received.push(Received {
                at: Instant::now(),
                name: name.to_owned(),
                data,
            });
        });
    };
    loop {
        let to = *address.lock().expect("no test panics here");
        let ended = stream(to, &path, position.clone(), |event| {
            if let Some(id) = event.id.clone() {
                position = Some(id);
            }
            if let Some(ms) = event.retry {
                retry = Duration::from_millis(ms);
            }
            if event.name.is_empty() {
                return;
            }
            note(&event.name, event.json());
        });
        let ended = ended.await;
        note(
            "end",
            ended
                .err()
                .map_or(Value::Null, |error| error.to_string().into()),
        );
        tokio::time::sleep(std::mem::replace(&mut retry, RETRY)).await;
    }
}

/// Reads one stream to its end; an error of the kind `Other` is a refusal.
pub(crate) async fn stream(
    address: SocketAddr,
    path: &str,
    position: Option<String>,
    mut record: impl FnMut(Event),
) -> std::io::Result<()> {
    let mut reader = BufReader::new(TcpStream::connect(address).await?);
    let resume = position
        .map(|position| format!("last-event-id: {position}\r\n"))
        .unwrap_or_default();
    reader
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{resume}\r\n").as_bytes())
        .await?;
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(std::io::Error::other(line));
    }
    while line.trim_end() != "" {
        line.clear();
        reader.read_line(&mut line).await?;
    }
    let (mut text, mut chunk) = (String::new(), Vec::new());
    loop {
        line.clear();
        reader.read_line(&mut line).await?;
        let size = usize::from_str_radix(line.trim_end(), 16).map_err(std::io::Error::other)?;
        chunk.resize(size + 2, 0);
        reader.read_exact(&mut chunk).await?;
        if size == 0 {
            return Ok(());
        }
        text.push_str(std::str::from_utf8(&chunk[..size]).map_err(std::io::Error::other)?);
        while let Some(end) = text.find("\n\n") {
            let block: String = text.drain(..end + 2).collect();
            record(Event::parse(&block));
        }
    }
}
