//! One struct for each template of `web/templates`.
//!
//! `t` are the texts. `here` is the page's own path, for the language link and for reloading.

use askama::Template;

use super::admin::details::{Details, Setting};
use super::admin::list::List;
use super::admin::questions_form::Row;
use super::admin::retention::ErasesNow;
use super::mistakes::{self, Mistake};
use super::questions::{AnswerView, QuestionField};
use super::share::ShareView;
use super::views::{
    AuditRow, EventView, FlashView, ProblemRow, RegistrationRow, RegistrationView, TransportView,
    WaitingForView,
};
use crate::domain::clock::Timestamp;
use crate::http::text::{TextValue, Texts};

#[derive(Debug, Template)]
#[template(path = "events.html")]
pub(super) struct EventsPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) events: Vec<EventView>,
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
    pub(super) name: String,
    pub(super) email: String,
    pub(super) idempotency_key: String,
    pub(super) party_size: String,
    pub(super) name_error: Option<String>,
    pub(super) email_error: Option<String>,
    pub(super) party_error: Option<String>,
    /// Opens the summary; set whenever another error is.
    pub(super) form_error: Option<String>,
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

#[derive(Debug, Template)]
#[template(path = "admin_login.html")]
pub(super) struct AdminLoginPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) error: Option<String>,
}

/// The form for a new event, as it was typed.
#[derive(Debug, Template)]
#[template(path = "admin_events.html")]
pub(super) struct AdminEventsPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: String,
    pub(super) flash: Option<FlashView>,
    pub(super) events: Vec<EventView>,
    pub(super) slug: String,
    pub(super) slug_error: Option<String>,
    pub(super) capacity_input: String,
    pub(super) capacity_error: Option<String>,
    /// What an event that exists has too.
    pub(super) details: Details,
    pub(super) create_error: Option<String>,
    /// The key with which a form of this page acts once.
    pub(super) once: String,
}

impl AdminEventsPage {
    fn mistakes(&self) -> Vec<Mistake> {
        let own = [
            ("create-slug", self.t.get("create-slug"), &self.slug_error),
            (
                "create-capacity",
                self.t.get("capacity-label"),
                &self.capacity_error,
            ),
        ];
        let mut mistakes = mistakes::list(self.t, own, &[]);
        mistakes.extend(self.details.mistakes(self.t));
        mistakes
    }
}

#[derive(Debug, Template)]
#[template(path = "admin_event.html")]
pub(super) struct AdminEventPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: String,
    pub(super) flash: Option<FlashView>,
    /// Whether the flash belongs to the list of registrations, which then shows it.
    pub(super) flash_in_list: bool,
    pub(super) event: EventView,
    /// Why nobody gets the places that are free.
    pub(super) waiting_for: Option<WaitingForView>,
    pub(super) share: ShareView,
    pub(super) can_undo: bool,
    pub(super) capacity: Setting,
    pub(super) details: Details,
    /// Lets a form of this page act once.
    pub(super) once: String,
    /// The form that was refused: `edit`, `capacity`, `announce`, `reset` or `delete`. It shows the
    /// flash itself.
    pub(super) refused: &'static str,
    /// An announcement that was not sent.
    pub(super) announcement: String,
    /// What is wrong with its text.
    pub(super) announcement_error: Option<String>,
    /// The capacity of the next round, as it was typed.
    pub(super) reset_capacity: String,
    /// What is wrong with it.
    pub(super) reset_error: Option<String>,
    /// The event's name was not repeated.
    pub(super) confirm_error: Option<String>,
    /// For how many hours to show it.
    pub(super) announce_hours: u64,
    /// What the details would erase at once, to be confirmed.
    pub(super) erases_now: Option<ErasesNow>,
    pub(super) list: List,
}

impl AdminEventPage {
    /// What is wrong with the name that a form asks to repeat.
    fn confirm_error(&self, form: &str) -> Option<&str> {
        let error = self.confirm_error.as_deref();
        error.filter(|_| self.refused == form)
    }

    /// What would be erased at once, in words.
    fn erases_now_text(&self, erases: &ErasesNow) -> String {
        let due = self.t.moment(&erases.due, &erases.zone);
        let n = erases.registrations;
        self.t.get2("mistake-erase-now", "n", n, "time", due)
    }

    fn edit_mistakes(&self) -> Vec<Mistake> {
        let erases_now = self.erases_now.as_ref();
        let erases_now = erases_now.map(|erases| self.erases_now_text(erases));
        let mut mistakes = self.details.mistakes(self.t);
        // A whole sentence, which needs no label before it.
        mistakes.extend(erases_now.map(|text| Mistake {
            id: "edit-erase-now".to_owned(),
            text,
        }));
        mistakes
    }

    fn confirm_label(&self) -> String {
        self.t.get1("confirm-label", "slug", &self.event.slug)
    }

