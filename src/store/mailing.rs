//! What mails ask about people, and what people answer to mails.

use sqlx::query;
use sqlx::query_as;

use super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, bounded};
use super::queries::read;
use super::rows::registration_columns;
use super::transaction::Transaction as _;
use super::writes::in_transaction;
use super::{Store, StoreError, rows};
use crate::domain::clock::Timestamp;
use crate::domain::event::EventId;
use crate::domain::person::Email;
use crate::domain::registration::{Locator, Registration};

/// By the unique index of addresses.
const OF_EMAIL: &str = concat!(
    "SELECT ",
    registration_columns!(),
    " FROM registrations WHERE event_id = $1 AND round = $2 AND email_key = $3 AND status <> 'cancelled'"
);
const PROVE: &str = "\
    UPDATE registrations SET email_proven_at = $4
    WHERE event_id = $1 AND round = $2 AND number = $3 AND email_proven_at IS NULL AND erased_at IS NULL";
const UNSUBSCRIBE: &str = "\
    UPDATE registrations SET unsubscribed_at = $4
    WHERE event_id = $1 AND round = $2 AND number = $3 AND unsubscribed_at IS NULL";

impl Store {
    /// The registration of an address in a round; `None` if there is none or it is cancelled.
    pub async fn registration_of(
        &self,
        event: EventId,
        round: u32,
        email: &Email,
    ) -> Result<Option<Registration>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, rows::RegistrationRow>(OF_EMAIL)
                // Planned each time: a plan for an empty table would read the whole round.
                .persistent(false)
                .bind(event)
                .bind(i64::from(round))
                .bind(email.key()),
            fetch_optional
        )?;
        row.map(Registration::try_from).transpose()
    }

    /// Notes that the link was opened that only a mail to the address contains. It takes no lock of
    /// the event: no count depends on it.
    pub async fn prove_email(&self, locator: Locator, now: Timestamp) -> Result<(), StoreError> {
        self.note_moment(PROVE, locator, now).await
    }

    /// Notes that the person wants no more mails to everybody.
    pub async fn unsubscribe(&self, locator: Locator, now: Timestamp) -> Result<(), StoreError> {
        self.note_moment(UNSUBSCRIBE, locator, now).await
    }

    async fn note_moment(
        &self,
        statement: &'static str,
        locator: Locator,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(statement)
                .bind(locator.event)
                .bind(i64::from(locator.round))
                .bind(i64::from(locator.number))
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
    }
}
