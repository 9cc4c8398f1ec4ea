//! SQLite's file: invalid paths, and a file that is removed while it is open.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::support::app::{self, App};
use crate::support::sqlite::File;

/// A node must be unready within this time after its file was removed.
const NOTICED: Duration = Duration::from_secs(3);

fn with_suffix(file: &File, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.path().display()))
}

/// Ways to remove the file: a name, and what does it.
type Loss = (&'static str, fn(&File));
const LOSSES: [Loss; 4] = [
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
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_file_stores_nothing_more() {
    for (how, lose) in LOSSES {
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
        assert!(stage.store.event_by_id(event.id).await.is_err(), "{how}");
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
    for (how, lose) in LOSSES {
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
