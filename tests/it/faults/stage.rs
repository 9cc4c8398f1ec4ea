//! Two nodes, each on a line of its own to one database, a watcher at each, and a crowd that
//! registers at both.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{Connection as _, PgConnection};

use super::crowd::{Crowd, Tally};
use super::{RIGHT_WITHIN, SLACK, STALE_WITHIN};
use crate::support::app::{call, organise};
use crate::support::process::Process;
use crate::support::proxy::Proxy;
use crate::support::watcher::{Received, Watcher};

pub(super) const SLUG: &str = "gala";
const FLAGS: [&str; 5] = [
    "--no-welcome-event",
    "--heartbeat",
    "1s",
    "--register-rate-per-ip",
    "0",
];

/// A node, its line to the database, and somebody who watches there.
pub(super) struct Node {
    pub(super) process: Process,
    pub(super) line: Proxy,
    pub(super) watcher: Watcher,
}

pub(super) struct Stage {
    pub(super) nodes: [Node; 2],
    /// Straight to the database, past the lines.
    pub(super) url: String,
    crowd: Crowd,
    begun: Instant,
}

/// What the database says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) revision: i64,
    pub(super) registered: i64,
    pub(super) counted: i64,
}

impl Stage {
    /// Starts everything on the database of that URL, whose server listens at `server`; returns
    /// when people register at both nodes.
    pub(super) async fn set(url: &str, server: SocketAddr) -> Self {
        let first = node(url, server, true).await;
        let second = node(url, server, false).await;
        let addresses = [first.process.address, second.process.address];
        let begun = Instant::now();
        let stage = Self {
            nodes: [first, second],
            url: url.to_owned(),
            crowd: Crowd::begin(&addresses, SLUG, "crowd"),
            begun,
        };
        for node in &stage.nodes {
            node.watcher
                .first(begun, "a count under load", |received| {
                    received.is_live_count() && received.revision() > 10
                })
                .await;
        }
        stage
    }

    /// What the database says.
    pub(super) async fn truth(&self) -> Truth {
        truth(&self.url).await
    }

    /// Executes a statement past the lines.
    pub(super) async fn execute(&self, statement: &'static str) {
        let mut connection = PgConnection::connect(&self.url)
            .await
            .expect("the database");
        sqlx::raw_sql(statement)
            .execute(&mut connection)
            .await
            .expect("a statement");
    }

    /// The database is away from these nodes since `fault`: their watchers receive `stale` in time,
    /// and since when. Answers how long it took.
    pub(super) async fn await_stale(&self, nodes: &[usize], fault: Instant) -> Duration {
        let mut slowest = Duration::ZERO;
        for node in nodes {
            let received = self.nodes[*node]
                .watcher
                .first(fault, "stale", |received| received.name == "stale")
                .await;
            assert!(received.data["stale_since"].is_string(), "{received:?}");
            let count = call(
                self.nodes[*node].process.address,
                "GET",
                &format!("/api/v1/events/{SLUG}"),
                &[],
                "",
            )
            .await;
            assert!(
                count.json()["stale_since"].is_string() && count.header("etag").is_none(),
                "a poll says so, too: {}",
                count.body
            );
            slowest = slowest.max(received.at - fault);
        }
        assert!(
            slowest < STALE_WITHIN * SLACK,
            "stale was received after {slowest:?}"
        );
        slowest
    }

    /// Everything works again since `back`: the watchers have the right number in time. Answers how
    /// long it took.
    pub(super) async fn is_right_again(&self, nodes: &[usize], back: Instant) -> Duration {
        let truth = self.truth().await;
        let mut slowest = Duration::ZERO;
        for node in nodes {
            let right = |received: &Received| {
                received.is_live_count() && received.revision() >= truth.revision
            };
            slowest = slowest.max(
                self.nodes[*node]
                    .watcher
                    .first(back, "the right number", right)
                    .await
                    .at
                    - back,
            );
        }
        assert!(
            slowest < RIGHT_WITHIN * SLACK,
            "the right number came after {slowest:?}"
        );
        slowest
    }

    /// How many were `stale` at each node, in all: for the table.
    pub(super) fn stales(&self, since: Instant) -> [usize; 2] {
        [0, 1].map(|node| {
            self.nodes[node]
                .watcher
                .since(since)
                .iter()
                .filter(|received| received.name == "stale")
                .count()
        })
    }

    /// Ends the load, and looks whether every promise was kept: `nodes` still run.
    pub(super) async fn end(mut self, nodes: &[usize]) -> Tally {
        let tally = self.crowd.end().await;
        let truth = truth(&self.url).await;
        let people = i64::try_from(tally.places.len()).expect("few");
        assert_eq!(
            (truth.registered, truth.counted),
            (people, people),
            "one place for each person, and none lost"
        );
        let mut numbers: Vec<u64> = tally.places.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        assert!(
            numbers.windows(2).all(|pair| pair[0] < pair[1]),
            "no number was given twice"
        );
        for node in nodes {
            let node = &mut self.nodes[*node];
            let right = |received: &Received| {
                received.is_live_count() && received.revision() == truth.revision
            };
            let last = node
                .watcher
                .first(self.begun, "the last revision", right)
                .await;
            assert_eq!(last.data["registered"].as_i64(), Some(truth.registered));
            let counts: Vec<i64> = node
                .watcher
                .since(self.begun)
                .iter()
                .filter(|received| received.name == "count")
                .map(Received::revision)
                .collect();
            assert!(counts.is_sorted(), "no watcher was led back: {counts:?}");
            for (token, number) in tally.places.iter().rev().take(30) {
                let answer = call(
                    node.process.address,
                    "GET",
                    &format!("/api/v1/registrations/{token}"),
                    &[],
                    "",
                )
                .await;
                assert_eq!(
                    (answer.status, answer.json()["number"].as_u64()),
                    (200, Some(*number)),
                    "{}",
                    answer.body
                );
            }
            assert!(
                node.process.child.try_wait().expect("a process").is_none(),
                "no node ends"
            );
        }
        tally
    }
}

/// A node on a line of its own. The first one makes the event, so that the others know it from
/// their start.
async fn node(url: &str, server: SocketAddr, first: bool) -> Node {
    let line = Proxy::start(server).await;
    let through = url.replacen(&server.to_string(), &line.address.to_string(), 1);
    let process = Process::start(&through, &FLAGS);
    if first {
        let event = json!({ "slug": SLUG, "title": "Gala", "capacity": null });
        assert_eq!(
            organise(process.address, "POST", "/api/v1/events", &event)
                .await
                .status,
            201
        );
    }
    let watcher = Watcher::open(process.address, SLUG);
    Node {
        process,
        line,
        watcher,
    }
}

async fn truth(url: &str) -> Truth {
    let mut connection = PgConnection::connect(url).await.expect("the database");
    let query = "SELECT revision, registered, (SELECT count(*) FROM registrations r WHERE r.event_id = e.id AND r.status = 'confirmed') AS counted
        FROM events e WHERE slug = $1";
    let (revision, registered, counted) = sqlx::query_as(query)
        .bind(SLUG)
        .fetch_one(&mut connection)
        .await
        .expect("the event");
    Truth {
        revision,
        registered,
        counted,
    }
}
