//! A consistent copy of a database as one SQLite file, made while servers write.
//!
//! SQLite writes it with `VACUUM INTO`, which reads one snapshot and copies no deleted bytes. From
//! Postgres it comes through [`copy`](super::copy), which reads one `REPEATABLE READ` snapshot. The
//! file gets its name only when it is complete, verified and on the disk. An existing file is never
//! overwritten. It does not have the keys of TLS session tickets.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, query, query_scalar};

use super::copy::{CopyError, copy};
use super::{DatabaseUrl, StoreError, migrations};

mod partial;
mod verify;

use partial::Partial;
pub(super) use verify::read_only;
pub use verify::{Check, Report, verify};

/// The suffix of a backup's name while it is written.
pub const PARTIAL: &str = ".partial";
/// How long the start of a read waits for a process that locks the whole file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The migrations that were applied to a file.
pub(super) const APPLIED: &str =
    "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";

/// Keys are of no use in a backup, and its reader must not have them.
const FORGET_KEYS: &str = "DELETE FROM ticket_keys";

/// Why there is no backup. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A backup never replaces a file.
    #[error("{0} exists already; name another file")]
    Exists(String),
    /// Another backup of this name is being written, or one was interrupted.
    #[error(
        "{0} exists already: another backup is writing it, or one was killed; remove it if none is running"
    )]
    Partial(String),
    /// There is no such database file.
    #[error("{0} does not exist")]
    Missing(String),
    /// A SQLite file of another program.
    #[error("{0} is no database of Headcount")]
    Foreign(String),
    /// The database cannot be read.
    #[error("{0}: {1}")]
    Store(String, #[source] StoreError),
    /// The database cannot be copied.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The backup cannot be written.
    #[error("{0}: {1}")]
    File(String, #[source] io::Error),
}

/// Writes a backup of `from` to `file`, and returns what [`verify`] found in it. The file exists
/// afterwards even if a check failed: a backup of a damaged database is better than none.
pub async fn backup(from: &DatabaseUrl, file: &Path) -> Result<Report, BackupError> {
    // SQLite would take a path that begins with `file:` for a URI.
    let file = std::path::absolute(file).map_err(at(file))?;
    if file.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(file.display().to_string()));
    }
    let partial = Partial::create(&file)?;
    match from {
        DatabaseUrl::Sqlite(options) => {
            let source = options.get_filename();
            if !source.is_file() {
                return Err(BackupError::Missing(from.to_string()));
            }
            vacuum_into(from, options, partial.path()).await?;
        }
        DatabaseUrl::Postgres(_) => {
            let options = SqliteConnectOptions::new().filename(partial.path());
            copy(from, &DatabaseUrl::Sqlite(Box::new(options)), |_| {}).await?;
        }
    }
    let failed = |error: sqlx::Error| BackupError::Store(file.display().to_string(), error.into());
    to_single_file(partial.path()).await.map_err(failed)?;
    let report = verify(partial.path()).await;
    partial.finish(&file).await?;
    Ok(report)
}

async fn vacuum_into(
    from: &DatabaseUrl,
    options: &SqliteConnectOptions,
    target: &Path,
) -> Result<(), BackupError> {
    let failed = |error: sqlx::Error| BackupError::Store(from.to_string(), error.into());
    let target = target.to_str().ok_or_else(|| {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8");
        at(target)(error)
    })?;
    let mut source = options
        .clone()
        .create_if_missing(false)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(failed)?;
    let newest = match query_scalar::<_, i64>(APPLIED).fetch_all(&mut source).await {
        Ok(applied) => applied.last().copied(),
        Err(error) if is_missing_table(&error) => None,
        Err(error) => return Err(failed(error)),
    };
    let newest = newest.ok_or_else(|| BackupError::Foreign(from.to_string()))?;
    if newest > migrations::newest() {
        let newer = StoreError::NewerSchema(newest);
        return Err(BackupError::Store(from.to_string(), newer));
    }
    query("VACUUM INTO $1")
        .bind(target)
        .execute(&mut source)
        .await
        .map_err(failed)?;
    // Only read: an error here does not matter.
    let _ = source.close().await;
    Ok(())
}

/// Makes the backup one file that can be read from a folder without the right to write. In WAL mode
/// SQLite keeps two more files beside it. Deletes the keys of TLS session tickets.
async fn to_single_file(file: &Path) -> Result<(), sqlx::Error> {
    let mut connection: SqliteConnection = SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Delete)
        // Deleted bytes are overwritten with zeros.
        .pragma("secure_delete", "ON")
        .disable_statement_logging()
        .connect()
        .await?;
    match connection.execute(FORGET_KEYS).await {
        Ok(_) => {}
        // An older version's schema.
        Err(error) if is_missing_table(&error) => {}
        Err(error) => return Err(error),
    }
    connection.close().await
}

/// SQLite's code for a statement that names no table of the database.
pub(super) fn is_missing_table(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.message().starts_with("no such table"))
}

/// Names the file that an error is about.
fn at(file: &Path) -> impl Fn(io::Error) -> BackupError {
    let file: PathBuf = file.to_owned();
    move |error| BackupError::File(file.display().to_string(), error)
}
