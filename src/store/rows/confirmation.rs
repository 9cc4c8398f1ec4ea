//! The row of a confirmation.

use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::super::StoreError;
use super::{party_size, row, unreadable};
use crate::domain::clock::Timestamp;
use crate::domain::command::Applicant;
use crate::domain::confirmation::{Confirmation, Outcome};
use crate::domain::language::Language;
use crate::domain::person::{Email, Name};
use crate::domain::questions::Answers;
use crate::domain::registration::Secret;

/// The columns of [`ConfirmationRow`].
macro_rules! confirmation_columns {
    () => {
        "id, event_id, secret, name, email, party_size, answers, language, expires_at, registration"
    };
}
pub(in crate::store) use confirmation_columns;

row! {
    struct ConfirmationRow {
        id: i64,
        event_id: i64,
        secret: String,
        name: String,
        email: String,
        party_size: i64,
        answers: Option<String>,
        language: String,
        expires_at: i64,
        registration: Option<String>,
    }
}

impl TryFrom<ConfirmationRow> for Confirmation {
    type Error = StoreError;

    fn try_from(row: ConfirmationRow) -> Result<Self, StoreError> {
        let secret = Secret::stored(row.secret);
        let outcome = match row.registration {
            Some(made) => Outcome::Opened(
                made.parse()
                    .map_err(|_| unreadable("registration", &made))?,
            ),
            None => Outcome::Waits(Box::new(Applicant {
                party_size: party_size("party_size", row.party_size)?,
                answers: match row.answers {
                    None => Answers::default(),
                    // The text is personal data, and this error is logged.
                    Some(text) => {
                        Answers::of_stored(&text).map_err(|_| unreadable("answers", "…"))?
                    }
                },
                language: Language::parse(&row.language).unwrap_or_default(),
                is_proven: true,
                ..Applicant::new(
                    Name::stored(row.name),
                    Email::stored(row.email),
                    Self::key(&secret),
                    Secret::draw(),
                )
            })),
        };
        Ok(Self {
            id: row.id,
            event: row.event_id,
            secret,
            expires_at: Timestamp::from_millis(row.expires_at),
            outcome,
        })
    }
}
