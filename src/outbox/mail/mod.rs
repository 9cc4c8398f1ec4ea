//! Sends mails: checks that a mail may and should still be sent, has it composed, and hands it to
//! the mail server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Deliver, Outcome};
use crate::domain::clock::Clock;
use crate::domain::confirmation::{self, Token};
use crate::domain::event::Event;
use crate::domain::outbox::{MailKind, Row};
use crate::domain::person::Email;
use crate::domain::registration::{Registration, Status};
use crate::store::{Store, StoreError};

mod envelope;
mod error;
mod letter;
mod pool;
mod settings;
mod smtp_url;

pub use letter::{Compose, Letter, Subject};
pub use pool::{Pool, Timeouts, check};
pub use settings::{Sender, Settings};
pub use smtp_url::SmtpUrl;

/// How many mails may be on their way at the same time: what one sender's mail server usually takes.
pub const IN_FLIGHT: u32 = 8;
/// An address that has not proven itself gets one mail an event in this time.
const DAY: Duration = Duration::from_hours(24);

/// Delivers the channel of mails.
pub struct Mailer {
    /// The database.
    pub store: Store,
    /// The present moment.
    pub clock: Clock,
    /// What writes the mails.
    pub compose: Arc<dyn Compose>,
    /// Connections to the mail server.
    pub pool: Pool,
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").finish_non_exhaustive()
    }
}

/// What a mail is about, as it is now.
struct Loaded {
    to: Email,
    event: Option<Event>,
    registration: Option<Registration>,
    /// Of a link with which somebody registers.
    confirmation: Option<Token>,
}

impl Deliver for Mailer {
    fn deliver<'a>(&'a self, row: &'a Row) -> BoxFuture<'a, Outcome> {
        async {
            match self.attempt(row).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::Retry {
                    error: error.to_string(),
                    unreachable: false,
                },
            }
        }
        .boxed()
    }
}

impl Mailer {
    async fn attempt(&self, row: &Row) -> Result<Outcome, StoreError> {
        let Some(kind) = MailKind::parse(&row.kind) else {
            return Ok(Outcome::Dropped("unknown kind of mail"));
        };
        let loaded = match kind {
            MailKind::Test => addressee(row).map(|to| Loaded {
                to,
                event: None,
                registration: None,
                confirmation: None,
            }),
            MailKind::Confirm => self.load_confirmation(row).await?,
            _ => self.load(row, kind).await?,
        };
        let Loaded {
            to,
            event,
            registration,
            confirmation,
        } = match loaded {
            Ok(loaded) => loaded,
            Err(reason) => return Ok(Outcome::Dropped(reason)),
        };
        if let Some(outcome) = self.guard(row, kind, registration.as_ref()).await? {
            return Ok(outcome);
        }
        let secret = registration
            .as_ref()
            .and_then(|row| self.store.outgoing().mailed_secret(row));
        let subject = Subject {
            kind,
            event: event.as_ref(),
            registration: registration.as_ref(),
            secret: secret.as_ref(),
            confirmation: confirmation.as_ref(),
            language: &row.language,
            payload: &row.payload,
        };
        let Some(letter) = self.compose.compose(&subject) else {
            return Ok(Outcome::Dropped(
                "the event does not send this kind of mail",
            ));
        };
        Ok(self.pool.send(row, &to, letter, self.clock.now()).await)
    }

    /// The event and the registration as they are now, or why nothing is to be said any more.
    async fn load(
        &self,
        row: &Row,
        kind: MailKind,
    ) -> Result<Result<Loaded, &'static str>, StoreError> {
        let Some(event) = self.store.event_by_id(row.event).await? else {
            return Ok(Err("the event was deleted"));
        };
        let registration = match row.locator() {
            Some(locator) => self.store.registration(locator).await?,
            None => None,
        };
        let Some(registration) = registration.map(|listed| listed.registration) else {
            return Ok(Err("the registration is gone"));
        };
        let Some(to) = registration.email.clone() else {
            return Ok(Err("the registration has no address"));
        };
        let is_cancelled = registration.status == Status::Cancelled;
        if kind.needs_registration() && is_cancelled {
            return Ok(Err("the registration is cancelled"));
        }
        if kind == MailKind::Cancelled && !is_cancelled {
            return Ok(Err("the registration has its places again"));
        }
        if kind == MailKind::Waiting && registration.status == Status::Confirmed {
            return Ok(Err("the registration has its places by now"));
        }
        if kind.needs_registration() && registration.locator.round != event.round {
            return Ok(Err("the round is over"));
        }
        Ok(Ok(Loaded {
            to,
            event: Some(event),
            registration: Some(registration),
            confirmation: None,
        }))
    }

    /// The event and the address of a link with which somebody registers, or why it is not needed any
    /// more.
    async fn load_confirmation(
        &self,
        row: &Row,
    ) -> Result<Result<Loaded, &'static str>, StoreError> {
        let Some(event) = self.store.event_by_id(row.event).await? else {
            return Ok(Err("the event was deleted"));
        };
        let found = match row.confirmation() {
            Some(id) => self.store.confirmation(id).await?,
            None => None,
        };
        let now = self.clock.now();
        let Some(confirmation) = found.filter(|found| found.expires_at > now) else {
            return Ok(Err("the link is too old"));
        };
        let token = confirmation.token();
        let to = match confirmation.outcome {
            confirmation::Outcome::Waits(applicant) => applicant.email,
            confirmation::Outcome::Opened(_) => None,
        };
        let Some(to) = to else {
            return Ok(Err("the person has registered"));
        };
        let registered = self.store.registration_of(event.id, event.round, &to);
        if registered.await?.is_some() {
            return Ok(Err("the person has registered"));
        }
        Ok(Ok(Loaded {
            to,
            event: Some(event),
            registration: None,
            confirmation: Some(token),
        }))
    }

    /// What keeps a mail from being sent; `None` if nothing does.
    async fn guard(
        &self,
        row: &Row,
        kind: MailKind,
        registration: Option<&Registration>,
    ) -> Result<Option<Outcome>, StoreError> {
        if kind == MailKind::Test {
            return Ok(None);
        }
        let now = self.clock.now();
        let history = self.store.outbox_history(row, now.minus(DAY)).await?;
        if history.refused {
            return Ok(Some(Outcome::Dropped(
                "a mail server has refused the address before",
            )));
        }
        let unsubscribed = registration.is_some_and(|row| row.unsubscribed_at.is_some());
        if kind.goes_to_everybody() && unsubscribed {
            return Ok(Some(Outcome::Dropped("the person wants no such mail")));
        }
        let proven = registration.is_some_and(is_proven);
        if kind.is_limited() && history.mailed && !proven {
            return Ok(Some(Outcome::Dropped(
                "an address that has not proven itself gets one mail a day",
            )));
        }
        Ok(None)
    }
}

/// Whether the owner of the address has opened a link that was mailed to it.
fn is_proven(registration: &Registration) -> bool {
    registration.email_proven_at.is_some()
}

/// Whom an organiser's test mail goes to: the address is in the row, and is the organiser's own.
fn addressee(row: &Row) -> Result<Email, &'static str> {
    let to = row.payload.get("to").and_then(serde_json::Value::as_str);
    to.and_then(|to| Email::parse(to).ok())
        .ok_or("the test has no address")
}
