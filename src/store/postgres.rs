//! Postgres: one server, any number of nodes.
//!
//! READ COMMITTED with the event's row locked first: whatever a transaction reads after that is as new as the lock. (Under
//! REPEATABLE READ the snapshot would be older than the lock, and a place could be given twice.)

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, Transaction, query, query_as, query_scalar};

use super::batch::{self, Lookup, Session};
use super::error::bounded;
use super::listener::{CHANNEL, Listener, payload};
use super::rows::{self, event_columns, registration_columns};
use super::shared::{self, ANSWER_TIMEOUT, COMMIT_TIMEOUT, DELETE_TIMEOUT, LOOK_UP_PAUSE, impl_session, impl_statements};
use super::{Announcement, Commit, CreateError, Filter, Listed, Mark, StoreError, statements as sql};
use crate::domain::audit::{self, AuditEntry};
use crate::domain::change::{Change, Kind};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::command::Command;
use crate::domain::decide::{Archived, Picture};
use crate::domain::event::{Event, EventId, NewEvent, Slug};
use crate::domain::position::{Epoch, Revision};
use crate::domain::registration::{IdempotencyKey, Locator, Registration, Status};

const LOCKED_EVENT: &str = concat!("SELECT ", event_columns!(), " FROM events WHERE id = $1 FOR UPDATE");
/// A plan that was made while the table was empty serves on when it holds a million rows, and to a planner without statistics
/// every index that begins with the event looks as good as another. LATERAL leaves it no choice but to look each one up, and
/// OFFSET 0, behind which it sees no further condition, none but to use the index that begins with what is looked up.
const FIND: &str = concat!(
    "SELECT found.* FROM unnest($3::text[]) AS named (key) CROSS JOIN LATERAL (
        SELECT ",
    registration_columns!(),
    " FROM registrations WHERE email_key = named.key AND status <> 'cancelled' OFFSET 0
    ) AS found WHERE event_id = $1 AND round = $2
    UNION ALL
    SELECT found.* FROM unnest($4::text[]) AS named (key) CROSS JOIN LATERAL (
        SELECT ",
    registration_columns!(),
    " FROM registrations WHERE idempotency_key = named.key OFFSET 0
    ) AS found WHERE event_id = $1 AND round = $2
    UNION ALL
    SELECT found.* FROM unnest($5::bigint[], $6::bigint[]) AS named (in_round, of_number) CROSS JOIN LATERAL (
        SELECT ",
    registration_columns!(),
    " FROM registrations WHERE event_id = $1 AND round = named.in_round AND number = named.of_number OFFSET 0
    ) AS found"
);
macro_rules! insert {
    () => {
        "INSERT INTO registrations (event_id, round, number, secret, name, name_key, email, email_key, idempotency_key,
            status, accepted_waiting, accepted_revision, revision, at)
        SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])"
    };
}
const INSERT: &str = insert!();
/// The same, the event's new counts and the line in its log, in one round trip.
const REGISTER: &str = concat!(
    "WITH counted AS (
        UPDATE events SET revision = $16, registered = $17, waiting = $18, last_number = $19, at = $20 WHERE id = $15 RETURNING *
    ), logged AS (
        INSERT INTO changes (event_id, revision, kind, round, state, capacity, registered, waiting, at)
        SELECT id, revision, 'registered', round, $21, capacity, registered, waiting, at FROM counted
    ) ",
    insert!()
);
const ADVANCE: &str = "\
    UPDATE registrations r
    SET status = moved.status, revision = moved.revision
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[]) AS moved (event_id, round, number, status, revision)
    WHERE r.event_id = moved.event_id AND r.round = moved.round AND r.number = moved.number";
/// The server's own limits stand behind the client's: a node that has vanished must not keep an event's lock. (Statements may
/// take long only where an event with a million registrations is deleted.) Short statements gain nothing from parallel workers
/// and compilation, which cost milliseconds where the planner overrates them. And a plan that was made while a table was empty
/// walks it whole for each look-up as long as it is kept: where there is an index, it is to be used. A plan for given values is as
/// bad: of an event that is newer than the statistics the planner believes that it has no rows, and takes any index that begins with
/// the event; one for any values takes the index that fits.
const SETTINGS: &str = "\
    SELECT set_config('statement_timeout', '60s', false), set_config('lock_timeout', '4s', false),
        set_config('idle_in_transaction_session_timeout', '3s', false), set_config('tcp_keepalives_idle', '10', false),
        set_config('tcp_keepalives_interval', '5', false), set_config('tcp_keepalives_count', '3', false),
        set_config('max_parallel_workers_per_gather', '0', false), set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),
        set_config('plan_cache_mode', 'force_generic_plan', false)";
