//! Who did what when, before and after.

use serde::Serialize;
use serde_json::{Value, json};

use super::clock::Timestamp;
use super::event::Event;
use super::registration::Registration;

/// Who asked for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// The person who registered, by the private link.
    Visitor,
    /// The organiser, signed in to the console.
    Console,
    /// A script with the admin token.
    Token,
    /// `opens_at` or `closes_at` falling due.
    Schedule,
}

impl Actor {
    /// The word in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Console => "console",
            Self::Token => "token",
            Self::Schedule => "schedule",
        }
    }
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who, as [`Actor::as_str`] says it.
    pub who: String,
    /// What, e.g. `edit`, `reset`, `cancel`.
    pub action: String,
    /// What it was about before; `null` when there was nothing.
    pub before: Value,
    /// And after.
    pub after: Value,
}

/// An event as the audit log shows it.
pub fn event(event: &Event) -> Value {
    json!({
        "title": event.title, "description": event.description, "capacity": event.capacity, "waitlist": event.waitlist,
        "opens_at": event.opens_at, "closes_at": event.closes_at, "state": event.state(), "round": event.round,
        "registered": event.registered, "waiting": event.waiting, "revision": event.revision,
    })
}

/// A registration as the audit log shows it; the person is named by number only.
pub fn registration(registration: &Registration) -> Value {
    json!({ "id": registration.locator.to_string(), "number": registration.locator.number, "status": registration.status })
}
