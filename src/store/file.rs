//! SQLite's file: made, opened, and brought up to date.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::migrate::MigrateError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use super::{StoreError, migrations};

/// How long the start waits for another process that starts on the same new file.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes sure that there is a file, or says what is in the way.
pub(super) fn prepare(file: &Path) -> Result<(), StoreError> {
    check_directory(file)?;
    create(file);
    Ok(())
}

/// SQLite's own message would only say that it is unable to open the file.
fn check_directory(file: &Path) -> Result<(), StoreError> {
    let directory = file
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if directory.is_dir() {
        return Ok(());
    }
    let message = format!(
        "the directory {} does not exist; create it, or name another file in the database URL",
        directory.display()
    );
    Err(StoreError::Unreachable(
        io::Error::new(io::ErrorKind::NotFound, message).into(),
    ))
}

/// Creates a file that is not there for its owner alone: it will hold names and addresses. SQLite gives `-wal` and `-shm` the rights of
/// the file itself. One that is there keeps the rights that it was given.
fn create(file: &Path) {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Where this fails SQLite fails too, and says why.
    let _ = options.open(file);
}

/// Opens the file and brings its schema up to date, while other processes may be doing the same.
pub(super) async fn open(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let deadline = Instant::now() + OPEN_TIMEOUT;
    loop {
        match migrate(options).await {
            // Switching to WAL needs the file alone, and `busy_timeout` does not wait for that.
            Err(MigrateError::Execute(error)) => match StoreError::from(error) {
                StoreError::Unreachable(sqlx::Error::Database(_)) if Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                error => return Err(error),
            },
            outcome => return Ok(outcome?),
        }
    }
}

async fn migrate(options: &SqliteConnectOptions) -> Result<SqliteConnection, MigrateError> {
    let mut connection = options.connect().await?;
    // sqlx takes no lock of its own on SQLite. Inside this one each migration becomes a savepoint, and a second process finds
    // everything applied.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrations::SQLITE
        .run_direct(None, &mut *transaction, false)
        .await?;
    transaction.commit().await?;
    Ok(connection)
}
