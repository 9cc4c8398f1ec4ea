//! A registration, as its owner and as the organiser see it.

use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::registration::Registration;
use crate::http::pages::questions::AnswerView;
use crate::http::registration::WaitingFor;
use crate::store::Listed;
pub(in crate::http::pages) use crate::text::standing::Standing;

/// Why nobody gets the places that are free.
#[derive(Debug, Clone, Copy)]
pub(in crate::http::pages) struct WaitingForView {
    pub(in crate::http::pages) remaining: u32,
    pub(in crate::http::pages) party_size: u32,
}

impl WaitingForView {
    /// How many places are missing.
    pub(in crate::http::pages) fn missing(self) -> u32 {
        self.party_size.saturating_sub(self.remaining)
    }
}

impl From<WaitingFor> for WaitingForView {
    fn from(waiting_for: WaitingFor) -> Self {
        Self {
            remaining: waiting_for.remaining,
            party_size: waiting_for.party_size.get(),
        }
    }
}

/// A visitor's own registration.
#[derive(Debug)]
pub(in crate::http::pages) struct RegistrationView {
    pub(in crate::http::pages) number: u32,
    pub(in crate::http::pages) standing: Standing,
    pub(in crate::http::pages) waiting_position: Option<u32>,
    pub(in crate::http::pages) name: String,
    pub(in crate::http::pages) email: String,
    pub(in crate::http::pages) party_size: u32,
    /// What it waits for while places are free.
    pub(in crate::http::pages) waiting_for: Option<WaitingForView>,
    pub(in crate::http::pages) token: String,
    pub(in crate::http::pages) round: u32,
    pub(in crate::http::pages) at: Timestamp,
    pub(in crate::http::pages) erased_at: Option<Timestamp>,
}

impl RegistrationView {
    /// Whether the places that are free wait for this very group.
    pub(in crate::http::pages) fn is_next(&self) -> bool {
        self.waiting_position == Some(1)
    }

    /// The row, beside the event it belongs to.
    pub(in crate::http::pages) fn new(
        registration: &Registration,
        waiting_position: Option<u32>,
        waiting_for: Option<WaitingFor>,
        event: &Event,
    ) -> Self {
        Self {
            number: registration.locator.number,
            standing: Standing::new(registration, event),
            waiting_position,
            name: registration.name.as_str().to_owned(),
            email: shown_email(registration),
            party_size: registration.party_size.get(),
            waiting_for: waiting_for.map(WaitingForView::from),
            token: registration.token().to_string(),
            round: registration.locator.round,
            at: registration.at,
            erased_at: registration.erased_at,
        }
    }
}

/// The address; empty without one.
fn shown_email(registration: &Registration) -> String {
    let email = registration.email.as_ref();
    email.map_or_else(String::new, |email| email.as_str().to_owned())
}

/// A line of the console's table.
#[derive(Debug)]
pub(in crate::http::pages) struct RegistrationRow {
    pub(in crate::http::pages) id: String,
    pub(in crate::http::pages) number: u32,
    pub(in crate::http::pages) name: String,
    pub(in crate::http::pages) email: String,
    pub(in crate::http::pages) party_size: u32,
    pub(in crate::http::pages) status: &'static str,
    pub(in crate::http::pages) waiting_position: Option<u32>,
    pub(in crate::http::pages) at: Timestamp,
    pub(in crate::http::pages) answers: Vec<AnswerView>,
    pub(in crate::http::pages) is_erased: bool,
    /// An organiser added it.
    pub(in crate::http::pages) is_by_hand: bool,
    /// Whether the person has opened a mailed link.
    pub(in crate::http::pages) is_proven: bool,
}

impl RegistrationRow {
    /// The message of the status.
    pub(in crate::http::pages) fn status_key(&self) -> String {
        format!("status-{}", self.status)
    }

    /// Whose row it is, for the labels of its controls.
    pub(in crate::http::pages) fn who(&self) -> String {
        if self.is_erased {
            format!("#{}", self.number)
        } else {
            self.name.clone()
        }
    }
}

impl RegistrationRow {
    /// The same for readers who see no addresses.
    pub(in crate::http::pages) fn without_address(self) -> Self {
        Self {
            email: String::new(),
            ..self
        }
    }

    /// A row, with its answers.
    pub(in crate::http::pages) fn new(
        Listed {
            registration,
            waiting_position,
        }: &Listed,
        answers: Vec<AnswerView>,
    ) -> Self {
        let Registration {
            locator,
            name,
            party_size,
            status,
            at,
            erased_at,
            added_by,
            email_proven_at,
            ..
        } = registration;
        Self {
            id: locator.to_string(),
            number: locator.number,
            name: name.as_str().to_owned(),
            email: shown_email(registration),
            party_size: party_size.get(),
            status: status.as_str(),
            waiting_position: *waiting_position,
            at: *at,
            answers,
            is_erased: erased_at.is_some(),
            is_by_hand: added_by.is_some(),
            is_proven: email_proven_at.is_some() && erased_at.is_none(),
        }
    }
}
