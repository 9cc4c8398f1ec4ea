//! Backups that a server makes at regular times.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use headcount::store::backup::verify;
use headcount::store::copy::copy;

use super::{names, url};
use crate::copying::rows::dump;
use crate::support::app::{call, register};
use crate::support::port::free_address;
use crate::support::process::Process;
use crate::support::sqlite::File;

/// Long enough on a busy machine; no test waits for it to pass.
const TIMEOUT: Duration = Duration::from_secs(30);

async fn until<T>(what: &str, mut found: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(begun.elapsed() < TIMEOUT, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn backups(folder: &Path) -> Vec<PathBuf> {
    let complete = |name: &String| name.starts_with("headcount-") && name.ends_with("Z.db");
    let names = names(folder).into_iter().filter(complete);
    names.map(|name| folder.join(name)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_backs_itself_up_and_keeps_the_newest() {
    let (file, folder) = (File::new(), tempfile::tempdir().unwrap());
    let to = folder.path().to_str().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    std::fs::write(
        folder.path().join("headcount-20200101T000000Z.db.partial"),
        "",
    )
    .unwrap();
    let metrics = free_address();
    let scraped = metrics.to_string();
    let flags = [
        "--backup-to",
        to,
        "--backup-every",
        "1s",
        "--backup-keep",
        "2",
        "--metrics-listen",
        &scraped,
    ];
    let process = Process::start(&file.text(), &flags);
    assert!(
        process
            .lines
            .iter()
            .any(|line| line.starts_with("Backups") && line.contains(to)),
        "{:?}",
        process.lines
    );
    let first = until("a backup", async || backups(folder.path()).first().cloned()).await;
    let made = register(process.address, "welcome", "Ada", "ada@example.org").await;
    assert_eq!(made.status, 201);
    // Three more: one begins after the answer, and the first is removed.
    until("a removed backup", async || (!first.exists()).then_some(())).await;
    let second = backups(folder.path()).pop().unwrap();
    until("another backup", async || {
        backups(folder.path())
            .pop()
            .filter(|newest| *newest > second)
    })
    .await;
    let written = until("a metric", async || {
        let scrape = call(metrics, "GET", "/metrics", &[], "").await.body;
        let line = "headcount_backups_total{outcome=\"written\"} ";
        let count = scrape
            .lines()
            .find_map(|found| found.strip_prefix(line)?.parse::<u32>().ok());
        assert!(
            scrape.contains("headcount_backups_total{outcome=\"failed\"} 0"),
            "{scrape}"
        );
        count.filter(|count| *count >= 3)
    })
    .await;
    assert!(written >= 3);
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
    let left = backups(folder.path());
    assert!((2..=3).contains(&left.len()), "{left:?}");
    let other: Vec<_> = names(folder.path())
        .into_iter()
        .filter(|name| !name.ends_with("Z.db"))
        .collect();
    assert_eq!(
        other,
        ["notes.txt"],
        "nothing else is removed, and nothing is left half"
    );
    for backup in &left {
        let report = verify(backup).await;
        assert!(report.is_sound(), "{}", report.faults());
        let restored = File::new();
        copy(&url(backup), &restored.url(), |_| {}).await.unwrap();
        let rows = dump(&restored.url()).await;
        assert!(
            rows.iter().any(|row| row.contains("ada@example.org")),
            "{rows:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_that_fails_is_counted_and_the_server_goes_on() {
    let (file, folder) = (File::new(), tempfile::tempdir().unwrap());
    let (metrics, to) = (free_address(), folder.path().join("backups"));
    std::fs::create_dir(&to).unwrap();
    let scraped = metrics.to_string();
    let flags = [
        "--backup-to",
        to.to_str().unwrap(),
        "--backup-every",
        "1s",
        "--metrics-listen",
        &scraped,
    ];
    let process = Process::start(&file.text(), &flags);
    until("a backup", async || backups(&to).first().cloned()).await;
    // Somebody unmounts the disk.
    std::fs::rename(&to, folder.path().join("elsewhere")).unwrap();
    let failed = async || {
        let scrape = call(metrics, "GET", "/metrics", &[], "").await.body;
        let line = "headcount_backups_total{outcome=\"failed\"} ";
        scrape
            .lines()
            .find_map(|found| found.strip_prefix(line)?.parse::<u32>().ok())
    };
    until("a counted failure", async || {
        failed().await.filter(|count| *count > 0)
    })
    .await;
    let made = register(process.address, "welcome", "Ada", "ada@example.org").await;
    assert_eq!(made.status, 201);
    std::fs::create_dir(&to).unwrap();
    until("the next backup", async || backups(&to).first().cloned()).await;
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
}
