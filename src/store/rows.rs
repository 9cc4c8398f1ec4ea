//! Rows of either backend, and their conversion into the domain's types. A row that no version of
//! this program writes is [`StoreError::Unreadable`].

use std::sync::Arc;

use serde_json::Value;
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::{Announcement, EventHead, Listed, StoreError};
use crate::domain::audit::AuditEntry;
use crate::domain::change::{Change, Kind};
use crate::domain::clock::Timestamp;
use crate::domain::decide::Archived;
use crate::domain::event::{Capacity, Event, PartySize, Slug};
use crate::domain::headcount::{Headcount, State};
use crate::domain::occasion::{Occasion, OnlineUrl};
use crate::domain::person::{Email, Name};
use crate::domain::position::Position;
use crate::domain::questions::{Answers, Questions};
use crate::domain::registration::{IdempotencyKey, Locator, Registration, Secret, Status};
use crate::domain::zone::Zone;

/// The columns of [`EventRow`].
macro_rules! event_columns {
    () => {
        "id, slug, epoch, title, description, capacity, waitlist, opens_at, closes_at, scheduled, ended, closed, \
         round, revision, registered, waiting, last_number, at, announcement, max_party_size, waiting_companions, \
         starts_at, ends_at, time_zone, location, online_url, contact, edits, edited_at, questions"
    };
}
/// The columns of [`RegistrationRow`].
macro_rules! registration_columns {
    () => {
        "event_id, round, number, secret, name, email, idempotency_key, status, accepted_waiting, accepted_revision, revision, at, \
         party_size, answers"
    };
}
/// Binds the columns of an event that change, in the order of [`event_columns`]. The announcement is
/// not among them.
macro_rules! bind_event {
    ($query:expr, $event:expr) => {
        $query
            .bind(&$event.title)
            .bind(&$event.description)
            .bind($crate::store::rows::places($event.capacity))
            .bind($event.waitlist)
            .bind(
                $event
                    .opens_at
                    .map($crate::domain::clock::Timestamp::as_millis),
            )
            .bind(
                $event
                    .closes_at
                    .map($crate::domain::clock::Timestamp::as_millis),
            )
            .bind($event.scheduled)
            .bind($event.ended)
            .bind($event.closed)
            .bind(i64::from($event.round))
            .bind($event.revision)
            .bind(i64::from($event.registered))
            .bind(i64::from($event.waiting))
            .bind(i64::from($event.last_number))
            .bind($event.at.as_millis())
            .bind(i64::from($event.max_party_size.get()))
            .bind(i64::from($event.waiting_companions))
    };
}
pub(super) use {bind_event, event_columns, registration_columns};

