//! The pages of one person, and of a file of people.

use askama::Template;

use super::person::AddedView;
use crate::http::pages::mistakes;
use crate::http::pages::mistakes::Mistake;
use crate::http::pages::questions::QuestionField;
use crate::http::pages::views::{EventView, FlashView};
use crate::http::session::Csrf;
use crate::text::Texts;

/// Somebody to add, or with a `number` a registration to correct.
#[derive(Debug, Template)]
#[template(path = "admin_person.html")]
pub(super) struct AdminPersonPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) flash: Option<FlashView>,
    /// Who was just added.
    pub(super) added: Option<AddedView>,
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
    pub(super) csrf: Csrf,
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
