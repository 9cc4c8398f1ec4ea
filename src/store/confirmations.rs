//! Registrations that wait until their mailed link is opened.

use sqlx::{query, query_as, query_scalar};

use super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, bounded};
use super::queries::read;
use super::rows::{ConfirmationRow, confirmation_columns};
use super::transaction::Transaction as _;
use super::writes::in_transaction;
use super::{Store, StoreError, outbox};
use crate::domain::clock::Timestamp;
use crate::domain::command::Applicant;
use crate::domain::confirmation::{Confirmation, ConfirmationId};
use crate::domain::event::EventId;
use crate::domain::outbox::NewRow;
use crate::domain::person::Email;
use crate::domain::registration::{Locator, Secret};

const FORGET: &str = "DELETE FROM confirmations WHERE expires_at <= $1";
const BY_ID: &str = concat!(
    "SELECT ",
    confirmation_columns!(),
    " FROM confirmations WHERE id = $1"
);
const WAITING: &str =
    "SELECT count(*) FROM confirmations WHERE event_id = $1 AND registration IS NULL";
/// A form that is sent again is a correction. The link that was mailed stays the same.
const CORRECT: &str = "\
    UPDATE confirmations SET name = $3, email = $4, party_size = $5, answers = $6, language = $7
    WHERE event_id = $1 AND email_key = $2";
const INSERT: &str = "\
    INSERT INTO confirmations (event_id, secret, name, email, email_key, party_size, answers, language,
        expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (event_id, email_key) DO NOTHING
    RETURNING id";
/// The personal data are with the registration from now on.
const OPENED: &str = "\
    UPDATE confirmations
    SET registration = $2, name = '', email = '', email_key = $3, answers = NULL
    WHERE id = $1 AND registration IS NULL";

impl Store {
    /// How many confirmations of an event wait.
    pub async fn confirmations_waiting(&self, event: EventId) -> Result<u64, StoreError> {
        let waiting: i64 = read!(self.short, query_scalar(WAITING).bind(event), fetch_one)?;
        Ok(waiting.unsigned_abs())
    }

    /// Stores who asks for a place, with the mail that has the link; deletes those that expired by
    /// `now`. If the same address asked before, that is corrected, and no other mail is written.
    pub async fn ask_to_confirm(
        &self,
        event: EventId,
        applicant: &Applicant,
        email: &Email,
        (now, expires_at): (Timestamp, Timestamp),
        mail: impl Fn(ConfirmationId) -> NewRow,
    ) -> Result<(), StoreError> {
        let outgoing = self.outgoing().clone();
        let people = i64::from(applicant.party_size.get());
        let secret = Secret::draw();
        let (answers, language) = (applicant.answers.stored(), applicant.language.tag());
        in_transaction!(self, transaction => {
            query(FORGET).bind(now.as_millis()).execute(&mut *transaction).await?;
            let id: Option<ConfirmationId> = query_scalar(INSERT)
                .bind(event)
                .bind(secret.reveal())
                .bind(applicant.name.as_str())
                .bind(email.as_str())
                .bind(email.key())
                .bind(people)
                .bind(&answers)
                .bind(language)
                .bind(expires_at.as_millis())
                .fetch_optional(&mut *transaction)
                .await?;
            match id {
                Some(id) => {
                    let row = mail(id);
                    let rows = std::slice::from_ref(&row);
                    outbox::insert(transaction.connection(), &outgoing, rows, now).await?;
                }
                None => {
                    query(CORRECT)
                        .bind(event)
                        .bind(email.key())
                        .bind(applicant.name.as_str())
                        .bind(email.as_str())
                        .bind(people)
                        .bind(&answers)
                        .bind(language)
                        .execute(&mut *transaction)
                        .await?;
                }
            }
            transaction.commit().await
        })?;
        outgoing.wake();
        Ok(())
    }

    /// A confirmation. The caller compares its end with the clock.
    pub async fn confirmation(
        &self,
        id: ConfirmationId,
    ) -> Result<Option<Confirmation>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, ConfirmationRow>(BY_ID).bind(id),
            fetch_optional
        )?;
        row.map(Confirmation::try_from).transpose()
    }

    /// Notes which registration the link has made, and forgets who asked.
    pub async fn note_confirmed(
        &self,
        id: ConfirmationId,
        made: Locator,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(OPENED)
                .bind(id)
                .bind(made.to_string())
                .bind(format!("#{id}"))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
    }

    /// Deletes confirmations that expired by `now`.
    pub async fn prune_confirmations(&self, now: Timestamp) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(FORGET).bind(now.as_millis()).execute(&mut *transaction).await?;
            transaction.commit().await
        })
    }
}