/// Declares a row that is read by the names of its columns. sqlx's derive does the same, but its
/// macro crate compiles SQLite and both drivers a second time.
macro_rules! row {
    ($(#[$attribute:meta])* struct $row:ident { $($column:ident: $type:ty,)+ }) => {
        $(#[$attribute])*
        pub(super) struct $row {
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

row! {
    struct EventRow {
        id: i64,
        slug: String,
        epoch: String,
        title: String,
        description: String,
        capacity: Option<i64>,
        waitlist: bool,
        opens_at: Option<i64>,
        closes_at: Option<i64>,
        scheduled: bool,
        ended: bool,
        closed: bool,
        round: i64,
        revision: i64,
        registered: i64,
        waiting: i64,
        last_number: i64,
        at: i64,
        announcement: i64,
        max_party_size: i64,
        waiting_companions: i64,
        starts_at: Option<i64>,
        ends_at: Option<i64>,
        time_zone: String,
        location: String,
        online_url: Option<String>,
        contact: String,
        edits: i64,
        edited_at: Option<i64>,
        questions: String,
    }
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            slug: Slug::parse(&row.slug).map_err(|_| unreadable("slug", &row.slug))?,
            epoch: row
                .epoch
                .parse()
                .map_err(|_| unreadable("epoch", &row.epoch))?,
            title: row.title,
            description: row.description,
            capacity: capacity(row.capacity)?,
            waitlist: row.waitlist,
            opens_at: row.opens_at.map(Timestamp::from_millis),
            closes_at: row.closes_at.map(Timestamp::from_millis),
            occasion: Arc::new(Occasion {
                starts_at: row.starts_at.map(Timestamp::from_millis),
                ends_at: row.ends_at.map(Timestamp::from_millis),
                time_zone: Zone::stored(&row.time_zone),
                location: row.location,
                online_url: row.online_url.map(OnlineUrl::stored),
                contact: row.contact,
            }),
            edits: count("edits", row.edits)?,
            edited_at: row.edited_at.map(Timestamp::from_millis),
            scheduled: row.scheduled,
            ended: row.ended,
            closed: row.closed,
            round: count("round", row.round)?,
            revision: row.revision,
            registered: count("registered", row.registered)?,
            waiting: count("waiting", row.waiting)?,
            last_number: count("last_number", row.last_number)?,
            at: Timestamp::from_millis(row.at),
            announcement: row.announcement,
            max_party_size: party_size("max_party_size", row.max_party_size)?,
            waiting_companions: count("waiting_companions", row.waiting_companions)?,
            questions: Questions::of_stored(&row.questions)
                .map_err(|_| unreadable("questions", &row.questions))?
                .into(),
        })
    }
}

row! {
    struct RegistrationRow {
        event_id: i64,
        round: i64,
        number: i64,
        secret: String,
        name: String,
        email: String,
        idempotency_key: Option<String>,
        status: String,
        accepted_waiting: Option<i64>,
        accepted_revision: i64,
        revision: i64,
        at: i64,
        party_size: i64,
        answers: Option<String>,
    }
}

impl TryFrom<RegistrationRow> for Registration {
    type Error = StoreError;

    fn try_from(row: RegistrationRow) -> Result<Self, StoreError> {
        Ok(Self {
            locator: Locator {
                event: row.event_id,
                round: count("round", row.round)?,
                number: count("number", row.number)?,
            },
            secret: Secret::stored(row.secret),
            name: Name::stored(row.name),
            email: Email::stored(row.email),
            party_size: party_size("party_size", row.party_size)?,
            key: row.idempotency_key.map(IdempotencyKey::stored),
            answers: match row.answers {
                None => Answers::default(),
                // The text is personal data, and this error is logged.
                Some(text) => Answers::of_stored(&text).map_err(|_| unreadable("answers", "…"))?,
            },
            status: Status::parse(&row.status).ok_or_else(|| unreadable("status", &row.status))?,
            accepted_waiting: row
                .accepted_waiting
                .map(|n| count("accepted_waiting", n))
                .transpose()?,
            accepted_revision: row.accepted_revision,
            revision: row.revision,
            at: Timestamp::from_millis(row.at),
        })
    }
}

pub(super) struct ListedRow {
    registration: RegistrationRow,
    waiting_position: Option<i64>,
}

impl<'r, R: Row> FromRow<'r, R> for ListedRow
where
    RegistrationRow: FromRow<'r, R>,
    &'static str: ColumnIndex<R>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            registration: RegistrationRow::from_row(row)?,
            waiting_position: row.try_get("waiting_position")?,
        })
    }
}

impl TryFrom<ListedRow> for Listed {
    type Error = StoreError;

    fn try_from(row: ListedRow) -> Result<Self, StoreError> {
        let waiting_position = row
            .waiting_position
            .map(|n| count("waiting_position", n))
            .transpose()?;
        Ok(Self {
            registration: row.registration.try_into()?,
            waiting_position,
        })
    }
}

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
    pub(super) fn of(self, event: &Event) -> Result<Change, StoreError> {
        let capacity = capacity(self.capacity)?;
        let registered = count("registered", self.registered)?;
        Ok(Change {
            headcount: Headcount {
                event: event.slug.clone(),
                position: Position {
                    epoch: event.epoch.clone(),
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

fn capacity(column: Option<i64>) -> Result<Capacity, StoreError> {
    column.map_or(Ok(Capacity::UNLIMITED), |places| {
        Capacity::limited(places).map_err(|_| unreadable("capacity", &places.to_string()))
    })
}

pub(super) fn party_size(column: &'static str, value: i64) -> Result<PartySize, StoreError> {
    PartySize::parse(column, value).map_err(|_| unreadable(column, &value.to_string()))
}

fn unreadable(column: &str, value: &str) -> StoreError {
    StoreError::Unreadable(format!("{column} = {value:?}"))
}
