//! A registration's row.

use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::super::{Listed, StoreError};
use super::{count, party_size, row, unreadable};
use crate::domain::clock::Timestamp;
use crate::domain::language::Language;
use crate::domain::person::{Email, Name};
use crate::domain::questions::Answers;
use crate::domain::registration::{AddedBy, IdempotencyKey, Locator, Registration, Secret, Status};

/// The columns of [`RegistrationRow`].
macro_rules! registration_columns {
    () => {
        "event_id, round, number, secret, name, email, idempotency_key, status, accepted_waiting, \
         accepted_revision, revision, at, party_size, answers, added_by, erased_at, \
         language, email_proven_at, unsubscribed_at, renamed_at"
    };
}
pub(in crate::store) use registration_columns;

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
        added_by: Option<String>,
        erased_at: Option<i64>,
        language: String,
        email_proven_at: Option<i64>,
        unsubscribed_at: Option<i64>,
        renamed_at: Option<i64>,
    }
}

impl RegistrationRow {
    /// Where it is, for a message about a row that cannot be read.
    pub(in crate::store) fn place(&self) -> String {
        let Self {
            event_id,
            round,
            number,
            ..
        } = self;
        format!("number {number} in round {round} of the event with id {event_id}")
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
            email: Some(row.email)
                .filter(|email| !email.is_empty())
                .map(Email::stored),
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
            added_by: row.added_by.map(|word| added_by(&word)).transpose()?,
            erased_at: row.erased_at.map(Timestamp::from_millis),
            language: Language::parse(&row.language).unwrap_or_default(),
            email_proven_at: row.email_proven_at.map(Timestamp::from_millis),
            unsubscribed_at: row.unsubscribed_at.map(Timestamp::from_millis),
            renamed_at: row.renamed_at.map(Timestamp::from_millis),
        })
    }
}

fn added_by(word: &str) -> Result<AddedBy, StoreError> {
    AddedBy::parse(word).ok_or_else(|| unreadable("added_by", word))
}

/// The stored form of an address: empty for none, which nodes of 0.1.0 can read.
pub(in crate::store) fn email(row: &Registration) -> &str {
    row.email.as_ref().map_or("", Email::as_str)
}

pub(in crate::store) struct ListedRow {
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
