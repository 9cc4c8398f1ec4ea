//! A transaction that writes, on either database.
//!
//! The statements that both databases understand are here. Those that differ are in
//! `sqlite/transaction.rs` and `postgres/transaction.rs`.

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{query, query_as};

use super::lookup::Lookup;
use super::{Announcement, Listed, StoreError, rows, sql};
use crate::domain::announcement::NewAnnouncement;
use crate::domain::audit::AuditEntry;
use crate::domain::clock::Timestamp;
use crate::domain::decide::{Archived, BatchState};
use crate::domain::event::{Capacity, Event, EventId, Slug};
use crate::domain::occasion::OnlineUrl;
use crate::domain::registration::{Locator, Registration};
use crate::domain::search;

/// The connection of a transaction. A function that is generic over sqlx's databases is unreadable.
pub(super) enum Connection<'t> {
    Sqlite(&'t mut SqliteConnection),
    Postgres(&'t mut PgConnection),
}

/// The audit log of the server is kept under this; no event has an empty slug.
pub(super) const SERVER: &str = "";

/// Runs a statement and returns its rows: `fetch!(transaction, query, method)`.
macro_rules! fetch {
    ($transaction:expr, $query:expr, $method:ident) => {
        match $transaction.connection() {
            Connection::Sqlite(connection) => $query.$method(connection).await,
            Connection::Postgres(connection) => $query.$method(connection).await,
        }
    };
}

/// Runs a statement without rows: `execute!(transaction, query)`.
macro_rules! execute {
    ($transaction:expr, $query:expr) => {
        match $transaction.connection() {
            Connection::Sqlite(connection) => $query.execute(connection).await.map(drop),
            Connection::Postgres(connection) => $query.execute(connection).await.map(drop),
        }
    };
}

/// An open transaction that holds an event's lock. Dropped without an end, it is rolled back.
pub(super) trait Transaction: Sized {
    /// For the statements that both databases understand.
    fn connection(&mut self) -> Connection<'_>;

    /// The registrations of `event`'s current round with one of `lookup`'s email addresses (unless
    /// cancelled) or keys, and those that its numbers name, in any round. A row may come twice.
    async fn find(
        &mut self,
        event: &Event,
        lookup: &Lookup<'_>,
    ) -> Result<Vec<Registration>, StoreError>;

    /// Writes the status, the party and the revision of rows that exist.
    async fn update_registrations(&mut self, updated: &[&Registration]) -> Result<(), StoreError>;

    /// Erases the personal data of rows that exist.
    async fn erase(&mut self, erased: &[&Registration]) -> Result<(), StoreError>;

    /// Notes that people's data were deleted, for what has to be done when the database is closed.
    async fn note_erasure(&mut self) -> Result<(), StoreError>;

    /// Writes the event's row, the new lines of its change log and the new registrations.
    async fn write_rows(
        &mut self,
        batch: &BatchState,
        new: &[&Registration],
    ) -> Result<(), StoreError>;

    /// Makes everything durable.
    async fn commit(self) -> Result<(), StoreError>;

    /// Rolls everything back.
    async fn rollback(self) -> Result<(), StoreError>;

    /// The first `limit` registrations on a round's waiting list, the longest waiting first.
    async fn waiting(
        &mut self,
        event: EventId,
        round: u32,
        limit: u32,
    ) -> Result<Vec<Registration>, StoreError> {
        let waiting = fetch!(
            self,
            query_as::<_, rows::RegistrationRow>(sql::WAITING)
                .bind(event)
                .bind(i64::from(round))
                .bind(i64::from(limit)),
            fetch_all
        )?;
        rows::read(waiting)
    }

    /// An archived round, counted now; `None` when it was not archived.
    async fn archived(
        &mut self,
        event: EventId,
        round: u32,
    ) -> Result<Option<Archived>, StoreError> {
        let archived = fetch!(
            self,
            query_as::<_, rows::ArchivedRow>(sql::ARCHIVED)
                .bind(event)
                .bind(i64::from(round)),
            fetch_optional
        )?;
        archived.map(|row| row.of(round)).transpose()
    }

    /// One registration.
    async fn registration(&mut self, locator: Locator) -> Result<Option<Registration>, StoreError> {
        let row = fetch!(
            self,
            query_as::<_, rows::ListedRow>(sql::REGISTRATION)
                .bind(locator.event)
                .bind(i64::from(locator.round))
                .bind(i64::from(locator.number)),
            fetch_optional
        )?;
        let listed = row.map(Listed::try_from).transpose()?;
        Ok(listed.map(|listed| listed.registration))
    }

    /// Writes the name and the answers of a row that exists.
    async fn rewrite(&mut self, row: &Registration) -> Result<(), StoreError> {
        execute!(
            self,
            query(sql::REWRITE)
                .bind(row.locator.event)
                .bind(i64::from(row.locator.round))
                .bind(i64::from(row.locator.number))
                .bind(row.name.as_str())
                .bind(search::key(&row.name, row.email.as_ref()))
                .bind(row.answers.stored())
                .bind(row.renamed_at.map(Timestamp::as_millis))
        )?;
        Ok(())
    }

    /// Writes what a new row knows about its address: whether it is proven, and for which name.
    async fn mark(&mut self, row: &Registration) -> Result<(), StoreError> {
        execute!(
            self,
            query(sql::MARK)
                .bind(row.locator.event)
                .bind(i64::from(row.locator.round))
                .bind(i64::from(row.locator.number))
                .bind(row.email_proven_at.map(Timestamp::as_millis))
                .bind(row.renamed_at.map(Timestamp::as_millis))
        )?;
        Ok(())
    }

    /// Deletes what the address of a registration has asked to confirm.
    async fn erase_confirmations(&mut self, locator: Locator) -> Result<(), StoreError> {
        execute!(
            self,
            query(sql::ERASE_CONFIRMATIONS)
                .bind(locator.event)
                .bind(i64::from(locator.round))
                .bind(i64::from(locator.number))
        )?;
        Ok(())
    }

    /// Erases a person's data from what was sent or waits.
    async fn erase_outgoing(
        &mut self,
        row: &Registration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            query(sql::ERASE_OUTGOING)
                .bind(row.locator.event)
                .bind(i64::from(row.locator.round))
                .bind(i64::from(row.locator.number))
                .bind(now.as_millis())
        )?;
        Ok(())
    }

    /// Writes the settings that only an edit changes.
    async fn write_settings(&mut self, event: &Event) -> Result<(), StoreError> {
        let occasion = &event.occasion;
        execute!(
            self,
            query(sql::WRITE_SETTINGS)
                .bind(event.id)
                .bind(occasion.starts_at.map(Timestamp::as_millis))
                .bind(occasion.ends_at.map(Timestamp::as_millis))
                .bind(occasion.time_zone.name())
                .bind(&occasion.location)
                .bind(occasion.online_url.as_ref().map(OnlineUrl::as_str))
                .bind(&occasion.contact)
                .bind(i64::from(event.edits))
                .bind(event.edited_at.map(Timestamp::as_millis))
                .bind(event.questions.stored())
                .bind(event.erase_after.map(|after| i64::from(after.days())))
                .bind(event.proof_of_work.as_str())
                .bind(event.public_chart)
                .bind(
                    event
                        .mail
                        .remind_before
                        .map(|before| i64::from(before.hours()))
                )
                .bind(event.mail.mails.stored())
                .bind(event.visibility.as_str())
                .bind(event.archived)
        )?;
        Ok(())
    }

    /// Archives a round with its capacity.
    async fn archive(
        &mut self,
        event: &Event,
        round: u32,
        capacity: Capacity,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            query(sql::ARCHIVE_ROUND)
                .bind(event.id)
                .bind(i64::from(round))
                .bind(rows::places(capacity))
                .bind(event.at.as_millis())
        )?;
        Ok(())
    }

    /// Deletes the archive entry of a round.
    async fn restore(&mut self, event: EventId, round: u32) -> Result<(), StoreError> {
        execute!(
            self,
            query(sql::RESTORE_ROUND).bind(event).bind(i64::from(round))
        )?;
        Ok(())
    }

    /// Deletes an event with all that belongs to it.
    async fn delete(&mut self, event: EventId) -> Result<(), StoreError> {
        for statement in sql::DELETE_EVENT {
            execute!(self, query(statement).bind(event))?;
        }
        Ok(())
    }

    /// Adds an announcement and makes it the event's newest.
    async fn announce(
        &mut self,
        event: EventId,
        new: &NewAnnouncement,
        now: Timestamp,
    ) -> Result<Announcement, StoreError> {
        let row = fetch!(
            self,
            query_as::<_, rows::AnnouncementRow>(sql::ANNOUNCE)
                .bind(event)
                .bind(&new.text)
                .bind(now.as_millis())
                .bind(new.end(now).as_millis()),
            fetch_one
        )?;
        let announcement = Announcement::from(row);
        execute!(
            self,
            query(sql::ANNOUNCED).bind(event).bind(announcement.id)
        )?;
        Ok(announcement)
    }

    /// Adds a line to the audit log of an event.
    async fn audit(&mut self, slug: &Slug, entry: &AuditEntry) -> Result<(), StoreError> {
        self.audit_under(slug.as_str(), entry).await
    }

    /// Adds a line to the audit log of the server.
    async fn audit_server(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.audit_under(SERVER, entry).await
    }

    /// Adds a line to an audit log.
    async fn audit_under(&mut self, slug: &str, entry: &AuditEntry) -> Result<(), StoreError> {
        execute!(
            self,
            query(sql::INSERT_AUDIT)
                .bind(slug)
                .bind(entry.at.as_millis())
                .bind(&entry.who)
                .bind(&entry.action)
                .bind(&entry.before)
                .bind(&entry.after)
        )?;
        Ok(())
    }
}
