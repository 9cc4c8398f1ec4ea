//! What a mail says, before it becomes text and HTML.

use serde_json::Value;

use crate::domain::event::Event;
use crate::domain::outbox::MailKind;
use crate::domain::registration::{Registration, Status};
use crate::text::Texts;

/// The settings whose change is a change of time; the others in a mail are about the place.
const OF_TIME: [&str; 3] = ["starts_at", "ends_at", "time_zone"];
/// Only people with a place know it.
const ONLINE: &str = "online_url";

/// The parts of a mail. Everything is plain text.
pub(super) struct Content {
    pub(super) subject: String,
    /// The event's title; the program's name in a test.
    pub(super) title: String,
    /// The most important sentence.
    pub(super) heading: String,
    pub(super) paragraphs: Vec<String>,
    /// Labels and values.
    pub(super) facts: Vec<(String, String)>,
    /// What the link does.
    pub(super) action: String,
    /// What else there is to say about the link.
    pub(super) keep: Option<String>,
    /// Why the person gets this mail.
    pub(super) reason: Option<String>,
}

impl Content {
    /// `None` if there is nothing to say to this person.
    pub(super) fn new(
        t: Texts,
        kind: MailKind,
        event: &Event,
        row: &Registration,
        payload: &Value,
    ) -> Option<Self> {
        let word = kind.as_str();
        let mut paragraphs = Vec::new();
        if let Some(name) = row.proven_name() {
            paragraphs.push(t.get1("mail-hello", "name", name.as_str()));
        }
        match kind {
            MailKind::Changed => paragraphs.extend(changed(t, row, payload)?),
            MailKind::Announcement => paragraphs.push(payload.get("text")?.as_str()?.to_owned()),
            MailKind::Confirmed
            | MailKind::Waiting
            | MailKind::Promoted
            | MailKind::Cancelled
            | MailKind::Reminder
            | MailKind::Link
            | MailKind::Confirm
            | MailKind::Test => paragraphs.push(t.get(format!("mail-{word}-text"))),
        }
        Some(Self {
            subject: t.get1(
                format!("mail-{word}-subject"),
                "title",
                event.title.as_str(),
            ),
            title: event.title.clone(),
            heading: t.get(format!("mail-{word}-heading")),
            paragraphs,
            facts: facts(t, event, Some(row)),
            action: t.get("mail-open"),
            keep: Some(t.get("mail-keep")),
            reason: row.email_proven_at.is_none().then(|| t.get("mail-reason")),
        })
    }

    /// A link with which somebody registers.
    pub(super) fn confirm(t: Texts, event: &Event) -> Self {
        Self {
            subject: t.get1("mail-confirm-subject", "title", event.title.as_str()),
            title: event.title.clone(),
            heading: t.get("mail-confirm-heading"),
            paragraphs: vec![t.get("mail-confirm-text")],
            facts: facts(t, event, None),
            action: t.get("mail-confirm-open"),
            keep: None,
            reason: Some(t.get("mail-confirm-reason")),
        }
    }

    /// A mail about nothing but the mail server.
    pub(super) fn test(t: Texts, public_url: &str) -> Self {
        Self {
            subject: t.get("mail-test-subject"),
            title: "Headcount".to_owned(),
            heading: t.get("mail-test-heading"),
            paragraphs: vec![t.get1("mail-test-text", "server", public_url)],
            facts: Vec::new(),
            action: String::new(),
            keep: None,
            reason: None,
        }
    }
}

/// What has changed. A person who waits hears nothing of an address that only those with a place
/// know.
fn changed(t: Texts, row: &Registration, payload: &Value) -> Option<Vec<String>> {
    let settings = payload.get("settings")?.as_array()?.iter();
    let named: Vec<&str> = settings.filter_map(Value::as_str).collect();
    let time = named.iter().any(|name| OF_TIME.contains(name));
    let has_place = row.status == Status::Confirmed;
    let place = named
        .iter()
        .any(|name| !OF_TIME.contains(name) && (*name != ONLINE || has_place));
    let mut changed = Vec::new();
    if time {
        changed.push(t.get("mail-changed-time"));
    }
    if place {
        changed.push(t.get("mail-changed-place"));
    }
    (!changed.is_empty()).then_some(changed)
}

/// When and where, whom to ask, and which registration, if there is one. Nothing of it is from the
/// form.
fn facts(t: Texts, event: &Event, row: Option<&Registration>) -> Vec<(String, String)> {
    let occasion = &event.occasion;
    let online = row.and_then(|row| event.online_url_of(row.locator.round, row.status));
    let known = [
        ("mail-when", t.when(occasion)),
        ("mail-where", Some(occasion.location.clone())),
        ("mail-online", online.map(str::to_owned)),
        ("mail-contact", Some(occasion.contact.clone())),
        ("mail-registration", row.map(|row| t.own_number(row))),
    ];
    let known = known.into_iter().filter_map(|(key, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some((t.get(key), value))
    });
    known.collect()
}
