//! People who register at every node all the time. Each one retries with the same key until it has
//! a place.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::support::app::{Answer, try_register};

const CLIENTS: usize = 4;
/// The pause between two people of a client: a steady load, not a race.
const PAUSE: Duration = Duration::from_millis(40);
/// The pause before a retry. It is shorter than `Retry-After`, so that more retries fall into the
/// fault.
const AGAIN: Duration = Duration::from_millis(150);
/// After this much silence a person tries another node.
const TIMEOUT: Duration = Duration::from_secs(8);

/// What the crowd experienced.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Token and number of each place.
    pub(super) places: Vec<(String, u64)>,
    /// 503, with `Retry-After`.
    pub(super) unavailable: u32,
    /// No answer: refused, cut, or silence.
    pub(super) unanswered: u32,
    /// Places that an earlier attempt got, whose answer was lost.
    pub(super) replayed: u32,
}

impl Tally {
    /// For the fault table.
    pub(super) fn tell(&self) -> String {
        format!(
            "{} × 503, {} × no answer; with the same key: {} places, {} of them by an earlier try",
            self.unavailable,
            self.unanswered,
            self.places.len(),
            self.replayed
        )
    }
}

/// A running crowd.
#[derive(Debug)]
pub(super) struct Crowd {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Tally>>,
}

impl Crowd {
    /// Begins to register at the nodes for `slug`. `tag` keeps the email addresses of two crowds
    /// apart.
    pub(super) fn begin(nodes: &[SocketAddr], slug: &'static str, tag: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = (0..CLIENTS).map(|client| {
            tokio::spawn(register(
                nodes.to_vec(),
                client,
                slug,
                format!("{tag}-{client}"),
                Arc::clone(&stop),
            ))
        });
        Self {
            clients: clients.collect(),
            stop,
        }
    }

    /// Stops new people, waits until everybody has a place, and adds up the outcomes.
    pub(super) async fn end(self) -> Tally {
        self.stop.store(true, Ordering::SeqCst);
        let mut sum = Tally::default();
        for client in self.clients {
            let tally = client.await.expect("no client panics");
            sum.places.extend(tally.places);
            sum.unavailable += tally.unavailable;
            sum.unanswered += tally.unanswered;
            sum.replayed += tally.replayed;
        }
        sum
    }
}

async fn register(
    nodes: Vec<SocketAddr>,
    client: usize,
    slug: &'static str,
    tag: String,
    stop: Arc<AtomicBool>,
) -> Tally {
    let mut tally = Tally::default();
    let mut node = client;
    for n in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let (email, key) = (format!("{tag}-{n}@example.org"), format!("key-{tag}-{n}"));
        loop {
            match timeout(
                TIMEOUT,
                try_register(nodes[node % nodes.len()], slug, &email, &key),
            )
            .await
            .unwrap_or(None)
            {
                None => tally.unanswered += 1,
                Some(answer) if answer.status == 503 => {
                    is_a_promise(&answer);
                    tally.unavailable += 1;
                }
                Some(answer) => {
                    assert_eq!(answer.status, 201, "{}", answer.body);
                    tally.replayed += u32::from(answer.header("idempotency-replayed").is_some());
                    let receipt = answer.json();
                    tally.places.push((
                        receipt["token"].as_str().expect("a token").to_owned(),
                        receipt["number"].as_u64().expect("a number"),
                    ));
                    break;
                }
            }
            node += 1;
            sleep(AGAIN).await;
        }
        sleep(PAUSE).await;
    }
    tally
}

/// A 503 says why, and when to come again.
fn is_a_promise(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(
        matches!(answer.code().as_str(), "database-unreachable" | "busy"),
        "{}",
        answer.body
    );
    let seconds = answer
        .header("retry-after")
        .and_then(|seconds| seconds.parse::<u32>().ok());
    assert!(
        seconds.is_some_and(|seconds| seconds > 0),
        "{}",
        answer.head
    );
}
