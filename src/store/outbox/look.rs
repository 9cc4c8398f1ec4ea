//! Reads of the outbox: for the guard against relays, for metrics and for the console.

use sqlx::query_as;

use super::super::error::{ANSWER_TIMEOUT, bounded};
use super::super::queries::{read, read_long};
use super::super::{Store, StoreError, rows};
use crate::domain::clock::Timestamp;
use crate::domain::event::EventId;
use crate::domain::outbox::{Channel, Row, RowState};

/// The kinds are those of `MailKind::is_limited`.
const HISTORY: &str = "\
    SELECT
        (SELECT count(*) FROM refused_addresses WHERE recipient = $1) AS refused,
        (SELECT count(*) FROM outbox
            WHERE recipient = $1 AND finished_at IS NOT NULL AND finished_at > $3 AND event_id = $2
                AND state = 'sent' AND channel = 'mail' AND kind NOT IN ('promoted', 'link', 'test')) AS mailed";
const BACKLOG: &str = "\
    SELECT count(*), coalesce(min(created_at), 0) FROM outbox WHERE state = 'waiting' AND channel = $1";
/// Newest first. The test of `$1` comes last: one event's rows have no index of their own.
const PAGE: &str = concat!(
    "SELECT ",
    rows::outbox_columns!(),
    " FROM outbox WHERE id < $3 AND channel <> 'webhook' AND ($2 IS NULL OR state = $2)
        AND ($1 IS NULL OR event_id = $1)
    ORDER BY id DESC LIMIT $4"
);
const TOTALS: &str = "\
    SELECT state, count(*) FROM outbox WHERE channel <> 'webhook' AND ($1 IS NULL OR event_id = $1)
    GROUP BY state";

/// What an address had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// A mail server refused it for good.
    pub refused: bool,
    /// It has had a mail of the event since the moment asked about; promotions, links and tests
    /// apart.
    pub mailed: bool,
}

/// What waits in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// How many rows.
    pub rows: u64,
    /// When the oldest was written.
    pub oldest: Option<Timestamp>,
}

/// Which mails an organiser wants to see.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutboxFilter {
    /// Only those of this event.
    pub event: Option<EventId>,
    /// Only those in this state.
    pub state: Option<RowState>,
    /// Only those before this key.
    pub before: Option<i64>,
    /// The most rows.
    pub limit: u32,
}

impl Store {
    /// What a row's address had before, at the same event since `since`.
    pub async fn outbox_history(&self, row: &Row, since: Timestamp) -> Result<History, StoreError> {
        let (refused, mailed) = read!(
            self.short,
            query_as::<_, (i64, i64)>(HISTORY)
                .bind(&row.recipient)
                .bind(row.event)
                .bind(since.as_millis()),
            fetch_one
        )?;
        Ok(History {
            refused: refused > 0,
            mailed: mailed > 0,
        })
    }

    /// How many rows of a channel wait, and since when.
    pub async fn outbox_backlog(&self, channel: Channel) -> Result<Backlog, StoreError> {
        let (rows, oldest) = read!(
            self.short,
            query_as::<_, (i64, i64)>(BACKLOG).bind(channel.as_str()),
            fetch_one
        )?;
        Ok(Backlog {
            rows: rows.unsigned_abs(),
            oldest: (rows > 0).then(|| Timestamp::from_millis(oldest)),
        })
    }

    /// Mails, newest first. A long read: may be [`StoreError::Busy`].
    pub async fn outbox(&self, filter: &OutboxFilter) -> Result<Vec<Row>, StoreError> {
        let found = read_long!(
            self,
            query_as::<_, rows::OutboxRow>(PAGE)
                .bind(filter.event)
                .bind(filter.state.map(RowState::as_str))
                .bind(filter.before.unwrap_or(i64::MAX))
                .bind(i64::from(filter.limit)),
            fetch_all
        )?;
        rows::read(found)
    }

    /// How many mails are in each state, of one event or of all. A long read: may be
    /// [`StoreError::Busy`].
    pub async fn outbox_totals(
        &self,
        event: Option<EventId>,
    ) -> Result<Vec<(RowState, u64)>, StoreError> {
        let found = read_long!(
            self,
            query_as::<_, (String, i64)>(TOTALS).bind(event),
            fetch_all
        )?;
        let known = found.into_iter().filter_map(|(word, rows)| {
            RowState::parse(&word).map(|state| (state, rows.unsigned_abs()))
        });
        Ok(known.collect())
    }
}
