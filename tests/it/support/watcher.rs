//! A watcher that writes down what it is told and when, and comes back after a cut, as a browser does.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::sse::Event;

/// How long a watcher waits for what must come, whatever bound the caller asserts: a hang is a failure, too.
const PATIENCE: Duration = Duration::from_mins(1);
/// After a cut without a `retry` of the server's.
const RETRY: Duration = Duration::from_millis(200);

/// One thing that a watcher was told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) at: Instant,
    /// The event's name; `open` and `end` stand for the connection's own.
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Told {
    /// A count, and not one of a database that is away.
    pub(crate) fn is_live_count(&self) -> bool {
        self.name == "count" && self.data["stale_since"].is_null()
    }

    /// Of a count.
    pub(crate) fn revision(&self) -> i64 {
        self.data["revision"].as_i64().unwrap_or(0)
    }
}

/// Follows one event by server-sent events until it is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    told: watch::Receiver<Vec<Told>>,
    task: JoinHandle<()>,
    address: Arc<Mutex<SocketAddr>>,
}

impl Watcher {
    /// Follows `slug` at `address`.
    pub(crate) fn open(address: SocketAddr, slug: &str) -> Self {
        let (tell, told) = watch::channel(Vec::new());
        let address = Arc::new(Mutex::new(address));
        let task = tokio::spawn(follow(
            Arc::clone(&address),
            format!("/api/v1/events/{slug}/stream"),
            tell,
        ));
        Self {
            told,
            task,
            address,
        }
    }

    /// After the next cut it comes back there, as through a load balancer.
    pub(crate) fn move_to(&self, address: SocketAddr) {
        *self.address.lock().expect("no test panics here") = address;
    }

    /// The first thing told after `since` that is `wanted`, waiting for it.
    #[track_caller]
    pub(crate) fn first(
        &self,
        since: Instant,
        what: &str,
        wanted: impl Fn(&Told) -> bool,
    ) -> impl Future<Output = Told> {
        let (mut told, caller) = (self.told.clone(), std::panic::Location::caller());
        async move {
            let find = |told: &Vec<Told>| {
                told.iter()
                    .find(|told| told.at >= since && wanted(told))
                    .cloned()
            };
            let found =
                tokio::time::timeout(PATIENCE, told.wait_for(|told| find(told).is_some())).await;
            let found = found
                .ok()
                .and_then(|told| find(&told.expect("the watcher lives")));
            found.unwrap_or_else(|| {
                panic!(
                    "{caller}: {what} was not told in {PATIENCE:?}; the newest: {:?}",
                    self.told.borrow().iter().rev().take(5).collect::<Vec<_>>()
                )
            })
        }
    }

    /// Everything told since then.
    pub(crate) fn since(&self, since: Instant) -> Vec<Told> {
        self.told
            .borrow()
            .iter()
            .filter(|told| told.at >= since)
            .cloned()
            .collect()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(address: Arc<Mutex<SocketAddr>>, path: String, tell: watch::Sender<Vec<Told>>) {
    let (mut position, mut retry) = (None, RETRY);
    let note = |name: &str, data: Value| {
        tell.send_modify(|told| {
            told.push(Told {
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
    mut tell: impl FnMut(Event),
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
            tell(Event::parse(&block));
        }
    }
}
