//! One person's place.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use subtle::ConstantTimeEq as _;

use super::clock::Timestamp;
use super::event::EventId;
use super::invalid::Invalid;
use super::person::{Email, Name};
use super::position::Revision;

/// What became of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Has a place.
    Confirmed,
    /// Waits for a place.
    Waiting,
    /// Gave the place back.
    Cancelled,
}

impl Status {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Waiting, Self::Cancelled];

    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Waiting => "waiting",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// Where a registration stands: its key in the database, and its public `id` as
/// `<event>-<round>-<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locator {
    /// The event.
    pub event: EventId,
    /// The round it was accepted in.
    pub round: u32,
    /// Its number in that round, from 1, in the order of arrival.
    pub number: u32,
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.event, self.round, self.number)
    }
}

/// The text is no registration's id or token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a registration's id or token")]
pub struct NotALocator;

impl FromStr for Locator {
    type Err = NotALocator;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let mut parts = s.split('-').map(|part| {
            part.parse::<i64>()
                .ok()
                .filter(|n| *n > 0 && !part.starts_with(['+', '0']))
                .ok_or(NotALocator)
        });
        let mut next = || parts.next().unwrap_or(Err(NotALocator));
        let (event, round, number) = (next()?, next()?, next()?);
        let small = |n: i64| u32::try_from(n).map_err(|_| NotALocator);
        if parts.next().is_some() {
            Err(NotALocator)
        } else {
            Ok(Self {
                event,
                round: small(round)?,
                number: small(number)?,
            })
        }
    }
}

/// 128 random bits that only the person who registered knows, as 22 letters and digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 62^22 is just above 2^128 (RFC 6749, section 10.10, asks for the probability of a guess to
    /// be at most 2^-128).
    pub const LENGTH: usize = 22;

    /// A new random secret.
    pub fn draw() -> Self {
        use rand::distr::{Alphanumeric, SampleString as _};
        Self(Alphanumeric.sample_string(&mut rand::rng(), Self::LENGTH))
    }

    /// A secret that was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The characters; for the store and the owner's link only.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The [`Token`]'s text, of the registration with this `id`.
    pub fn token(&self, id: &str) -> String {
        [id, "-", &self.0].concat()
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// A secret is never printed.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What opens the private page: a locator and its secret, `<event>-<round>-<number>-<secret>`. The
/// locator finds the row by its primary key, so that no index of random values slows the inserts
/// down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Which registration.
    pub locator: Locator,
    /// The proof.
    pub secret: Secret,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.secret.token(&self.locator.to_string()))
    }
}

impl FromStr for Token {
    type Err = NotALocator;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (locator, secret) = s.rsplit_once('-').ok_or(NotALocator)?;
        if secret.len() != Secret::LENGTH || !secret.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(NotALocator);
        }
        Ok(Self {
            locator: locator.parse()?,
            secret: Secret(secret.to_owned()),
        })
    }
}

/// A client's own name for one attempt to register (`Idempotency-Key`): 1..=255 visible characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Longer keys are refused.
    pub const MAX: usize = 255;

    /// Parses the header or the form's hidden field.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let length = raw.chars().count();
        if (1..=Self::MAX).contains(&length) && !raw.chars().any(char::is_control) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(Invalid::new(
                "idempotency_key",
                "malformed",
                "an idempotency key has 1 to 255 characters and no control characters",
            ))
        }
    }

    /// A key that was parsed before it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A registration as its row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Its key; `number` is the order of arrival.
    pub locator: Locator,
    /// The proof in its private link.
    pub secret: Secret,
    /// Who.
    pub name: Name,
    /// Unique among the not-cancelled of the event and round.
    pub email: Email,
    /// The attempt that made it.
    pub key: Option<IdempotencyKey>,
    /// What became of it.
    pub status: Status,
    /// The place in the waiting list at acceptance, from 1; `None` when it was confirmed at once. A
    /// replayed request is answered with this.
    pub accepted_waiting: Option<u32>,
    /// The revision that accepted it.
    pub accepted_revision: Revision,
    /// The revision that last changed it.
    pub revision: Revision,
    /// When it was accepted.
    pub at: Timestamp,
}

impl Registration {
    /// What opens its private page.
    pub fn token(&self) -> Token {
        Token {
            locator: self.locator,
            secret: self.secret.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_its_secret_is_never_printed() {
        let token = Token {
            locator: Locator {
                event: 7,
                round: 2,
                number: 42,
            },
            secret: Secret::draw(),
        };
        assert_eq!(token.to_string().parse(), Ok(token.clone()));
        assert!(token.to_string().starts_with("7-2-42-"));
        assert!(!format!("{token:?}").contains(token.secret.reveal()));
    }

    #[test]
    fn forged_tokens_are_refused() {
        for text in [
            "",
            "7-2-42",
            "7-2-42-short",
            "7-2-0-aaaaaaaaaaaaaaaaaaaaaa",
            "-7-2-1-aaaaaaaaaaaaaaaaaaaaaa",
            "7-2-+1-aaaaaaaaaaaaaaaaaaaaaa",
            "7-2-01-aaaaaaaaaaaaaaaaaaaaaa",
            "7-2-1-1-aaaaaaaaaaaaaaaaaaaaaa",
            "7-2-1-aaaaaaaaaaaaaaaaaaaaa/",
            "7-99999999999-1-aaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(text.parse::<Token>(), Err(NotALocator), "{text:?}");
        }
    }
}
