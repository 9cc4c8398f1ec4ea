//! SQLite: one file, one writer connection, readers apart.
//!
//! WAL with `synchronous=FULL`: a commit is on the disk before it is answered, and readers never wait for the writer. A
//! pool of writers would only make them wait out `busy_timeout` for each other.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde_json::Value;
use sqlx::query::QueryAs;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, FromRow as _, query,
    query_as, query_scalar,
};
use tokio::sync::{Mutex, MutexGuard};

use super::alongside::{alongside, step_aside};
use super::batch::{self, Decided, Foreseen, Lookup, Session};
use super::error::{bounded, is_another, is_known, is_locked};
use super::file::OpenFile;
use super::forms::{self, Claim, impl_forms};
use super::lists::{self, Export, Pieces, Positions, Span, impl_lists, unless_stalled};
use super::readers::Readers;
use super::rows::{self, event_columns, registration_columns};
use super::session::impl_session;
use super::shared::{
    ANSWER_TIMEOUT, COMMIT_TIMEOUT, DELETE_TIMEOUT, LOOK_UP_PAUSE, impl_statements,
};
use super::{
    Announcement, Commit, CreateError, Filter, Listed, Mark, Meanwhile, StoreError, file, json,
    registering, statements as sql,
};
use crate::domain::announcement::NewAnnouncement;
use crate::domain::audit::{self, AuditEntry};
use crate::domain::change::{Change, Kind};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::command::Command;
use crate::domain::decide::{Archived, Picture};
use crate::domain::event::{Event, EventId, NewEvent, Slug};
use crate::domain::position::{Epoch, Revision};
use crate::domain::registration::{Locator, Registration, Status};

/// IMMEDIATE: a transaction that only turns into a writer at its first change may find its snapshot outdated.
const BEGIN: &str = "BEGIN IMMEDIATE;";
const REGISTRATIONS: &str = sql::registrations!(
    "SELECT 1 FROM json_each($7) WHERE instr(search_key, value) = 0 AND value <> CAST(number AS TEXT)"
);

/// A list as `json_each` takes it.
fn words(texts: &[String]) -> String {
    json::text(&texts)
}

/// The snapshot begins with the first read and lasts to the end of the transaction.
const SNAPSHOT: &str = "BEGIN";
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
const BEGIN_LOCKED: &str = concat!(
    "BEGIN IMMEDIATE; SELECT ",
    event_columns!(),
    " FROM events WHERE id = $1;",
    find!()
);
/// $1 is a JSON array of rows. One statement, however many rows. From `jsonb_each` a row comes in SQLite's own form, of which no column is
/// parsed twice. OR ROLLBACK: the second wall ends the whole transaction.
const INSERT: &str = "\
    INSERT OR ROLLBACK INTO registrations (number, secret, name, search_key, email, email_key, idempotency_key, status, accepted_waiting, at,
        round, accepted_revision, revision, event_id)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9,
        value ->> 10, value ->> 11, value ->> 12, $2
    FROM jsonb_each($1)";
/// $1 is a JSON array of `[event, round, number, status, revision]`.
const ADVANCE: &str = "\
    UPDATE registrations
    SET status = moved.value ->> 3, revision = moved.value ->> 4
    FROM json_each($1) AS moved
    WHERE event_id = moved.value ->> 0 AND round = moved.value ->> 1 AND number = moved.value ->> 2";

/// Connections for short reads; every connection is a thread.
const SHORT_READERS: u32 = 4;
/// How long a statement waits for another process that writes, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(4);
/// In KiB, which SQLite writes as a negative number: the indexes' leaves of an event with some ten thousand registrations.
const CACHE_SIZE: &str = "-16384";
/// Pages in the log before they are folded into the file, 16 MiB. Addresses and keys come in no order, so the same leaves of
/// their indexes are written again and again: four times the default writes 15 % less.
const CHECKPOINT_PAGES: &str = "4000";
/// Batches that look first, after one in which somebody turned out to be known: in a crowd of which many are, one batch in seventeen is tried in
/// vain.
const WARY: u32 = 16;
/// Rows that the worker thread may be ahead of the reader: the event, and a whole batch found by address and by key, so that it never waits
/// within one.
const ROW_BUFFER: usize = 1040;

/// An open database file.
#[derive(Debug, Clone)]
pub struct Sqlite {
    readers: Arc<Readers<sqlx::Sqlite>>,
    /// Opens a connection that only reads.
    reading: Arc<SqliteConnectOptions>,
    writer: Arc<Writer>,
    file: Arc<OpenFile>,
}

/// The one connection that writes. It is taken out while it works and put back when its transaction has ended: after any error but
/// a refusal that rolls back, or a cancelled future, nobody can tell what state it is in, so the next one to write opens another.
#[derive(Debug)]
struct Writer {
    options: SqliteConnectOptions,
    connection: Mutex<Option<SqliteConnection>>,
    /// So many batches are still to look first.
    wary: AtomicU32,
}

impl Writer {
    /// Whether the next batch is to look first; counts it.
    fn looks_first(&self) -> bool {
        self.wary
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .is_ok()
    }
}

