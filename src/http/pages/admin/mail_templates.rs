//! The page of an event's mails.

use askama::Template;

use super::details::{Setting, Tick};
use crate::domain::clock::Timestamp;
use crate::http::pages::views::{EventView, FlashView};
use crate::http::session::Csrf;
use crate::text::Texts;

/// The mails of an event.
#[derive(Debug, Template)]
#[template(path = "admin_mail.html")]
pub(super) struct AdminMailPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) flash: Option<FlashView>,
    pub(super) once: String,
    pub(super) event: EventView,
    /// Hours before the start.
    pub(super) remind: Setting,
    pub(super) kinds: Vec<KindView>,
    /// The switches as they are now.
    pub(super) was_mails: String,
    pub(super) test_to: String,
    pub(super) test_error: Option<String>,
    /// How many mails are in each state.
    pub(super) totals: [(&'static str, u64); 4],
    /// What a budget holds back.
    pub(super) held: Option<HeldView>,
    pub(super) rows: Vec<MailRow>,
    /// The key before which the next page begins.
    pub(super) next: Option<i64>,
}

/// A kind of mail with its switch.
#[derive(Debug)]
pub(super) struct KindView {
    pub(super) word: &'static str,
    pub(super) tick: Tick,
}

/// Mails that wait because enough were sent in the last hour.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeldView {
    pub(super) waiting: u64,
    /// How many may be sent in an hour.
    pub(super) budget: u32,
}

/// A line of the outbox.
#[derive(Debug)]
pub(super) struct MailRow {
    pub(super) id: i64,
    pub(super) kind: String,
    /// The id of the registration; `None` for a mail to everybody, and before there is one.
    pub(super) registration: Option<String>,
    pub(super) number: u32,
    pub(super) is_to_everybody: bool,
    pub(super) state: &'static str,
    pub(super) is_failed: bool,
    pub(super) created: Timestamp,
    pub(super) finished: Option<Timestamp>,
    /// When it is tried again.
    pub(super) due: Option<Timestamp>,
    /// Whether that is now.
    pub(super) is_due: bool,
    /// What went wrong, in the page's language.
    pub(super) error: Option<String>,
}

impl MailRow {
    /// When it got its state.
    fn at(&self) -> Timestamp {
        self.finished.unwrap_or(self.created)
    }
}
