//! The audit log: who did what and when, with the values before and after.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::access::{Role, Scope};
use super::account::{Account, Handle, Token};
use super::clock::Timestamp;
use super::event::Event;
use super::mail::{MailKinds, MailSettings, RemindBefore};
use super::registration::Registration;
use super::webhook::{self, WebhookId};

/// The source of a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The person who registered, through the private link.
    Visitor,
    /// Signed in as `owner`, with the shared password.
    Owner,
    /// The account with this name, signed in to the console.
    Account(Arc<str>),
    /// A script that sends the admin token.
    AdminToken,
    /// A script that sends the token with this name.
    Token(Arc<str>),
    /// The schedule: `opens_at`, `closes_at` or the time for keeping registrations has passed.
    Schedule,
    /// The server itself: a webhook's receiver answered that it is gone.
    Server,
}

impl Actor {
    /// The word of [`Self::Schedule`].
    pub const SCHEDULE: &str = "schedule";

    /// Who it is, in the audit log: `account:ada`, `token:import`.
    pub fn who(&self) -> Cow<'static, str> {
        match self {
            Self::Visitor => "visitor".into(),
            Self::Owner => "account:owner".into(),
            Self::Account(name) => format!("account:{name}").into(),
            Self::AdminToken => "token".into(),
            Self::Token(name) => format!("token:{name}").into(),
            Self::Schedule => Self::SCHEDULE.into(),
            Self::Server => "server".into(),
        }
    }
}

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// When the change was made.
    pub at: Timestamp,
    /// Who made it: [`Actor::who`]. Entries of version 0.1.0 have `console` for every organiser.
    pub who: String,
    /// The action, for example `edit`, `reset`, `add`, `cancel` or `erase`.
    pub action: String,
    /// The event or registration before the change; `null` if there was none.
    pub before: Value,
    /// The same after the change; `null` after a deletion.
    pub after: Value,
}

impl AuditEntry {
    /// An entry about the server itself: an account, a token, sessions, a webhook.
    pub fn new(by: &Actor, action: &str, at: Timestamp) -> Self {
        Self {
            at,
            who: by.who().into_owned(),
            action: action.to_owned(),
            before: Value::Null,
            after: Value::Null,
        }
    }

    /// With what was there before.
    #[must_use]
    pub fn before(self, before: Value) -> Self {
        Self { before, ..self }
    }

    /// With what is there now.
    #[must_use]
    pub fn after(self, after: Value) -> Self {
        Self { after, ..self }
    }
}

/// An account as the audit log shows it.
pub fn account(account: &Account) -> Value {
    named_role(&account.name, account.role)
}

/// An account by its name and role.
pub fn named_role(name: &Handle, role: Role) -> Value {
    json!({ "name": name.as_str(), "role": role.as_str() })
}

/// A token as the audit log shows it: without its secret.
pub fn token(token: &Token) -> Value {
    let scopes: Vec<_> = token.scopes.iter().map(Scope::as_str).collect();
    json!({
        "name": token.name.as_str(),
        "scopes": scopes.join(", "),
        "event": token.event,
        "expires_at": token.expires_at,
    })
}

/// A webhook as the audit log shows it: of its address, which may hold a secret, only the host.
pub fn webhook(id: WebhookId, settings: &webhook::Settings, event: Option<&str>) -> Value {
    json!({
        "webhook": id,
        "host": settings.target.authority(),
        "events": settings.topics.to_string(),
        "event": event,
        "format": settings.format,
        "language": settings.language.tag(),
        "active": settings.active,
    })
}

/// Adds to an edited webhook what its host does not show: to both sides the scheme, if it changed, and
/// to the new side that the path or query changed. They may hold a secret, so neither is shown.
pub fn webhook_address(
    (before, old): (&mut Value, &webhook::Target),
    (after, new): (&mut Value, &webhook::Target),
) {
    if old.scheme() != new.scheme() {
        before["scheme"] = old.scheme().into();
        after["scheme"] = new.scheme().into();
    }
    if old.path() != new.path() {
        after["path"] = "changed".into();
    }
}

/// An event as the audit log shows it: its settings and counters, as a JSON object. Without
/// questions there is no member for them, and none for mail unless a setting of it was changed.
pub fn event(event: &Event) -> Value {
    let mut settings = json!({
        "title": event.title,
        "description": event.description,
        "capacity": event.capacity,
        "waitlist": event.waitlist,
        "max_party_size": event.max_party_size,
        "opens_at": event.opens_at,
        "closes_at": event.closes_at,
        "starts_at": event.occasion.starts_at,
        "ends_at": event.occasion.ends_at,
        "time_zone": event.occasion.time_zone,
        "location": event.occasion.location,
        "online_url": event.occasion.online_url,
        "contact": event.occasion.contact,
        "erase_after_days": event.erase_after,
        "proof_of_work": event.proof_of_work,
        "public_chart": event.public_chart,
        "visibility": event.visibility,
        "archived": event.archived,
        "state": event.state(),
        "round": event.round,
        "registered": event.registered,
        "waiting": event.waiting,
        "revision": event.revision,
    });
    if !event.questions.is_empty() {
        settings["questions"] = json!(event.questions);
    }
    if event.mail != MailSettings::default() {
        settings[RemindBefore::FIELD] = json!(event.mail.remind_before);
        settings[MailKinds::FIELD] = json!(event.mail.mails);
    }
    settings
}

/// A registration as the audit log shows it, as a JSON object. It contains no personal data. Unless it
/// was erased, there is no member for that.
pub fn registration(registration: &Registration) -> Value {
    let mut logged = json!({
        "id": registration.locator.to_string(),
        "number": registration.locator.number,
        "status": registration.status,
        "party_size": registration.party_size,
    });
    if let Some(erased_at) = registration.erased_at {
        logged["erased_at"] = json!(erased_at);
    }
    logged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lab;
    use crate::domain::position::Epoch;

    #[test]
    fn an_event_is_logged_with_its_settings_and_counters() {
        let lab = lab::new().open(Epoch::draw(), Timestamp::default());
        let logged = event(&lab);
        assert_eq!(logged["capacity"], lab::PLACES);
        assert_eq!(logged["state"], "open");
        assert_eq!(
            (&logged["round"], &logged["revision"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(logged["title"], lab.title.as_str());
    }
}
