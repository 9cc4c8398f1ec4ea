//! The canary, a node's own watcher, in its metrics.

use std::process::Command;

use super::*;
use crate::support::app::register;
use crate::support::port::free_address;
use crate::support::sqlite::File;

/// The value of the metric whose line starts with `name`.
fn value(metrics: &str, name: &str) -> Option<f64> {
    metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// Polls until the metrics are as wanted.
async fn measured(address: SocketAddr, wanted: impl Fn(&str) -> bool) -> String {
    let mut last = String::new();
    let asking = async {
        loop {
            last = call(address, "GET", "/metrics", &[], "").await.body;
            if wanted(&last) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let asked = timeout(TIMEOUT, asking).await;
    assert!(asked.is_ok(), "not in these metrics:\n{last}");
    last
}

const UP: &str = "headcount_canary_up";
const RECEIPTS: &str = "headcount_commit_to_receipt_seconds_count";
const DRIFT: &str = "headcount_drift{event=\"welcome\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_watches_itself_and_is_no_watcher() {
    let (file, metrics) = (File::new(), free_address());
    let node = Process::start(
        &file.text(),
        &["--metrics-listen", &metrics.to_string(), "--drain", "60s"],
    );
    measured(metrics, |metrics| value(metrics, UP) == Some(1.0)).await;
    for n in 1..=3_u32 {
        assert_eq!(
            register(
                node.address,
                "welcome",
                "Ada",
                &format!("ada{n}@example.org")
            )
            .await
            .status,
            201
        );
        // One at a time, because commits within a publish interval are one count.
        measured(metrics, |metrics| {
            value(metrics, RECEIPTS) == Some(f64::from(n))
        })
        .await;
    }
    let seen = measured(metrics, |metrics| value(metrics, DRIFT) == Some(0.0)).await;
    assert!(
        seen.contains("headcount_commit_to_receipt_seconds_bucket{le=\"0.05\"}"),
        "{seen}"
    );
    // It is connected, but does not count as a watcher.
    assert_eq!(
        value(&seen, "headcount_watchers{transport=\"sse\"}"),
        Some(0.0),
        "{seen}"
    );
    let mut person = Stream::open_at(node.address, "/api/v1/events/welcome/stream", "").await;
    watching(&mut person, 1).await;
    drop(person);

    // Its event is deleted, and another one is created.
    let other = json!({ "slug": "other", "title": "Other", "capacity": null });
    assert_eq!(
        organise(node.address, "POST", "/api/v1/events", &other)
            .await
            .status,
        201
    );
    assert_eq!(
        organise(
            node.address,
            "DELETE",
            "/api/v1/events/welcome?confirm=welcome",
            &json!(null)
        )
        .await
        .status,
        204
    );
    let mut person = 0;
    let followed = async {
        while value(
            &call(metrics, "GET", "/metrics", &[], "").await.body,
            RECEIPTS,
        ) < Some(4.0)
        {
            person += 1;
            register(
                node.address,
                "other",
                "Bob",
                &format!("bob{person}@example.org"),
            )
            .await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(TIMEOUT, followed)
        .await
        .expect("the canary follows the other event");

    // It does not delay a drain.
    let began = Instant::now();
    node.signal("TERM");
    while tokio::net::TcpStream::connect(metrics).await.is_ok() {
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "nobody is connected, and yet the drain takes its window"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_reaches_a_node_that_speaks_tls_on_every_address() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (
        directory.path().join("certificate.pem"),
        directory.path().join("key.pem"),
    );
    // A self-signed certificate for another machine's name.
    let own = rcgen::generate_simple_self_signed(["events.example.org".to_owned()]).unwrap();
    std::fs::write(&certificate, own.cert.pem()).unwrap();
    std::fs::write(&key, own.signing_key.serialize_pem()).unwrap();
    let (file, metrics, public) = (File::new(), free_address(), free_address());
    let mut node = Command::new(env!("CARGO_BIN_EXE_headcount"))
        .args([
            "--listen",
            &format!("[::]:{}", public.port()),
            "--metrics-listen",
            &metrics.to_string(),
            "--database-url",
            &file.text(),
        ])
        .arg("--tls-cert")
        .arg(&certificate)
        .arg("--tls-key")
        .arg(&key)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let listening = async move {
        while tokio::net::TcpStream::connect(metrics).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let up = async move {
        timeout(TIMEOUT, listening).await.expect("the metrics");
        measured(metrics, |metrics| value(metrics, UP) == Some(1.0)).await
    };
    let up = tokio::spawn(up).await;
    node.kill().unwrap();
    node.wait().unwrap();
    assert!(up.is_ok(), "the canary follows the stream");
}
