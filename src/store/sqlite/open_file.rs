//! The files of an open database, watched.
//!
//! SQLite assumes that no other program changes its files. It keeps writing to a file that was
//! deleted or moved, reads truncated pages from its cache, and appends to a truncated log behind a
//! hole. Every commit would seem to succeed, and be lost. So the files are checked before every
//! commit, after it (before its answer), and at every readiness check and revision poll.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, query, query_as, query_scalar};

use super::super::{StoreError, sql};

/// The log's header, bytes (<https://www.sqlite.org/fileformat.html>, section 4.1).
const LOG_HEADER: u64 = 32;
/// A frame's header. A page follows.
const FRAME_HEADER: u64 = 24;
/// How often a log that is too short is compared with its index: another process may truncate both
/// between two comparisons.
const COMPARISONS: usize = 3;
/// Folds nothing into the file; only reports how many frames the log's index has.
const FRAMES: &str = "PRAGMA wal_checkpoint(NOOP)";
const PAGE_SIZE: &str = "PRAGMA page_size";
const PAGES: &str = "PRAGMA page_count";

/// The files of an open database.
#[derive(Debug)]
pub(super) struct OpenFile {
    database: Watched,
    log: Watched,
    /// The log's index in shared memory.
    index: Watched,
    /// The log, to look for a hole. It has no locks that closing it could drop (POSIX, `fcntl`).
    reader: Option<File>,
    page_size: u64,
    /// The first damage that SQLite reported. It is never cleared, because SQLite's cache may
    /// differ from the disk.
    damage: OnceLock<String>,
    /// SQLite deletes the log when the last connection closes. This one stays open, so the log
    /// remains the same file.
    anchor: Mutex<Option<SqliteConnection>>,
}

impl OpenFile {
    /// The file that these options open.
    pub(super) async fn of(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let mut anchor = options.connect().await?;
        // The first read opens the log.
        query(sql::PING).fetch_optional(&mut anchor).await?;
        let page_size: i64 = query_scalar(PAGE_SIZE).fetch_one(&mut anchor).await?;
        let path = options.get_filename();
        // SQLite follows symbolic links before it names the other two.
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let beside = |suffix: &str| {
            let mut name = real.clone().into_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        let log = beside("-wal");
        Ok(Self {
            reader: open_for_reading(&log),
            database: Watched::of(path.to_owned()),
            log: Watched::of(log),
            index: Watched::of(beside("-shm")),
            page_size: page_size.unsigned_abs(),
            damage: OnceLock::new(),
            anchor: Mutex::new(Some(anchor)),
        })
    }

    /// Fails if another file, or none, is at one of the paths now, or if SQLite has reported
    /// damage. One call to the file system for each file.
    pub(super) fn check(&self) -> Result<(), sqlx::Error> {
        self.compare().map(drop)
    }

    /// Like [`Self::check`], and fails if a file was truncated. Call it before a commit. No
    /// transaction may be open on `connection`, which is used only if a file is shorter than
    /// before.
    pub(super) async fn check_lengths(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        let shrunk = self.compare()?;
        if shrunk.log {
            self.compare_log(connection).await?;
        }
        if shrunk.database {
            self.compare_database(connection).await?;
        }
        Ok(())
    }

    /// Like [`Self::check_lengths`], and fails if the log was truncated and then written again.
    /// Call it after a commit: by then the log may be as long as before.
    pub(super) async fn check_written(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        self.check_lengths(connection).await?;
        if self.has_hole() {
            return Err(self.log.truncated());
        }
        Ok(())
    }

    /// Like [`Self::check_written`], and fails if no more can be written. For readiness.
    pub(super) async fn check_all(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        self.check_written(connection).await?;
        check_writable(&self.log.path)
    }

    fn compare(&self) -> Result<Shrunk, sqlx::Error> {
        if let Some(damage) = self.damage.get() {
            let path = self.database.path.display();
            return Err(lost(&format!("{path} is damaged ({damage}); {RESTORE}")));
        }
        let [database, log, index] = [&self.database, &self.log, &self.index].map(Watched::compare);
        let shrunk = Shrunk {
            database: database?,
            log: log?,
        };
        if index? {
            // SQLite never shrinks the index of a log that is open.
            return Err(self.index.truncated());
        }
        Ok(shrunk)
    }

    /// Fails if the log is shorter than its index says. Another process may fold the log into the
    /// file and truncate it, as backup programs do; then the index agrees.
    async fn compare_log(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for _ in 0..COMPARISONS {
            let (_, frames, _): (i64, i64, i64) =
                query_as(FRAMES).fetch_one(&mut *connection).await?;
            let frames = frames.unsigned_abs();
            let needed = match frames {
                0 => 0,
                frames => LOG_HEADER + frames * self.frame(),
            };
            if self.log.accept(needed) {
                return Ok(());
            }
        }
        Err(self.log.truncated())
    }

    /// Fails if the file is shorter than its pages. Another process may shrink it with `VACUUM`;
    /// then it has all its pages.
    async fn compare_database(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let pages: i64 = query_scalar(PAGES).fetch_one(connection).await?;
        if self.database.accept(pages.unsigned_abs() * self.page_size) {
            Ok(())
        } else {
            Err(self.database.truncated())
        }
    }

    fn frame(&self) -> u64 {
        FRAME_HEADER + self.page_size
    }

    /// A log that was truncated and then written behind its end begins with zeros, or its last known
    /// frame does. No header does: the one is a magic number, the other the number of a page.
    fn has_hole(&self) -> bool {
        let Some(reader) = &self.reader else {
            return false;
        };
        let known = self.log.known.load(Ordering::Relaxed);
        let frames = known.saturating_sub(LOG_HEADER) / self.frame();
        frames > 0
            && [0, LOG_HEADER + (frames - 1) * self.frame()]
                .into_iter()
                .any(|at| begins_with_zero(reader, at))
    }

    /// Remembers an outcome that reports damage, so that nothing more is committed to the file.
    pub(super) fn note<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        outcome.map_err(|error| match error {
            StoreError::Unexpected(error) if is_damage(&error) => {
                let _ = self.damage.set(error.to_string());
                StoreError::Unreachable(error)
            }
            error => error,
        })
    }

