//! What is sent to people and programs after a commit: the rows of the outbox.
//!
//! A decision leaves [`Notice`]s in its batch; [`mails`] makes rows of them, and the store writes the
//! rows in the batch's transaction. A row of a mail has no name, address or answer: the mail is
//! composed when it is sent, from the event and the registration as they are then.

use std::fmt;

use serde_json::Value;

use super::clock::Timestamp;
use super::confirmation::ConfirmationId;
use super::event::EventId;
use super::language::Language;
use super::person::Email;
use super::registration::Locator;

mod backoff;
mod kind;
mod notice;

use crate::domain::words::words;
pub use backoff::{Lifetime, next_attempt};
pub use kind::MailKind;
pub use notice::{Notice, mails};

/// The key of a row.
pub type RowId = i64;

words! {
    /// How a row is delivered.
    pub enum Channel {
        /// A mail to one person.
        Mail = "mail",
        /// Becomes one mail for each registration of a round, in portions.
        Fanout = "fanout",
        /// A request to a program.
        Webhook = "webhook",
    }
}

words! {
    /// The state of a row.
    pub enum RowState {
        /// To be sent: now, later, or again.
        Waiting = "waiting",
        /// The receiver has it.
        Sent = "sent",
        /// Given up; an organiser may try again.
        Failed = "failed",
        /// Not sent on purpose, for example because the registration was cancelled.
        Dropped = "dropped",
    }
}

/// A row that has been tried this often, for about ten minutes, holds up the later ones of its recipient
/// no more: a receiver that always refuses one of them still gets the others.
pub const HOLDS_UP: u32 = 5;

/// Who receives a row. Rows with the same recipient are sent in the order in which they were written, up
/// to [`HOLDS_UP`].
#[derive(Clone, PartialEq, Eq)]
pub enum Recipient {
    /// The key of an address. Only a digest of it is stored.
    Address(String),
    /// Anything else, stored as it is. It must not be personal data.
    Key(String),
}

/// An address is never printed.
impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(_) => f.write_str("Address(…)"),
            Self::Key(key) => f.debug_tuple("Key").field(key).finish(),
        }
    }
}

/// A row to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// How it is delivered.
    pub channel: Channel,
    /// The kind of mail, or the type of webhook.
    pub kind: String,
    /// The event of a mail, the target of a webhook. Lanes take turns and have budgets.
    pub lane: i64,
    /// The event that it is about; 0 for none.
    pub event: EventId,
    /// The round of a registration or fan-out.
    pub round: Option<u32>,
    /// The number of a registration.
    pub number: Option<u32>,
    /// The target of a webhook.
    pub webhook: Option<i64>,
    /// Who receives it.
    pub recipient: Recipient,
    /// The language's tag; empty for the default.
    pub language: String,
    /// Facts that it needs later: for a mail no personal data, for a webhook the whole payload.
    pub payload: Value,
    /// If another row has the same key, this one is not written.
    pub once: Option<String>,
    /// Not before.
    pub due: Timestamp,
}

impl NewRow {
    /// A mail about a registration, to its address.
    pub fn mail(kind: MailKind, locator: Locator, address: &str, due: Timestamp) -> Self {
        Self {
            channel: Channel::Mail,
            kind: kind.as_str().to_owned(),
            lane: locator.event,
            event: locator.event,
            round: Some(locator.round),
            number: Some(locator.number),
            webhook: None,
            recipient: Recipient::Address(address.to_owned()),
            language: String::new(),
            payload: Value::Object(serde_json::Map::new()),
            once: None,
            due,
        }
    }

    /// A mail with the link of a confirmation, to the address that was typed.
    pub fn confirm(
        id: ConfirmationId,
        event: EventId,
        to: &Email,
        language: Language,
        due: Timestamp,
    ) -> Self {
        Self {
            channel: Channel::Mail,
            kind: MailKind::Confirm.as_str().to_owned(),
            lane: event,
            event,
            round: None,
            number: None,
            webhook: None,
            recipient: Recipient::Address(to.key().to_owned()),
            language: language.tag().to_owned(),
            payload: serde_json::json!({ CONFIRMATION: id }),
            once: None,
            due,
        }
    }

    /// A mail with which an organiser tests the mail server, to the organiser's own address.
    pub fn test(to: &Email, language: Language, due: Timestamp) -> Self {
        Self {
            channel: Channel::Mail,
            kind: MailKind::Test.as_str().to_owned(),
            lane: 0,
            event: 0,
            round: None,
            number: None,
            webhook: None,
            recipient: Recipient::Address(to.key().to_owned()),
            language: language.tag().to_owned(),
            payload: serde_json::json!({ "to": to.as_str() }),
            once: None,
            due,
        }
    }

    /// A mail to everybody who has a place or waits in a round at the time when it is due.
    pub fn fanout(
        kind: MailKind,
        event: EventId,
        round: u32,
        payload: Value,
        due: Timestamp,
    ) -> Self {
        Self {
            channel: Channel::Fanout,
            kind: kind.as_str().to_owned(),
            lane: event,
            event,
            round: Some(round),
            number: None,
            webhook: None,
            recipient: Recipient::Key(format!("fanout:{event}")),
            language: String::new(),
            payload,
            once: None,
            due,
        }
    }
}

/// A row as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its key, in the order of writing.
    pub id: RowId,
    /// How it is delivered.
    pub channel: Channel,
    /// The kind of mail, or the type of webhook.
    pub kind: String,
    /// Its lane; see [`NewRow`].
    pub lane: i64,
    /// The event that it is about; 0 for none.
    pub event: EventId,
    /// The round of a registration or fan-out.
    pub round: Option<u32>,
    /// The number of a registration.
    pub number: Option<u32>,
    /// The target of a webhook.
    pub webhook: Option<i64>,
    /// A digest of the address, or another key.
    pub recipient: String,
    /// The language's tag; empty for the default.
    pub language: String,
    /// Facts that it needs.
    pub payload: Value,
    /// How far a fan-out has come.
    pub progress: u32,
    /// When it was written.
    pub created: Timestamp,
    /// Not before.
    pub due: Timestamp,
    /// How often a worker has claimed it.
    pub attempts: u32,
    /// When it was claimed first.
    pub attempted: Option<Timestamp>,
    /// Where it stands.
    pub state: RowState,
    /// The last error. It contains no address.
    pub error: Option<String>,
    /// When it was sent, given up or dropped.
    pub finished: Option<Timestamp>,
}

/// Where a payload names its confirmation.
const CONFIRMATION: &str = "confirmation";

impl Row {
    /// The confirmation whose link it has.
    pub fn confirmation(&self) -> Option<ConfirmationId> {
        self.payload.get(CONFIRMATION)?.as_i64()
    }

    /// The registration that it is about.
    pub fn locator(&self) -> Option<Locator> {
        Some(Locator {
            event: self.event,
            round: self.round?,
            number: self.number?,
        })
    }

    /// The `Message-ID` (RFC 5322, section 3.6.4). Every attempt has the same, so that a receiver can
    /// recognise a mail that came twice.
    pub fn message_id(&self, domain: &str) -> String {
        format!(
            "<{}.{}.headcount@{domain}>",
            self.id,
            self.created.as_millis()
        )
    }
}
