//! An event's page after its form was sent: what was refused, beside the fields, and what to do.

use super::confirm;
use super::form::Form;
use super::questions;
use super::register::{message, party_message};
use super::states::Shown;
use super::structured;
use super::templates::EventPage;
use super::views::script_data;
use super::visit::Visit;
use crate::context::Settings;
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::invalid::Invalid;
use crate::domain::outbox::MailKind;
use crate::domain::person::{Email, Name};
use crate::domain::questions::Unanswered;
use crate::domain::registration::Secret;
use crate::problem::{Code, Problem};
use crate::text::Texts;

/// What the page says about a refused form.
#[derive(Debug, Default)]
pub(super) struct Refused {
    name_error: Option<String>,
    email_error: Option<String>,
    party_error: Option<String>,
    form_error: Option<String>,
    /// Draw a new key: the old one was refused. Otherwise it stays, so that a retry registers once.
    new_key: bool,
    /// Whether only the proof is missing: a page with scripts solves it and sends the form again.
    unproven: bool,
    /// What to do now, if nothing is wrong.
    notice: Option<String>,
    /// What is wrong with the answers.
    answers: Vec<Invalid>,
}

impl Refused {
    /// Nothing is wrong, but the bot check has no proof; `notice` says what to do now.
    pub(super) fn unproven(notice: String) -> Self {
        Self {
            unproven: true,
            notice: Some(notice),
            ..Self::default()
        }
    }

    /// From the problem that refused the form.
    pub(super) fn new(texts: Texts, form: &Form, problem: &Problem, event: &Event) -> Self {
        let code = problem.code();
        let (mut name_error, mut email_error) = (None, None);
        let mut party_error = None;
        if code == Code::ValidationFailed {
            let name = Name::parse(form.get("name"));
            let email = Email::parse(form.get("email"));
            name_error = name.err().map(|invalid| message(texts, &invalid));
            email_error = email.err().map(|invalid| message(texts, &invalid));
            party_error = party_message(texts, problem);
        }
        if let Some(free) = problem.remaining().filter(|free| *free > 0) {
            party_error = Some(texts.get1("error-party_size-full", "n", free));
        }
        let invalid = code == Code::ValidationFailed;
        let wrong = if invalid {
            questions::mistakes(event, form, Unanswered::Refused)
        } else {
            Vec::new()
        };
        let unproven = confirm::lacks_only_proof(problem);
        let trapped = !form.get("website").trim().is_empty();
        let named = name_error.is_some()
            || email_error.is_some()
            || party_error.is_some()
            || !wrong.is_empty();
        if code == Code::AlreadyRegistered {
            email_error = Some(texts.get("error-email-taken"));
        }
        let form_error = if wrong.iter().any(|mistake| mistake.reason == "unknown") {
            texts.get("error-questions-changed")
        } else if code == Code::ValidationFailed && trapped && !named {
            // The page comes back with the field empty, so sending it again succeeds.
            texts.get("error-trap")
        } else if unproven {
            // Sent without scripts, or before they had started: then the page goes on by itself.
            texts.get("proof-needs-scripts")
        } else if named && code == Code::ValidationFailed {
            texts.get("error-heading")
        } else {
            texts.get(format!("problem-{}-meaning", code.as_str()))
        };
        Self {
            name_error,
            email_error,
            party_error,
            form_error: Some(form_error),
            new_key: matches!(code, Code::IdempotencyMismatch | Code::BadRequest),
            unproven,
            notice: None,
            answers: wrong,
        }
    }

