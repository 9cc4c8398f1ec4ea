//! Every node is replaced, one after the other, behind the real Caddy, while people watch and
//! register.
//!
//! `HEADCOUNT_TEST_ROLLING=2000 cargo test --test it -- rolling --nocapture` is the long run. `HEADCOUNT_TEST_OLD` names an
//! older program: then the first nodes are of that version, and this is a rolling upgrade.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::{sleep, timeout};

use super::stage::SLUG;
use crate::support::app::{organise, try_call, try_register};
use crate::support::port::free_address;
use crate::support::postgres::shared;
use crate::support::process::Process;
use crate::support::watcher::stream;

/// The default: farewells spread over 8 s, returns over 1 to 4 s more.
const DRAIN: Duration = Duration::from_secs(10);
const FLAGS: [&str; 7] = [
    "--no-welcome-event",
    "--register-rate-per-ip",
    "0",
    "--trusted-proxies",
    "127.0.0.1",
    "--drain",
    "10s",
];
/// Between two registrations.
const PACE: Duration = Duration::from_millis(200);
const TIMEOUT: Duration = Duration::from_mins(1);

/// In the ordinary run; the long run sets more.
fn watchers() -> usize {
    std::env::var("HEADCOUNT_TEST_ROLLING")
        .ok()
        .and_then(|watchers| watchers.parse().ok())
        .unwrap_or(300)
}

