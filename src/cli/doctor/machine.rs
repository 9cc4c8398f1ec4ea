//! The disk, the limit of open files, and the clock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit};

use super::finding::Finding;
use crate::app::config::{Backups, Config};
use crate::domain::clock::{Clock, Timestamp};
use crate::server;
use crate::store::DatabaseUrl;
use crate::store::inspect::Inspection;

/// Below this the next hours may fill the disk: a million registrations take about 500 MiB.
const LOW_FREE_BYTES: u64 = 1024 * 1024 * 1024;
/// Below this a checkpoint of SQLite's log or a backup may fail at any moment.
const MIN_FREE_BYTES: u64 = 64 * 1024 * 1024;
/// Flushes that are measured; the median counts.
const FLUSHES: usize = 9;
/// A page, as a small commit writes it.
const PAGE: [u8; 4096] = [0; 4096];
/// Slower than any solid-state disk. Every commit waits for a flush.
const SLOW_FLUSH: Duration = Duration::from_millis(20);
/// Clocks that are synchronised differ by less (NTP).
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(1);
const SYNCHRONISE: &str = "synchronise the clock (NTP), because it opens and closes events";
/// 2026-01-01. This program is younger.
const EARLIEST: i64 = 1_767_225_600_000;

/// The folder of a SQLite file, and that of the backups.
pub(super) fn disk(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let DatabaseUrl::Sqlite(options) = &config.database {
        let folder = folder_of(options.get_filename());
        // A missing folder is the database's finding.
        if folder.is_dir() {
            findings.extend(space("disk", &folder));
            findings.push(flush(&folder));
        }
    }
    if let Some(backups) = &config.backups {
        findings.push(check_backups(backups));
    }
    findings
}

fn folder_of(file: &Path) -> PathBuf {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// `None` when the system does not say.
fn space(name: &'static str, folder: &Path) -> Option<Finding> {
    let found = statvfs(folder).ok()?;
    Some(check_free(
        name,
        folder,
        found.f_bavail.saturating_mul(found.f_frsize),
    ))
}

fn check_free(name: &'static str, folder: &Path, free: u64) -> Finding {
    let text = format!("{} has {} MiB free", folder.display(), free / 1024 / 1024);
    if free < MIN_FREE_BYTES {
        Finding::fault(name, format!("{text}; make room, or registering will fail"))
    } else if free < LOW_FREE_BYTES {
        Finding::warning(name, format!("{text}; make room soon"))
    } else {
        Finding::ok(name, text)
    }
}

fn flush(folder: &Path) -> Finding {
    match measure(folder) {
        Ok(took) if took > SLOW_FLUSH => Finding::warning(
            "flush",
            format!("a flush takes {took:.1?}, and so does every commit; use a faster disk"),
        ),
        Ok(took) => Finding::ok("flush", format!("the disk flushes in {took:.1?}")),
        Err(error) => Finding::fault(
            "flush",
            format!(
                "cannot write in {}: {error}; check the folder's owner and mode",
                folder.display()
            ),
        ),
    }
}

/// The median time of several flushes.
fn measure(folder: &Path) -> io::Result<Duration> {
    let path = folder.join(format!(".headcount-doctor-{}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    let times = measure_file(&mut file);
    fs::remove_file(&path)?;
    let mut times = times?;
    times.sort_unstable();
    Ok(times[FLUSHES / 2])
}

fn measure_file(file: &mut File) -> io::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        file.write_all(&PAGE)?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

fn check_backups(backups: &Backups) -> Finding {
    let folder = &backups.folder;
    match measure(folder) {
        Err(error) => Finding::fault(
            "backups",
            format!(
                "cannot write in {}: {error}; check the folder's owner and mode",
                folder.display()
            ),
        ),
        Ok(_) => match space("backups", folder) {
            Some(finding) => finding,
            None => Finding::ok("backups", format!("{} can be written", folder.display())),
        },
    }
}

pub(super) fn open_files(config: &Config) -> Finding {
    let connections = config
        .max_connections
        .saturating_add(server::Config::default().max_refusals);
    let needed = server::open_files_needed(connections);
    match getrlimit(Resource::Nofile).maximum {
        Some(files) if files < needed => Finding::fault(
            "open files",
            format!(
                "the limit is {files}, but {} connections need {needed}; \
                 set LimitNOFILE={needed} (systemd) or ulimit -n, or lower --max-connections",
                config.max_connections
            ),
        ),
        limit => {
            let limit = limit.map_or("unlimited".to_owned(), |files| files.to_string());
            Finding::ok(
                "open files",
                format!("the limit is {limit}, {needed} are needed"),
            )
        }
    }
}

pub(super) fn clock(inspection: Option<&Inspection>) -> Finding {
    check_clock(
        Clock::System.now(),
        inspection.and_then(|inspection| inspection.newest),
        inspection.and_then(|inspection| inspection.server_time),
    )
}

fn check_clock(now: Timestamp, newest: Option<Timestamp>, server: Option<Timestamp>) -> Finding {
    let wrong = if now.as_millis() < EARLIEST {
        Some(format!("it is {now} here; {SYNCHRONISE}"))
    } else if let Some(newest) = newest.filter(|newest| newest.since(now) > CLOCK_DIFFERENCE) {
        Some(format!(
            "it is {now} here, but the database was changed at {newest}; {SYNCHRONISE}"
        ))
    } else {
        let difference = server.map_or(Duration::ZERO, |server| {
            now.since(server) + server.since(now)
        });
        (difference > CLOCK_DIFFERENCE).then(|| {
            format!(
                "it differs from the database server's by {difference:.1?}; nodes use the database \
                     server's time, so synchronise both clocks (NTP)"
            )
        })
    };
    match wrong {
        Some(wrong) => Finding::fault("clock", wrong),
        None => Finding::ok("clock", format!("it is {now}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn a_disk_without_room_is_a_fault_and_a_small_one_a_warning() {
        let level = |mib: u64| check_free("disk", Path::new("/data"), mib * 1024 * 1024).level;
        assert_eq!(
            [10, 63, 64, 1023, 1024].map(level),
            [
                Level::Fault,
                Level::Fault,
                Level::Warning,
                Level::Warning,
                Level::Ok
            ]
        );
    }

    #[test]
    fn a_clock_that_is_wrong_is_a_fault() {
        let at = |seconds: i64| Timestamp::from_millis(EARLIEST + seconds * 1_000);
        let level = |now, newest, server| check_clock(now, newest, server).level;
        assert_eq!(level(at(100), None, None), Level::Ok);
        assert_eq!(level(at(-1), None, None), Level::Fault);
        assert_eq!(level(at(100), Some(at(90)), Some(at(100))), Level::Ok);
        assert_eq!(level(at(100), Some(at(200)), None), Level::Fault);
        assert_eq!(level(at(100), None, Some(at(97))), Level::Fault);
        assert_eq!(level(at(100), None, Some(at(103))), Level::Fault);
    }
}
