//! The notices that a decision causes, and the mails that follow from them.

use serde_json::json;

use super::{MailKind, NewRow};
use crate::domain::clock::Timestamp;
use crate::domain::decide::BatchState;
use crate::domain::lab;
use crate::domain::registration::Locator;

/// Something that happened in a batch. `webhook::notices` reads the same list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A party registered or was added: it has its places or waits.
    Registered(Locator),
    /// A party that waited has its places.
    Promoted(Locator),
    /// A registration was cancelled.
    Cancelled {
        /// Which.
        locator: Locator,
        /// Whether by the organiser.
        by_organiser: bool,
    },
    /// A registration's party, name or answers changed.
    Changed(Locator),
    /// A cancelled registration has its places back.
    Restored(Locator),
    /// The event's time or place changed.
    Moved {
        /// The names of the settings.
        settings: Vec<&'static str>,
    },
}

/// The mails that follow from a batch, due `now`. In the lab nobody is real.
pub fn mails(batch: &BatchState, now: Timestamp) -> Vec<NewRow> {
    if batch.event.slug.as_str() == lab::SLUG {
        return Vec::new();
    }
    let notices = batch.writes.notices.iter();
    notices
        .filter_map(|notice| mail(batch, notice, now))
        .collect()
}

fn mail(batch: &BatchState, notice: &Notice, now: Timestamp) -> Option<NewRow> {
    let mails = batch.event.mail.mails;
    let to = |kind, locator| {
        if !mails.has(kind) {
            return None;
        }
        let row = batch.registration(locator);
        // Nobody has an address that was erased, and the organiser may add people without one.
        let address = row.email.as_ref()?.key();
        Some(NewRow::mail(kind, locator, address, now))
    };
    match notice {
        Notice::Registered(locator) => {
            let waits = batch.registration(*locator).accepted_waiting.is_some();
            let kind = if waits {
                MailKind::Waiting
            } else {
                MailKind::Confirmed
            };
            to(kind, *locator)
        }
        Notice::Promoted(locator) => to(MailKind::Promoted, *locator),
        Notice::Restored(locator) => to(MailKind::Confirmed, *locator),
        Notice::Cancelled {
            locator,
            by_organiser: true,
        } => to(MailKind::Cancelled, *locator),
        // Who cancels or changes a registration sees the outcome at once.
        Notice::Cancelled {
            by_organiser: false,
            ..
        }
        | Notice::Changed(_) => None,
        Notice::Moved { settings } => {
            let event = &batch.event;
            let payload = json!({ "settings": settings });
            let has_people = event.last_number > 0 && mails.has(MailKind::Changed);
            has_people
                .then(|| NewRow::fanout(MailKind::Changed, event.id, event.round, payload, now))
        }
    }
}
