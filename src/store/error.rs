//! Which of the database's errors mean "later" and which mean "never".

use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::error::{DatabaseError, ErrorKind};

use super::StoreError;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if is_passing(&error) {
            Self::Unreachable(error)
        } else {
            Self::Unexpected(error)
        }
    }
}

fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        // Protocol: what answers is no server at the moment; a balancer takes the connection and closes it within the handshake.
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
    // Connection exceptions; insufficient resources (disk full, out of memory, too many connections).
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
    // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN: the file system's or another process's doing.
    code.parse::<u32>()
        .is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}

/// Somebody who registers is known: a unique index of SQLite says so.
pub(super) fn is_known(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.kind() == ErrorKind::UniqueViolation)
}

/// The event is not as it was seen: see `COUNT` in `registering.rs`.
pub(super) fn is_another(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.kind() == ErrorKind::NotNullViolation)
}

/// Another process writes to the file (`SQLITE_BUSY`). That is said when a transaction begins, not at its end.
pub(super) fn is_locked(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(DatabaseError::code)
        .and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

/// Gives up on work that the database has not answered in time: a lost network must not look like a slow one for ever.
pub(super) async fn bounded<T, E: Into<StoreError>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(_) => Err(timed_out(limit)),
    }
}

/// The database has not answered within this time.
pub(super) fn timed_out(limit: Duration) -> StoreError {
    StoreError::Unreachable(
        io::Error::new(io::ErrorKind::TimedOut, format!("no answer in {limit:?}")).into(),
    )
}