    /// Closes the file.
    pub(super) async fn close(&self) {
        let anchor = self
            .anchor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(anchor) = anchor {
            // It has only read.
            let _ = anchor.close().await;
        }
    }
}

const RESTORE: &str = "stop the server, restore the database and start again";

fn lost(message: &str) -> sqlx::Error {
    io::Error::other(message).into()
}

/// `SQLITE_CORRUPT` and `SQLITE_NOTADB` (<https://www.sqlite.org/rescode.html>).
fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    let code = code.and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 11 | 26))
}

/// Which files are shorter than they were.
struct Shrunk {
    database: bool,
    log: bool,
}

/// A file that is known by its device and inode, and by its length.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// `None` if there was no file, or the system has no inodes.
    identity: Option<(u64, u64)>,
    /// Its greatest length so far.
    known: AtomicU64,
}

impl Watched {
    fn of(path: PathBuf) -> Self {
        let found = stat(&path);
        Self {
            identity: found.as_ref().map(|found| found.identity),
            known: AtomicU64::new(found.map_or(0, |found| found.length)),
            path,
        }
    }

    /// Whether it is shorter than before; if not, remembers its length. Fails if another file, or
    /// none, is at the path.
    fn compare(&self) -> Result<bool, sqlx::Error> {
        let Some(identity) = self.identity else {
            return Ok(false);
        };
        match stat(&self.path) {
            Some(found) if found.identity == identity => {
                Ok(found.length < self.known.fetch_max(found.length, Ordering::Relaxed))
            }
            Some(_) | None => Err(lost(&format!(
                "{} was removed, moved or replaced while it was open; put it back, or {RESTORE}",
                self.path.display()
            ))),
        }
    }

    /// Accepts its present length if that is at least `needed`.
    fn accept(&self, needed: u64) -> bool {
        let length = stat(&self.path).map_or(0, |found| found.length);
        if length < needed {
            return false;
        }
        self.known.store(length, Ordering::Relaxed);
        true
    }

    fn truncated(&self) -> sqlx::Error {
        lost(&format!(
            "{} was truncated while it was open; {RESTORE}",
            self.path.display()
        ))
    }
}

struct FileStat {
    identity: (u64, u64),
    length: u64,
}

/// Asks Linux for the inode and the length only. If the times were asked for, the next write would
/// store a new one, and each flush of the log would write the file's metadata. A lone commit took a
/// third longer.
#[cfg(target_os = "linux")]
fn stat(path: &Path) -> Option<FileStat> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    let asked = StatxFlags::INO | StatxFlags::SIZE;
    let found = statx(CWD, path, AtFlags::empty(), asked).ok()?;
    Some(FileStat {
        identity: (
            makedev(found.stx_dev_major, found.stx_dev_minor),
            found.stx_ino,
        ),
        length: found.stx_size,
    })
}

#[cfg(all(unix, not(target_os = "linux")))]
fn stat(path: &Path) -> Option<FileStat> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(path).ok()?;
    Some(FileStat {
        identity: (metadata.dev(), metadata.ino()),
        length: metadata.len(),
    })
}

#[cfg(not(unix))]
fn stat(_: &Path) -> Option<FileStat> {
    None
}

/// Without updating the time of access, where the system allows it: that would be another write.
fn open_for_reading(path: &Path) -> Option<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOATIME.bits();
        let mut quiet = options.clone();
        quiet.custom_flags(i32::from_ne_bytes(flags.to_ne_bytes()));
        if let Ok(file) = quiet.open(path) {
            return Some(file);
        }
    }
    options.open(path).ok()
}

#[cfg(unix)]
fn begins_with_zero(file: &File, at: u64) -> bool {
    use std::os::unix::fs::FileExt as _;
    let mut number = [0; 4];
    file.read_exact_at(&mut number, at).is_ok() && number == [0; 4]
}

#[cfg(not(unix))]
fn begins_with_zero(_: &File, _: u64) -> bool {
    false
}

/// A file system turns read-only after an error of its disk. Reads go on, so nothing else would
/// show it before somebody registers.
#[cfg(unix)]
fn check_writable(path: &Path) -> Result<(), sqlx::Error> {
    match rustix::fs::access(path, rustix::fs::Access::WRITE_OK) {
        Err(rustix::io::Errno::ROFS) => Err(lost(&format!(
            "the file system of {} is read-only now; see the system's log",
            path.display()
        ))),
        // Rights do not matter: SQLite has the file open.
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(not(unix))]
fn check_writable(_: &Path) -> Result<(), sqlx::Error> {
    Ok(())
}
