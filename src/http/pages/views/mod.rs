//! Values for templates, made from the domain's.

mod registration;

use std::sync::Arc;

use crate::domain::access::Permission;
use crate::domain::announcement::Announcement;
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::headcount::Headcount;
use crate::domain::occasion::Occasion;
use crate::domain::person::Email;
use crate::domain::proof_of_work::ProofOfWork;
use crate::domain::visibility::Visibility;
use crate::http::session::Session;

use super::rail::Rail;
use super::schedule::{self, MomentView};

pub(super) use registration::{RegistrationRow, RegistrationView, Standing, WaitingForView};

/// The count, as numbers and as the scripts' first state.
#[derive(Debug)]
pub(super) struct CountView {
    pub(super) state: &'static str,
    pub(super) round: u32,
    pub(super) capacity: Option<u32>,
    pub(super) registered: u32,
    pub(super) remaining: Option<u32>,
    pub(super) over_by: u32,
    pub(super) waiting: u32,
    /// Free places that are too few for the party that is next on the waiting list, if there are any.
    pub(super) held: Option<u32>,
    pub(super) at: Timestamp,
    pub(super) stale_since: Option<Timestamp>,
    json: String,
}

impl CountView {
    fn new(count: &Headcount) -> Self {
        Self {
            state: count.state.as_str(),
            round: count.round,
            capacity: count.capacity.get(),
            registered: count.registered,
            remaining: count.remaining,
            over_by: count.over_by,
            waiting: count.waiting,
            held: count
                .remaining
                .filter(|free| *free > 0 && count.waiting > 0),
            at: count.at,
            stale_since: count.stale_since,
            json: script_data(count),
        }
    }

    /// The count object for a `<script type="application/json">`.
    pub(super) fn json(&self) -> &str {
        &self.json
    }

    /// The message of the state.
    pub(super) fn state_key(&self) -> String {
        format!("state-{}", self.state)
    }

    /// Digits of the larger of registered and capacity, at least 2; sets the wall's font size.
    pub(super) fn digits(&self) -> usize {
        self.registered
            .max(self.capacity.unwrap_or(0))
            .to_string()
            .len()
            .max(2)
    }

    /// The capacity rail.
    pub(super) fn rail(&self) -> Rail {
        Rail::new(self.capacity, self.registered)
    }
}

/// JSON for a script element. Without `<` it contains neither `</script` nor `<!--`.
pub(super) fn script_data(value: &impl serde::Serialize) -> String {
    // Serialising plain structs with string keys cannot fail.
    serde_json::to_string(value)
        .unwrap_or_else(|_| "{}".to_owned())
        .replace('<', "\\u003c")
}

/// A time from `Texts::when`, which breaks at no dash: `19:00–22:00` stays on one line, and a dash
/// between two days stands at the end of a line.
pub(super) fn unbroken(when: impl AsRef<str>) -> String {
    let joined = |part: &str| part.replace('–', "–\u{2060}"); // a word joiner
    let ends = when.as_ref().split(" – ").map(joined);
    ends.collect::<Vec<_>>().join("\u{a0}– ")
}

/// An event with its count.
#[derive(Debug)]
pub(super) struct EventView {
    /// In the console: whether the reader may change the event and its people.
    pub(super) manages: bool,
    pub(super) slug: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) max_party_size: u32,
    /// Whether visitors need a proof of work.
    pub(super) proof_of_work: ProofOfWork,
    pub(super) public_chart: bool,
    pub(super) visibility: Visibility,
    pub(super) archived: bool,
    pub(super) waitlist: bool,
    pub(super) announcement: Option<AnnouncementView>,
    pub(super) count: CountView,
    pub(super) occasion: Arc<Occasion>,
    /// How often the settings were edited: a part of the page that was drawn before is out of date.
    pub(super) edits: u32,
    /// When people's data are due to be erased.
    pub(super) erase_due: Option<Timestamp>,
    opens_at: Option<Timestamp>,
    closes_at: Option<Timestamp>,
    now: Timestamp,
}

/// What the organiser announces now.
#[derive(Debug)]
pub(super) struct AnnouncementView {
    pub(super) text: String,
    pub(super) at: Timestamp,
    pub(super) ends_at: Timestamp,
}

impl From<&Announcement> for AnnouncementView {
    fn from(announcement: &Announcement) -> Self {
        Self {
            text: announcement.text.clone(),
            at: announcement.at,
            ends_at: announcement.ends_at,
        }
    }
}

impl EventView {
    /// The same for somebody who is signed in to the console.
    pub(super) fn read_by(self, session: &Session) -> Self {
        Self {
            manages: session.has(Permission::Manage),
            ..self
        }
    }

