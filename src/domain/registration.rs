//! A registration, its identifiers and its secret.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use subtle::ConstantTimeEq as _;

use super::audit::Actor;
use super::clock::Timestamp;
use super::command::Applicant;
use super::event::EventId;
use super::invalid::Invalid;
use super::language::Language;
pub use super::party::PartySize;
use super::person::{Email, Name};
use super::position::Revision;
use super::questions::Answers;
use super::words::words;

words! {
    /// Whether a registration has a place.
    pub enum Status {
        /// Has a place.
        Confirmed = "confirmed",
        /// Waits for a place.
        Waiting = "waiting",
        /// Was cancelled, by the visitor or the organiser.
        Cancelled = "cancelled",
    }
}

/// Identifies a registration: the key in the database, and the public `id` as
/// `<event>-<round>-<number>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Locator {
    /// The event.
    pub event: EventId,
    /// The round that accepted it.
    pub round: u32,
    /// The number in that round, from 1, in order of arrival.
    pub number: u32,
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.event, self.round, self.number)
    }
}

/// The error for a text that is no registration's id or token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a registration's id or token")]
pub struct NotALocator;

impl FromStr for Locator {
    type Err = NotALocator;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let mut parts = s.split('-').map(|part| {
            part.parse::<i64>()
                .ok()
                .filter(|_| !part.starts_with(['+', '0']))
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

/// A random secret that only the person who registered knows: 22 letters and digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 62^22 is just above 2^128: RFC 6749, section 10.10, demands that a guess succeeds with a
    /// probability of at most 2^-128.
    pub const LENGTH: usize = 22;

    /// A new random secret.
    pub fn draw() -> Self {
        use rand::distr::{Alphanumeric, SampleString as _};
        Self(Alphanumeric.sample_string(&mut rand::rng(), Self::LENGTH))
    }

    /// The secret that stands for a number: its digits in base 62.
    pub fn of_number(mut number: u128) -> Self {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let digits = (0..Self::LENGTH).map(|_| {
            // A remainder below 62.
            let digit = DIGITS[(number % 62) as usize];
            number /= 62;
            char::from(digit)
        });
        Self(digits.collect())
    }

    /// The secret in a link; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        let is_secret =
            text.len() == Self::LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric());
        is_secret.then(|| Self(text.to_owned()))
    }

    /// A secret that was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The characters. Use them only for the store and the owner's link.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The text of the [`Token`] for the registration with this `id`.
    pub fn token(&self, id: &str) -> String {
        [id, "-", &self.0].concat()
    }

    /// Whether both are equal, compared in constant time.
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

/// Opens the private page: a locator and its secret, `<event>-<round>-<number>-<secret>`. The row
/// is found by the locator, its primary key. An index of random secrets would slow down inserts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The registration.
    pub locator: Locator,
    /// Its secret.
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
        Ok(Self {
            secret: Secret::parse(secret).ok_or(NotALocator)?,
            locator: locator.parse()?,
        })
    }
}

/// A client's key for one attempt to register (`Idempotency-Key`): 1..=255 code points, none of
/// them a control character.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The longest key, in code points.
    pub const MAX: usize = 255;

    /// Parses the header or the hidden field of the form.
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

/// A registration as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Its key. `number` is the order of arrival.
    pub locator: Locator,
    /// The secret in its private link.
    pub secret: Secret,
    /// The name of the person.
    pub name: Name,
    /// The address. It is unique in the event and round, cancelled registrations apart. Somebody
    /// whom the organiser added may have none.
    pub email: Option<Email>,
    /// How many people it is for. They get their places together, or wait together.
    pub party_size: PartySize,
    /// The key of the attempt that created it, if it had one.
    pub key: Option<IdempotencyKey>,
    /// What the person answered.
    pub answers: Answers,
    /// Whether it has a place.
    pub status: Status,
    /// The position in the waiting list when it was accepted: the registrations ahead plus one.
    /// `None` if it was confirmed at once.
    pub accepted_waiting: Option<u32>,
    /// The revision that accepted it.
    pub accepted_revision: Revision,
    /// The revision that last changed it.
    pub revision: Revision,
    /// When it was accepted.
    pub at: Timestamp,
    /// How the organiser added it; `None` if the person registered.
    pub added_by: Option<AddedBy>,
    /// When its name, address, answers and key were erased; `None` while it has them.
    pub erased_at: Option<Timestamp>,
    /// The language in which the person registered.
    pub language: Language,
    /// When the link was opened that only a mail to the address contains; `None` while nothing shows
    /// that the address is the person's.
    pub email_proven_at: Option<Timestamp>,
    /// When the person asked for no more mails to everybody.
    pub unsubscribed_at: Option<Timestamp>,
    /// When the name was typed with the link that no mail contains; `None` if nobody did so since the
    /// mailed link was opened.
    pub renamed_at: Option<Timestamp>,
}

