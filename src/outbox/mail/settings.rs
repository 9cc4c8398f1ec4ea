//! What an operator chooses about mail.

use std::fmt;

use lettre::message::Mailbox;
use lettre::transport::smtp::extension::ClientId;
use url::{Host, Url};

use super::smtp_url::SmtpUrl;
use crate::domain::quoted::quoted;
use crate::store::outbox::Budget;

/// The options of mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `--smtp-url`.
    pub server: SmtpUrl,
    /// `--mail-from`.
    pub from: Sender,
    /// `--mail-per-event` and `--mail-per-hour`.
    pub budget: Budget,
    /// `--public-url`: links begin with it, and the mail server is greeted with its host.
    pub public_url: String,
}

impl Settings {
    /// How the mail server is greeted (RFC 5321, section 4.1.1.1).
    pub(super) fn hello(&self) -> ClientId {
        match host(&self.public_url) {
            Some(Host::Ipv4(ip)) => ClientId::Ipv4(ip),
            Some(Host::Ipv6(ip)) => ClientId::Ipv6(ip),
            Some(Host::Domain(name)) => ClientId::Domain(name),
            // A name that RFC 6761 reserves, for an address that Config has not checked.
            None => ClientId::Domain("localhost".to_owned()),
        }
    }
}

fn host(public_url: &str) -> Option<Host> {
    let url = Url::parse(public_url).ok()?;
    url.host().map(|host| host.to_owned())
}

/// The sender of every mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(pub(super) Mailbox);

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Sender {
    /// Parses an address, or a name with an address in angle brackets.
    pub fn parse(text: &str) -> Result<Self, String> {
        let from = text.parse::<Mailbox>().map_err(|_| {
            format!(
                "{} is no sender such as events@example.org or \"Events <events@example.org>\"",
                quoted(text)
            )
        })?;
        if !from.email.user().is_ascii() {
            return Err(format!(
                "{}: letters before the @ must be ASCII, so that every mail server takes them",
                quoted(text)
            ));
        }
        Ok(Self(from))
    }

    /// The sender if none is chosen: `headcount` at the host of the public address.
    pub fn of(public_url: &str) -> Result<Self, String> {
        let domain = match host(public_url) {
            Some(Host::Domain(name)) => name,
            // Mail servers refuse addresses at numbers.
            Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => "localhost".to_owned(),
        };
        Self::parse(&format!("headcount@{domain}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        assert_eq!(Sender::parse("a@example.org").unwrap().0.name, None);
        let named = Sender::parse("Events <a@example.org>").unwrap();
        assert_eq!(named.0.name.as_deref(), Some("Events"));
        for bad in [
            "events",
            "名@example.org",
            "a@example.org\r\nBcc: b@example.org",
        ] {
            assert!(Sender::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_a_sender_mail_comes_from_the_public_host() {
        for (url, sender) in [
            ("https://events.example.org", "headcount@events.example.org"),
            ("http://localhost:8080", "headcount@localhost"),
            ("http://192.0.2.1:8080", "headcount@localhost"),
        ] {
            assert_eq!(Sender::of(url).unwrap().to_string(), sender);
        }
    }
}
