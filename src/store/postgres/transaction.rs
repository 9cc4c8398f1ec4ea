//! A transaction that writes. Rows go to the server as arrays: one statement for any number of
//! rows.

use std::ops::{Deref, DerefMut};

use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use sqlx::{Executor as _, query, query_as};

use super::super::StoreError;
use super::super::lookup::Lookup;
use super::super::rows::{self, registration_columns};
use super::super::transaction::{Connection, Transaction};
use super::pool::{PooledConn, WriterPool};
use crate::domain::change::Change;
use crate::domain::clock::Timestamp;
use crate::domain::decide::BatchState;
use crate::domain::event::Event;
use crate::domain::registration::{AddedBy, IdempotencyKey, Registration};
use crate::domain::search;

/// Finds registrations by email key, by idempotency key, and by number.
///
/// A plan made while the table was empty is kept when it has a million rows. Without statistics
/// every index that begins with the event looks equally good to the planner. LATERAL makes it look
/// up each row. OFFSET 0 hides the conditions outside, so that it uses the index that begins with
/// the key.
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
const UPDATE_REGISTRATIONS: &str = "\
    UPDATE registrations r
    SET status = updated.status, revision = updated.revision, party_size = updated.party_size
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[])
        AS updated (event_id, round, number, status, revision, party_size)
    WHERE r.event_id = updated.event_id AND r.round = updated.round AND r.number = updated.number";
const ERASE: &str = "\
    UPDATE registrations r
    SET name = '', search_key = '', email = '', email_key = erased.email_key, idempotency_key = NULL,
        answers = NULL, erased_at = erased.erased_at
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[])
        AS erased (event_id, round, number, email_key, erased_at)
    WHERE r.event_id = erased.event_id AND r.round = erased.round AND r.number = erased.number";
/// The event's row, new lines of its change log and new registrations, in one round trip. The
/// registrations take the event's key from its row, so that there is none without an event.
const WRITE_ROWS: &str = "\
    WITH event AS (
        UPDATE events
        SET title = $2, description = $3, capacity = $4, waitlist = $5, opens_at = $6,
            closes_at = $7, scheduled = $8, ended = $9, closed = $10, round = $11, revision = $12,
            registered = $13, waiting = $14, last_number = $15, at = $16, max_party_size = $17,
            waiting_companions = $18
        WHERE id = $1
        RETURNING id
    ), logged AS (
        INSERT INTO changes (event_id, revision, kind, round, state, capacity, registered, waiting, at)
        SELECT event.id, new.*
        FROM event CROSS JOIN unnest($19::bigint[], $20::text[], $21::bigint[], $22::text[],
            $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[]) AS new
    )
    INSERT INTO registrations (event_id, number, round, secret, name, search_key, email, email_key,
        idempotency_key, status, accepted_waiting, accepted_revision, revision, at, party_size,
        answers, added_by, language)
    SELECT event.id, new.*
    FROM event CROSS JOIN unnest($27::bigint[], $28::bigint[], $29::text[], $30::text[],
        $31::text[], $32::text[], $33::text[], $34::text[], $35::text[], $36::bigint[],
        $37::bigint[], $38::bigint[], $39::bigint[], $40::bigint[], $41::text[],
        $42::text[], $43::text[]) AS new";
/// The invariant: a transaction has its connection until it ends.
const ENDED: &str = "only the end takes it away";

/// An open transaction. If it is dropped without an end, its state is unknown: it closes its
/// connection, and the server rolls back.
#[derive(Debug)]
pub(in super::super) struct PgTransaction {
    /// `None` only after the end.
    connection: Option<PooledConn>,
    from: WriterPool,
}

impl PgTransaction {
    /// Begins a transaction with this statement.
    pub(super) async fn begin(
        connection: PooledConn,
        from: WriterPool,
        begin: &'static str,
    ) -> Result<Self, sqlx::Error> {
        let mut transaction = Self {
            connection: Some(connection),
            from,
        };
        transaction.execute(begin).await?;
        Ok(transaction)
    }

    async fn end(mut self, end: &'static str) -> Result<(), StoreError> {
        self.execute(end).await?;
        if let Some(connection) = self.connection.take() {
            self.from.keep(connection);
        }
        Ok(())
    }
}