impl Sqlite {
    pub(super) async fn open(options: &SqliteConnectOptions) -> Result<Self, StoreError> {
        file::prepare(options.get_filename())?;
        let options = options
            .clone()
            .create_if_missing(false)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true)
            .row_buffer_size(ROW_BUFFER)
            .disable_statement_logging();
        let writer = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // A large batch would otherwise leave people's names in a file of the system's folder, and wait for it.
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", CACHE_SIZE)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
        let connection = file::open(&writer).await?;
        // After the writer: it has switched the file to WAL.
        let reading = options.pragma("query_only", "ON");
        let file = Arc::new(OpenFile::of(&reading).await?);
        let readers = Arc::new(Readers::new(SHORT_READERS, |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ANSWER_TIMEOUT)
                // Never: a slow acquire fails, and is logged, when the timeout is over.
                .acquire_slow_threshold(Duration::MAX)
                // A connection to a file does not die by itself.
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_lazy_with(reading.clone())
        }));
        Ok(Self {
            readers,
            reading: Arc::new(reading),
            file,
            writer: Arc::new(Writer {
                options: writer,
                connection: Mutex::new(Some(connection)),
                wary: AtomicU32::new(0),
            }),
        })
    }

    pub(super) async fn close(&self) {
        // The writer last: the last connection to close folds the log into the file.
        self.readers.close().await;
        self.file.close().await;
        if let Some(connection) = self.writer.connection.lock().await.take() {
            // Everything is committed; a failure here only leaves the log for the next start.
            let _ = connection.close().await;
        }
    }

    pub(super) fn short(&self) -> Result<&SqlitePool, StoreError> {
        self.file.check()?;
        Ok(self.readers.short())
    }

    fn vital(&self) -> Result<&SqlitePool, StoreError> {
        self.file.check()?;
        Ok(self.readers.vital())
    }

    async fn snapshot(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.file.check()?;
        let mut connection = self.reading.connect().await?;
        connection.execute(SNAPSHOT).await?;
        Ok(connection)
    }

    /// Waits for the writer and takes the database's write lock.
    async fn begin(&self) -> Result<Writing<'_>, sqlx::Error> {
        let mut writing = self.writing().await?;
        writing.connection.execute(BEGIN).await?;
        Ok(writing)
    }

    /// The same, and the event's row with what the lookup finds. The write lock is on the whole file, so it is this event's as well.
    async fn begin_locked(
        &self,
        event: EventId,
        lookup: &Lookup<'_>,
    ) -> Result<(Writing<'_>, Option<(Event, Vec<Registration>)>), StoreError> {
        let mut writing = self.writing().await?;
        let begin = query(BEGIN_LOCKED)
            .bind(event)
            .bind(json::text(&lookup.emails))
            .bind(json::text(&lookup.keys))
            .bind(json::text(&lookup.places));
        let rows = alongside(begin.fetch_all(&mut *writing), step_aside).await?;
        let Some((event, named)) = rows.split_first() else {
            return Ok((writing, None));
        };
        let event = rows::EventRow::from_row(event)?.try_into()?;
        let named = rows::read(
            named
                .iter()
                .map(rows::RegistrationRow::from_row)
                .collect::<Result<Vec<_>, _>>()?,
        )?;
        Ok((writing, Some((event, named))))
    }

    /// Where everybody is new and the event as it was seen, stores the batch without having read anything; the database refuses it if not.
    async fn attempt(
        &self,
        event: EventId,
        seen: Option<&Event>,
        commands: &[Command],
        clock: &Clock,
        decided: &mut Option<Commit>,
        meanwhile: Meanwhile<'_>,
    ) -> Result<(), StoreError> {
        if let Some(seen) =
            seen.filter(|seen| seen.id == event && batch::is_foreseeable(seen, commands))
            && !self.writer.looks_first()
        {
            let writing = self.writing().await?;
            match batch::foresee(seen, commands, clock.now()) {
                Some(Foreseen { commit, picture }) => {
                    let commit = &*decided.insert(commit);
                    match writing
                        .register(BEGIN, &picture, || meanwhile(&commit.decisions))
                        .await
                    {
                        Ok(()) => return Ok(()),
                        Err(error) if is_known(&error) => {
                            self.writer.wary.store(WARY, Ordering::Relaxed);
                        }
                        Err(error) if is_another(&error) => {}
                        Err(error) => {
                            if is_locked(&error) {
                                // It has not begun, so there is nothing to look up.
                                *decided = None;
                            }
                            return Err(error.into());
                        }
                    }
                    *decided = None;
                }
                None => writing.put_back(),
            }
        }
        self.decide(event, commands, clock, decided, meanwhile)
            .await
    }

    async fn writing(&self) -> Result<Writing<'_>, sqlx::Error> {
        let mut slot = self.writer.connection.lock().await;
        if self.readers.short().is_closed() {
            return Err(sqlx::Error::PoolClosed);
        }
        self.file.check()?;
        let connection = match slot.take() {
            Some(connection) => connection,
            None => self.writer.options.connect().await?,
        };
        Ok(Writing {
            slot,
            connection,
            file: &self.file,
        })
    }
}

