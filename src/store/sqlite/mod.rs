//! SQLite: one file, one connection that writes, others that read.
//!
//! WAL with `synchronous=FULL`: a commit is on the disk before it is answered, and readers never
//! wait for the writer. More writing connections would only wait for each other, up to
//! `busy_timeout`.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::query::QueryAs;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, query_as, query_scalar};
use tokio::sync::Mutex;

use super::batch::{Backend, Locked};
use super::error::{ANSWER_TIMEOUT, bounded};
use super::lists::{self, Export, Pieces, Positions, Span, impl_lists, unless_stalled};
use super::lookup::Lookup;
use super::outbox::Outgoing;
use super::readers::{READ_ACQUIRE_TIMEOUT, Readers, Turn};
use super::{Filter, Order, Page, SortKey, StoreError, rows, sql};
use crate::domain::event::EventId;
use crate::domain::registration::{Registration, Status};

pub(super) mod file;
mod insert_batch;
mod open_file;
mod rebuild;
mod transaction;

use open_file::OpenFile;
use rebuild::REBUILD_DUE;
pub(super) use transaction::SqliteTransaction;

sql::lists!(
    "SELECT 1 FROM json_each($7)
        WHERE instr(CASE WHEN $8 THEN substr(search_key, 1, instr(search_key || char(10), char(10)) - 1)
            ELSE search_key END, value) = 0
        AND value <> CAST(number AS TEXT)",
    "substr(search_key, 1, instr(search_key, char(10)))"
);
/// An export reads one snapshot, from its first read to its end.
const SNAPSHOT: &str = "BEGIN";
/// Connections for short reads. Every connection is a thread.
const SHORT_READERS: u32 = 4;
/// How long a statement waits for another process that writes, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(4);
/// In KiB, which SQLite writes as a negative number: the leaves of the indexes of an event with
/// some ten thousand registrations.
const CACHE_SIZE: &str = "-16384";
/// Pages in the log before they are folded into the file, 16 MiB. Addresses and keys come in no
/// order, so the same pages of their indexes are written again and again. Four times the default
/// writes 15 % less.
const CHECKPOINT_PAGES: &str = "4000";
/// How many rows sqlx's thread may read ahead: the event, and a whole batch found by address and by
/// key. So it never waits within one batch.
const ROW_BUFFER: usize = 1040;

/// An open database file.
#[derive(Debug, Clone)]
pub struct Sqlite {
    readers: Arc<Readers<sqlx::Sqlite>>,
    /// Opens a connection that only reads.
    reading: Arc<SqliteConnectOptions>,
    /// Opens the connection that writes.
    writing: Arc<SqliteConnectOptions>,
    /// The connection that writes. A transaction takes it out and puts it back at its end. After an
    /// error or a cancelled future its state is unknown, so the next transaction opens another.
    writer: Arc<Mutex<Option<SqliteConnection>>>,
    file: Arc<OpenFile>,
    /// What a batch writes to the outbox.
    pub(super) outgoing: Outgoing,
    /// The client of long reads; see [`super::Store::for_reader`].
    pub(super) reader: Option<IpAddr>,
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
        let writing = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // Otherwise a large batch writes people's names to a temporary file, and waits for it.
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", CACHE_SIZE)
            // Freed cells and pages are overwritten with zeros.
            .pragma("secure_delete", "ON")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
        let writer = file::open(&writing).await?;
        // After the writer: it has switched the file to WAL.
        let reading = options.pragma("query_only", "ON");
        let file = OpenFile::of(&reading).await?;
        let readers = Readers::new(SHORT_READERS, |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(READ_ACQUIRE_TIMEOUT)
                // Never: an acquire that is too slow fails, and is logged then.
                .acquire_slow_threshold(Duration::MAX)
                // A connection to a file does not die by itself.
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_lazy_with(reading.clone())
        });
        Ok(Self {
            readers: Arc::new(readers),
            reading: Arc::new(reading),
            writing: Arc::new(writing),
            writer: Arc::new(Mutex::new(Some(writer))),
            file: Arc::new(file),
            outgoing: Outgoing::default(),
            reader: None,
        })
    }

    pub(super) async fn close(&self) {
        if self.readers.short().is_closed() {
            return;
        }
        // The writer last: the last connection to close folds the log into the file.
        self.readers.close().await;
        self.file.close().await;
        let kept = self.writer.lock().await.take();
        let writer = match kept {
            Some(writer) => Ok(writer),
            None => self.writing.connect().await,
        };
        let closed = async {
            let mut writer = writer?;
            let rebuilt = match self.file.check() {
                Ok(()) => rebuild::if_due(&mut writer).await,
                // It is another file now, or damaged.
                Err(_) => Ok(()),
            };
            writer.close().await?;
            rebuilt
        };
        if let Err(error) = closed.await {
            // Everything is committed: the log stays for the next start.
            tracing::warn!(%error, "cannot rebuild the database file; erased data stay in its free space until the next stop");
        }
    }

    /// For statements that read a few rows.
    pub(super) fn short(&self) -> Result<&SqlitePool, StoreError> {
        self.file.check()?;
        Ok(self.readers.short())
    }

    /// For the readiness check and the revision poll only.
    pub(super) fn reserved(&self) -> Result<&SqlitePool, StoreError> {
        self.file.check()?;
        Ok(self.readers.reserved())
    }

    /// Whether the files still hold everything that was committed, and take more.
    pub(super) async fn check_files(&self) -> Result<(), StoreError> {
        self.file.check()?;
        let mut connection = self.readers.reserved().acquire().await?;
        Ok(self.file.check_all(&mut connection).await?)
    }

    /// Every outcome passes through here, because it may report that the file is damaged.
    pub(super) fn note<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        self.file.note(outcome)
    }

    pub(super) fn readers(&self) -> &Readers<sqlx::Sqlite> {
        &self.readers
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&self) -> Result<SqliteTransaction, StoreError> {
        let mut transaction = self.take_writer().await?;
        transaction.execute(transaction::BEGIN).await?;
        Ok(transaction)
    }

    /// Waits for the connection that writes; no transaction is open on it.
    async fn take_writer(&self) -> Result<SqliteTransaction, StoreError> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        if self.readers.short().is_closed() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        let mut connection = match writer.take() {
            Some(connection) => connection,
            None => self.writing.connect().await?,
        };
        if let Err(error) = self.file.check_lengths(&mut connection).await {
            *writer = Some(connection);
            return Err(error.into());
        }
        Ok(SqliteTransaction::new(
            writer,
            connection,
            Arc::clone(&self.file),
        ))
    }

    async fn snapshot(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.file.check()?;
        let mut connection = self.reading.connect().await?;
        connection.execute(SNAPSHOT).await?;
        Ok(connection)
    }
}

impl Backend for Sqlite {
    type Transaction = SqliteTransaction;

    fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    /// The write lock is on the whole file, so it is this event's as well.
    async fn lock(
        &self,
        event: EventId,
        lookup: &Lookup<'_>,
    ) -> Result<(SqliteTransaction, Option<Locked>), StoreError> {
        let mut transaction = self.take_writer().await?;
        let locked = transaction.begin_locked(event, lookup).await?;
        Ok((transaction, locked))
    }
}

/// A list as `json_each` takes it.
fn words(texts: &[String]) -> String {
    transaction::json(&texts)
}

impl_lists!(Sqlite, sqlx::Sqlite);