    /// The event's row; `stale_since` while the database cannot be reached.
    pub(super) fn new(
        event: &Event,
        stale_since: Option<Timestamp>,
        announcement: Option<&Announcement>,
        now: Timestamp,
    ) -> Self {
        Self {
            manages: true,
            slug: event.slug.to_string(),
            title: event.title.clone(),
            description: event.description.clone(),
            occasion: Arc::clone(&event.occasion),
            public_chart: event.public_chart,
            visibility: event.visibility,
            archived: event.archived,
            waitlist: event.waitlist,
            edits: event.edits,
            erase_due: event.erase_due(),
            opens_at: event.opens_at,
            closes_at: event.closes_at,
            now,
            max_party_size: event.max_party_size.get(),
            proof_of_work: event.proof_of_work,
            announcement: announcement.map(AnnouncementView::from),
            count: CountView::new(&Headcount {
                stale_since,
                ..event.headcount()
            }),
        }
    }

    /// The message that says why lists for everybody do not name it; `None` if they do.
    pub(super) fn kind(&self) -> Option<&'static str> {
        match self.visibility {
            _ if self.archived => Some("kind-archived"),
            Visibility::Public => None,
            Visibility::Unlisted => Some("kind-unlisted"),
            Visibility::Draft => Some("kind-draft"),
        }
    }

    /// Whether only organisers see it.
    pub(super) fn is_draft(&self) -> bool {
        self.visibility == Visibility::Draft
    }

    /// The message of its state. Nobody can register for a draft, whatever its count says.
    pub(super) fn state_key(&self) -> String {
        if self.is_draft() {
            "state-draft".to_owned()
        } else {
            self.count.state_key()
        }
    }

    /// The address for a `mailto:` link, if the contact is one.
    pub(super) fn contact_email(&self) -> Option<String> {
        let email = Email::parse(&self.occasion.contact).ok()?;
        // In a link `?` and `%` have a meaning of their own (RFC 6068, section 2).
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "@.-_+".contains(c);
        email
            .as_str()
            .chars()
            .all(is_plain)
            .then(|| email.as_str().to_owned())
    }

    /// Whether the page says when or where the event is, or whom to ask.
    pub(super) fn has_facts(&self) -> bool {
        let occasion = &self.occasion;
        occasion.starts_at.is_some()
            || !occasion.location.is_empty()
            || !occasion.contact.is_empty()
    }

    /// When registration opens and closes.
    pub(super) fn schedule(&self) -> [MomentView; 2] {
        let is_over = self.archived || self.is_draft() || self.count.state == "closed";
        schedule::moments(self.opens_at, self.closes_at, self.now, !is_over)
    }
}

/// A line of the page `/problems`.
#[derive(Debug)]
pub(super) struct ProblemRow {
    pub(super) code: &'static str,
    pub(super) status: u16,
    pub(super) title: String,
    pub(super) meaning: String,
    pub(super) retry: bool,
}

/// The outcome of the last action in the console.
#[derive(Debug)]
pub(super) struct FlashView {
    /// `done` or `error`.
    pub(super) kind: &'static str,
    pub(super) text: String,
}

/// A line of the audit page.
#[derive(Debug)]
pub(super) struct AuditRow {
    pub(super) at: Timestamp,
    pub(super) who: String,
    pub(super) action: String,
    pub(super) before: Vec<AuditPart>,
    pub(super) after: Vec<AuditPart>,
}

impl AuditRow {
    /// Both sides, each with the message of its column.
    pub(super) fn sides(&self) -> [(&'static str, &[AuditPart]); 2] {
        [("audit-before", &self.before), ("audit-after", &self.after)]
    }
}

/// One setting on one side of a line of the audit page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AuditPart {
    /// Name and value; of a moment the name alone.
    pub(super) text: String,
    /// A moment, which the page shows in the event's zone.
    pub(super) at: Option<Timestamp>,
}

/// One transport, in words.
#[derive(Debug)]
pub(super) struct TransportView {
    /// The scripts' name for it.
    pub(super) key: &'static str,
    pub(super) name: String,
    /// What goes over the line.
    pub(super) how: String,
    /// When to take it.
    pub(super) pick: String,
    /// What it costs.
    pub(super) mind: String,
    /// What the network panel of a browser's developer tools shows of it.
    pub(super) panel: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_breaks_at_no_dash() {
        for (when, shown) in [
            (
                "Sat 12 Dec 2026, 19:00–22:00 CET",
                "Sat 12 Dec 2026, 19:00–\u{2060}22:00 CET",
            ),
            (
                "2026年10月24日（周六）22:00 – 2026年10月25日（周日）01:00（CET）",
                "2026年10月24日（周六）22:00\u{a0}– 2026年10月25日（周日）01:00（CET）",
            ),
            ("Sat 12 Dec 2026, 19:00 CET", "Sat 12 Dec 2026, 19:00 CET"),
        ] {
            assert_eq!(unbroken(when), shown);
        }
    }

    #[test]
    fn data_cannot_end_its_script_element() {
        let hostile = serde_json::json!({ "title": "</script><script>alert(1)</script><!--" });
        let data = script_data(&hostile);
        assert!(!data.contains('<'), "{data}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&data).unwrap(),
            hostile
        );
    }
}
