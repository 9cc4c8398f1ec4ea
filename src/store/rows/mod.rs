//! Rows of either backend, and their conversion into the domain's types. A row that no version of
//! this program writes is [`StoreError::Unreadable`].

use serde_json::Value;
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::{Announcement, EventHead, StoreError};
use crate::domain::audit::AuditEntry;
use crate::domain::change::{Change, Kind};
use crate::domain::clock::Timestamp;
use crate::domain::decide::Archived;
use crate::domain::event::{Capacity, PartySize, Slug};
use crate::domain::headcount::{Headcount, State};
use crate::domain::position::{Epoch, Position};

mod account;
mod confirmation;
mod event;
mod outbox;
mod registration;
mod webhook;

pub(super) use account::{AccountRow, TokenRow, role};
pub(super) use confirmation::{ConfirmationRow, confirmation_columns};
pub(super) use event::{EventRow, bind_event, event_columns};
pub(super) use outbox::{OutboxRow, outbox_columns};
pub(super) use registration::{ListedRow, RegistrationRow, email, registration_columns};
pub(super) use webhook::{WebhookRow, has_webhooks, webhook_columns};

/// Declares a row that is read by the names of its columns. sqlx's derive does the same, but its
/// macro crate compiles SQLite and both drivers a second time.
macro_rules! row {
    ($(#[$attribute:meta])* struct $row:ident { $($column:ident: $type:ty,)+ }) => {
        $(#[$attribute])*
        pub(in crate::store) struct $row {
            $($column: $type,)+
        }

        impl<'r, R: Row> FromRow<'r, R> for $row
        where
            &'static str: ColumnIndex<R>,
            $($type: Decode<'r, R::Database> + Type<R::Database>,)+
        {
            fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
                Ok(Self {
                    $($column: row.try_get(stringify!($column))?,)+
                })
            }
        }
    };
}
use row;

row! {
    struct ChangeRow {
        revision: i64,
        kind: String,
        round: i64,
        state: String,
        capacity: Option<i64>,
        registered: i64,
        waiting: i64,
        at: i64,
    }
}

impl ChangeRow {
    /// The change, with the slug and epoch of its event, which the log's rows do not repeat.
    pub(super) fn of(self, slug: &Slug, epoch: &Epoch) -> Result<Change, StoreError> {
        let capacity = capacity(self.capacity)?;
        let registered = count("registered", self.registered)?;
        Ok(Change {
            headcount: Headcount {
                event: slug.clone(),
                position: Position {
                    epoch: epoch.clone(),
                    revision: self.revision,
                },
                revision: self.revision,
                round: count("round", self.round)?,
                state: State::parse(&self.state).ok_or_else(|| unreadable("state", &self.state))?,
                capacity,
                registered,
                remaining: capacity.remaining(registered),
                over_by: capacity.over_by(registered),
                waiting: count("waiting", self.waiting)?,
                at: Timestamp::from_millis(self.at),
                stale_since: None,
            },
            kind: Kind::parse(&self.kind).ok_or_else(|| unreadable("kind", &self.kind))?,
        })
    }
}

row! {
    struct ArchivedRow {
        capacity: Option<i64>,
        registered: i64,
        waiting: i64,
        waiting_companions: i64,
        last_number: i64,
    }
}

impl ArchivedRow {
    pub(super) fn of(self, round: u32) -> Result<Archived, StoreError> {
        Ok(Archived {
            round,
            capacity: capacity(self.capacity)?,
            registered: count("registered", self.registered)?,
            waiting: count("waiting", self.waiting)?,
            waiting_companions: count("waiting_companions", self.waiting_companions)?,
            last_number: count("last_number", self.last_number)?,
        })
    }
}

row! {
    struct AuditRow {
        id: i64,
        at: i64,
        who: String,
        action: String,
        before: Value,
        after: Value,
    }
}

impl From<AuditRow> for (i64, AuditEntry) {
    fn from(row: AuditRow) -> Self {
        let at = Timestamp::from_millis(row.at);
        (
            row.id,
            AuditEntry {
                at,
                who: row.who,
                action: row.action,
                before: row.before,
                after: row.after,
            },
        )
    }
}

row! {
    struct AnnouncementRow {
        id: i64,
        text: String,
        at: i64,
        ends_at: i64,
    }
}

impl From<AnnouncementRow> for Announcement {
    fn from(row: AnnouncementRow) -> Self {
        Self {
            id: row.id,
            text: row.text,
            at: Timestamp::from_millis(row.at),
            ends_at: Timestamp::from_millis(row.ends_at),
        }
    }
}

row! {
    struct EventHeadRow {
        id: i64,
        revision: i64,
        announcement: i64,
    }
}

impl From<EventHeadRow> for EventHead {
    fn from(row: EventHeadRow) -> Self {
        Self {
            event: row.id,
            revision: row.revision,
            announcement: row.announcement,
        }
    }
}

/// All rows, or the first that cannot be read.
pub(super) fn read<R, T: TryFrom<R, Error = StoreError>>(
    rows: Vec<R>,
) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(T::try_from).collect()
}

/// A counter, a round or a number.
pub(super) fn count(column: &str, value: i64) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| unreadable(column, &value.to_string()))
}

/// The stored form of a capacity: NULL for no limit.
pub(super) fn places(capacity: Capacity) -> Option<i64> {
    capacity.get().map(i64::from)
}

pub(super) fn capacity(column: Option<i64>) -> Result<Capacity, StoreError> {
    column.map_or(Ok(Capacity::UNLIMITED), |places| {
        Capacity::limited(places).map_err(|_| unreadable("capacity", &places.to_string()))
    })
}

pub(super) fn party_size(column: &'static str, value: i64) -> Result<PartySize, StoreError> {
    PartySize::parse(column, value).map_err(|_| unreadable(column, &value.to_string()))
}

pub(super) fn unreadable(column: &str, value: &str) -> StoreError {
    StoreError::Unreadable(format!("{column} = {value:?}"))
}
