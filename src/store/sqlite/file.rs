//! SQLite's file: created, opened and migrated. `open_file.rs` watches it from then on.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::super::error::is_locked;
use super::super::{StoreError, migrations};

/// How long the start waits for another process that starts on the same new file.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Creates the file if there is none, and checks that it can be written.
pub(super) fn prepare(file: &Path) -> Result<(), StoreError> {
    check(file)?;
    create(file)?;
    check_access(file)
}

/// Whether a server could use the file or create it. Creates nothing.
pub(in crate::store) fn check(file: &Path) -> Result<(), StoreError> {
    check_directory(file)?;
    if file.is_dir() {
        return Err(refused(
            io::ErrorKind::IsADirectory,
            format!(
                "{0} is a directory; name a file in it in the database URL, such as \
                sqlite://{0}/headcount.db",
                file.display()
            ),
        ));
    }
    if file.exists() {
        check_access(file)?;
    }
    Ok(())
}

/// `access` and not `open`: closing the file would drop the locks that this process holds on it
/// (POSIX, `fcntl`).
fn check_access(file: &Path) -> Result<(), StoreError> {
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