impl Transaction for PgTransaction {
    fn connection(&mut self) -> Connection<'_> {
        Connection::Postgres(self)
    }

    async fn find(
        &mut self,
        event: &Event,
        lookup: &Lookup<'_>,
    ) -> Result<Vec<Registration>, StoreError> {
        let (rounds, numbers): (Vec<i64>, Vec<i64>) = lookup
            .numbers
            .iter()
            .map(|(round, number)| (i64::from(*round), i64::from(*number)))
            .unzip();
        let found: Vec<rows::RegistrationRow> = query_as(FIND)
            .bind(event.id)
            .bind(i64::from(event.round))
            .bind(&lookup.emails)
            .bind(&lookup.keys)
            .bind(rounds)
            .bind(numbers)
            .fetch_all(&mut **self)
            .await?;
        rows::read(found)
    }

    async fn update_registrations(&mut self, updated: &[&Registration]) -> Result<(), StoreError> {
        // Planned each time, for the size that the table has then.
        query(UPDATE_REGISTRATIONS)
            .persistent(false)
            .bind(column(updated, |row| row.locator.event))
            .bind(column(updated, |row| i64::from(row.locator.round)))
            .bind(column(updated, |row| i64::from(row.locator.number)))
            .bind(column(updated, |row| row.status.as_str()))
            .bind(column(updated, |row| row.revision))
            .bind(column(updated, |row| i64::from(row.party_size.get())))
            .execute(&mut **self)
            .await?;
        Ok(())
    }

    async fn erase(&mut self, erased: &[&Registration]) -> Result<(), StoreError> {
        // Planned each time, as above.
        query(ERASE)
            .persistent(false)
            .bind(column(erased, |row| row.locator.event))
            .bind(column(erased, |row| i64::from(row.locator.round)))
            .bind(column(erased, |row| i64::from(row.locator.number)))
            .bind(column(erased, |row| row.email_key()))
            .bind(column(erased, |row| {
                row.erased_at.map(Timestamp::as_millis)
            }))
            .execute(&mut **self)
            .await?;
        Ok(())
    }

    async fn note_erasure(&mut self) -> Result<(), StoreError> {
        // Vacuuming is the server's own work.
        Ok(())
    }

    async fn write_rows(
        &mut self,
        batch: &BatchState,
        new: &[&Registration],
    ) -> Result<(), StoreError> {
        let query = rows::bind_event!(query(WRITE_ROWS).bind(batch.event.id), batch.event);
        let query = bind_changes(query, &batch.writes.changes);
        let inserted = bind_registrations(query, new).execute(&mut **self).await?;
        // Without the event there is nothing to insert into.
        if inserted.rows_affected() == new.len() as u64 {
            Ok(())
        } else {
            Err(sqlx::Error::RowNotFound.into())
        }
    }

    async fn commit(self) -> Result<(), StoreError> {
        self.end("COMMIT").await
    }

    async fn rollback(self) -> Result<(), StoreError> {
        self.end("ROLLBACK").await
    }
}

impl Deref for PgTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect(ENDED)
    }
}

impl DerefMut for PgTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect(ENDED)
    }
}

impl Drop for PgTransaction {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close();
        }
    }
}

type Statement<'q> = Query<'q, sqlx::Postgres, PgArguments>;

fn bind_changes<'q>(query: Statement<'q>, changes: &'q [Change]) -> Statement<'q> {
    query
        .bind(column(changes, |change| change.headcount.revision))
        .bind(column(changes, |change| change.kind.as_str()))
        .bind(column(changes, |change| i64::from(change.headcount.round)))
        .bind(column(changes, |change| change.headcount.state.as_str()))
        .bind(column(changes, |change| {
            rows::places(change.headcount.capacity)
        }))
        .bind(column(changes, |change| {
            i64::from(change.headcount.registered)
        }))
        .bind(column(changes, |change| {
            i64::from(change.headcount.waiting)
        }))
        .bind(column(changes, |change| change.headcount.at.as_millis()))
}

fn bind_registrations<'q>(query: Statement<'q>, new: &[&'q Registration]) -> Statement<'q> {
    query
        .bind(column(new, |row| i64::from(row.locator.number)))
        .bind(column(new, |row| i64::from(row.locator.round)))
        .bind(column(new, |row| row.secret.reveal()))
        .bind(column(new, |row| row.name.as_str()))
        .bind(column(new, |row| {
            search::key(&row.name, row.email.as_ref())
        }))
        .bind(column(new, |row| rows::email(row)))
        .bind(column(new, |row| row.email_key()))
        .bind(column(new, |row| {
            row.key.as_ref().map(IdempotencyKey::as_str)
        }))
        .bind(column(new, |row| row.status.as_str()))
        .bind(column(new, |row| row.accepted_waiting.map(i64::from)))
        .bind(column(new, |row| row.accepted_revision))
        .bind(column(new, |row| row.revision))
        .bind(column(new, |row| row.at.as_millis()))
        .bind(column(new, |row| i64::from(row.party_size.get())))
        .bind(column(new, |row| row.answers.stored()))
        .bind(column(new, |row| row.added_by.map(AddedBy::as_str)))
        .bind(column(new, |row| row.language.tag()))
}

/// One column of some rows, as `unnest` takes it.
fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}
