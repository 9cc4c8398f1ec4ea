//! Timeouts, and which of the database's errors mean "later" and which mean "never".

use std::io;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use tokio::time::Instant;

use super::StoreError;
use super::timeout::{by, within};

/// How long a single statement may take before the database counts as unreachable. Watchers must
/// receive `stale` within 3 s.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_millis(2_500);
/// How long a transaction may take: enough for everybody who waits for the same lock to have one
/// turn.
pub(super) const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);
/// Deleting an event with a million registrations takes a while.
pub(super) const DELETE_TIMEOUT: Duration = Duration::from_mins(1);

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_passing(&error) {
            Self::Unreachable(error)
        } else {
            Self::Unexpected(error)
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::NewerSchema(version),
            error => Self::Migration(error),
        }
    }
}

fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        // Protocol: a load balancer without a server accepts the connection and closes it during
        // the handshake.
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            if code.len() == 5 {
                is_passing_sqlstate(&code)
            } else {
                is_passing_sqlite(&code)
            }
        }),
        _ => false,
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn is_passing_sqlstate(code: &str) -> bool {
    // Connection exceptions; insufficient resources (disk full, out of memory, too many
    // connections).
    code.starts_with("08")
        || code.starts_with("53")
        || matches!(
            code,
            "57P01" | "57P02" | "57P03" | "57P05" // shutting down, crashed, starting up, idle for too long
            | "57014" | "55P03" // statement and lock timeouts
            | "40001" | "40P01" // serialization failure, deadlock
            | "25P03" | "25006" // idle in a transaction for too long; a standby, during a failover
            | "58030" // the server's disk
        )
}

/// <https://www.sqlite.org/rescode.html>; the low byte is the primary code.
fn is_passing_sqlite(code: &str) -> bool {
    // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN: caused by the file system or another process.
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}

/// Another process writes to the file (`SQLITE_BUSY`).
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(DatabaseError::code)
        .and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

/// Fails when the database does not answer in time. A lost network must not block for ever.
pub(super) async fn bounded<T, E: Into<StoreError>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match within(limit, work).await {
        Some(outcome) => outcome.map_err(Into::into),
        None => Err(timed_out(limit)),
    }
}

/// Like [`bounded`], for one of several steps that share a limit, which ends at `deadline`.
pub(super) async fn bounded_by<T>(
    deadline: Instant,
    limit: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match by(deadline, work).await {
        Some(outcome) => outcome,
        None => Err(timed_out(limit)),
    }
}

/// The database has not answered within this time.
pub(super) fn timed_out(limit: Duration) -> StoreError {
    StoreError::Unreachable(
        io::Error::new(io::ErrorKind::TimedOut, format!("no answer in {limit:?}")).into(),
    )
}
