//! Writes rows, in a transaction that somebody else ends.

use sqlx::{query, query_scalar};

use super::super::error::{COMMIT_TIMEOUT, bounded};
use super::super::transaction::{Connection, Transaction as _};
use super::super::writes::in_transaction;
use super::super::{Store, StoreError};
use super::Outgoing;
use crate::domain::clock::Timestamp;
use crate::domain::outbox::NewRow;

/// $1 is a JSON array of rows, in the order of the columns.
const INSERT_SQLITE: &str = "\
    INSERT INTO outbox (channel, kind, lane, event_id, round, number, webhook_id, recipient, language,
        payload, once_key, due_at, created_at)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
        value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, $2
    FROM json_each($1) WHERE TRUE
    ON CONFLICT (once_key) WHERE once_key IS NOT NULL DO NOTHING";
const INSERT_POSTGRES: &str = "\
    INSERT INTO outbox (channel, kind, lane, event_id, round, number, webhook_id, recipient, language,
        payload, once_key, due_at, created_at)
    SELECT new.*, $13
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
        $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[]) AS new
    ON CONFLICT (once_key) WHERE once_key IS NOT NULL DO NOTHING";
/// Whether a `link` mail for the same address and event was written after $3.
const RECENT_LINK: &str = "\
    SELECT CAST(count(*) AS BIGINT) FROM (
        SELECT 1 FROM outbox WHERE recipient = $1 AND state = 'waiting' AND kind = 'link'
            AND event_id = $2 AND created_at > $3
        UNION ALL
        SELECT 1 FROM outbox WHERE recipient = $1 AND finished_at IS NOT NULL AND finished_at > $3
            AND kind = 'link' AND event_id = $2 AND created_at > $3
    ) AS recent";

/// Adds rows to a transaction, in one statement.
pub(in crate::store) async fn insert(
    connection: Connection<'_>,
    outgoing: &Outgoing,
    rows: &[NewRow],
    now: Timestamp,
) -> Result<(), StoreError> {
    match connection {
        Connection::Sqlite(connection) => {
            let rows: Vec<_> = rows
                .iter()
                .map(|row| {
                    (
                        row.channel.as_str(),
                        &row.kind,
                        row.lane,
                        row.event,
                        row.round,
                        row.number,
                        row.webhook,
                        outgoing.stored(&row.recipient),
                        &row.language,
                        row.payload.to_string(),
                        &row.once,
                        row.due.as_millis(),
                    )
                })
                .collect();
            // Text and numbers always become JSON.
            let rows = serde_json::to_string(&rows).expect("text and numbers");
            query(INSERT_SQLITE)
                .bind(rows)
                .bind(now.as_millis())
                .execute(connection)
                .await?;
        }
        Connection::Postgres(connection) => {
            query(INSERT_POSTGRES)
                .bind(column(rows, |row| row.channel.as_str()))
                .bind(column(rows, |row| row.kind.as_str()))
                .bind(column(rows, |row| row.lane))
                .bind(column(rows, |row| row.event))
                .bind(column(rows, |row| row.round.map(i64::from)))
                .bind(column(rows, |row| row.number.map(i64::from)))
                .bind(column(rows, |row| row.webhook))
                .bind(column(rows, |row| outgoing.stored(&row.recipient)))
                .bind(column(rows, |row| row.language.as_str()))
                .bind(column(rows, |row| row.payload.to_string()))
                .bind(column(rows, |row| row.once.as_deref()))
                .bind(column(rows, |row| row.due.as_millis()))
                .bind(now.as_millis())
                .execute(connection)
                .await?;
        }
    }
    Ok(())
}

/// One column of some rows, as `unnest` takes it.
fn column<'a, T>(rows: &'a [NewRow], value: impl Fn(&'a NewRow) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

impl Store {
    /// Writes rows outside a batch, such as a reminder or a test mail, and wakes the workers.
    pub async fn write_outbox(&self, rows: &[NewRow], now: Timestamp) -> Result<(), StoreError> {
        let outgoing = self.outgoing().clone();
        in_transaction!(self, transaction => {
            insert(transaction.connection(), &outgoing, rows, now).await?;
            transaction.commit().await
        })?;
        outgoing.wake();
        Ok(())
    }

    /// Writes the mail of a lost link, unless its address had one of the same event after `since`.
    /// Nodes decide one after the other. Returns whether it was written.
    pub async fn write_link(
        &self,
        row: &NewRow,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let outgoing = self.outgoing().clone();
        let recipient = outgoing.stored(&row.recipient);
        let written = in_transaction!(self, transaction => {
            super::claim::take_turn(transaction.connection()).await?;
            let recent: i64 = query_scalar(RECENT_LINK)
                .bind(&recipient)
                .bind(row.event)
                .bind(since.as_millis())
                .fetch_one(&mut *transaction)
                .await?;
            if recent > 0 {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(false);
            }
            insert(transaction.connection(), &outgoing, std::slice::from_ref(row), now).await?;
            transaction.commit().await?;
            Ok(true)
        })?;
        if written {
            outgoing.wake();
        }
        Ok(written)
    }
}
