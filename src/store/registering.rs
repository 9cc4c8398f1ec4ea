//! New registrations on SQLite, the event's new counts, the line in its log and the commit: one call, however many people.
//!
//! Each `?` takes the next of the values that are bound. Rows are bound value by value and not as one JSON document, because SQLite would call
//! functions to take each of them apart, and keep a journal for a statement that calls any.

use std::sync::Arc;

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

use super::rows::{self, event_columns};
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::registration::{IdempotencyKey, Registration, Status};
use crate::domain::search;

type Registering<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

/// Where the event's row is another by now than it was seen, in whatever column, the line in the log is refused, and everything with it.
const COUNT: &str = concat!(
    " UPDATE OR ROLLBACK events SET revision = ?, registered = ?, waiting = ?, last_number = ?, at = ? WHERE id = ? AND (",
    event_columns!(),
    ") IS (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
    INSERT OR ROLLBACK INTO changes (event_id, revision, kind, round, state, capacity, registered, waiting, at)
    VALUES (iif(changes() = 1, ?, NULL), ?, 'registered', ?, ?, ?, ?, ?, ?);"
);
/// What all rows have in common, then the rows.
const INSERT: &str = "
    INSERT OR ROLLBACK INTO registrations (event_id, round, accepted_revision, revision, at, number, accepted_waiting, status, secret, name, search_key,
        email, email_key, idempotency_key)
    SELECT ?, ?, ?, ?, ?, column1, column2, iif(column2 IS NULL, 'confirmed', 'waiting'), column3, column4, column5, column6, column7, column8
    FROM (VALUES ";
const ROW: &str = "(?, ?, ?, ?, ?, ?, ?, ?)";
/// A row that nothing was bound to.
const FILTER: &str = ") WHERE column1 IS NOT NULL;";
/// Rows in one INSERT; SQLite takes at most 32,766 values in a statement. A full one must have no room for the values of the next.
const ROWS: usize = 512;
const _: () = assert!(ROWS.is_power_of_two());

/// The statements for so many registrations, after `begin`. They are of few sizes, so that all of them stay prepared: what is bound to nothing
/// is NULL.
pub(super) fn statements(begin: &str, registrations: usize) -> String {
    let mut text = [begin, COUNT].concat();
    for first in (0..registrations).step_by(ROWS) {
        let rows = (registrations - first).min(ROWS).next_power_of_two();
        text.extend([INSERT, &vec![ROW; rows].join(", "), FILTER]);
    }
    text + " COMMIT"
}

/// Binds what they take: the event as it was `before` and as it has become, and the `new` registrations.
pub(super) fn bind<'q>(
    query: Registering<'q>,
    before: &Event,
    event: &Event,
    new: &[&Registration],
) -> Registering<'q> {
    let query = query
        .bind(event.revision)
        .bind(event.registered)
        .bind(event.waiting)
        .bind(event.last_number)
        .bind(event.at.as_millis())
        .bind(event.id);
    let query = seen(query, before);
    let query = query
        .bind(event.id)
        .bind(event.revision)
        .bind(event.round)
        .bind(event.state().as_str())
        .bind(rows::places(event.capacity));
    let query = query
        .bind(event.registered)
        .bind(event.waiting)
        .bind(event.at.as_millis());
    new.chunks(ROWS).fold(query, |query, new| {
        let query = query
            .bind(event.id)
            .bind(event.round)
            .bind(event.revision)
            .bind(event.revision)
            .bind(event.at.as_millis());
        new.iter()
            .fold(query, |query, row| registration(query, row))
    })
}

/// The event's row, in the order of its columns.
fn seen<'q>(query: Registering<'q>, event: &Event) -> Registering<'q> {
    let query = query
        .bind(event.id)
        .bind(text(event.slug.as_str()))
        .bind(text(event.epoch.as_str()))
        .bind(text(&event.title))
        .bind(text(&event.description));
    let query = query
        .bind(rows::places(event.capacity))
        .bind(event.waitlist);
    let query = query
        .bind(event.opens_at.map(Timestamp::as_millis))
        .bind(event.closes_at.map(Timestamp::as_millis));
    let query = query
        .bind(event.scheduled)
        .bind(event.ended)
        .bind(event.closed)
        .bind(event.round)
        .bind(event.revision);
    query
        .bind(event.registered)
        .bind(event.waiting)
        .bind(event.last_number)
        .bind(event.at.as_millis())
        .bind(event.announcement)
}

fn registration<'q>(query: Registering<'q>, row: &Registration) -> Registering<'q> {
    debug_assert_eq!(
        row.status == Status::Waiting,
        row.accepted_waiting.is_some(),
        "somebody has moved up: {row:?}"
    );
    let query = query.bind(row.locator.number).bind(row.accepted_waiting);
    let query = query
        .bind(text(row.secret.reveal()))
        .bind(text(row.name.as_str()))
        .bind(text(&search::key(&row.name, &row.email)));
    query
        .bind(text(row.email.as_str()))
        .bind(text(row.email.key()))
        .bind(row.key.as_ref().map(IdempotencyKey::as_str).map(text))
}

/// As SQLite's thread takes it without another copy.
fn text(text: &str) -> Arc<str> {
    Arc::from(text)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn statements_of_all_batches_stay_prepared() {
        let sizes: HashSet<String> = (1..=ROWS)
            .flat_map(|rows| ["", "BEGIN;"].map(|begin| statements(begin, rows)))
            .collect();
        // sqlx keeps 100 for each connection.
        assert_eq!(sizes.len(), 20);
    }

    #[test]
    fn no_statement_takes_more_values_than_sqlite_allows() {
        for registrations in [1, ROWS, ROWS + 1, 10 * ROWS] {
            let text = statements("BEGIN;", registrations);
            assert_eq!(
                text.matches("INSERT OR ROLLBACK INTO registrations")
                    .count(),
                registrations.div_ceil(ROWS)
            );
            assert!(
                text.split(';')
                    .all(|statement| statement.matches('?').count() <= 32_766),
                "{registrations}"
            );
        }
    }
}
