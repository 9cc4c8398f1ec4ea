//! Postgres: one server, any number of nodes.
//!
//! A transaction uses READ COMMITTED and locks the event's row first: everything that it reads
//! after that is as new as the lock. Under REPEATABLE READ the snapshot would be older than the
//! lock, and a place could be given twice.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::query::QueryAs;
use sqlx::{Connection as _, Executor as _, FromRow as _, Row as _, query, query_as, query_scalar};

use super::batch::{Backend, Locked};
use super::error::{ANSWER_TIMEOUT, bounded};
use super::lists::{self, Export, Pieces, Positions, Span, impl_lists, unless_stalled};
use super::lookup::Lookup;
use super::outbox::Outgoing;
use super::readers::{READ_ACQUIRE_TIMEOUT, Readers, Turn};
use super::transaction::Transaction as _;
use super::{Filter, Order, Page, SortKey, StoreError, migrations, rows, sql};
use crate::domain::clock::Timestamp;
use crate::domain::event::EventId;
use crate::domain::position::Revision;
use crate::domain::registration::{Registration, Status};

pub(super) mod listener;
pub(super) mod pool;
mod presence;
mod transaction;

use listener::{CHANNEL, Listener, payload};
use pool::{ACQUIRE_TIMEOUT, SETTINGS, SHORT_READERS, WriterPool, named, pool_options};
pub(super) use transaction::PgTransaction;

const LOCKED_EVENT: &str = concat!(
    "SELECT ",
    rows::event_columns!(),
    ", ",
    rows::has_webhooks!(),
    " FROM events WHERE id = $1 FOR UPDATE"
);
sql::lists!(
    "SELECT 1 FROM unnest($7::text[]) AS word
        WHERE strpos(CASE WHEN $8 THEN split_part(search_key, chr(10), 1) ELSE search_key END, word) = 0
        AND word <> number::text",
    "split_part(search_key, chr(10), 1) COLLATE \"C\""
);
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
/// Names the level, so that a server whose default was changed cannot give a place twice.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// An export reads one snapshot, from its first statement to its end.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
/// An export lasts as long as its client reads, within its own limit.
const EXPORT_LIMITS: &str = "SELECT set_config('statement_timeout', '0', false)";
/// Another node may be migrating a large table.
const NO_LIMITS: &str =
    "SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)";
/// For copying a database, on a connection of its own, without limits of time.
pub(super) const UNBOUNDED: &str = "\
    SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '10s', false),
        set_config('idle_in_transaction_session_timeout', '0', false), set_config('enable_seqscan', 'off', false)";
const NOTIFY: &str = "SELECT pg_notify($1, $2)";

/// An open database on a server.
#[derive(Debug, Clone)]
pub struct Postgres {
    writers: WriterPool,
    readers: Arc<Readers<sqlx::Postgres>>,
    options: Arc<PgConnectOptions>,
    /// Where to listen: directly at the server, if a pooler assigns connections by transaction.
    listen: Arc<PgConnectOptions>,
    /// What a batch writes to the outbox.
    pub(super) outgoing: Outgoing,
    /// The client of long reads; see [`super::Store::for_reader`].
    pub(super) reader: Option<IpAddr>,
}

impl Postgres {
    pub(super) async fn open(
        options: &PgConnectOptions,
        listen: Option<&PgConnectOptions>,
    ) -> Result<Self, StoreError> {
        let writers = WriterPool::to(options);
        let mut connection = match writers.pool().acquire().await {
            Ok(connection) => connection.detach(),
            // The pool retries, and does not say why it failed.
            Err(sqlx::Error::PoolTimedOut) => {
                bounded(ACQUIRE_TIMEOUT, PgConnection::connect_with(&named(options))).await?
            }
            Err(error) => return Err(error.into()),
        };
        connection.execute(NO_LIMITS).await?;
        // sqlx holds an advisory lock meanwhile: nodes that start together wait for each other.
        migrations::POSTGRES
            .run_direct(None, &mut connection, false)
            .await?;
        // It has no limits, so it does not belong to the pool.
        connection.close().await?;
        let options = Arc::new(named(options));
        let readers = Readers::new(SHORT_READERS, |connections| {
            pool_options()
                .max_connections(connections)
                .acquire_timeout(READ_ACQUIRE_TIMEOUT)
                .connect_lazy_with((*options).clone())
        });
        Ok(Self {
            writers,
            readers: Arc::new(readers),
            listen: listen.map_or_else(|| Arc::clone(&options), |listen| Arc::new(named(listen))),
            options,
            outgoing: Outgoing::default(),
            reader: None,
        })
    }

    pub(super) async fn close(&self) {
        tokio::join!(self.readers.close(), self.writers.close());
    }

    /// Notifies every node that listens. Never call it inside the committing transaction: there
    /// `NOTIFY` takes one lock for all committers of the server.
    pub(super) async fn notify(
        &self,
        event: EventId,
        revision: Option<Revision>,
    ) -> Result<(), StoreError> {
        let notify = query(NOTIFY)
            .bind(CHANNEL)
            .bind(payload(event, revision))
            .execute(self.readers.short());
        bounded(ANSWER_TIMEOUT, notify).await.map(drop)
    }

    pub(super) async fn server_time(&self) -> Result<Timestamp, StoreError> {
        let now = query_scalar(NOW).fetch_one(self.readers.short());
        bounded(ANSWER_TIMEOUT, now)
            .await
            .map(Timestamp::from_millis)
    }

    pub(super) async fn listen(&self) -> Result<Listener, StoreError> {
        let pool = pool_options()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with((*self.listen).clone());
        bounded(ANSWER_TIMEOUT, Listener::open(&pool)).await
    }

    /// For statements that read a few rows. Never fails: a server has no file that could be taken
    /// away.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as SQLite's")]
    pub(super) fn short(&self) -> Result<&PgPool, StoreError> {
        Ok(self.readers.short())
    }

    /// For the readiness check and the revision poll only.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as SQLite's")]
    pub(super) fn reserved(&self) -> Result<&PgPool, StoreError> {
        Ok(self.readers.reserved())
    }

    pub(super) fn readers(&self) -> &Readers<sqlx::Postgres> {
        &self.readers
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&self) -> Result<PgTransaction, StoreError> {
        Ok(self.writers.begin(BEGIN).await?)
    }

    async fn snapshot(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        connection.execute(SETTINGS).await?;
        connection.execute(EXPORT_LIMITS).await?;
        connection.execute(SNAPSHOT).await?;
        Ok(connection)
    }
}

impl Backend for Postgres {
    type Transaction = PgTransaction;

    fn outgoing(&self) -> &Outgoing {
        &self.outgoing
    }

    async fn lock(
        &self,
        event: EventId,
        lookup: &Lookup<'_>,
    ) -> Result<(PgTransaction, Option<Locked>), StoreError> {
        let mut transaction = self.begin().await?;
        let row = query(LOCKED_EVENT)
            .bind(event)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else {
            return Ok((transaction, None));
        };
        let event = rows::EventRow::from_row(&row)?.try_into()?;
        let found = if lookup.is_empty() {
            Vec::new()
        } else {
            transaction.find(&event, lookup).await?
        };
        let has_webhooks = row.try_get("has_webhooks")?;
        let locked = Locked {
            event,
            found,
            has_webhooks,
        };
        Ok((transaction, Some(locked)))
    }
}

/// A list as `unnest` takes it.
fn words(texts: &[String]) -> &[String] {
    texts
}

impl_lists!(Postgres, sqlx::Postgres);
