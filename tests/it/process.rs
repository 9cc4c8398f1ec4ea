//! The real binary: killed, restarted, asked to stop.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use super::support::app::{call, organise, register};
use super::support::postgres;
use super::support::process::Process;
use super::support::sqlite::File;
use super::support::sse::Stream;
use super::support::wire::Wire;

/// Rounds of killing in the ordinary run; the long run sets more.
fn rounds() -> u32 {
    std::env::var("HEADCOUNT_TEST_KILLS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_no_acknowledged_registration_on_sqlite() {
    let file = File::new();
    killed_again_and_again(&file.text()).await;
    let check = Command::new("python3")
        .args([
            "-c",
            "import sqlite3,sys\n\
             rows = sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check')\n\
             print(rows.fetchone()[0])",
        ])
        .arg(file.path())
        .output()
        .expect("python3 runs");
    assert_eq!(String::from_utf8_lossy(&check.stdout).trim(), "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_no_acknowledged_registration_on_postgres() {
    killed_again_and_again(&postgres::shared().new_database().await).await;
}

async fn killed_again_and_again(url: &str) {
    let mut acknowledged = Vec::new();
    let mut revision = 0;
    let mut created = false;
    for round in 0..rounds() {
        let process = Process::start(url, &[]);
        let address = process.address;
        if !created {
            let event = json!({ "slug": "crash", "title": "Crash", "capacity": null });
            assert_eq!(
                organise(address, "POST", "/api/v1/events", &event)
                    .await
                    .status,
                201
            );
            created = true;
        }
        check(address, &acknowledged, revision).await;
        let stop = Arc::new(AtomicBool::new(false));
        let clients: Vec<_> = (0..8)
            .map(|client| {
                tokio::spawn(load(
                    address,
                    format!("{round}-{client}"),
                    Arc::clone(&stop),
                ))
            })
            .collect();
        // A random moment under load is the subject of the test. It does not wait for readiness.
        tokio::time::sleep(Duration::from_millis(rand::random_range(30..250))).await;
        process.signal("KILL");
        stop.store(true, Ordering::SeqCst);
        for client in clients {
            let (mine, newest) = client.await.expect("no client panics");
            acknowledged.extend(mine);
            revision = revision.max(newest);
        }
    }
    assert!(
        acknowledged.len() > 10,
        "the load was served: {}",
        acknowledged.len()
    );
    let process = Process::start(url, &[]);
    check(process.address, &acknowledged, revision).await;
    println!(
        "{} acknowledged registrations survived {} kills",
        acknowledged.len(),
        rounds()
    );
}

/// Registers people on one connection until the server dies; returns the tokens that it got, and
/// the newest revision.
pub(crate) async fn load(
    address: SocketAddr,
    tag: String,
    stop: Arc<AtomicBool>,
) -> (Vec<(String, u64)>, i64) {
    let (mut mine, mut newest) = (Vec::new(), 0);
    let Ok(mut wire) = Wire::try_connect(address).await else {
        return (mine, newest);
    };
    for n in 0.. {
        let body = json!({ "name": "Ada", "email": format!("{tag}-{n}@example.org") }).to_string();
        let request = format!(
            "POST /api/v1/events/crash/registrations HTTP/1.1\r\nhost: test\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let Some((head, body)) = wire.try_exchange(request.as_bytes()).await else {
            break;
        };
        if !head.starts_with("http/1.1 201") {
            break;
        }
        let receipt: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        mine.push((
            receipt["token"].as_str().expect("a token").to_owned(),
            receipt["number"].as_u64().expect("a number"),
        ));
        let position = receipt["position"].as_str().expect("a position");
        newest = newest.max(
            position
                .rsplit_once('-')
                .expect("a revision")
                .1
                .parse()
                .expect("a number"),
        );
        if stop.load(Ordering::SeqCst) {
            break;
        }
    }
    (mine, newest)
}

/// Everything acknowledged is stored, and the revisions continue.
async fn check(address: SocketAddr, acknowledged: &[(String, u64)], revision: i64) {
    let count = call(address, "GET", "/api/v1/events/crash", &[], "")
        .await
        .json();
    assert!(
        count["revision"].as_i64() >= Some(revision),
        "the revisions go on: {count} after {revision}"
    );
    assert!(
        count["registered"].as_u64() >= Some(acknowledged.len() as u64),
        "{count}: {} were acknowledged",
        acknowledged.len()
    );
    let mut numbers = std::collections::HashSet::new();
    // The newest ones can be missing; the older ones were looked at in the rounds before.
    for (token, number) in acknowledged.iter().rev().take(200) {
        let answer = call(
            address,
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
        assert!(numbers.insert(*number), "number {number} was given twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_says_goodbye_and_ends_with_0() {
    let file = File::new();
    let mut process = Process::start(&file.text(), &["--drain", "2s"]);
    assert!(
        process.lines.iter().any(|line| line.contains("password")),
        "the first start prints a password: {:?}",
        process.lines
    );
    let mut stream = Stream::open_at(process.address, "/api/v1/events/welcome/stream", "").await;
    stream.next("count").await;
    process.signal("TERM");
    let bye = stream.next("bye").await;
    assert_eq!(bye.json()["reason"], "drain");
    assert!(bye.retry.is_some_and(|retry| retry > 0));
    assert!(stream.block().await.is_none(), "a clean end follows");
    let status =
        headcount::context::blocking::run((), move || process.child.wait().expect("it ends"))
            .await
            .expect("no panic");
    assert_eq!(status.code(), Some(0));

    let again = Process::start(&file.text(), &[]);
    assert!(
        !again.lines.iter().any(|line| line.contains("password")),
        "only the first start prints a password: {:?}",
        again.lines
    );
}

/// A file that may not grow stands for a full disk: the limit can be lifted from outside while the
/// server runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_reported_and_recovers_without_a_restart() {
    let file = File::new();
    // The first start lays the file out; the limit then stops the write-ahead log from growing.
    drop(Process::start(&file.text(), &[]));
    let mut limited = Command::new("sh");
    limited.args([
        "-c",
        "trap '' XFSZ; ulimit -S -f 1000; exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_headcount"),
    ]);
    let process = Process::spawn(limited, &file.text(), &[]);
    let address = process.address;
    let mut stream = Stream::open_at(address, "/api/v1/events/welcome/stream", "").await;
    stream.next("count").await;
    let event = json!({ "slug": "disk", "title": "Disk", "capacity": null });
    assert_eq!(
        organise(address, "POST", "/api/v1/events", &event)
            .await
            .status,
        201
    );
    let mut tokens = Vec::new();
    let full = loop {
        let n = tokens.len();
        assert!(n < 20_000, "the limit is never met");
        let answer = register(address, "disk", "Ada", &format!("ada-{n}@example.org")).await;
        match answer.status {
            201 => tokens.push(answer.json()["token"].as_str().expect("a token").to_owned()),
            _ => break answer,
        }
    };
    assert_eq!(
        (full.status, full.code().as_str()),
        (503, "database-unreachable"),
        "{}",
        full.body
    );
    assert!(full.header("retry-after").is_some());
    // Live views continue.
    let count = call(address, "GET", "/api/v1/events/disk", &[], "")
        .await
        .json();
    assert_eq!(count["registered"].as_u64(), Some(tokens.len() as u64));

    let lifted = Command::new("prlimit")
        .args([
            "--fsize=unlimited",
            "--pid",
            &process.child.id().to_string(),
        ])
        .status();
    assert!(lifted.expect("prlimit runs").success());
    let again = register(address, "disk", "Grace", "grace@example.org").await;
    assert_eq!(again.status, 201, "{}", again.body);
    assert_eq!(
        again.json()["number"].as_u64(),
        Some(tokens.len() as u64 + 1),
        "no number was lost"
    );
    for token in tokens.iter().rev().take(50) {
        assert_eq!(
            call(
                address,
                "GET",
                &format!("/api/v1/registrations/{token}"),
                &[],
                ""
            )
            .await
            .status,
            200
        );
    }
}

/// A supervisor speaks `sd_notify(3)`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_supervisor_hears_when_the_server_is_ready_lives_and_stops() {
    let (file, folder) = (File::new(), tempfile::tempdir().unwrap());
    let path = folder.path().join("notify");
    let supervisor = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    supervisor
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let hear = || {
        let mut state = [0; 64];
        let length = supervisor.recv(&mut state).expect("a datagram in time");
        String::from_utf8_lossy(&state[..length]).into_owned()
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    command
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000");
    let process = Process::spawn(command, &file.text(), &[]);
    let first: Vec<String> = (0..2).map(|_| hear()).collect();
    assert!(first.contains(&"READY=1".to_owned()), "{first:?}");
    let ready = call(process.address, "GET", "/health/ready", &[], "").await;
    assert_eq!(ready.status, 200);
    for _ in 0..3 {
        assert_eq!(hear(), "WATCHDOG=1");
    }
    process.signal("TERM");
    while hear() != "STOPPING=1" {}
    assert_eq!(process.exit_code(), Some(0));
}
