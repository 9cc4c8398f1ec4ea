//! SQLite: one file, one writer connection, readers apart.
//!
//! WAL with `synchronous=FULL`: a commit is on the disk before it is answered, and readers never wait for the writer. A
//! pool of writers would only make them wait out `busy_timeout` for each other.

use std::fs::OpenOptions;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, FromRow as _, query, query_as, query_scalar};
use tokio::sync::{Mutex, MutexGuard};

use super::aside::step_aside;
use super::batch::{self, Decided, Lookup, Session};
use super::error::bounded;
use super::rows::{self, event_columns, registration_columns};
use super::session::impl_session;
use super::shared::{self, ANSWER_TIMEOUT, COMMIT_TIMEOUT, DELETE_TIMEOUT, LOOK_UP_PAUSE, impl_statements};
use super::{Announcement, Commit, CreateError, Filter, Listed, Mark, StoreError, statements as sql};
use crate::domain::audit::{self, AuditEntry};
use crate::domain::change::{Change, Kind};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::command::Command;
use crate::domain::decide::{Archived, Picture};
use crate::domain::event::{Event, EventId, NewEvent, Slug};
use crate::domain::position::{Epoch, Revision};
use crate::domain::registration::{IdempotencyKey, Locator, Registration, Status};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
/// IMMEDIATE: a transaction that only turns into a writer at its first change may find its snapshot outdated.
const BEGIN: &str = "BEGIN IMMEDIATE";
/// $2 and $3 are JSON arrays of e-mail keys and idempotency keys, $4 of `[round, number]`. CROSS JOIN keeps SQLite from
/// walking through the round instead of looking each one up.
macro_rules! find {
    () => {
        concat!(
            "SELECT ",
            registration_columns!(),
            " FROM json_each($2) CROSS JOIN registrations
            WHERE event_id = $1 AND round = (SELECT round FROM events WHERE id = $1) AND status <> 'cancelled' AND email_key = value
            UNION ALL
            SELECT ",
            registration_columns!(),
            " FROM json_each($3) CROSS JOIN registrations
            WHERE event_id = $1 AND round = (SELECT round FROM events WHERE id = $1) AND idempotency_key = value
            UNION ALL
            SELECT ",
            registration_columns!(),
            " FROM json_each($4) CROSS JOIN registrations
            WHERE event_id = $1 AND round = value ->> 0 AND number = value ->> 1"
        )
    };
}
const FIND: &str = find!();
/// The first row is the event's, the others are registrations. One call, as each is a trip to sqlx's worker thread and back.
const BEGIN_LOCKED: &str = concat!("BEGIN IMMEDIATE; SELECT ", event_columns!(), " FROM events WHERE id = $1;", find!());
/// $1 is a JSON array of rows. One statement, however many rows. From `jsonb_each` a row comes in SQLite's own form, of which no column is parsed twice. OR ROLLBACK: the second
/// wall ends the transaction anyway, so no journal is kept to take back this statement alone.
macro_rules! insert {
    ($values:literal) => {
        concat!(
            "INSERT OR ROLLBACK INTO registrations (number, secret, name, name_key, email, email_key, idempotency_key, status, accepted_waiting, at,
                event_id, round, accepted_revision, revision)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9, ",
            $values,
            " FROM jsonb_each($1)"
        )
    };
}
const INSERT: &str = insert!("$2, value ->> 10, value ->> 11, value ->> 12");
/// The same with the event's new counts, the line in its log, and the commit. What all rows have in common is taken once.
const REGISTER_AND_COMMIT: &str = concat!(
    "UPDATE events SET revision = $3, registered = $4, waiting = $5, last_number = $6, at = $7 WHERE id = $2;
    INSERT INTO changes (event_id, revision, kind, round, state, capacity, registered, waiting, at)
    SELECT id, revision, 'registered', round, $8, capacity, registered, waiting, at FROM events WHERE id = $2;",
    insert!("$2, $9, $3, $3"),
    "; COMMIT"
);
/// $1 is a JSON array of `[event, round, number, status, revision]`.
const ADVANCE: &str = "\
    UPDATE registrations
    SET status = moved.value ->> 3, revision = moved.value ->> 4
    FROM json_each($1) AS moved
    WHERE event_id = moved.value ->> 0 AND round = moved.value ->> 1 AND number = moved.value ->> 2";

