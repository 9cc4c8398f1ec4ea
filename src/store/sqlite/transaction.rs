//! A transaction on the connection that writes.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor as _, FromRow as _, Row as _, query, query_as};
use tokio::sync::OwnedMutexGuard;

use super::super::batch::Locked;
use super::super::lookup::Lookup;
use super::super::rows::{self, event_columns, has_webhooks, registration_columns};
use super::super::transaction::{Connection, Transaction};
use super::super::{StoreError, sql};
use super::insert_batch;
use super::open_file::OpenFile;
use crate::domain::clock::Timestamp;
use crate::domain::decide::BatchState;
use crate::domain::event::{Event, EventId};
use crate::domain::registration::{Locator, Registration};

/// IMMEDIATE takes the write lock at the start. A deferred transaction could find its snapshot
/// outdated at its first change.
macro_rules! begin {
    () => {
        "BEGIN IMMEDIATE;"
    };
}
pub(super) const BEGIN: &str = begin!();
/// $2 and $3 are JSON arrays of email keys and idempotency keys, $4 of `[round, number]`. CROSS
/// JOIN keeps SQLite from reading the whole round instead of looking each one up.
macro_rules! find {
    () => {
        concat!(
            "SELECT ",
            registration_columns!(),
            " FROM json_each($2) CROSS JOIN registrations
            WHERE event_id = $1 AND round = (SELECT round FROM events WHERE id = $1)
                AND status <> 'cancelled' AND email_key = value
            UNION ALL
            SELECT ",
            registration_columns!(),
            " FROM json_each($3) CROSS JOIN registrations
            WHERE event_id = $1 AND round = (SELECT round FROM events WHERE id = $1)
                AND idempotency_key = value
            UNION ALL
            SELECT ",
            registration_columns!(),
            " FROM json_each($4) CROSS JOIN registrations
            WHERE event_id = $1 AND round = value ->> 0 AND number = value ->> 1"
        )
    };
}
const FIND: &str = find!();
/// The first row is the event's, the others are registrations. One call, because each is a trip to
/// sqlx's thread and back.
const BEGIN_LOCKED: &str = concat!(
    begin!(),
    " SELECT ",
    event_columns!(),
    ", ",
    has_webhooks!(),
    " FROM events WHERE id = $1; ",
    find!()
);
/// $1 is a JSON array of `[event, round, number, status, revision, party_size]`.
const UPDATE_REGISTRATIONS: &str = "\
    UPDATE registrations
    SET status = updated.value ->> 3, revision = updated.value ->> 4, party_size = updated.value ->> 5
    FROM json_each($1) AS updated
    WHERE event_id = updated.value ->> 0 AND round = updated.value ->> 1 AND number = updated.value ->> 2";
/// $1 is a JSON array of `[event, round, number, email_key, erased_at]`.
const ERASE: &str = "\
    UPDATE registrations
    SET name = '', search_key = '', email = '', email_key = erased.value ->> 3, idempotency_key = NULL,
        answers = NULL, erased_at = erased.value ->> 4
    FROM json_each($1) AS erased
    WHERE event_id = erased.value ->> 0 AND round = erased.value ->> 1 AND number = erased.value ->> 2";

/// The connection that writes, with an open transaction. If it is dropped without an end, it closes
/// the connection, which rolls back.
pub(in super::super) struct SqliteTransaction {
    writer: OwnedMutexGuard<Option<SqliteConnection>>,
    connection: SqliteConnection,
    file: Arc<OpenFile>,
}

impl SqliteTransaction {
    pub(super) fn new(
        writer: OwnedMutexGuard<Option<SqliteConnection>>,
        connection: SqliteConnection,
        file: Arc<OpenFile>,
    ) -> Self {
        Self {
            writer,
            connection,
            file,
        }
    }

    /// Begins the transaction and reads an event's row with the registrations that `lookup` names.
    pub(super) async fn begin_locked(
        &mut self,
        event: EventId,
        lookup: &Lookup<'_>,
    ) -> Result<Option<Locked>, StoreError> {
        let found = query(BEGIN_LOCKED)
            .bind(event)
            .bind(json(&lookup.emails))
            .bind(json(&lookup.keys))
            .bind(json(&lookup.numbers))
            .fetch_all(&mut **self)
            .await?;
        let Some((event, registrations)) = found.split_first() else {
            return Ok(None);
        };
        let has_webhooks = event.try_get("has_webhooks")?;
        let event = rows::EventRow::from_row(event)?.try_into()?;
        let registrations: Result<Vec<_>, _> = registrations
            .iter()
            .map(rows::RegistrationRow::from_row)
            .collect();
        Ok(Some(Locked {
            event,
            found: rows::read(registrations?)?,
            has_webhooks,
        }))
    }

