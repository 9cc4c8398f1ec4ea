//! SQLite's file: invalid paths, and a file that is removed or damaged while it is open.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sqlx::{ConnectOptions as _, Executor as _};

use super::*;
use crate::support::app::{self, App};
use crate::support::process::Process;
use crate::support::sqlite::File;

/// A node must be unready within this time after its file was removed.
const NOTICED: Duration = Duration::from_secs(3);

fn with_suffix(file: &File, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.path().display()))
}

/// Ways to remove the file: a name, and what does it.
type Loss = (&'static str, fn(&File));
const REMOVALS: [Loss; 5] = [
    ("removed", |file| std::fs::remove_file(file.path()).unwrap()),
    ("moved", |file| {
        std::fs::rename(file.path(), with_suffix(file, ".moved")).unwrap();
    }),
    ("replaced", |file| {
        let copy = with_suffix(file, ".copy");
        std::fs::copy(file.path(), &copy).unwrap();
        std::fs::rename(copy, file.path()).unwrap();
    }),
    ("without its log", |file| {
        std::fs::remove_file(with_suffix(file, "-wal")).unwrap();
    }),
    ("without its index", |file| {
        std::fs::remove_file(with_suffix(file, "-shm")).unwrap();
    }),
];
/// Ways to damage it. What a reader has cached may still be read.
const TRUNCATIONS: [Loss; 4] = [
    ("with an empty log", |file| {
        truncate(&with_suffix(file, "-wal"), |_| 0);
    }),
    ("with half a log", |file| {
        truncate(&with_suffix(file, "-wal"), |length| length / 2);
    }),
    ("with a log that lacks a byte", |file| {
        truncate(&with_suffix(file, "-wal"), |length| length - 1);
    }),
    ("emptied", |file| truncate(&file.path(), |_| 0)),
];

/// Makes a file shorter, and the same file.
fn truncate(path: &Path, to: impl Fn(u64) -> u64) {
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(to(length)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_file_stores_nothing_more() {
    for (how, lose) in REMOVALS.into_iter().chain(TRUNCATIONS) {
        let file = File::new();
        let stage = Stage::set(file.url()).await;
        let event = stage.event("gala", None, false).await;
        stage.registers(event.id, "ada").await;
        lose(&file);
        let failed = stage
            .store
            .commit(event.id, &[register("bob")], &Clock::System)
            .await;
        let Err(StoreError::Unreachable(error)) = failed else {
            panic!("{how}: {failed:?}");
        };
        assert!(error.to_string().contains("headcount.db"), "{how}: {error}");
        assert!(stage.store.ping().await.is_err(), "{how}");
        assert!(stage.store.heads().await.is_err(), "{how}");
        let read = stage.store.event_by_id(event.id).await;
        let is_removed = REMOVALS.iter().any(|(removed, _)| *removed == how);
        assert!(read.is_err() || !is_removed, "{how}: {read:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_put_back_serves_again() {
    let file = File::new();
    let stage = Stage::set(file.url()).await;
    let event = stage.event("gala", None, false).await;
    let away = with_suffix(&file, ".away");
    std::fs::rename(file.path(), &away).unwrap();
    assert!(stage.store.ping().await.is_err());
    std::fs::rename(&away, file.path()).unwrap();
    stage.store.ping().await.unwrap();
    stage.registers(event.id, "ada").await;
    stage.check(event.id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_its_file_is_not_ready_and_registers_nobody() {
    for (how, lose) in REMOVALS.into_iter().chain(TRUNCATIONS) {
        let file = File::new();
        let running = App::on(&file.text(), &[], Clock::System).await;
        let ready = app::call(running.address, "GET", "/health/ready", &[], "").await;
        assert_eq!(ready.status, 200, "{}", ready.body);
        lose(&file);
        let answer = app::register(running.address, "welcome", "Ada", "ada@example.org").await;
        assert_eq!(answer.status, 503, "{how}: {}", answer.body);
        assert_eq!(answer.code(), "database-unreachable", "{how}");
        let lost = Instant::now();
        while app::call(running.address, "GET", "/health/ready", &[], "")
            .await
            .status
            != 503
        {
            assert!(lost.elapsed() < NOTICED, "{how}: ready for too long");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let count = "/api/v1/events/welcome";
        loop {
            let body: Value = app::call(running.address, "GET", count, &[], "")
                .await
                .json();
            if !body["stale_since"].is_null() {
                break;
            }
            assert!(lost.elapsed() < NOTICED, "{how}: live for too long: {body}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        running.stop().await;
    }
}

/// A log that was truncated in the moment of a commit has a hole; its length shows nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_with_a_hole_stores_nothing_more() {
    let file = File::new();
    let stage = Stage::set(file.url()).await;
    let event = stage.event("gala", None, false).await;
    stage.registers(event.id, "ada").await;
    let log = with_suffix(&file, "-wal");
    let length = log.metadata().unwrap().len();
    truncate(&log, |_| 0);
    truncate(&log, |_| length + 4_096);
    assert!(stage.store.ping().await.is_err());
    let failed = stage
        .store
        .commit(event.id, &[register("bob")], &Clock::System)
        .await;
    assert!(
        matches!(failed, Err(StoreError::Unreachable(_))),
        "{failed:?}"
    );
}

/// What backup programs and `sqlite3` do to a database that is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_another_process_folds_in_and_a_file_that_it_shrinks_are_no_loss() {
    let file = File::new();
    let stage = Stage::set(file.url()).await;
    let event = stage.event("gala", None, false).await;
    let DatabaseUrl::Sqlite(options) = file.url() else {
        panic!("a SQLite file");
    };
    // As another process: through a connection that the store does not know.
    let mut other = options.connect().await.unwrap();
    let length = |suffix: &str| with_suffix(&file, suffix).metadata().unwrap().len();
    for round in 0..3 {
        for n in 0..40 {
            stage
                .registers(event.id, &format!("person-{round}-{n}"))
                .await;
        }
        stage.store.ping().await.unwrap();
        let before = length("-wal");
        assert!(before > 0);
        other
            .execute("PRAGMA wal_checkpoint(TRUNCATE)")
            .await
            .unwrap();
        assert_eq!(length("-wal"), 0, "it was {before}");
        stage.store.ping().await.unwrap();
        stage.registers(event.id, &format!("after-{round}")).await;
        let before = length("");
        let filler = "CREATE TABLE filler AS WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL \
                      SELECT i + 1 FROM n WHERE i < 200) SELECT hex(randomblob(2000)) AS x FROM n";
        for statement in [
            filler,
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "DROP TABLE filler",
            "VACUUM",
            "PRAGMA wal_checkpoint(TRUNCATE)",
        ] {
            other.execute(statement).await.unwrap();
            stage.store.ping().await.expect(statement);
        }
        assert!(length("") < before + 200 * 2_000, "it has shrunk");
        stage.registers(event.id, &format!("smaller-{round}")).await;
        stage.store.ping().await.unwrap();
    }
    stage.check(event.id).await;
}

/// Something writes over the file that SQLite has open: a restore into a running server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_file_is_overwritten_is_not_ready_and_registers_nobody() {
    let file = File::new();
    // Stopped once, so that what there is stands in the file and not in the log.
    App::on(&file.text(), &[], Clock::System).await.stop().await;
    let running = App::on(&file.text(), &[], Clock::System).await;
    let ready = app::call(running.address, "GET", "/health/ready", &[], "").await;
    assert_eq!(ready.status, 200, "{}", ready.body);
    let length = file.path().metadata().unwrap().len();
    {
        use std::io::Write as _;
        let mut over = std::fs::OpenOptions::new()
            .write(true)
            .open(file.path())
            .unwrap();
        over.write_all(&vec![b'x'; usize::try_from(length).unwrap()])
            .unwrap();
    }
    let lost = Instant::now();
    for n in 0.. {
        let email = format!("ada-{n}@example.org");
        let answer = app::register(running.address, "welcome", "Ada", &email).await;
        if answer.status == 503 && answer.code() == "database-unreachable" {
            break;
        }
        assert!(
            lost.elapsed() < NOTICED,
            "{} {}",
            answer.status,
            answer.body
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    while app::call(running.address, "GET", "/health/ready", &[], "")
        .await
        .status
        != 503
    {
        assert!(lost.elapsed() < NOTICED, "ready for too long");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // It stays so: a later read that succeeds by chance proves nothing.
    for n in 0..20 {
        let email = format!("bob-{n}@example.org");
        let answer = app::register(running.address, "welcome", "Bob", &email).await;
        assert_eq!(answer.status, 503, "{}", answer.body);
    }
    running.stop().await;
}

/// SQLite keeps the index in memory that it shares through the file. A process of its own, because
/// reading behind the end of such a file kills it. Either way nothing that was answered is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_truncated_index_loses_nothing_that_was_answered() {
    let file = File::new();
    let mut server = Process::start(&file.text(), &[]);
    let answer = app::register(server.address, "welcome", "Ada", "ada@example.org").await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    truncate(&with_suffix(&file, "-shm"), |_| 0);
    let lost = Instant::now();
    loop {
        let ready = app::try_call(server.address, "GET", "/health/ready").await;
        if ready.is_none_or(|ready| ready.status == 503) {
            break;
        }
        assert!(lost.elapsed() < NOTICED, "ready for too long");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let bob = app::try_register(server.address, "welcome", "bob@example.org", "bob").await;
    assert!(bob.is_none_or(|bob| bob.status == 503));
    server.signal("TERM");
    server.child.wait().expect("it ends");
    let server = Process::start(&file.text(), &[]);
    let count = app::call(server.address, "GET", "/api/v1/events/welcome", &[], "").await;
    assert_eq!(count.json()["registered"], 1, "{}", count.body);
}

/// Opening fails at once, with the reason.
#[tokio::test]
async fn a_file_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    // Nobody can write there, not even root.
    for (path, reason) in [
        (directory.path(), "is a directory"),
        (Path::new("/sys/headcount.db"), "/sys"),
        (Path::new("/proc/headcount.db"), "/proc"),
    ] {
        let url: DatabaseUrl = format!("sqlite://{}", path.display()).parse().unwrap();
        let begun = Instant::now();
        let failed = Store::open(&url, None).await.unwrap_err();
        assert!(failed.to_string().contains(reason), "{failed}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{failed}");
    }
}