/// Enough for the console's pages beside the pollers; every reader is a thread.
const READERS: u32 = 4;
/// How long a statement waits for another process that writes, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(4);
/// How long the start waits for another process that starts on the same new file.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// In KiB, which SQLite writes as a negative number: the indexes' leaves of an event with some ten thousand registrations.
const CACHE_SIZE: &str = "-16384";
/// Pages in the log before they are folded into the file, 16 MiB. Addresses and keys come in no order, so the same leaves of
/// their indexes are written again and again: four times the default writes 15 % less.
const CHECKPOINT_PAGES: &str = "4000";
/// Rows that the worker thread may be ahead of the reader: the event, and a whole batch found by address and by key, so that it never waits
/// within one.
const ROW_BUFFER: usize = 1040;

/// An open database file.
#[derive(Debug, Clone)]
pub struct Sqlite {
    readers: SqlitePool,
    writer: Arc<Writer>,
}

/// The one connection that writes. It is taken out while it works and put back when its transaction has ended well: after
/// an error or a cancelled future nobody can tell what state it is in, so the next one to write opens another.
#[derive(Debug)]
struct Writer {
    options: SqliteConnectOptions,
    connection: Mutex<Option<SqliteConnection>>,
}

impl Sqlite {
    pub(super) async fn open(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        check_directory(options.get_filename())?;
        create(options.get_filename());
        let options =
            options.clone().create_if_missing(true).busy_timeout(BUSY_TIMEOUT).foreign_keys(true).row_buffer_size(ROW_BUFFER).disable_statement_logging();
        let writer = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // A large batch would otherwise leave people's names in a file of the system's folder, and wait for it.
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", CACHE_SIZE)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
        let connection = migrated(&writer).await?;
        // After the writer: it has created the file and switched it to WAL.
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ANSWER_TIMEOUT)
            // A connection to a file does not die by itself.
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self { readers, writer: Arc::new(Writer { options: writer, connection: Mutex::new(Some(connection)) }) })
    }

    pub(super) async fn close(&self) {
        // The writer last: the last connection to close folds the log into the file.
        self.readers.close().await;
        if let Some(connection) = self.writer.connection.lock().await.take() {
            // Everything is committed; a failure here only leaves the log for the next start.
            let _ = connection.close().await;
        }
    }

    fn reader(&self) -> &SqlitePool {
        &self.readers
    }

    /// Waits for the writer and takes the database's write lock.
    async fn begin(&self) -> Result<Writing<'_>, sqlx::Error> {
        let mut writing = self.writing().await?;
        writing.connection.execute(BEGIN).await?;
        Ok(writing)
    }

    /// The same, and the event's row with what the lookup finds. The write lock is on the whole file, so it is this event's as well.
    async fn begin_locked(&self, event: EventId, lookup: &Lookup<'_>) -> Result<(Writing<'_>, Option<(Event, Vec<Registration>)>), StoreError> {
        let mut writing = self.writing().await?;
        let begin = query(BEGIN_LOCKED).bind(event).bind(json(&lookup.emails)).bind(json(&lookup.keys)).bind(json(&lookup.places));
        let rows = step_aside(begin.fetch_all(&mut *writing)).await?;
        let Some((event, named)) = rows.split_first() else { return Ok((writing, None)) };
        let event = rows::EventRow::from_row(event)?.try_into()?;
        let named = rows::read(named.iter().map(rows::RegistrationRow::from_row).collect::<Result<Vec<_>, _>>()?)?;
        Ok((writing, Some((event, named))))
    }

    async fn writing(&self) -> Result<Writing<'_>, sqlx::Error> {
        let mut slot = self.writer.connection.lock().await;
        if self.readers.is_closed() {
            return Err(sqlx::Error::PoolClosed);
        }
        let connection = match slot.take() {
            Some(connection) => connection,
            None => self.writer.options.connect().await?,
        };
        Ok(Writing { slot, connection })
    }
}

