//! One struct for each template of the console, as in `pages/templates.rs`.

use askama::Template;

use super::details::{Details, Setting};
use super::feed::FeedRow;
use super::groups::Group;
use super::list::List;
use super::next::NEXT;
use super::questions_form::Row;
use super::retention::ErasesNow;
use super::undo::UndoView;
use crate::domain::clock::Timestamp;
use crate::domain::zone::Zone;
use crate::http::pages::dashboard::DashboardView;
use crate::http::pages::mistakes;
use crate::http::pages::mistakes::Mistake;
use crate::http::pages::share::ShareView;
use crate::http::pages::views::{AuditRow, EventView, FlashView, RegistrationRow, WaitingForView};
use crate::http::session::Csrf;
use crate::text::Texts;

#[derive(Debug, Template)]
#[template(path = "admin_login.html")]
pub(super) struct AdminLoginPage {
    pub(super) t: Texts,
    pub(super) here: String,
    /// The account's name, as it was typed.
    pub(super) name: String,
    pub(super) error: Option<String>,
    /// The page to go to afterwards; empty for the console's first one.
    pub(super) next: String,
}

impl AdminLoginPage {
    /// What the page in the other language needs to know.
    fn query(&self) -> String {
        if self.next.is_empty() {
            return String::new();
        }
        let next = [(NEXT, &self.next)];
        // Text always becomes a query.
        serde_urlencoded::to_string(next).unwrap_or_default() + "&"
    }
}

/// Where an account sets its password.
#[derive(Debug, Template)]
#[template(path = "admin_password.html")]
pub(super) struct AdminPasswordPage {
    pub(super) t: Texts,
    pub(super) here: String,
    /// The account's name.
    pub(super) name: String,
    /// The shortest password.
    pub(super) least: u64,
    pub(super) error: Option<String>,
    /// Whether the link does not work any more.
    pub(super) is_gone: bool,
}

/// The form for a new event, as it was typed.
#[derive(Debug, Template)]
#[template(path = "admin_events.html")]
pub(super) struct AdminEventsPage {
    /// Whether the reader may make events.
    pub(super) manages: bool,
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) flash: Option<FlashView>,
    pub(super) groups: Vec<Group>,
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
    /// All of them, for what the page says about the list.
    fn events(&self) -> impl Iterator<Item = &EventView> {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.map(|row| &row.event)
    }

    /// Whether a field of the fold has to be seen.
    fn is_unfolded(&self) -> bool {
        self.details.has_rare_mistakes()
    }

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

/// How an event is going, on a spare monitor.
#[derive(Debug, Template)]
#[template(path = "admin_live.html")]
pub(super) struct AdminLivePage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) event: EventView,
    pub(super) dashboard: DashboardView,
}

/// The Dashboard tab.
#[derive(Debug, Template)]
#[template(path = "admin_event.html")]
pub(super) struct AdminEventPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) flash: Option<FlashView>,
    pub(super) event: EventView,
    pub(super) dashboard: DashboardView,
    /// What happened lately.
    pub(super) feed: Vec<FeedRow>,
    /// Why nobody gets the places that are free.
    pub(super) waiting_for: Option<WaitingForView>,
    pub(super) capacity: Setting,
    /// What takes back the last action.
    pub(super) undo: Option<UndoView>,
    /// Lets a form of this page act once.
    pub(super) once: String,
    /// The form that was refused: `capacity` or `announce`. It shows the flash itself.
    pub(super) refused: &'static str,
    /// An announcement that was not sent.
    pub(super) announcement: String,
    /// What is wrong with its text.
    pub(super) announcement_error: Option<String>,
    /// For how many hours to show it.
    pub(super) announce_hours: u64,
    /// Whether it is mailed as well; `None` if the event sends no such mail.
    pub(super) announce_mail: Option<bool>,
}

impl AdminEventPage {
    /// Those of the form that was refused.
    fn mistakes(&self) -> Vec<Mistake> {
        let fields = match self.refused {
            "capacity" => [(
                "capacity-input",
                self.t.get("capacity-label"),
                &self.capacity.error,
            )],
            "announce" => [(
                "announce-text",
                self.t.get("announce-label"),
                &self.announcement_error,
            )],
            _ => return Vec::new(),
        };
        mistakes::list(self.t, fields, &[])
    }
}

/// The People tab.
#[derive(Debug, Template)]
#[template(path = "admin_people.html")]
pub(super) struct AdminPeoplePage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) flash: Option<FlashView>,
    pub(super) event: EventView,
    /// Lets a form of this page act once.
    pub(super) once: String,
    /// The registration that was just cancelled.
    pub(super) undo: Option<String>,
    pub(super) list: List,
}

/// The Share tab.
#[derive(Debug, Template)]
#[template(path = "admin_share.html")]
pub(super) struct AdminSharePage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) event: EventView,
    pub(super) share: ShareView,
}

/// The Settings tab.
#[derive(Debug, Template)]
#[template(path = "admin_settings.html")]
pub(super) struct AdminSettingsPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) flash: Option<FlashView>,
    pub(super) event: EventView,
    pub(super) can_undo: bool,
    /// What takes back the last action.
    pub(super) undo: Option<UndoView>,
    pub(super) details: Details,
    /// Lets a form of this page act once.
    pub(super) once: String,
    /// The form that was refused: `edit`, `reset` or `delete`. It shows the flash itself.
    pub(super) refused: &'static str,
    /// The capacity of the next round, as it was typed.
    pub(super) reset_capacity: String,
    /// What is wrong with it.
    pub(super) reset_error: Option<String>,
    /// The event's name was not repeated.
    pub(super) confirm_error: Option<String>,
    /// What the details would erase at once, to be confirmed.
    pub(super) erases_now: Option<ErasesNow>,
    /// Whether this server sends mail, which has a page of its own.
    pub(super) mails: bool,
}

impl AdminSettingsPage {
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

/// The editor of an event's questions.
#[derive(Debug, Template)]
#[template(path = "admin_questions.html")]
pub(super) struct AdminQuestionsPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
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
    pub(super) csrf: Csrf,
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
    pub(super) csrf: Csrf,
    pub(super) event: EventView,
    pub(super) entries: Vec<AuditRow>,
    pub(super) next: Option<String>,
}

impl AdminAuditPage {
    fn zone(&self) -> &Zone {
        &self.event.occasion.time_zone
    }
}
