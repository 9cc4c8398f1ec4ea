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
/// A name that was typed while the link was opened stays one that nobody has seen.
const PROVE: &str = "\
    UPDATE registrations SET email_proven_at = coalesce(email_proven_at, $4),
        renamed_at = CASE WHEN name = $5 THEN NULL ELSE renamed_at END
    WHERE event_id = $1 AND round = $2 AND number = $3 AND erased_at IS NULL";
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

    /// Notes that the link was opened that only a mail to the address contains, and showed the row as
    /// it is here. It takes no lock of the event: no count depends on it.
    pub async fn prove_email(
        &self,
        shown: &Registration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let locator = shown.locator;
        in_transaction!(self, transaction => {
            query(PROVE)
                .bind(locator.event)
                .bind(i64::from(locator.round))
                .bind(i64::from(locator.number))
                .bind(now.as_millis())
                .bind(shown.name.as_str())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
    }

    /// Notes that the person wants no more mails to everybody.
    pub async fn unsubscribe(&self, locator: Locator, now: Timestamp) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(UNSUBSCRIBE)
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