impl_statements!(Sqlite);

/// An open transaction of the writer. Dropped without an end, it closes the connection, which rolls back.
struct Writing<'a> {
    slot: MutexGuard<'a, Option<SqliteConnection>>,
    connection: SqliteConnection,
}

impl_session!(Writing<'_>);

impl Writing<'_> {
    async fn commit(self) -> Result<(), sqlx::Error> {
        self.end("COMMIT").await
    }

    async fn rollback(self) -> Result<(), sqlx::Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, statement: &'static str) -> Result<(), sqlx::Error> {
        self.connection.execute(statement).await?;
        *self.slot = Some(self.connection);
        Ok(())
    }

    async fn find(&mut self, event: &Event, lookup: &Lookup<'_>) -> Result<Vec<rows::RegistrationRow>, sqlx::Error> {
        let find = query_as(FIND).bind(event.id);
        find.bind(json(&lookup.emails)).bind(json(&lookup.keys)).bind(json(&lookup.places)).fetch_all(&mut **self).await
    }

    async fn insert(&mut self, event: EventId, new: &[&Registration]) -> Result<(), sqlx::Error> {
        query(INSERT).bind(rows_of(new)).bind(event).execute(&mut **self).await.map(drop)
    }

    async fn register_and_commit(mut self, event: &Event, new: &[&Registration]) -> Result<(), sqlx::Error> {
        let register = query(REGISTER_AND_COMMIT)
            .bind(rows_of(new))
            .bind(event.id)
            .bind(event.revision)
            .bind(event.registered)
            .bind(event.waiting)
            .bind(event.last_number)
            .bind(event.at.as_millis())
            .bind(event.state().as_str())
            .bind(event.round);
        step_aside(register.execute(&mut *self)).await?;
        *self.slot = Some(self.connection);
        Ok(())
    }

    async fn advance(&mut self, moved: &[&Registration]) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = moved.iter().map(|row| (row.locator.event, row.locator.round, row.locator.number, row.status.as_str(), row.revision)).collect();
        query(ADVANCE).bind(json(&rows)).execute(&mut **self).await?;
        Ok(())
    }
}

impl Deref for Writing<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

/// Rows as [`INSERT`] and [`REGISTER_AND_COMMIT`] take them.
fn rows_of(new: &[&Registration]) -> String {
    let rows = new.iter().map(|row| {
        (
            row.locator.number,
            row.secret.reveal(),
            row.name.as_str(),
            row.name.as_str().to_lowercase(),
            row.email.as_str(),
            row.email.key(),
            row.key.as_ref().map(IdempotencyKey::as_str),
            row.status.as_str(),
            row.accepted_waiting,
            row.at.as_millis(),
            row.locator.round,
            row.accepted_revision,
            row.revision,
        )
    });
    json(&rows.collect::<Vec<_>>())
}

/// Text and numbers always become JSON.
fn json(rows: &impl serde::Serialize) -> String {
    serde_json::to_string(rows).expect("rows of text and numbers")
}