    /// Those of the form that was refused.
    fn mistakes(&self) -> Vec<Mistake> {
        let fields = match self.refused {
            "edit" => return self.edit_mistakes(),
            "capacity" => {
                vec![(
                    "capacity-input",
                    self.t.get("capacity-label"),
                    &self.capacity.error,
                )]
            }
            "announce" => {
                vec![(
                    "announce-text",
                    self.t.get("announce-label"),
                    &self.announcement_error,
                )]
            }
            "reset" => vec![
                ("reset-confirm", self.confirm_label(), &self.confirm_error),
                (
                    "reset-capacity",
                    self.t.get("reset-capacity"),
                    &self.reset_error,
                ),
            ],
            "delete" => vec![("delete-confirm", self.confirm_label(), &self.confirm_error)],
            _ => Vec::new(),
        };
        mistakes::list(self.t, fields, &[])
    }
}

/// Somebody to add, or with a `number` a registration to correct.
#[derive(Debug, Template)]
#[template(path = "admin_person.html")]
pub(super) struct AdminPersonPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: String,
    pub(super) flash: Option<FlashView>,
    /// Lets the form act once.
    pub(super) once: String,
    pub(super) event: EventView,
    pub(super) number: Option<u32>,
    /// Of a registration; empty without one.
    pub(super) stored_email: String,
    /// The revision that a correction began with.
    pub(super) seen: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) party_size: String,
    /// The largest party.
    pub(super) most: u32,
    pub(super) over_capacity: bool,
    pub(super) questions: Vec<QuestionField>,
    pub(super) questions_json: String,
    pub(super) name_error: Option<String>,
    pub(super) email_error: Option<String>,
    pub(super) party_error: Option<String>,
    /// Set whenever another error is.
    pub(super) form_error: Option<String>,
}

impl AdminPersonPage {
    /// Those of a refused form.
    fn mistakes(&self) -> Vec<Mistake> {
        let fields = [
            ("name", self.t.get("field-name"), &self.name_error),
            ("email", self.t.get("field-email"), &self.email_error),
            ("party_size", self.t.get("column-party"), &self.party_error),
        ];
        mistakes::list(self.t, fields, &self.questions)
    }
}

/// A file of people to add.
#[derive(Debug, Template)]
#[template(path = "admin_import.html")]
pub(super) struct AdminImportPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: String,
    pub(super) flash: Option<FlashView>,
    /// Lets the confirmation act once.
    pub(super) once: String,
    pub(super) event: EventView,
    pub(super) rows_max: u64,
    /// The labels of the questions.
    pub(super) columns: Vec<String>,
    /// What a file would do.
    pub(super) report: Option<ImportView>,
    /// The file's text, to be confirmed.
    pub(super) csv: String,
}

/// What an imported file would do.
#[derive(Debug)]
pub(super) struct ImportView {
    pub(super) rows: u64,
    pub(super) waiting: u64,
    pub(super) errors: Vec<LineErrorView>,
    /// How many mistakes are not shown.
    pub(super) further: u64,
}

/// A mistake in an imported file.
#[derive(Debug)]
pub(super) struct LineErrorView {
    pub(super) line: u64,
    /// The heading in the file.
    pub(super) column: String,
    /// What the cell says.
    pub(super) cell: String,
    pub(super) message: String,
}

/// The editor of an event's questions.
#[derive(Debug, Template)]
#[template(path = "admin_questions.html")]
pub(super) struct AdminQuestionsPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: String,
    pub(super) flash: Option<FlashView>,
    pub(super) event: EventView,
    pub(super) rows: Vec<QuestionRow>,
    /// The words of the API.
    pub(super) kinds: Vec<&'static str>,
    /// Something is not stored yet.
    pub(super) is_unsaved: bool,
    /// Which list the editor began with.
    pub(super) seen: String,
    /// What is asked now, as the API shows it: scripts notice when it changes.
    pub(super) questions_json: String,
    /// What somebody else has stored meanwhile.
    pub(super) clash: Option<Vec<String>>,
    pub(super) can_add: bool,
    pub(super) focuses_add: bool,
    pub(super) has_mistakes: bool,
}

/// One question in the editor.
#[derive(Debug)]
pub(super) struct QuestionRow {
    /// Counted from 0.
    pub(super) place: usize,
    pub(super) row: Row,
    pub(super) is_last: bool,
    pub(super) label_error: Option<String>,
    pub(super) kind_error: Option<String>,
    pub(super) options_error: Option<String>,
    pub(super) help_error: Option<String>,
    pub(super) focuses_label: bool,
    pub(super) focuses_up: bool,
    pub(super) focuses_down: bool,
}

#[derive(Debug, Template)]
#[template(path = "admin_door.html")]
pub(super) struct AdminDoorPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: String,
    pub(super) event: EventView,
    pub(super) rows: Vec<RegistrationRow>,
    /// How many have a place.
    pub(super) people: u32,
    pub(super) next: Option<u32>,
    /// When this was true.
    pub(super) now: Timestamp,
}

#[derive(Debug, Template)]
#[template(path = "admin_audit.html")]
pub(super) struct AdminAuditPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: String,
    pub(super) event: EventView,
    pub(super) entries: Vec<AuditRow>,
    pub(super) next: Option<String>,
}
