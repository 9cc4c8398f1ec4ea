//! Mails in plain text: the event, what happened, and the private link.

use std::fmt::Write as _;

use super::letter::{Compose, Letter, Subject};
use crate::domain::outbox::MailKind;

/// Writes mails without HTML.
#[derive(Debug, Clone)]
pub struct Plain {
    /// `scheme://host[:port]` without a trailing slash.
    pub public_url: String,
}

impl Compose for Plain {
    fn compose(&self, subject: &Subject<'_>) -> Option<Letter> {
        let title = subject.event.map_or("Headcount", |event| &event.title);
        let what = match subject.kind {
            MailKind::Confirmed => "Your registration is confirmed.",
            MailKind::Waiting => "You are on the waiting list.",
            MailKind::Promoted => "You have moved up from the waiting list: you have a place.",
            MailKind::Cancelled => "The organiser has cancelled your registration.",
            MailKind::Changed => "The time or place of the event has changed.",
            MailKind::Reminder => "The event begins soon.",
            MailKind::Announcement => subject.payload.get("text")?.as_str()?,
            MailKind::Link => "This is the link to your registration.",
            MailKind::Test => "This is a test. Mail works.",
        };
        let mut text = format!("{title}\n\n{what}\n");
        if let Some(registration) = subject.registration {
            // Writing to a String never fails.
            let _ = write!(text, "\n{}/r/{}\n", self.public_url, registration.token());
        }
        Some(Letter {
            subject: title.to_owned(),
            text,
            ..Letter::default()
        })
    }
}
