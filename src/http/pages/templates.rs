//! One struct for each template of visitors' pages in `web/templates`. Those of the console are in
//! `admin/templates.rs`.
//!
//! `t` are the texts. `here` is the page's own path, for the language link and for reloading.

use askama::Template;

use super::dashboard::DashboardView;
use super::mistakes::{self, Mistake};
use super::questions::{AnswerView, QuestionField};
use super::share::ShareView;
use super::views::{EventView, FlashView, ProblemRow, RegistrationView, TransportView};
use crate::text::{TextValue, Texts};

#[derive(Debug, Template)]
#[template(path = "events.html")]
pub(super) struct EventsPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) events: Vec<EventView>,
}

impl EventsPage {
    /// For what the page says about the list.
    fn events(&self) -> impl Iterator<Item = &EventView> {
        self.events.iter()
    }
}

/// The chart for everybody.
#[derive(Debug, Template)]
#[template(path = "chart.html")]
pub(super) struct ChartPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) event: EventView,
    pub(super) dashboard: DashboardView,
}

#[derive(Debug, Template)]
#[template(path = "event.html")]
pub(super) struct EventPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) event: EventView,
    pub(super) page_url: String,
    /// JSON-LD, safe inside a script element.
    pub(super) structured: String,
    /// Whether this server sends mail, so that a lost link can be mailed.
    pub(super) mails: bool,
    /// Whether the event mails lost links.
    pub(super) mails_links: bool,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) idempotency_key: String,
    pub(super) party_size: String,
    pub(super) name_error: Option<String>,
    pub(super) email_error: Option<String>,
    pub(super) party_error: Option<String>,
    /// Opens the summary; set whenever another error is.
    pub(super) form_error: Option<String>,
    /// Whether scripts send the form again, because only the proof of work is missing.
    pub(super) goes_on: bool,
    /// What to do now, if nothing is wrong.
    pub(super) notice: Option<String>,
    pub(super) questions: Vec<QuestionField>,
    /// The same as the API shows them: scripts notice when they change.
    pub(super) questions_json: String,
}

impl EventPage {
    fn mistakes(&self) -> Vec<Mistake> {
        let fields = [
            ("name", self.t.get("field-name"), &self.name_error),
            ("email", self.t.get("field-email"), &self.email_error),
            ("party_size", self.t.get("field-party"), &self.party_error),
        ];
        mistakes::list(self.t, fields, &self.questions)
    }
}

#[derive(Debug, Template)]
#[template(path = "registration.html")]
pub(super) struct RegistrationPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) flash: Option<FlashView>,
    pub(super) event: EventView,
    pub(super) registration: RegistrationView,
    pub(super) change: ChangeForm,
    pub(super) questions: Vec<QuestionField>,
    /// The same as the API shows them: scripts notice when they change.
    pub(super) questions_json: String,
    pub(super) answers: Vec<AnswerView>,
    pub(super) page_url: String,
    /// Where the event takes place online, for somebody who has a place.
    pub(super) online_url: Option<String>,
    /// Empty when it cannot be drawn now.
    pub(super) qr_svg: String,
}

impl RegistrationPage {
    fn mistakes(&self) -> Vec<Mistake> {
        let fields = [
            (
                "change-name",
                self.t.get("field-name"),
                &self.change.name_error,
            ),
            (
                "change-party",
                self.t.get("field-party"),
                &self.change.party_error,
            ),
        ];
        mistakes::list(self.t, fields, &self.questions)
    }

    /// Why the group at the head of the waiting list waits, also as the scripts' text with
    /// placeholders.
    fn own_wait(&self, n: impl TextValue, size: impl TextValue, more: impl TextValue) -> String {
        let values: [(_, &dyn TextValue); 3] = [("n", &n), ("size", &size), ("more", &more)];
        self.t.get3("own-blocked", values)
    }
}

/// The form that changes a registration.
#[derive(Debug)]
pub(super) struct ChangeForm {
    pub(super) name: String,
    pub(super) party_size: String,
    /// The largest party that it may ask for.
    pub(super) most: u32,
    /// What was answered when the page was shown.
    pub(super) was_answers: String,
    pub(super) name_error: Option<String>,
    pub(super) party_error: Option<String>,
    /// Why it was refused. It is open then.
    pub(super) error: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "wall.html")]
pub(super) struct WallPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) event: EventView,
    pub(super) page_url: String,
    pub(super) qr_svg: String,
}

#[derive(Debug, Template)]
#[template(path = "poster.html")]
pub(super) struct PosterPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) event: EventView,
    pub(super) share: ShareView,
    pub(super) qr_svg: String,
}

#[derive(Debug, Template)]
#[template(path = "compare.html")]
pub(super) struct ComparePage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) event: EventView,
    /// Whether the buttons may register people here.
    pub(super) is_lab: bool,
    /// Whether there may be a lab.
    pub(super) has_lab: bool,
    /// Whether the server has WebTransport.
    pub(super) has_webtransport: bool,
    pub(super) transports: Vec<TransportView>,
}

#[derive(Debug, Template)]
#[template(path = "badge.svg")]
pub(super) struct Badge {
    pub(super) label: String,
    pub(super) value: String,
    pub(super) label_width: u32,
    pub(super) value_width: u32,
}

#[derive(Debug, Template)]
#[template(path = "problems.html")]
pub(super) struct ProblemsPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) problems: Vec<ProblemRow>,
}

#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(super) struct ErrorPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) retry_after: Option<u32>,
}
