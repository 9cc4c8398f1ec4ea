//! An outbox row.

use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::super::StoreError;
use super::{count, row, unreadable};
use crate::domain::clock::Timestamp;
use crate::domain::outbox::{self, Channel, RowState};

/// The columns of [`OutboxRow`].
macro_rules! outbox_columns {
    () => {
        "id, channel, kind, lane, event_id, round, number, webhook_id, recipient, language, payload, \
         progress, created_at, due_at, attempts, attempted_at, state, error, finished_at"
    };
}
pub(in crate::store) use outbox_columns;

row! {
    struct OutboxRow {
        id: i64,
        channel: String,
        kind: String,
        lane: i64,
        event_id: i64,
        round: Option<i64>,
        number: Option<i64>,
        webhook_id: Option<i64>,
        recipient: String,
        language: String,
        payload: String,
        progress: i64,
        created_at: i64,
        due_at: i64,
        attempts: i64,
        attempted_at: Option<i64>,
        state: String,
        error: Option<String>,
        finished_at: Option<i64>,
    }
}

impl TryFrom<OutboxRow> for outbox::Row {
    type Error = StoreError;

    fn try_from(row: OutboxRow) -> Result<Self, StoreError> {
        let whole = |column, value: Option<i64>| value.map(|n| count(column, n)).transpose();
        Ok(Self {
            id: row.id,
            channel: Channel::parse(&row.channel)
                .ok_or_else(|| unreadable("channel", &row.channel))?,
            kind: row.kind,
            lane: row.lane,
            event: row.event_id,
            round: whole("round", row.round)?,
            number: whole("number", row.number)?,
            webhook: row.webhook_id,
            recipient: row.recipient,
            language: row.language,
            // A webhook's payload has names, and this error is logged.
            payload: serde_json::from_str(&row.payload).map_err(|_| unreadable("payload", "…"))?,
            progress: count("progress", row.progress)?,
            created: Timestamp::from_millis(row.created_at),
            due: Timestamp::from_millis(row.due_at),
            attempts: count("attempts", row.attempts)?,
            attempted: row.attempted_at.map(Timestamp::from_millis),
            state: RowState::parse(&row.state).ok_or_else(|| unreadable("state", &row.state))?,
            error: row.error,
            finished: row.finished_at.map(Timestamp::from_millis),
        })
    }
}
