//! Reads of a few rows, the same on both databases.
//!
//! A function that is generic over sqlx's databases is unreadable. Two small macros name the
//! database instead. The statements of a transaction are in `transaction.rs`.

use sqlx::{query_as, query_scalar};

use super::error::{ANSWER_TIMEOUT, bounded};
use super::transaction::SERVER;
use super::{Announcement, EventHead, Listed, Store, StoreError, rows, sql};
use crate::domain::audit::AuditEntry;
use crate::domain::change::Change;
use crate::domain::event::{Event, EventId, PartySize, Slug};
use crate::domain::position::Revision;
use crate::domain::registration::{Locator, Registration};

/// Runs one statement on a pool of either database: `read!(store.pool, query, method)`.
macro_rules! read {
    ($store:ident.$pool:ident, $query:expr, $fetch:ident) => {
        match $store {
            Store::Sqlite(store) => {
                store.note(bounded(ANSWER_TIMEOUT, $query.$fetch(store.$pool()?)).await)
            }
            Store::Postgres(store) => bounded(ANSWER_TIMEOUT, $query.$fetch(store.$pool()?)).await,
        }
    };
}

/// Like `read!`, for a long read, which waits for its turn first.
macro_rules! read_long {
    ($store:ident, $query:expr, $fetch:ident) => {
        match $store {
            Store::Sqlite(store) => {
                let _turn = store.long_turn().await?;
                store.note(bounded(ANSWER_TIMEOUT, $query.$fetch(store.readers().long())).await)
            }
            Store::Postgres(store) => {
                let _turn = store.long_turn().await?;
                bounded(ANSWER_TIMEOUT, $query.$fetch(store.readers().long())).await
            }
        }
    };
}

pub(super) use {read, read_long};

/// Reads.
impl Store {
    /// Every event, in the order of creation.
    pub async fn events(&self) -> Result<Vec<Event>, StoreError> {
        rows::read(read!(
            self.short,
            query_as::<_, rows::EventRow>(sql::EVENTS),
            fetch_all
        )?)
    }