/// How an organiser added a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AddedBy {
    /// In the console.
    Console,
    /// By a script with a token.
    Token,
}

impl AddedBy {
    /// The means of this actor; `None` for those who add nobody.
    pub fn of(actor: &Actor) -> Option<Self> {
        match actor {
            Actor::Owner | Actor::Account(_) => Some(Self::Console),
            Actor::AdminToken | Actor::Token(_) => Some(Self::Token),
            Actor::Visitor | Actor::Schedule | Actor::Server => None,
        }
    }

    /// The one with this word; `None` if there is none.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Console, Self::Token]
            .into_iter()
            .find(|each| each.as_str() == word)
    }

    /// The word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Token => "token",
        }
    }
}

impl Registration {
    /// Forgets everything that the person said. What stays keeps the count and the private link
    /// right.
    pub fn erase(&mut self, at: Timestamp) {
        self.name = Name::erased();
        self.email = None;
        self.key = None;
        self.answers = Answers::default();
        self.erased_at = Some(at);
    }

    /// The name, if a mail may say it. The person who reads the mails has opened the link in one, and
    /// nobody has typed another name with the other link since then. Otherwise a form would send a
    /// stranger's words to anybody.
    pub fn proven_name(&self) -> Option<&Name> {
        let is_proven = self.email_proven_at.is_some() && self.renamed_at.is_none();
        (is_proven && self.erased_at.is_none()).then_some(&self.name)
    }

    /// Whether a request of the same key asks for what this registration is now.
    pub fn is_repeated_by(&self, applicant: &Applicant) -> bool {
        self.name == applicant.name
            && self.email == applicant.email
            && self.party_size == applicant.party_size
            && self.answers == applicant.answers
    }

    /// The unique form of its address. Without an address it is the number, which is no address.
    pub fn email_key(&self) -> Cow<'_, str> {
        match &self.email {
            Some(email) => Cow::Borrowed(email.key()),
            None => Cow::Owned(format!("#{}", self.locator.number)),
        }
    }

    /// The token that opens its private page.
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
    fn a_token_is_read_back_from_its_text_and_its_secret_is_never_printed() {
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
        assert!(token.to_string().ends_with(token.secret.reveal()));
        assert_eq!(format!("{:?}", token.secret), "Secret(…)");
        assert!(token.secret.matches(&token.secret) && !token.secret.matches(&Secret::draw()));
    }

    #[test]
    fn every_number_of_128_bits_is_another_secret() {
        let secret = |number| Secret::of_number(number).reveal().to_owned();
        let numbers = [0, 1, 61, 62, u128::MAX / 62, u128::MAX - 1, u128::MAX];
        let secrets: std::collections::HashSet<_> = numbers.into_iter().map(secret).collect();
        assert_eq!(secrets.len(), numbers.len());
        assert!(secrets.iter().all(|text| text.len() == Secret::LENGTH));
        assert_eq!(secret(62), format!("01{}", "0".repeat(20)));
    }

    #[test]
    fn a_status_has_one_word_in_json_and_in_the_database() {
        for (status, word) in Status::ALL
            .into_iter()
            .zip(["confirmed", "waiting", "cancelled"])
        {
            assert_eq!((status.as_str(), Status::parse(word)), (word, Some(status)));
            assert_eq!(serde_json::to_value(status).unwrap(), word);
        }
        assert_eq!(Status::parse("Waiting"), None);
    }

    #[test]
    fn an_idempotency_key_is_bounded_and_has_no_control_characters() {
        for good in ["k", "é 1", &"名".repeat(IdempotencyKey::MAX)] {
            assert_eq!(IdempotencyKey::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a\nb", "\u{7F}", &"k".repeat(IdempotencyKey::MAX + 1)] {
            assert_eq!(
                IdempotencyKey::parse(bad).unwrap_err().field,
                "idempotency_key",
                "{bad:?}"
            );
        }
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
