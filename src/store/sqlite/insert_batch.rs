//! Writes the rows of a batch in SQLite: the event, new lines of its change log, new registrations.
//! One call for any number of rows.
//!
//! Each `?` takes the next of the values that are bound. Rows are bound value by value and not as
//! one JSON document. For that SQLite would call functions to parse each row, and keep a journal
//! for a statement that calls any. OR ROLLBACK serves the same purpose: a failed constraint ends
//! the transaction, so no statement needs a journal of its own.

use std::sync::Arc;

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

use super::super::rows;
use crate::domain::change::Change;
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::registration::{AddedBy, IdempotencyKey, Registration};
use crate::domain::search;

type Statements<'q> = Query<'q, sqlx::Sqlite, SqliteArguments>;

const EVENT: &str = "\
    UPDATE OR ROLLBACK events
    SET title = ?, description = ?, capacity = ?, waitlist = ?, opens_at = ?, closes_at = ?,
        scheduled = ?, ended = ?, closed = ?, round = ?, revision = ?, registered = ?, waiting = ?,
        last_number = ?, at = ?, max_party_size = ?, waiting_companions = ?
    WHERE id = ?;";
const CHANGES: &str = "
    INSERT OR ROLLBACK INTO changes (event_id, revision, kind, round, state, capacity, registered,
        waiting, at) VALUES ";
const CHANGE: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// Lines of the change log in one INSERT.
const CHANGES_AT_ONCE: usize = 1_024;
/// The event's key, then the rows.
const REGISTRATIONS: &str = "
    INSERT OR ROLLBACK INTO registrations (event_id, number, round, secret, name, search_key, email,
        email_key, idempotency_key, status, accepted_waiting, accepted_revision, revision, at,
        party_size, answers, added_by, language)
    SELECT ?, column1, column2, column3, column4, column5, column6, column7, column8, column9,
        column10, column11, column12, column13, column14, column15, column16, column17
    FROM (VALUES ";
const REGISTRATION: &str = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// Skips the rows without values.
const FILTER: &str = ") WHERE column1 IS NOT NULL;";
/// Registrations in one INSERT. SQLite takes at most 32,766 values in a statement.
const REGISTRATIONS_AT_ONCE: usize = 512;
const _: () = assert!(REGISTRATIONS_AT_ONCE.is_power_of_two());

/// The statements for this many changes and registrations. They come in few sizes, so that those of
/// all common batches stay prepared. Unbound values are NULL.
pub(super) fn statements(changes: usize, registrations: usize) -> String {
    let mut text = EVENT.to_owned();
    for first in (0..changes).step_by(CHANGES_AT_ONCE) {
        let rows = (changes - first).min(CHANGES_AT_ONCE);
        text.extend([CHANGES, &vec![CHANGE; rows].join(", "), ";"]);
    }
    for first in (0..registrations).step_by(REGISTRATIONS_AT_ONCE) {
        let rows = (registrations - first)
            .min(REGISTRATIONS_AT_ONCE)
            .next_power_of_two();
        text.extend([REGISTRATIONS, &vec![REGISTRATION; rows].join(", "), FILTER]);
    }
    text
}

/// Binds the values of [`statements`].
pub(super) fn bind<'q>(
    query: Statements<'q>,
    event: &Event,
    changes: &[Change],
    new: &[&Registration],
) -> Statements<'q> {
    let query = bind_event(query, event);
    let query = changes
        .iter()
        .fold(query, |query, change| bind_change(query, event, change));
    new.chunks(REGISTRATIONS_AT_ONCE).fold(query, |query, new| {
        new.iter().fold(query.bind(event.id), |query, row| {
            bind_registration(query, row)
        })
    })
}

fn bind_event<'q>(query: Statements<'q>, event: &Event) -> Statements<'q> {
    query
        .bind(text(&event.title))
        .bind(text(&event.description))
        .bind(rows::places(event.capacity))
        .bind(event.waitlist)
        .bind(event.opens_at.map(Timestamp::as_millis))
        .bind(event.closes_at.map(Timestamp::as_millis))
        .bind(event.scheduled)
        .bind(event.ended)
        .bind(event.closed)
        .bind(event.round)
        .bind(event.revision)
        .bind(event.registered)
        .bind(event.waiting)
        .bind(event.last_number)
        .bind(event.at.as_millis())
        .bind(event.max_party_size.get())
        .bind(event.waiting_companions)
        .bind(event.id)
}

fn bind_change<'q>(query: Statements<'q>, event: &Event, change: &Change) -> Statements<'q> {
    let count = &change.headcount;
    query
        .bind(event.id)
        .bind(count.revision)
        .bind(change.kind.as_str())
        .bind(count.round)
        .bind(count.state.as_str())
        .bind(rows::places(count.capacity))
        .bind(count.registered)
        .bind(count.waiting)
        .bind(count.at.as_millis())
}

fn bind_registration<'q>(query: Statements<'q>, row: &Registration) -> Statements<'q> {
    query
        .bind(row.locator.number)
        .bind(row.locator.round)
        .bind(text(row.secret.reveal()))
        .bind(text(row.name.as_str()))
        .bind(text(&search::key(&row.name, row.email.as_ref())))
        .bind(text(rows::email(row)))
        .bind(text(&row.email_key()))
        .bind(row.key.as_ref().map(IdempotencyKey::as_str).map(text))
        .bind(row.status.as_str())
        .bind(row.accepted_waiting)
        .bind(row.accepted_revision)
        .bind(row.revision)
        .bind(row.at.as_millis())
        .bind(row.party_size.get())
        .bind(row.answers.stored())
        .bind(row.added_by.map(AddedBy::as_str))
        .bind(row.language.tag())
}

/// The form that SQLite's thread uses without another copy.
fn text(text: &str) -> Arc<str> {
    Arc::from(text)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn statements_of_all_common_batches_stay_prepared() {
        let sizes: HashSet<String> = (1..=REGISTRATIONS_AT_ONCE)
            .map(|rows| statements(1, rows))
            .collect();
        // sqlx keeps 100 for each connection.
        assert_eq!(sizes.len(), 10);
    }

    #[test]
    fn no_statement_takes_more_values_than_sqlite_allows() {
        for rows in [0, 1, 512, 513, 1_024, 1_025, 5_120] {
            let text = statements(rows, rows);
            assert_eq!(
                text.matches("INTO registrations").count(),
                rows.div_ceil(REGISTRATIONS_AT_ONCE)
            );
            assert_eq!(
                text.matches("INTO changes").count(),
                rows.div_ceil(CHANGES_AT_ONCE)
            );
            let values = |statement: &str| statement.matches('?').count();
            assert!(
                text.split(';').all(|statement| values(statement) <= 32_766),
                "{rows}"
            );
        }
    }
}