    /// The page with `form` as it was sent.
    pub(super) fn fill(
        self,
        settings: &Settings,
        visit: &Visit,
        shown: &Shown,
        now: Timestamp,
        form: &Form,
    ) -> EventPage {
        let path = format!("/e/{}", shown.event.slug);
        let page_url = visit.absolute(settings, &path);
        let key = Some(form.get("idempotency_key")).filter(|key| !key.is_empty() && !self.new_key);
        EventPage {
            t: visit.texts,
            here: visit.path.clone(),
            event: shown.view(now),
            structured: script_data(&structured::event(&shown.event, &page_url)),
            page_url,
            mails: false,
            mails_links: shown.event.mail.mails.has(MailKind::Link),
            name: form.get("name").to_owned(),
            email: form.get("email").to_owned(),
            party_size: form.sent("party_size").unwrap_or("1").to_owned(),
            // As hard to guess as a private link: key and entries lead to the registration.
            idempotency_key: key.map_or_else(|| Secret::draw().reveal().to_owned(), str::to_owned),
            name_error: self.name_error,
            email_error: self.email_error,
            party_error: self.party_error,
            form_error: self.form_error,
            goes_on: self.unproven,
            notice: self.notice,
            questions: questions::fields(visit.texts, &shown.event, form, &self.answers),
            questions_json: questions::as_json(&shown.event),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use askama::Template as _;

    use super::*;
    use crate::http::pages::samples;

    fn filled(fields: &str, problem: &Problem) -> EventPage {
        let (form, visit) = (
            serde_urlencoded::from_str(fields).unwrap(),
            samples::visit(&[]),
        );
        let shown = Shown::from(Arc::new(samples::event()));
        Refused::new(visit.texts, &form, problem, &shown.event).fill(
            &samples::settings(),
            &visit,
            &shown,
            Timestamp::from_millis(0),
            &form,
        )
    }

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        let invalid = Problem::invalid(&[
            Invalid::new("name", "empty", ""),
            Invalid::new("email", "malformed", ""),
        ]);
        let page = filled("name=+&email=nobody&idempotency_key=k1", &invalid);
        assert_eq!(page.name_error.as_deref(), Some("Enter your name."));
        assert_eq!(
            page.email_error.as_deref(),
            Some("Enter an email address like name@example.org.")
        );
        assert_eq!(page.form_error.as_deref(), Some("Please check this:"));
        assert_eq!(
            (page.email.as_str(), page.idempotency_key.as_str()),
            ("nobody", "k1")
        );
        let long = filled(
            &format!("name={}&email=ada@example.org", "x".repeat(201)),
            &invalid,
        );
        assert_eq!(
            (long.name_error.as_deref(), long.email_error),
            (Some("Use at most 200 characters."), None)
        );
        let twice = filled(
            "name=Ada&email=ada@example.org",
            &Problem::new(Code::AlreadyRegistered, ""),
        );
        assert_eq!(
            (twice.name_error.as_deref(), twice.email_error.as_deref()),
            (None, Some("This email address is already registered."))
        );
        assert!(twice.form_error.as_ref().unwrap().contains("private link"));
        // Without scripts too, the summary says what is wrong and leads there.
        let html = page.render().unwrap();
        for link in [
            "<a href=\"#name\">Name: Enter your name.</a>",
            "<a href=\"#email\">Email: Enter an email address like name@example.org.</a>",
        ] {
            assert!(html.contains(link), "{link} in {html}");
        }
        let html = twice.render().unwrap();
        let taken = "<a href=\"#email\">Email: This email address is already registered.</a>";
        assert!(html.contains(taken), "{html}");
        let hostile = filled("name=a%E2%80%AEb&email=ada@example.org", &invalid);
        assert_eq!(
            hostile.name_error.as_deref(),
            Some(
                "This character cannot be used here: U+202E RIGHT-TO-LEFT OVERRIDE. Please remove it."
            )
        );
    }

    #[test]
    fn a_key_stays_unless_it_is_the_trouble() {
        let key = |code: Code| {
            filled(
                "name=Ada&email=ada@example.org&idempotency_key=k1",
                &Problem::new(code, ""),
            )
            .idempotency_key
        };
        for code in [
            Code::EventFull,
            Code::AlreadyRegistered,
            Code::Busy,
            Code::DatabaseUnreachable,
        ] {
            assert_eq!(key(code), "k1");
        }
        assert_ne!(key(Code::IdempotencyMismatch), "k1");
        assert_ne!(key(Code::BadRequest), "k1");
        assert_eq!(
            filled("name=Ada", &Problem::new(Code::EventFull, ""))
                .idempotency_key
                .len(),
            22
        );
    }

    // A title, a name and an address that try to become markup.
    #[test]
    fn hostile_words_stay_words() {
        let html = filled(
            "name=%22%3E%3Cscript%3Ealert(3)%3C/script%3E&email=%22onfocus=alert(4)%20x=%22&idempotency_key=%22%3E%3Cb%3E",
            &Problem::new(Code::EventFull, ""),
        )
        .render()
        .unwrap();
        for markup in [
            "<script>alert",
            "</title><script",
            "<img src=x",
            "\"onfocus=",
            "\"><b>",
        ] {
            assert!(!html.contains(markup), "{markup} in {html}");
        }
        assert!(html.contains("&#60;script&#62;alert(3)"));
        let data = html
            .split("data-initial-count>")
            .nth(1)
            .unwrap()
            .split("</script>")
            .next()
            .unwrap();
        let count: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(
            (&count["registered"], &count["position"]),
            (&97.into(), &"q7f2k9-128".into())
        );
    }

    #[test]
    fn the_number_is_in_the_page_itself() {
        let html = filled("", &Problem::new(Code::EventFull, ""))
            .render()
            .unwrap();
        assert!(
            html.contains("data-count-registered>97<") && html.contains("/ 100"),
            "{html}"
        );
    }
}