impl_statements!(Sqlite);
impl_lists!(Sqlite, sqlx::Sqlite);
impl_forms!(Sqlite);

/// The writer, with a transaction that is open or about to begin. Dropped without an end, it closes the connection, which rolls back.
struct Writing<'a> {
    slot: MutexGuard<'a, Option<SqliteConnection>>,
    connection: SqliteConnection,
    file: &'a OpenFile,
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
        let file = self.file;
        self.put_back();
        // Where the file was taken away meanwhile, nothing is stored where it will be found.
        file.check()
    }

    /// Keeps the connection for the next one; no transaction is open.
    fn put_back(mut self) {
        *self.slot = Some(self.connection);
    }

    async fn find(
        &mut self,
        event: &Event,
        lookup: &Lookup<'_>,
    ) -> Result<Vec<rows::RegistrationRow>, sqlx::Error> {
        let find = query_as(FIND).bind(event.id);
        find.bind(json::text(&lookup.emails))
            .bind(json::text(&lookup.keys))
            .bind(json::text(&lookup.places))
            .fetch_all(&mut **self)
            .await
    }

    async fn insert(&mut self, event: EventId, new: &[&Registration]) -> Result<(), sqlx::Error> {
        query(INSERT)
            .bind(json::rows_of(new))
            .bind(event)
            .execute(&mut **self)
            .await
            .map(drop)
    }

    async fn register_and_commit(
        self,
        picture: &Picture,
        meanwhile: impl FnOnce(),
    ) -> Result<(), sqlx::Error> {
        self.register("", picture, meanwhile).await
    }

    /// Stores new registrations with all that goes with them and commits, in one call that may `begin` the transaction as well.
    async fn register(
        mut self,
        begin: &str,
        picture: &Picture,
        meanwhile: impl FnOnce(),
    ) -> Result<(), sqlx::Error> {
        let new = batch::inserted(picture);
        // Put together from constants; every value is bound.
        let statements = AssertSqlSafe(registering::statements(begin, new.len()));
        let register = registering::bind(query(statements), picture.before(), &picture.event, &new);
        let file = self.file;
        let outcome = alongside(register.execute(&mut *self), || {
            step_aside();
            meanwhile();
        })
        .await;
        // A refusal has ended the transaction as well: OR ROLLBACK stands in every statement.
        if outcome
            .as_ref()
            .err()
            .is_none_or(|error| is_known(error) || is_another(error))
        {
            self.put_back();
        }
        outcome?;
        file.check()
    }

    async fn advance(&mut self, moved: &[&Registration]) -> Result<(), sqlx::Error> {
        let rows: Vec<_> = moved
            .iter()
            .map(|row| {
                (
                    row.locator.event,
                    row.locator.round,
                    row.locator.number,
                    row.status.as_str(),
                    row.revision,
                )
            })
            .collect();
        query(ADVANCE)
            .bind(json::text(&rows))
            .execute(&mut **self)
            .await?;
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

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    /// The plan of a statement, one step a line. Preparing it also checks it against the schema.
    async fn plan(connection: &mut SqliteConnection, statement: &'static str) -> String {
        let explain = sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "EXPLAIN QUERY PLAN {statement}"
        )));
        let rows = explain.fetch_all(connection).await.expect(statement);
        rows.iter()
            .map(|row| row.get::<String, _>("detail") + "\n")
            .collect()
    }

    /// However many registrations an event has: what every commit reads must not walk through them.
    #[tokio::test]
    async fn a_commit_looks_up_and_never_scans() {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(directory.path().join("plans.db"))
            .create_if_missing(true);
        let mut connection = file::open(&options).await.unwrap();
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
            (
                sql::WAITING,
                &["registrations_waiting (event_id=? AND round=? AND status=?)"],
            ),
            (
                sql::REGISTRATION,
                &[
                    "(event_id=? AND round=? AND number=?)",
                    "registrations_waiting (event_id=? AND round=? AND status=? AND number<?)",
                ],
            ),
            (REGISTRATIONS, &["(event_id=? AND round=? AND number>?)"]),
            (
                sql::WAITING_BEFORE,
                &["registrations_waiting (event_id=? AND round=? AND status=? AND number<?)"],
            ),
            (
                sql::WAITING_NUMBERS,
                &[
                    "registrations_waiting (event_id=? AND round=? AND status=? AND number>? AND number<?)",
                ],
            ),
            (sql::CHANGES, &["(event_id=? AND revision>?)"]),
            (sql::AUDIT, &["audit_slug (slug=? AND id<?)"]),
            (sql::EVENT_BY_ID, &["rowid=?"]),
            (sql::UPDATE_EVENT, &["rowid=?"]),
        ] {
            let plan = plan(&mut connection, statement).await;
            for index in indexes {
                assert!(
                    plan.contains(index),
                    "{index} is not used:\n{plan}\n{statement}"
                );
            }
            assert!(
                !plan.contains("SCAN registrations") && !plan.contains("TEMP B-TREE FOR ORDER BY"),
                "{plan}\n{statement}"
            );
        }
    }
}
