//! Many rows for one statement on SQLite: a JSON array of them.

use crate::domain::registration::{IdempotencyKey, Registration};
use crate::domain::search;

/// Rows as `INSERT` in `sqlite.rs` takes them.
pub(super) fn rows_of(new: &[&Registration]) -> String {
    let rows = new.iter().map(|row| {
        (
            row.locator.number,
            row.secret.reveal(),
            row.name.as_str(),
            search::key(&row.name, &row.email),
            row.email.as_str(),
            row.email.key(),
            row.key.as_ref().map(IdempotencyKey::as_str),
            row.status.as_str(),
            row.accepted_waiting,
            row.at.as_millis(),
            row.locator.round,
            row.accepted_revision,
            row.revision,
        )
    });
    text(&rows.collect::<Vec<_>>())
}

/// Text and numbers always become JSON.
pub(super) fn text(rows: &impl serde::Serialize) -> String {
    serde_json::to_string(rows).expect("rows of text and numbers")
}
