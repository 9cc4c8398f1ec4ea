//! Makes regular backups and keeps the newest ones.
//!
//! A backup that fails is logged, counted and tried again; the server goes on. Old backups are
//! removed only after a new one was written and every check of it passed, so a damaged database
//! never displaces good copies. Only files with a name that this module gives are removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tokio::time::sleep;

use super::config::Backups;
use crate::context::blocking;
use crate::domain::clock::{Clock, Timestamp};
use crate::store::DatabaseUrl;
use crate::store::backup::{BackupError, PARTIAL, Report, backup};

/// The counter of backups, by outcome.
pub(super) const TOTAL: &str = "headcount_backups_total";
/// Written, and every check passed.
pub(super) const WRITTEN: &str = "written";
/// Not written, or a check found a fault.
pub(super) const FAILED: &str = "failed";
/// The pause after a failure: soon enough after a short outage, and no flood of log lines.
const RETRY: Duration = Duration::from_mins(1);

/// Writes a backup whenever the newest is older than the plan says. Runs until it is dropped.
pub(super) async fn run(plan: Backups, database: DatabaseUrl, clock: Clock) {
    let folder = plan.folder.clone();
    // What an earlier process left when it was killed. It holds names and addresses.
    aside(move || remove_partials(&folder)).await;
    loop {
        sleep(due(&plan, &clock).await).await;
        let file = plan.folder.join(name(clock.now()));
        let outcome = match backup(&database, &file).await {
            Ok(report) if report.is_sound() => {
                tracing::info!(file = %file.display(), "backup written");
                prune(&plan).await;
                WRITTEN
            }
            Ok(report) => {
                faulty(&file, &report);
                FAILED
            }
            Err(error) => {
                failed(&plan, &error);
                FAILED
            }
        };
        metrics::counter!(TOTAL, "outcome" => outcome).increment(1);
        if outcome == FAILED {
            sleep(RETRY.min(plan.every)).await;
        }
    }
}

/// Runs blocking work on the folder, which may be on a slow network. It needs no permit, because this
/// task does one thing at a time.
fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Option<T>> {
    blocking::run((), work)
}

fn faulty(file: &Path, report: &Report) {
    tracing::error!(
        file = %file.display(),
        faults = report.faults(),
        "backup written, but the database has faults; older backups are kept"
    );
}

fn failed(plan: &Backups, error: &BackupError) {
    tracing::error!(%error, folder = %plan.folder.display(), "backup failed; trying again");
}

/// How long to wait until the next backup.
async fn due(plan: &Backups, clock: &Clock) -> Duration {
    let folder = plan.folder.clone();
    let newest = aside(move || {
        let newest = own(&folder).ok()?.pop()?;
        let written = newest.metadata().and_then(|file| file.modified()).ok()?;
        let since = written.duration_since(UNIX_EPOCH).ok()?.as_millis();
        Some(Timestamp::from_millis(i64::try_from(since).ok()?))
    });
    // An unreadable folder makes the backup itself fail, with a reason.
    let Some(newest) = newest.await.flatten() else {
        return Duration::ZERO;
    };
    plan.every.saturating_sub(clock.now().since(newest))
}

/// Removes the oldest backups, so that as many remain as the plan says.
async fn prune(plan: &Backups) {
    let (folder, keep) = (plan.folder.clone(), plan.keep);
    let removed = aside(move || -> io::Result<()> {
        let files = own(&folder)?;
        let excess = files.len().saturating_sub(keep);
        files[..excess].iter().try_for_each(fs::remove_file)
    });
    if let Some(Err(error)) = removed.await {
        tracing::warn!(%error, folder = %plan.folder.display(), "cannot remove old backups");
    }
}

fn remove_partials(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_left = name
            .to_str()
            .and_then(|name| name.split_once(PARTIAL))
            .is_some_and(|(target, _)| is_own(target));
        if is_left && let Err(error) = fs::remove_file(entry.path()) {
            tracing::warn!(%error, file = %entry.path().display(), "cannot remove an incomplete backup");
        }
    }
}

/// `headcount-20261121T090000Z.db`: sorted by name is sorted by time.
fn name(at: Timestamp) -> String {
    let at = at.to_string();
    let (seconds, _) = at.split_once('.').unwrap_or((&at, ""));
    format!("headcount-{}Z.db", seconds.replace(['-', ':'], ""))
}

/// Whether [`name`] could have given this name.
fn is_own(name: &str) -> bool {
    let moment = name
        .strip_prefix("headcount-")
        .and_then(|rest| rest.strip_suffix("Z.db"));
    moment.is_some_and(|moment| {
        moment.len() == "20261121T090000".len()
            && moment.bytes().enumerate().all(|(at, byte)| {
                if at == 8 {
                    byte == b'T'
                } else {
                    byte.is_ascii_digit()
                }
            })
    })
}

/// The backups in a folder, the oldest first.
fn own(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(is_own) {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_given_here_are_removed() {
        let given = name(Timestamp::from_millis(1_795_251_600_123));
        assert_eq!(given, "headcount-20261121T090000Z.db");
        assert!(is_own(&given));
        for other in [
            "headcount.db",
            "headcount-2026.db",
            "headcount-20261121T090000Z.db.partial",
            "headcount-20261121T090000Z.db-wal",
            "headcount-2026-11-21T0900Z.db",
            "copy of headcount-20261121T090000Z.db",
            "headcount-before-the-gala.db",
        ] {
            assert!(!is_own(other), "{other}");
        }
    }

    #[tokio::test]
    async fn the_oldest_are_removed_and_other_files_stay() {
        let folder = tempfile::tempdir().unwrap();
        let hours = ["07", "08", "09", "10"];
        let names = hours.map(|hour| format!("headcount-20261121T{hour}0000Z.db"));
        for name in names
            .iter()
            .map(String::as_str)
            .chain(["notes.txt", "headcount.db"])
        {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::write(folder.path().join(format!("{}{PARTIAL}", names[0])), "").unwrap();
        let plan = Backups {
            folder: folder.path().to_owned(),
            every: Duration::from_hours(1),
            keep: 2,
        };
        prune(&plan).await;
        assert_eq!(
            own(folder.path()).unwrap(),
            [&names[2], &names[3]].map(|name| folder.path().join(name))
        );
        remove_partials(folder.path());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[tokio::test]
    async fn a_backup_is_due_when_the_newest_is_old_enough() {
        let folder = tempfile::tempdir().unwrap();
        let plan = Backups {
            folder: folder.path().to_owned(),
            every: Duration::from_hours(1),
            keep: 2,
        };
        assert_eq!(due(&plan, &Clock::System).await, Duration::ZERO);
        let now = Clock::System.now();
        fs::write(folder.path().join(name(now)), "").unwrap();
        let left = due(&plan, &Clock::System).await;
        assert!(
            left > Duration::from_mins(59) && left <= plan.every,
            "{left:?}"
        );
    }
}