/// The recommended configuration on a free port, without TLS: the certificate is not what is tested
/// here.
struct Caddy {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Caddy {
    async fn start(nodes: &[SocketAddr]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let port = free_address().port();
        let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        let changes = [
            ("admin off", "admin off\n\tauto_https off".to_owned()),
            (
                "\nlocalhost {",
                format!("\nhttp://localhost:{port} {{\n\tbind 127.0.0.1"),
            ),
            ("node-a:8080 node-b:8080", nodes.join(" ")),
        ];
        let example = std::fs::read_to_string("deploy/Caddyfile").expect("the example");
        let config = changes.iter().fold(example, |text, (old, new)| {
            assert!(text.contains(old), "deploy/Caddyfile has no {old:?}");
            text.replace(old, new)
        });
        let file = folder.path().join("Caddyfile");
        std::fs::write(&file, config).expect("a file");
        let child = Command::new("caddy")
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(&file)
            .env("HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .stdout(Stdio::null())
            .stderr(if std::env::var_os("HEADCOUNT_TEST_LOGS").is_some() {
                Stdio::inherit()
            } else {
                Stdio::null()
            })
            .spawn()
            .expect("caddy");
        let caddy = Self {
            child,
            address: ([127, 0, 0, 1], port).into(),
            _folder: folder,
        };
        caddy.is_ready().await;
        caddy
    }

    async fn is_ready(&self) {
        ready(self.address).await;
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn ready(address: SocketAddr) {
    let ready = async {
        while try_call(address, "GET", "/health/ready")
            .await
            .is_none_or(|answer| answer.status != 200)
        {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(TIMEOUT, ready)
        .await
        .unwrap_or_else(|_| panic!("{address} is not ready"));
}

/// What all watchers saw together.
#[derive(Default)]
struct Seen {
    /// Revision to headcount: all watchers must agree.
    counts: Mutex<HashMap<i64, i64>>,
    /// When a stream began.
    opened: Mutex<Vec<Instant>>,
    wrong: Mutex<Vec<String>>,
    /// Each watcher's newest revision.
    newest: Vec<AtomicI64>,
}

async fn watch(address: SocketAddr, me: usize, seen: Arc<Seen>) {
    let path = format!("/api/v1/events/{SLUG}/stream");
    let (mut position, mut retry) = (None, 1_000);
    loop {
        let mut first = true;
        let ended = stream(address, &path, position.clone(), |event| {
            if std::mem::take(&mut first) {
                seen.opened.lock().expect("no panic").push(Instant::now());
            }
            retry = event.retry.unwrap_or(retry);
            if event.name != "count" {
                return;
            }
            let count = event.json();
            position.clone_from(&event.id);
            let (revision, registered) = (
                count["revision"].as_i64().expect("a number"),
                count["registered"].as_i64().expect("a number"),
            );
            let known = *seen
                .counts
                .lock()
                .expect("no panic")
                .entry(revision)
                .or_insert(registered);
            let before = seen.newest[me].swap(revision, Ordering::SeqCst);
            if known != registered || before > revision || !count["stale_since"].is_null() {
                seen.wrong
                    .lock()
                    .expect("no panic")
                    .push(format!("{count} after {before}, elsewhere {known}"));
            }
        });
        // A browser knows no difference between a clean end and an error, but gives up on any
        // status but 200.
        if let Err(error) = ended.await
            && error.kind() == std::io::ErrorKind::Other
        {
            seen.wrong
                .lock()
                .expect("no panic")
                .push(format!("a stream was refused: {error}"));
        }
        sleep(Duration::from_millis(retry)).await;
    }
}

/// Registers people without retries; returns how many, and what failed.
async fn register(address: SocketAddr, stop: Arc<AtomicBool>) -> (i64, Vec<String>) {
    let (begun, mut registered, mut failed) = (Instant::now(), 0, Vec::new());
    while !stop.load(Ordering::SeqCst) {
        let n = registered + i64::try_from(failed.len()).expect("few");
        match try_register(
            address,
            SLUG,
            &format!("person-{n}@example.org"),
            &format!("key-{n}"),
        )
        .await
        {
            Some(answer) if answer.status == 201 => registered += 1,
            other => failed.push(format!("after {:?}: {other:?}", begun.elapsed())),
        }
        sleep(PACE).await;
    }
    (registered, failed)
}

/// One of the first nodes.
fn first(url: &str) -> Process {
    match std::env::var_os("HEADCOUNT_TEST_OLD") {
        Some(old) => Process::spawn(Command::new(old), url, &FLAGS),
        None => Process::start(url, &FLAGS),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_deploy_of_three_nodes_loses_no_watcher_and_no_registration() {
    let url = shared().new_database().await;
    let mut nodes: Vec<Process> = (0..3).map(|_| first(&url)).collect();
    let event = json!({ "slug": SLUG, "title": "Gala", "capacity": null });
    assert_eq!(
        organise(nodes[0].address, "POST", "/api/v1/events", &event)
            .await
            .status,
        201
    );
    for node in &nodes {
        while try_call(node.address, "GET", &format!("/api/v1/events/{SLUG}"))
            .await
            .is_none_or(|answer| answer.status != 200)
        {
            sleep(Duration::from_millis(50)).await;
        }
    }
    let addresses: Vec<SocketAddr> = nodes.iter().map(|node| node.address).collect();
    let caddy = Caddy::start(&addresses).await;
    let seen = Arc::new(Seen {
        newest: (0..watchers()).map(|_| AtomicI64::new(0)).collect(),
        ..Seen::default()
    });
    let mut crowd = tokio::task::JoinSet::new();
    for me in 0..watchers() {
        crowd.spawn(watch(caddy.address, me, Arc::clone(&seen)));
    }
    all_at(&seen, 1).await;
    let stop = Arc::new(AtomicBool::new(false));
    let registering = tokio::spawn(register(caddy.address, Arc::clone(&stop)));

    let (mut worst, mut allowed) = (0.0_f64, f64::INFINITY);
    for at in 0..nodes.len() {
        let begun = Instant::now();
        let mut old = nodes.remove(at);
        old.signal("TERM");
        let (address, status) = headcount::context::blocking::run((), move || {
            (old.address, old.child.wait().expect("it ends"))
        })
        .await
        .expect("no panic");
        assert_eq!(status.code(), Some(0));
        nodes.insert(
            at,
            Process::start(
                &url,
                &[&FLAGS[..], &["--listen", &address.to_string()]].concat(),
            ),
        );
        ready(address).await;
        // Until the last of its watchers is back: 80 % of the drain, and 4 s at most.
        sleep((DRAIN + Duration::from_secs(4)).saturating_sub(begun.elapsed())).await;
        let opened: Vec<f64> = seen
            .opened
            .lock()
            .expect("no panic")
            .iter()
            .filter(|at| **at > begun)
            .map(|at| (*at - begun).as_secs_f64())
            .collect();
        let (peak, average) = peak(&opened);
        println!(
            "node {at}: {} watchers came back over {:.1} s; peak {peak:.0} a second, average \
            {average:.1}, ratio {:.2}",
            opened.len(),
            span(&opened),
            peak / average
        );
        worst = worst.max(peak / average);
        // Clients return at random times, so some seconds have more of them. A thundering herd
        // returns within one second.
        allowed = allowed.min(
            2.0 + if watchers() < 1_000 {
                4.0 / average.sqrt()
            } else {
                0.0
            },
        );
    }
    stop.store(true, Ordering::SeqCst);
    let (registered, failed) = registering.await.expect("no panic");
    assert!(
        failed.is_empty(),
        "{} of {} registrations failed: {failed:?}",
        failed.len(),
        registered
    );
    let newest = try_call(nodes[0].address, "GET", &format!("/api/v1/events/{SLUG}"))
        .await
        .expect("an answer")
        .json();
    assert_eq!(
        newest["registered"].as_i64(),
        Some(registered),
        "each has one place"
    );
    all_at(&seen, newest["revision"].as_i64().expect("a number")).await;
    let wrong = seen.wrong.lock().expect("no panic");
    assert!(
        wrong.is_empty(),
        "{} wrong: {:?}",
        wrong.len(),
        &wrong[..wrong.len().min(5)]
    );
    println!(
        "{} watchers, {registered} registrations, none failed; the worst peak is {worst:.2} times \
        the average",
        watchers()
    );
    assert!(
        worst <= allowed,
        "the returns peak at {worst:.2} times their average"
    );
}

/// Every watcher has that revision.
async fn all_at(seen: &Seen, revision: i64) {
    let all = async {
        while seen
            .newest
            .iter()
            .any(|newest| newest.load(Ordering::SeqCst) < revision)
        {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TIMEOUT, all).await.unwrap_or_else(|_| {
        panic!(
            "not everybody is at {revision}; wrong: {:?}",
            seen.wrong.lock().expect("no panic").first()
        )
    });
}

fn span(opened: &[f64]) -> f64 {
    let first = opened.iter().copied().fold(f64::INFINITY, f64::min);
    opened.iter().copied().fold(0.0, f64::max) - first
}

/// The most in any second, and the average a second from the first to the last.
#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn peak(opened: &[f64]) -> (f64, f64) {
    let most = opened
        .iter()
        .map(|begin| {
            opened
                .iter()
                .filter(|at| (*begin..begin + 1.0).contains(*at))
                .count()
        })
        .max()
        .unwrap_or(0);
    (most as f64, opened.len() as f64 / span(opened).max(1.0))
}
