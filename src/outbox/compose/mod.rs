//! Writes mails: what each kind says, in both languages, as text and HTML.
//!
//! Pure: the same event, registration and language give the same letter. A mail has nothing that a
//! visitor typed, unless the address has proven to be the visitor's: otherwise a form would send
//! strangers' words to anybody (docs/protocol.md, "Mail").

use super::mail::{Compose, Letter, Subject};
use crate::domain::confirmation::Token;
use crate::domain::event::Event;
use crate::domain::language::Language;
use crate::domain::outbox::MailKind;
use crate::domain::registration::{Registration, Status};
use crate::text::{Texts, calendar};
use crate::wire::calendar::calendar as calendar_file;

mod content;
mod pages;
#[cfg(test)]
mod tests;

use content::Content;
use pages::{HtmlMail, TextMail};

/// Writes mails with links to this server.
#[derive(Debug, Clone)]
pub struct Composer {
    /// `scheme://host[:port]` without a trailing slash.
    pub public_url: String,
}

impl Compose for Composer {
    fn compose(&self, subject: &Subject<'_>) -> Option<Letter> {
        if let (Some(event), Some(token)) = (subject.event, subject.confirmation) {
            return Some(self.confirm(subject, event, token));
        }
        match (subject.event, subject.registration) {
            (Some(event), Some(row)) => self.about(subject, event, row),
            // A test has neither, and nothing else is sent without both.
            (None, _) | (_, None) if subject.kind == MailKind::Test => {
                let language = Language::parse(subject.language).unwrap_or_default();
                Some(self.test(Texts::new(language)))
            }
            (None, _) | (_, None) => None,
        }
    }
}

/// The addresses that a mail leads to.
struct Links {
    /// The registration's page.
    own: String,
    /// Ends mails to everybody.
    unsubscribe: String,
}

impl Composer {
    fn about(&self, subject: &Subject<'_>, event: &Event, row: &Registration) -> Option<Letter> {
        let kind = subject.kind;
        if !event.mail.mails.has(kind) {
            return None;
        }
        let t = Texts::new(row.language);
        let links = self.links(subject, row);
        let content = Content::new(t, kind, event, row, subject.payload)?;
        let unsubscribe = kind.goes_to_everybody().then_some(&links.unsubscribe);
        let text = TextMail::new(t, &content, Some(&links.own), unsubscribe).text();
        let html = HtmlMail::new(t, &content, Some(&links.own), unsubscribe).text();
        Some(Letter {
            subject: content.subject.clone(),
            text,
            html: Some(html),
            calendar: has_calendar(kind, row)
                .then(|| file(t, event, row, &links.own))
                .flatten(),
            headers: unsubscribe
                .map(|link| unsubscribing(link))
                .unwrap_or_default(),
        })
    }

    /// The link with which somebody registers. Nothing in it was typed into the form.
    fn confirm(&self, subject: &Subject<'_>, event: &Event, token: &Token) -> Letter {
        let t = Texts::new(Language::parse(subject.language).unwrap_or_default());
        let content = Content::confirm(t, event);
        let link = format!("{}/confirm/{token}", self.public_url);
        Letter {
            subject: content.subject.clone(),
            text: TextMail::new(t, &content, Some(&link), None).text(),
            html: Some(HtmlMail::new(t, &content, Some(&link), None).text()),
            ..Letter::default()
        }
    }

    /// What an organiser sends to find out whether mail works.
    fn test(&self, t: Texts) -> Letter {
        let content = Content::test(t, &self.public_url);
        Letter {
            subject: content.subject.clone(),
            text: TextMail::new(t, &content, None, None).text(),
            html: Some(HtmlMail::new(t, &content, None, None).text()),
            ..Letter::default()
        }
    }

    /// The link in a mail has a secret of its own, so that opening it shows who reads the mail.
    fn links(&self, subject: &Subject<'_>, row: &Registration) -> Links {
        let secret = subject.secret.unwrap_or(&row.secret);
        let own = format!(
            "{}/r/{}",
            self.public_url,
            secret.token(&row.locator.to_string())
        );
        Links {
            unsubscribe: format!("{own}/unsubscribe"),
            own,
        }
    }
}

/// RFC 2369 and RFC 8058: one click, without a page in between.
fn unsubscribing(link: &str) -> Vec<(&'static str, String)> {
    vec![
        ("List-Unsubscribe", format!("<{link}>")),
        (
            "List-Unsubscribe-Post",
            "List-Unsubscribe=One-Click".to_owned(),
        ),
    ]
}

/// Whether a mail brings the entry for a calendar: a new one, a changed one, or one that is off.
fn has_calendar(kind: MailKind, row: &Registration) -> bool {
    match kind {
        MailKind::Confirmed | MailKind::Promoted | MailKind::Changed => {
            row.status == Status::Confirmed
        }
        MailKind::Cancelled => row.status == Status::Cancelled,
        MailKind::Waiting
        | MailKind::Reminder
        | MailKind::Announcement
        | MailKind::Link
        | MailKind::Confirm
        | MailKind::Test => false,
    }
}

fn file(t: Texts, event: &Event, row: &Registration, link: &str) -> Option<String> {
    let entry = calendar::of_registration(t, event, row, link.to_owned())?;
    Some(calendar_file(None, &[entry]))
}
