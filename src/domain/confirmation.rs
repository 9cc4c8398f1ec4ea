//! A registration that waits until its mailed link is opened.
//!
//! A browser without scripts cannot solve the bot check. The person confirms from the inbox instead,
//! and gets a place when the link is opened (docs/protocol.md, section 8).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::clock::Timestamp;
use super::command::Applicant;
use super::event::EventId;
use super::registration::{IdempotencyKey, Locator, NotALocator, Secret};

/// The key of a confirmation.
pub type ConfirmationId = i64;

/// How long a link works: a mail may be read the next day, and an address that has not proven itself
/// gets one mail a day.
pub const VALID_FOR: Duration = Duration::from_hours(24);
/// How many may wait for an event. Each costs a mail, and a program could ask for any number.
pub const WAITING_MAX: u32 = 1_000;
/// A mail leaves so much later. A visitor whose scripts load only now solves the bot check meanwhile,
/// and needs no mail.
pub const PAUSE: Duration = Duration::from_secs(3);

/// A stored confirmation.
#[derive(Debug, Clone)]
pub struct Confirmation {
    /// The key.
    pub id: ConfirmationId,
    /// Where to register.
    pub event: EventId,
    /// The link's.
    pub secret: Secret,
    /// Until when the link works.
    pub expires_at: Timestamp,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of a confirmation.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The link was not opened: this is who asks for a place.
    Waits(Box<Applicant>),
    /// The link was opened, which has made this registration. The personal data are with that.
    Opened(Locator),
}

impl Confirmation {
    /// The text in the link.
    pub fn token(&self) -> Token {
        Token {
            id: self.id,
            secret: self.secret.clone(),
        }
    }

    /// The idempotency key of its registration. Nobody else knows it.
    pub fn key(secret: &Secret) -> Option<IdempotencyKey> {
        IdempotencyKey::parse(&format!("confirmation {}", secret.reveal())).ok()
    }
}

/// Opens a confirmation: `<id>-<secret>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The confirmation.
    pub id: ConfirmationId,
    /// Its secret.
    pub secret: Secret,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.secret.token(&self.id.to_string()))
    }
}

impl FromStr for Token {
    type Err = NotALocator;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (id, secret) = s.split_once('-').ok_or(NotALocator)?;
        Ok(Self {
            id: id.parse().map_err(|_| NotALocator)?,
            secret: Secret::parse(secret).ok_or(NotALocator)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_is_written() {
        let token = Token {
            id: 7,
            secret: Secret::draw(),
        };
        let text = token.to_string();
        assert_eq!(text.parse(), Ok(token.clone()));
        for bad in ["", "7", "7-", "x-y", &text[1..], &format!("{text}x")] {
            assert!(bad.parse::<Token>().is_err(), "{bad}");
        }
        assert!(Confirmation::key(&token.secret).is_some());
    }
}