/// Another node may be migrating a large table.
const NO_LIMITS: &str = "SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)";
/// For what may take as long as it takes, on a connection of its own: copying a database.
pub(super) const UNBOUNDED: &str = "\
    SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '10s', false),
        set_config('idle_in_transaction_session_timeout', '0', false), set_config('enable_seqscan', 'off', false)";
/// Says it by name, so that a server whose default was changed cannot give a place twice.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
const NOTIFY: &str = "SELECT pg_notify($1, $2)";

/// Of a node. A server takes 100 by default: room for several nodes and their listeners.
const CONNECTIONS: u32 = 10;
/// A connection that has been idle for longer is tried before it is used: the server may have been restarted.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// How long such a trial may take.
const PING_TIMEOUT: Duration = Duration::from_millis(500);
/// How long to wait for a connection; less than the statement's own limit, so that the reason is told.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// A pool of connections to a server.
#[derive(Debug, Clone)]
pub struct Postgres {
    pool: PgPool,
    /// Where to listen: past a pooler, if there is one, that hands connections out by transaction.
    listen: Arc<PgConnectOptions>,
}

impl Postgres {
    pub(super) async fn open(options: &PgConnectOptions, listen: Option<&PgConnectOptions>) -> Result<Self, StoreError> {
        let pool = pool_options().max_connections(CONNECTIONS).connect_lazy_with(named(options));
        let mut connection = match pool.acquire().await {
            Ok(connection) => connection.detach(),
            // The pool has tried again and again, and does not tell why in vain.
            Err(sqlx::Error::PoolTimedOut) => bounded(ACQUIRE_TIMEOUT, PgConnection::connect_with(&named(options))).await?,
            Err(error) => return Err(error.into()),
        };
        connection.execute(NO_LIMITS).await?;
        // sqlx holds an advisory lock meanwhile: nodes that start together wait for each other.
        sqlx::migrate!("migrations/postgres").run_direct(None, &mut connection, false).await?;
        // It has no limits, so it does not belong to the pool.
        connection.close().await?;
        Ok(Self { pool, listen: Arc::new(named(listen.unwrap_or(options))) })
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Tells every node that listens. Not inside the committing transaction: there it would take one lock for all committers of
    /// the whole server.
    pub(super) async fn notify(&self, event: EventId, revision: Option<Revision>) -> Result<(), StoreError> {
        let notify = query(NOTIFY).bind(CHANNEL).bind(payload(event, revision)).execute(&self.pool);
        bounded(ANSWER_TIMEOUT, notify).await.map(drop)
    }

    pub(super) async fn listen(&self) -> Result<Listener, StoreError> {
        let pool = pool_options().max_connections(1).idle_timeout(None).max_lifetime(None).connect_lazy_with((*self.listen).clone());
        bounded(ANSWER_TIMEOUT, Listener::open(&pool)).await
    }

    pub(super) fn reader(&self) -> &PgPool {
        &self.pool
    }

    async fn begin(&self) -> Result<Writing, sqlx::Error> {
        Ok(Writing(self.pool.begin_with(BEGIN).await?))
    }

    /// The same, and the event's row, once nobody else holds it.
    async fn begin_locked(&self, event: EventId) -> Result<(Writing, Option<Event>), StoreError> {
        let mut writing = self.begin().await?;
        let row = query_as::<_, rows::EventRow>(LOCKED_EVENT).bind(event).fetch_optional(&mut *writing).await?;
        Ok((writing, row.map(Event::try_from).transpose()?))
    }
}

impl_statements!(Postgres);

/// How this program shows among the server's connections.
pub(super) fn named(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().application_name("headcount").disable_statement_logging()
}

fn pool_options() -> PgPoolOptions {
    PgPoolOptions::new()
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(|connection, _| Box::pin(async move { connection.execute(SETTINGS).await.map(drop) }))
        .test_before_acquire(false)
        .before_acquire(|connection, known| Box::pin(async move { if known.idle_for > TRUSTED_IDLE { ping(connection).await } else { Ok(true) } }))
        // sqlx tries every connection that comes back, but without a limit of time: one that was lost without a word, in a
        // future that was cancelled, would keep its place in the pool until TCP gives up.
        .after_release(|connection, _| Box::pin(ping(connection)))
}

async fn ping(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(PING_TIMEOUT, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

/// An open transaction. Dropped without an end, it is rolled back before the connection serves anybody else.
struct Writing(Transaction<'static, sqlx::Postgres>);

impl_session!(Writing);

impl Writing {
    async fn commit(self) -> Result<(), sqlx::Error> {
        self.0.commit().await
    }

    async fn rollback(self) -> Result<(), sqlx::Error> {
        self.0.rollback().await
    }

    async fn find(&mut self, event: &Event, lookup: &Lookup<'_>) -> Result<Vec<rows::RegistrationRow>, sqlx::Error> {
        let (rounds, numbers): (Vec<i64>, Vec<i64>) = lookup.places.iter().map(|(round, number)| (i64::from(*round), i64::from(*number))).unzip();
        let find = query_as(FIND).bind(event.id).bind(i64::from(event.round));
        find.bind(&lookup.emails).bind(&lookup.keys).bind(rounds).bind(numbers).fetch_all(&mut **self).await
    }

    async fn insert(&mut self, new: &[&Registration]) -> Result<(), sqlx::Error> {
        bind(query(INSERT), new).execute(&mut **self).await.map(drop)
    }

    async fn register(&mut self, event: &Event, new: &[&Registration]) -> Result<(), sqlx::Error> {
        bind(query(REGISTER), new)
            .bind(event.id)
            .bind(event.revision)
            .bind(i64::from(event.registered))
            .bind(i64::from(event.waiting))
            .bind(i64::from(event.last_number))
            .bind(event.at.as_millis())
            .bind(event.state().as_str())
            .execute(&mut **self)
            .await
            .map(drop)
    }

    async fn advance(&mut self, moved: &[&Registration]) -> Result<(), sqlx::Error> {
        // Planned each time, for the size that the table has then.
        query(ADVANCE)
            .persistent(false)
            .bind(column(moved, |row| row.locator.event))
            .bind(column(moved, |row| i64::from(row.locator.round)))
            .bind(column(moved, |row| i64::from(row.locator.number)))
            .bind(column(moved, |row| row.status.as_str()))
            .bind(column(moved, |row| row.revision))
            .execute(&mut **self)
            .await?;
        Ok(())
    }
}

impl Deref for Writing {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

/// Binds rows as [`INSERT`] takes them.
fn bind<'q>(query: Query<'q, sqlx::Postgres, PgArguments>, new: &[&'q Registration]) -> Query<'q, sqlx::Postgres, PgArguments> {
    query
        .bind(column(new, |row| row.locator.event))
        .bind(column(new, |row| i64::from(row.locator.round)))
        .bind(column(new, |row| i64::from(row.locator.number)))
        .bind(column(new, |row| row.secret.reveal()))
        .bind(column(new, |row| row.name.as_str()))
        .bind(column(new, |row| row.name.as_str().to_lowercase()))
        .bind(column(new, |row| row.email.as_str()))
        .bind(column(new, |row| row.email.key()))
        .bind(column(new, |row| row.key.as_ref().map(IdempotencyKey::as_str)))
        .bind(column(new, |row| row.status.as_str()))
        .bind(column(new, |row| row.accepted_waiting.map(i64::from)))
        .bind(column(new, |row| row.accepted_revision))
        .bind(column(new, |row| row.revision))
        .bind(column(new, |row| row.at.as_millis()))
}

/// One column of some rows, as `unnest` takes it.
fn column<'a, T>(rows: &[&'a Registration], value: impl Fn(&'a Registration) -> T) -> Vec<T> {
    rows.iter().copied().map(value).collect()
}
