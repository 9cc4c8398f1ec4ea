//! What a mail says, as its composer leaves it.

use serde_json::Value;

use crate::domain::confirmation::Token;
use crate::domain::event::Event;
use crate::domain::outbox::MailKind;
use crate::domain::registration::{Registration, Secret};

/// What a mail is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The kind.
    pub kind: MailKind,
    /// The event as it is now; `None` for a test.
    pub event: Option<&'a Event>,
    /// The registration as it is now; `None` for a test, and before there is one.
    pub registration: Option<&'a Registration>,
    /// The secret of the link that only mails contain; `None` for a test.
    pub secret: Option<&'a Secret>,
    /// The link with which somebody registers, for that kind alone.
    pub confirmation: Option<&'a Token>,
    /// The language's tag of a mail without a registration; empty for the default.
    pub language: &'a str,
    /// Facts from when the row was written.
    pub payload: &'a Value,
}

/// Writes mails. It is pure: the same subject gives the same letter.
pub trait Compose: Send + Sync {
    /// The letter; `None` if the event does not send this kind.
    fn compose(&self, subject: &Subject<'_>) -> Option<Letter>;
}

/// A mail without its envelope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: Option<String>,
    /// The file `event.ics` (RFC 5545).
    pub calendar: Option<String>,
    /// Further headers, such as `List-Unsubscribe`, with ASCII values.
    pub headers: Vec<(&'static str, String)>,
}
