//! What remains of a deleted event: its key, which is not given a second time.

use sqlx::query_scalar;

use super::StoreError;
use super::error::bounded;
use super::postgres::Postgres;
use super::shared::ANSWER_TIMEOUT;
use super::sqlite::Sqlite;
use crate::domain::event::EventId;

/// The highest key ever given; SQLite keeps it for a table that never draws a key twice.
const HAD_EVENT_SQLITE: &str =
    "SELECT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'events' AND seq >= $1)";
/// The sequence of the identity column.
const HAD_EVENT_POSTGRES: &str = "SELECT is_called AND last_value >= $1 FROM events_id_seq";

impl Sqlite {
    pub(super) async fn had_event(&self, id: EventId) -> Result<bool, StoreError> {
        let found = query_scalar(HAD_EVENT_SQLITE)
            .bind(id)
            .fetch_one(self.short()?);
        bounded(ANSWER_TIMEOUT, found).await
    }
}

impl Postgres {
    pub(super) async fn had_event(&self, id: EventId) -> Result<bool, StoreError> {
        let found = query_scalar(HAD_EVENT_POSTGRES)
            .bind(id)
            .fetch_one(self.short()?);
        bounded(ANSWER_TIMEOUT, found).await
    }
}
