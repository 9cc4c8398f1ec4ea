//! Postgres: one server, any number of nodes.
//!
//! READ COMMITTED with the event's row locked first: whatever a transaction reads after that is as new as the lock. (Under
//! REPEATABLE READ the snapshot would be older than the lock, and a place could be given twice.)

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use serde_json::Value;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgPool, PgQueryResult};
use sqlx::query::{Query, QueryAs};
use sqlx::{Connection as _, Executor as _, query, query_as, query_scalar};

use super::alongside::alongside;
use super::batch::{self, Decided, Lookup, Session};
use super::connections::{
    ACQUIRE_TIMEOUT, Connections, SETTINGS, SHORT_READERS, Writing, named, pool_options,
};
use super::error::bounded;
use super::forms::{self, Claim, impl_forms};
use super::listener::{CHANNEL, Listener, payload};
use super::lists::{self, Export, Pieces, Positions, Span, impl_lists, unless_stalled};
use super::readers::Readers;
use super::rows::{self, event_columns, registration_columns};
use super::session::impl_session;
use super::shared::{
    ANSWER_TIMEOUT, COMMIT_TIMEOUT, DELETE_TIMEOUT, LOOK_UP_PAUSE, impl_statements,
};
use super::{
    Announcement, Commit, CreateError, Filter, Listed, Mark, Meanwhile, StoreError, migrations,
    statements as sql,
};
use crate::domain::announcement::NewAnnouncement;
use crate::domain::audit::{self, AuditEntry};
use crate::domain::change::{Change, Kind};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::command::Command;
use crate::domain::decide::{Archived, Picture};
use crate::domain::event::{Event, EventId, NewEvent, Slug};
use crate::domain::position::{Epoch, Revision};
use crate::domain::registration::{IdempotencyKey, Locator, Registration, Status};
use crate::domain::search;

const LOCKED_EVENT: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE id = $1 FOR UPDATE"
);
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
const REGISTRATIONS: &str = sql::registrations!(
    "SELECT 1 FROM unnest($7::text[]) AS word WHERE strpos(search_key, word) = 0 AND word <> number::text"
);

/// A list as `unnest` takes it.
fn words(texts: &[String]) -> &[String] {
    texts
}

/// The rows take their event's key from its row, so that there is none without an event.
macro_rules! insert {
    ($values:literal, $event:literal, $rest:literal) => {
        concat!(
            "INSERT INTO registrations (number, secret, name, search_key, email, email_key, idempotency_key, status, accepted_waiting, at,
                event_id, round, accepted_revision, revision)
            SELECT new.number, new.secret, new.name, new.search_key, new.email, new.email_key, new.idempotency_key, new.status, new.accepted_waiting, new.at, ",
            $values,
            " FROM ",
            $event,
            " CROSS JOIN unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[]",
            $rest
        )
    };
}
const INSERT: &str = insert!(
    "event.id, new.round, new.accepted_revision, new.revision",
    "(SELECT id FROM events WHERE id = $1) AS event",
    ", $12::bigint[], $13::bigint[], $14::bigint[]) AS new (number, secret, name, search_key, email, email_key, idempotency_key, status,
        accepted_waiting, at, round, accepted_revision, revision)"
);
/// The same, the event's new counts and the line in its log, in one round trip. What all rows have in common is taken once.
const REGISTER: &str = concat!(
    "WITH counted AS (
        UPDATE events SET revision = $12, registered = $13, waiting = $14, last_number = $15, at = $16 WHERE id = $1 RETURNING *
    ), logged AS (
        INSERT INTO changes (event_id, revision, kind, round, state, capacity, registered, waiting, at)
        SELECT id, revision, 'registered', round, $17, capacity, registered, waiting, at FROM counted
    ) ",
    insert!(
        "counted.id, counted.round, counted.revision, counted.revision",
        "counted",
        ") AS new (number, secret, name, search_key, email, email_key, idempotency_key, status, accepted_waiting, at)"
    )
);
const ADVANCE: &str = "\
    UPDATE registrations r
    SET status = moved.status, revision = moved.revision
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[]) AS moved (event_id, round, number, status, revision)
    WHERE r.event_id = moved.event_id AND r.round = moved.round AND r.number = moved.number";