/// SQLite's own message would only say that it is unable to open the file.
fn check_directory(file: &Path) -> Result<(), StoreError> {
    let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if directory.is_dir() {
        return Ok(());
    }
    let message = format!("the directory {} does not exist; create it, or name another file in the database URL", directory.display());
    Err(StoreError::Unreachable(io::Error::new(io::ErrorKind::NotFound, message).into()))
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
async fn migrated(options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    let deadline = Instant::now() + OPEN_TIMEOUT;
    loop {
        match migrate(options).await {
            // Switching to WAL needs the file alone, and `busy_timeout` does not wait for that.
            Err(MigrateError::Execute(error)) => match StoreError::from(error) {
                StoreError::Unreachable(sqlx::Error::Database(_)) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(50)).await,
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
    MIGRATIONS.run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    /// The plan of a statement, one step a line. Preparing it also checks it against the schema.
    async fn plan(connection: &mut SqliteConnection, statement: &'static str) -> String {
        let explain = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
        let rows = explain.fetch_all(connection).await.expect(statement);
        rows.iter().map(|row| row.get::<String, _>("detail") + "\n").collect()
    }

    /// However many registrations an event has: what every commit reads must not walk through them.
    #[tokio::test]
    async fn a_commit_looks_up_and_never_scans() {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(directory.path().join("plans.db")).create_if_missing(true);
        let mut connection = migrated(&options).await.unwrap();
        for (statement, indexes) in [
            (
                FIND,
                &[
                    "registrations_email (event_id=? AND round=? AND email_key=?)",
                    "registrations_key (event_id=? AND round=? AND idempotency_key=?)",
                    "(event_id=? AND round=? AND number=?)",
                ][..],
            ),
            (ADVANCE, &["(event_id=? AND round=? AND number=?)"]),
            (sql::WAITING, &["registrations_waiting (event_id=? AND round=? AND status=?)"]),
            (sql::REGISTRATION, &["(event_id=? AND round=? AND number=?)", "registrations_waiting (event_id=? AND round=? AND status=? AND number<?)"]),
            (sql::REGISTRATIONS, &["(event_id=? AND round=? AND number>?)", "registrations_waiting (event_id=? AND round=? AND status=?)"]),
            (sql::CHANGES, &["(event_id=? AND revision>?)"]),
            (sql::AUDIT, &["audit_slug (slug=? AND id<?)"]),
            (sql::EVENT_BY_ID, &["rowid=?"]),
            (sql::UPDATE_EVENT, &["rowid=?"]),
        ] {
            let plan = plan(&mut connection, statement).await;
            for index in indexes {
                assert!(plan.contains(index), "{index} is not used:\n{plan}\n{statement}");
            }
            assert!(!plan.contains("SCAN registrations") && !plan.contains("TEMP B-TREE FOR ORDER BY"), "{plan}\n{statement}");
        }
    }

    /// The fourth migration makes the table anew.
    #[tokio::test]
    async fn an_older_file_keeps_its_registrations() {
        const ADA: &str = "INSERT INTO registrations VALUES (1, 1, 2, 's', 'Ada', 'ada', 'Ada@example.org', 'ada@example.org', 'k', 'waiting', 1, 5, 6, 7)";
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(directory.path().join("old.db")).create_if_missing(true);
        let mut old = options.connect().await.unwrap();
        MIGRATIONS.run_to(3, &mut old).await.unwrap();
        for statement in [
            "INSERT INTO events VALUES (1, 'gala', 'e', 'Gala', '', NULL, 0, NULL, NULL, 0, 0, 0, 1, 6, 1, 1, 2, 7, 0)",
            ADA,
            "INSERT INTO registrations SELECT 1, 1, 1, 't', 'Bo', 'bo', 'bo@example.org', 'bo@example.org', NULL, 'confirmed', NULL, 4, 4, 6",
        ] {
            old.execute(statement).await.unwrap();
        }
        let rows = async |connection: &mut SqliteConnection| -> Vec<String> {
            let rows = concat!("SELECT json_array(name_key, email_key, ", registration_columns!(), ") FROM registrations ORDER BY number");
            query_scalar(rows).fetch_all(connection).await.unwrap()
        };
        let before = rows(&mut old).await;
        old.close().await.unwrap();
        let mut new = migrated(&options).await.unwrap();
        assert_eq!(rows(&mut new).await, before);
        for refused in [ADA, "UPDATE registrations SET status = 'lost'", "DELETE FROM events", "UPDATE registrations SET email_key = 'ada@example.org'"] {
            assert!(new.execute(refused).await.is_err(), "{refused}");
        }
    }
}
