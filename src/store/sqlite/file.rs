//! SQLite's file: created, opened, migrated, and watched.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, query};

use super::super::error::is_locked;
use super::super::{StoreError, migrations, sql};

/// How long the start waits for another process that starts on the same new file.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Creates the file if there is none, and checks that it can be written.
pub(super) fn prepare(file: &Path) -> Result<(), StoreError> {
    check_directory(file)?;
    if file.is_dir() {
        return Err(refused(
            io::ErrorKind::IsADirectory,
            format!(
                "{0} is a directory; name a file in it in the database URL, such as sqlite://{0}/headcount.db",
                file.display()
            ),
        ));
    }
    create(file)?;
    // `access` and not `open`: closing the file would drop the locks that this process holds on it
    // (POSIX, `fcntl`).
    #[cfg(unix)]
    rustix::fs::access(
        file,
        rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK,
    )
    .map_err(|error| {
        let error = io::Error::from(error);
        refused(
            error.kind(),
            format!("the file {} cannot be written: {error}", file.display()),
        )
    })?;
    Ok(())
}

/// SQLite's own message only says that it is unable to open the file.
fn check_directory(file: &Path) -> Result<(), StoreError> {
    let directory = file
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !directory.is_dir() {
        return Err(refused(
            io::ErrorKind::NotFound,
            format!(
                "the directory {} does not exist; create it, or name another file in the database URL",
                directory.display()
            ),
        ));
    }
    #[cfg(unix)]
    rustix::fs::access(directory, rustix::fs::Access::WRITE_OK).map_err(|error| {
        let error = io::Error::from(error);
        refused(
            error.kind(),
            format!(
                "the directory {} cannot be written: {error}; SQLite keeps files beside the database",
                directory.display()
            ),
        )
    })?;
    Ok(())
}

/// Creates a missing file for its owner only, because it will hold names and addresses. SQLite
/// gives `-wal` and `-shm` the rights of the file itself. An existing file keeps its rights.
fn create(file: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(refused(
            error.kind(),
            format!("the file {} cannot be created: {error}", file.display()),
        )),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn refused(kind: io::ErrorKind, message: String) -> StoreError {
    StoreError::Unreachable(io::Error::new(kind, message).into())
}

/// The open database file, told apart from any other file at its path by device and inode.
///
/// SQLite continues to write to a file that was deleted or moved: every commit would seem to
/// succeed, and be lost.
#[derive(Debug)]
pub(super) struct OpenFile {
    database: Identity,
    log: Identity,
    /// SQLite deletes the log when the last connection closes: this one stays open, so the log is
    /// the same file throughout.
    anchor: Mutex<Option<SqliteConnection>>,
}

impl OpenFile {
    /// The file that these options open.
    pub(super) async fn of(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        let mut anchor = options.connect().await?;
        // The first read opens the log.
        query(sql::PING).fetch_optional(&mut anchor).await?;
        let path = options.get_filename();
        // SQLite follows symbolic links before it names the log.
        let mut log = fs::canonicalize(path)
            .unwrap_or_else(|_| path.to_owned())
            .into_os_string();
        log.push("-wal");
        Ok(Self {
            database: Identity::of(path.to_owned()),
            log: Identity::of(log.into()),
            anchor: Mutex::new(Some(anchor)),
        })
    }

    /// Fails when another file, or none, is at the path now. Two calls to the file system.
    pub(super) fn check(&self) -> Result<(), sqlx::Error> {
        for file in [&self.database, &self.log] {
            if file.is_gone() {
                return Err(io::Error::other(format!(
                    "{} was removed, moved or replaced while it was open; put it back, or stop the server, restore the database and start again",
                    file.path.display()
                ))
                .into());
            }
        }
        Ok(())
    }

    /// Closes the file.
    pub(super) async fn close(&self) {
        let anchor = self
            .anchor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(anchor) = anchor {
            // It only read, so an error does not matter.
            let _ = anchor.close().await;
        }
    }
}

/// Identifies the file at a path.
#[derive(Debug)]
struct Identity {
    path: PathBuf,
    /// Device and inode; `None` where the system has none.
    found: Option<(u64, u64)>,
}

impl Identity {
    fn of(path: PathBuf) -> Self {
        Self {
            found: device_and_inode(&path),
            path,
        }
    }

    fn is_gone(&self) -> bool {
        self.found.is_some() && device_and_inode(&self.path) != self.found
    }
}

/// Asks Linux for the inode only. If it asked for the times too, the next write would store a new
/// time, and each flush of the log would write the file's metadata. A lone commit took a third
/// longer.
#[cfg(target_os = "linux")]
fn device_and_inode(path: &Path) -> Option<(u64, u64)> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
    let found = statx(CWD, path, AtFlags::empty(), StatxFlags::INO).ok()?;
    Some((
        makedev(found.stx_dev_major, found.stx_dev_minor),
        found.stx_ino,
    ))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn device_and_inode(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn device_and_inode(_: &Path) -> Option<(u64, u64)> {
    None
}

/// Opens the file and brings its schema up to date, while other processes may be doing the same.
pub(super) async fn open(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let deadline = Instant::now() + OPEN_TIMEOUT;
    loop {
        match migrate(options).await {
            // Switching to WAL needs the file alone, and `busy_timeout` does not wait for that.
            Err(MigrateError::Execute(error)) if is_locked(&error) && Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(MigrateError::Execute(error)) => return Err(error.into()),
            outcome => return Ok(outcome?),
        }
    }
}

async fn migrate(options: &SqliteConnectOptions) -> Result<SqliteConnection, MigrateError> {
    let mut connection = options.connect().await?;
    // sqlx takes no lock of its own on SQLite. Inside this one each migration becomes a savepoint,
    // and a second process finds everything applied.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrations::SQLITE
        .run_direct(None, &mut *transaction, false)
        .await?;
    transaction.commit().await?;
    Ok(connection)
}