    async fn end(mut self, statement: &'static str) -> Result<(), StoreError> {
        self.connection.execute(statement).await?;
        // If a file was removed or truncated meanwhile, the batch may be lost.
        let checked = self.file.check_written(&mut self.connection).await;
        *self.writer = Some(self.connection);
        Ok(checked?)
    }
}

impl Transaction for SqliteTransaction {
    fn connection(&mut self) -> Connection<'_> {
        Connection::Sqlite(self)
    }

    async fn find(
        &mut self,
        event: &Event,
        lookup: &Lookup<'_>,
    ) -> Result<Vec<Registration>, StoreError> {
        let found: Vec<rows::RegistrationRow> = query_as(FIND)
            .bind(event.id)
            .bind(json(&lookup.emails))
            .bind(json(&lookup.keys))
            .bind(json(&lookup.numbers))
            .fetch_all(&mut **self)
            .await?;
        rows::read(found)
    }

    async fn update_registrations(&mut self, updated: &[&Registration]) -> Result<(), StoreError> {
        let rows = updated.iter().map(|row| {
            let Locator {
                event,
                round,
                number,
            } = row.locator;
            (
                event,
                round,
                number,
                row.status.as_str(),
                row.revision,
                row.party_size,
            )
        });
        query(UPDATE_REGISTRATIONS)
            .bind(json(&rows.collect::<Vec<_>>()))
            .execute(&mut **self)
            .await?;
        Ok(())
    }

    async fn erase(&mut self, erased: &[&Registration]) -> Result<(), StoreError> {
        let erased = erased.iter().map(|row| {
            let Locator {
                event,
                round,
                number,
            } = row.locator;
            let erased_at = row.erased_at.map(Timestamp::as_millis);
            (event, round, number, row.email_key(), erased_at)
        });
        query(ERASE)
            .bind(json(&erased.collect::<Vec<_>>()))
            .execute(&mut **self)
            .await?;
        Ok(())
    }

    async fn note_erasure(&mut self) -> Result<(), StoreError> {
        query(sql::INSERT_SETTING)
            .bind(super::REBUILD_DUE)
            .bind("")
            .execute(&mut **self)
            .await?;
        Ok(())
    }

    async fn write_rows(
        &mut self,
        batch: &BatchState,
        new: &[&Registration],
    ) -> Result<(), StoreError> {
        let changes = &batch.writes.changes;
        // Built from constants; every value is bound.
        let statements = AssertSqlSafe(insert_batch::statements(changes.len(), new.len()));
        insert_batch::bind(query(statements), &batch.event, changes, new)
            .execute(&mut **self)
            .await?;
        Ok(())
    }

    async fn commit(self) -> Result<(), StoreError> {
        self.end("COMMIT").await
    }

    async fn rollback(self) -> Result<(), StoreError> {
        self.end("ROLLBACK").await
    }
}

impl Deref for SqliteTransaction {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for SqliteTransaction {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

/// Many values as one: text and numbers always become JSON.
pub(super) fn json(values: &impl serde::Serialize) -> String {
    serde_json::to_string(values).expect("text and numbers")
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::store::Order;

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

    /// What every commit reads must not scan the registrations of an event.
    #[tokio::test]
    async fn a_commit_looks_up_and_never_scans() {
        let directory = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(directory.path().join("plans.db"))
            .create_if_missing(true);
        let mut connection = super::super::file::open(&options).await.unwrap();
        for (statement, indexes) in [
            (
                FIND,
                &[
                    "registrations_email (event_id=? AND round=? AND email_key=?)",
                    "registrations_key (event_id=? AND round=? AND idempotency_key=?)",
                    "(event_id=? AND round=? AND number=?)",
                ][..],
            ),
            (
                UPDATE_REGISTRATIONS,
                &["(event_id=? AND round=? AND number=?)"],
            ),
            (ERASE, &["(event_id=? AND round=? AND number=?)"]),
            (
                sql::ERASE_CONFIRMATIONS,
                &[
                    "(event_id=? AND email_key=?)",
                    "(event_id=? AND round=? AND number=?)",
                ],
            ),
            (sql::MARK, &["(event_id=? AND round=? AND number=?)"]),
            (sql::UNERASED, &["(event_id=? AND (round,number)>(?,?))"]),
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
            (
                super::super::registrations(Order::default()),
                &["(event_id=? AND round=? AND number>?)"],
            ),
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
            (
                sql::NEXT_PARTY,
                &["registrations_waiting (event_id=? AND round=? AND status=?)"],
            ),
            (sql::REWRITE, &["(event_id=? AND round=? AND number=?)"]),
            (sql::CHANGES, &["(event_id=? AND revision>?)"]),
            (sql::AUDIT, &["audit_slug (slug=? AND id<?)"]),
            (sql::EVENT_BY_ID, &["rowid=?"]),
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
