//! Webhooks: addresses of the owner's programs that are notified of registrations and events.

use std::fmt;

use super::clock::Timestamp;
use super::event::EventId;
use super::invalid::Invalid;
use super::language::Language;
use super::words::words;

mod notices;
mod target;
mod topic;

pub use notices::rows;
pub use target::{Target, TargetHost};
pub use topic::{Topic, Topics};

/// The key of a webhook.
pub type WebhookId = i64;

/// Webhooks at most. Each writes a row for each notice, in the transaction of the registration.
pub const MAX: usize = 50;

words! {
    /// What a receiver expects as the body.
    #[derive(Default)]
    pub enum Format {
        /// An event of Standard Webhooks: type, moment and data.
        #[default]
        Standard = "standard",
        /// A message of Slack's incoming webhooks. Mattermost and Rocket.Chat take it too.
        Slack = "slack",
        /// A message of Discord's webhooks.
        Discord = "discord",
        /// A message of 飞书's (Lark's) custom bots.
        Feishu = "feishu",
        /// A message of 钉钉's custom bots.
        DingTalk = "dingtalk",
        /// A message of 企业微信's group bots.
        WeCom = "wecom",
    }
}

impl Format {
    /// The setting's name.
    pub const FIELD: &'static str = "format";

    /// Fails with the words that the setting takes.
    pub fn unknown() -> Invalid {
        Invalid::not_one_of(Self::FIELD, &Self::ALL.map(Self::as_str))
    }
}

/// What the owner chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where to.
    pub target: Target,
    /// What about.
    pub topics: Topics,
    /// The one event that it is about; `None` for all.
    pub event: Option<EventId>,
    /// In which form.
    pub format: Format,
    /// The language of messages to people.
    pub language: Language,
    /// Whether anything is sent.
    pub active: bool,
}

/// A webhook as stored.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Its key.
    pub id: WebhookId,
    /// What the owner chose.
    pub settings: Settings,
    /// What its deliveries are signed with.
    pub secret: SigningSecret,
    /// Whether the receiver answered that it is gone (410), which made it inactive.
    pub gone: bool,
    /// When it was created.
    pub created_at: Timestamp,
}

/// What a batch needs to know of an active webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The webhook.
    pub webhook: WebhookId,
    /// What about.
    pub topics: Topics,
}

/// The secret that signs deliveries, as Standard Webhooks writes it: `whsec_` and Base64.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret(String);

impl SigningSecret {
    /// The prefix, by which secret scanners recognise it.
    pub const PREFIX: &'static str = "whsec_";

    /// The length of the Base64: 30 bytes, of at least 24 that Standard Webhooks asks for.
    const LENGTH: usize = 40;

    /// A new secret. Base64 of letters and digits alone has 238 bits of the 240.
    pub fn draw() -> Self {
        use rand::distr::{Alphanumeric, SampleString as _};
        let base64 = Alphanumeric.sample_string(&mut rand::rng(), Self::LENGTH);
        Self(format!("{}{base64}", Self::PREFIX))
    }

    /// A secret that was drawn before it was stored.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    /// The whole text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The key's Base64.
    pub fn base64(&self) -> &str {
        self.0.strip_prefix(Self::PREFIX).unwrap_or(&self.0)
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_has_one_word() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.as_str()), Some(format));
        }
        assert_eq!(Format::parse("Slack"), None);
        assert!(Format::unknown().message.contains("dingtalk"));
    }

    #[test]
    fn a_secret_is_drawn_anew_and_never_printed() {
        let (one, other) = (SigningSecret::draw(), SigningSecret::draw());
        assert_ne!(one, other);
        assert_eq!(one.base64().len(), 40);
        assert!(one.reveal().starts_with("whsec_"));
        assert!(!format!("{one:?}").contains(one.base64()));
    }
}
