//! Recognises the keys of deleted events, which are never given again.

use sqlx::query_scalar;

use super::error::{ANSWER_TIMEOUT, bounded};
use super::{Store, StoreError};
use crate::domain::event::EventId;

/// The highest key that was given; SQLite keeps it for an AUTOINCREMENT table.
const HAD_EVENT_SQLITE: &str =
    "SELECT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'events' AND seq >= $1)";
/// The sequence of the identity column.
const HAD_EVENT_POSTGRES: &str = "SELECT is_called AND last_value >= $1 FROM events_id_seq";

impl Store {
    /// Whether an event has ever had this key. Keys are not given twice, so one that no event has
    /// belongs to a deleted event.
    pub async fn had_event(&self, id: EventId) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => {
                let found = query_scalar(HAD_EVENT_SQLITE).bind(id);
                bounded(ANSWER_TIMEOUT, found.fetch_one(store.short()?)).await
            }
            Self::Postgres(store) => {
                let found = query_scalar(HAD_EVENT_POSTGRES).bind(id);
                bounded(ANSWER_TIMEOUT, found.fetch_one(store.short()?)).await
            }
        }
    }
}