/// Another node may be migrating a large table.
const NO_LIMITS: &str =
    "SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)";
/// For what may take as long as it takes, on a connection of its own: copying a database.
pub(super) const UNBOUNDED: &str = "\
    SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '10s', false),
        set_config('idle_in_transaction_session_timeout', '0', false), set_config('enable_seqscan', 'off', false)";
/// Says it by name, so that a server whose default was changed cannot give a place twice.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// What one of these transactions reads is the state at its first statement.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
/// An export lasts as long as its reader takes, within its own limit.
const EXPORT_LIMITS: &str = "SELECT set_config('statement_timeout', '0', false)";
const NOTIFY: &str = "SELECT pg_notify($1, $2)";

/// A server.
#[derive(Debug, Clone)]
pub struct Postgres {
    connections: Connections,
    readers: Arc<Readers<sqlx::Postgres>>,
    options: Arc<PgConnectOptions>,
    /// Where to listen: past a pooler, if there is one, that hands connections out by transaction.
    listen: Arc<PgConnectOptions>,
}

impl Postgres {
    pub(super) async fn open(
        options: &PgConnectOptions,
        listen: Option<&PgConnectOptions>,
    ) -> Result<Self, StoreError> {
        let connections = Connections::to(options);
        let mut connection = match connections.pool().acquire().await {
            Ok(connection) => connection.detach(),
            // The pool has tried again and again, and does not tell why in vain.
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
        let readers = Arc::new(Readers::new(SHORT_READERS, |connections| {
            pool_options()
                .max_connections(connections)
                .connect_lazy_with((*options).clone())
        }));
        Ok(Self {
            connections,
            readers,
            listen: Arc::new(listen.map_or_else(|| (*options).clone(), named)),
            options,
        })
    }

    pub(super) async fn close(&self) {
        tokio::join!(self.readers.close(), self.connections.close());
    }

    /// Tells every node that listens. Not inside the committing transaction: there it would take one lock for all committers of
    /// the whole server.
    pub(super) async fn notify(
        &self,
        event: EventId,
        revision: Option<Revision>,
    ) -> Result<(), StoreError> {
        let notify = query(NOTIFY)
            .bind(CHANNEL)
            .bind(payload(event, revision))
            .execute(self.reader());
        bounded(ANSWER_TIMEOUT, notify).await.map(drop)
    }

    pub(super) async fn listen(&self) -> Result<Listener, StoreError> {
        let pool = pool_options()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with((*self.listen).clone());
        bounded(ANSWER_TIMEOUT, Listener::open(&pool)).await
    }

    pub(super) fn reader(&self) -> &PgPool {
        self.readers.short()
    }

    // A server has no file that could be taken away, so these never fail; SQLite's do.
    #[expect(clippy::unnecessary_wraps, reason = "the same signature as SQLite's")]
    pub(super) fn short(&self) -> Result<&PgPool, StoreError> {
        Ok(self.readers.short())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the same signature as SQLite's")]
    fn vital(&self) -> Result<&PgPool, StoreError> {
        Ok(self.readers.vital())
    }

    async fn snapshot(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        connection.execute(SETTINGS).await?;
        connection.execute(EXPORT_LIMITS).await?;
        connection.execute(SNAPSHOT).await?;
        Ok(connection)
    }

    async fn begin(&self) -> Result<Writing, sqlx::Error> {
        self.connections.begin(BEGIN).await
    }

    /// Never foresees: other nodes change the event as well, and a constraint that fails ends the transaction, which costs more than looking.
    async fn attempt(
        &self,
        event: EventId,
        _: Option<&Event>,
        commands: &[Command],
        clock: &Clock,
        decided: &mut Option<Commit>,
        meanwhile: Meanwhile<'_>,
    ) -> Result<(), StoreError> {
        self.decide(event, commands, clock, decided, meanwhile)
            .await
    }

    /// The same, and the event's row, once nobody else holds it, with what the lookup finds.
    async fn begin_locked(
        &self,
        event: EventId,
        lookup: &Lookup<'_>,
    ) -> Result<(Writing, Option<(Event, Vec<Registration>)>), StoreError> {
        let mut writing = self.begin().await?;
        let row = query_as::<_, rows::EventRow>(LOCKED_EVENT)
            .bind(event)
            .fetch_optional(&mut *writing)
            .await?;
        let Some(event) = row.map(Event::try_from).transpose()? else {
            return Ok((writing, None));
        };
        let named = if lookup.is_empty() {
            Vec::new()
        } else {
            writing.named(&event, lookup).await?
        };
        Ok((writing, Some((event, named))))
    }
}

impl_statements!(Postgres);
impl_lists!(Postgres, sqlx::Postgres);
impl_forms!(Postgres);

impl_session!(Writing);

impl Writing {
    async fn commit(self) -> Result<(), sqlx::Error> {
        self.end("COMMIT").await
    }

    async fn rollback(self) -> Result<(), sqlx::Error> {
        self.end("ROLLBACK").await
    }

    async fn find(
        &mut self,
        event: &Event,
        lookup: &Lookup<'_>,
    ) -> Result<Vec<rows::RegistrationRow>, sqlx::Error> {
        let (rounds, numbers): (Vec<i64>, Vec<i64>) = lookup
            .places
            .iter()
            .map(|(round, number)| (i64::from(*round), i64::from(*number)))
            .unzip();
        let find = query_as(FIND).bind(event.id).bind(i64::from(event.round));
        find.bind(&lookup.emails)
            .bind(&lookup.keys)
            .bind(rounds)
            .bind(numbers)
            .fetch_all(&mut **self)
            .await
    }

    async fn insert(&mut self, event: EventId, new: &[&Registration]) -> Result<(), sqlx::Error> {
        let inserted = bind(query(INSERT).bind(event), new)
            .bind(column(new, |row| i64::from(row.locator.round)))
            .bind(column(new, |row| row.accepted_revision))
            .bind(column(new, |row| row.revision))
            .execute(&mut **self)
            .await?;
        all(&inserted, new)
    }

    async fn register_and_commit(
        mut self,
        picture: &Picture,
        meanwhile: impl FnOnce(),
    ) -> Result<(), sqlx::Error> {
        let (event, new) = (&picture.event, &*batch::inserted(picture));
        let register = bind(query(REGISTER).bind(event.id), new)
            .bind(event.revision)
            .bind(i64::from(event.registered))
            .bind(i64::from(event.waiting))
            .bind(i64::from(event.last_number))
            .bind(event.at.as_millis())
            .bind(event.state().as_str());
        let inserted = alongside(register.execute(&mut *self), meanwhile).await?;
        all(&inserted, new)?;
        self.commit().await
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

/// Binds rows as [`INSERT`] and [`REGISTER`] take them, but for what those of one batch have in common.
fn bind<'q>(
    query: Query<'q, sqlx::Postgres, PgArguments>,
    new: &[&'q Registration],
) -> Query<'q, sqlx::Postgres, PgArguments> {
    query
        .bind(column(new, |row| i64::from(row.locator.number)))
        .bind(column(new, |row| row.secret.reveal()))
        .bind(column(new, |row| row.name.as_str()))
        .bind(column(new, |row| search::key(&row.name, &row.email)))
        .bind(column(new, |row| row.email.as_str()))
        .bind(column(new, |row| row.email.key()))
        .bind(column(new, |row| {
            row.key.as_ref().map(IdempotencyKey::as_str)
        }))
        .bind(column(new, |row| row.status.as_str()))
        .bind(column(new, |row| row.accepted_waiting.map(i64::from)))
        .bind(column(new, |row| row.at.as_millis()))
}

/// Without the event there is nothing to insert into, and nothing was.
fn all(inserted: &PgQueryResult, new: &[&Registration]) -> Result<(), sqlx::Error> {
    if inserted.rows_affected() == new.len() as u64 {
        Ok(())
    } else {
        Err(sqlx::Error::RowNotFound)
    }
}

/// One column of some rows, as `unnest` takes it.
fn column<'a, T>(rows: &[&'a Registration], value: impl Fn(&'a Registration) -> T) -> Vec<T> {
    rows.iter().copied().map(value).collect()
}