    /// One event by its name in URLs.
    pub async fn event(&self, slug: &Slug) -> Result<Option<Event>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, rows::EventRow>(sql::EVENT).bind(slug.as_str()),
            fetch_optional
        )?;
        row.map(Event::try_from).transpose()
    }

    /// One event by its key.
    pub async fn event_by_id(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, rows::EventRow>(sql::EVENT_BY_ID).bind(id),
            fetch_optional
        )?;
        row.map(Event::try_from).transpose()
    }

    /// The newest revision and announcement of every event, unordered: the safety net for lost
    /// notifications.
    pub async fn heads(&self) -> Result<Vec<EventHead>, StoreError> {
        self.check_files().await?;
        let heads = read!(
            self.reserved,
            query_as::<_, rows::EventHeadRow>(sql::EVENT_HEADS),
            fetch_all
        )?;
        Ok(heads.into_iter().map(EventHead::from).collect())
    }

    /// The changes of an event with a revision above `after`, oldest first, at most `limit`. A long
    /// read: may be [`StoreError::Busy`].
    pub async fn changes(
        &self,
        event: &Event,
        after: Revision,
        limit: u32,
    ) -> Result<Vec<Change>, StoreError> {
        let changes = read_long!(
            self,
            query_as::<_, rows::ChangeRow>(sql::CHANGES)
                .bind(event.id)
                .bind(after)
                .bind(i64::from(limit)),
            fetch_all
        )?;
        let changes = changes.into_iter();
        changes
            .map(|row| row.of(&event.slug, &event.epoch))
            .collect()
    }

    /// One registration, with its position in the waiting list.
    pub async fn registration(&self, locator: Locator) -> Result<Option<Listed>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, rows::ListedRow>(sql::REGISTRATION)
                .bind(locator.event)
                .bind(i64::from(locator.round))
                .bind(i64::from(locator.number)),
            fetch_optional
        )?;
        row.map(Listed::try_from).transpose()
    }

    /// The newest registrations of a round, the newest first.
    pub async fn newest(
        &self,
        event: EventId,
        round: u32,
        limit: u32,
    ) -> Result<Vec<Registration>, StoreError> {
        rows::read(read!(
            self.short,
            query_as::<_, rows::RegistrationRow>(sql::NEWEST)
                .bind(event)
                .bind(i64::from(round))
                .bind(i64::from(limit)),
            fetch_all
        )?)
    }

    /// Registrations of all rounds that are not erased, by round and number, beyond `after`, at most
    /// `limit`. A long read: may be [`StoreError::Busy`].
    pub async fn unerased(
        &self,
        event: EventId,
        after: Option<Locator>,
        limit: u32,
    ) -> Result<Vec<Locator>, StoreError> {
        let (round, number) = after.map_or((0, 0), |last| (last.round, last.number));
        let places = read_long!(
            self,
            query_as::<_, (i64, i64)>(sql::UNERASED)
                .bind(event)
                .bind(i64::from(round))
                .bind(i64::from(number))
                .bind(i64::from(limit)),
            fetch_all
        )?;
        let place = |(round, number)| {
            Ok(Locator {
                event,
                round: rows::count("round", round)?,
                number: rows::count("number", number)?,
            })
        };
        places.into_iter().map(place).collect()
    }

    /// How many registrations of all rounds are not erased. A long read: may be
    /// [`StoreError::Busy`].
    pub async fn unerased_count(&self, event: EventId) -> Result<u32, StoreError> {
        let count = read_long!(
            self,
            query_scalar::<_, i64>(sql::UNERASED_COUNT).bind(event),
            fetch_one
        )?;
        rows::count("count", count)
    }

    /// The size of the party that has waited longest in a round; `None` when nobody waits.
    pub async fn next_party(
        &self,
        event: EventId,
        round: u32,
    ) -> Result<Option<PartySize>, StoreError> {
        let size = read!(
            self.short,
            query_scalar(sql::NEXT_PARTY)
                .bind(event)
                .bind(i64::from(round)),
            fetch_optional
        )?;
        size.map(|size| rows::party_size("party_size", size))
            .transpose()
    }

    /// The sum of the current round's confirmed parties, and the event's own counter, read in one
    /// snapshot: `(counted, registered)`. They are equal, unless the program is wrong.
    pub async fn recount(&self, event: EventId) -> Result<Option<(u32, u32)>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, (i64, i64)>(sql::RECOUNT).bind(event),
            fetch_optional
        )?;
        row.map(|(counted, registered)| {
            Ok((
                rows::count("counted", counted)?,
                rows::count("registered", registered)?,
            ))
        })
        .transpose()
    }

    /// The audit log of a slug, newest first, at most `limit` lines with their keys. `before` is
    /// the last key of the page before. A long read: may be [`StoreError::Busy`].
    pub async fn audit(
        &self,
        slug: &Slug,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        self.audit_under(slug.as_str(), before, limit).await
    }

    /// Like [`Self::audit`], for the log of the server: who changed accounts, tokens,
    /// sessions and webhooks.
    pub async fn server_audit(
        &self,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        self.audit_under(SERVER, before, limit).await
    }

    async fn audit_under(
        &self,
        slug: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        let lines = read_long!(
            self,
            query_as::<_, rows::AuditRow>(sql::AUDIT)
                .bind(slug)
                .bind(before.unwrap_or(i64::MAX))
                .bind(i64::from(limit)),
            fetch_all
        )?;
        Ok(lines.into_iter().map(Into::into).collect())
    }

    /// The newest announcement of an event.
    pub async fn announcement(&self, event: EventId) -> Result<Option<Announcement>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, rows::AnnouncementRow>(sql::ANNOUNCEMENT).bind(event),
            fetch_optional
        )?;
        Ok(row.map(Announcement::from))
    }

    /// A setting of the installation, such as the organiser's password hash.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        read!(
            self.short,
            query_scalar(sql::SETTING).bind(name),
            fetch_optional
        )
    }

    /// Whether the database answers: readiness.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.check_files().await?;
        let _: Option<i32> = read!(self.reserved, query_scalar(sql::PING), fetch_optional)?;
        Ok(())
    }

    /// On SQLite, whether the files still hold everything that was committed.
    async fn check_files(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.note(bounded(ANSWER_TIMEOUT, store.check_files()).await),
            Self::Postgres(_) => Ok(()),
        }
    }
}
