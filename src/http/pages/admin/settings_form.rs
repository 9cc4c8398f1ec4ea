//! The forms for an event's settings.
//!
//! Beside each field is a hidden one, `was_<name>`, with the value when the page was rendered. Only
//! fields that differ from it are changed. Two organisers who edit different settings do not undo
//! each other.

use super::inputs;
use crate::domain::event::{Edit, Event, parse_description, parse_title};
use crate::http::pages::form::Form;
use crate::http::pages::templates::{Choice, Details, Setting};
use crate::problem::Problem;

/// What the details' form changes.
pub(super) fn details(form: &Form) -> Result<Edit, Problem> {
    let moment = |name| inputs::parse_moment(name, form.get(name));
    // A field without its `was_` value is changed without a check.
    let was_moment = |name, field| {
        form.sent(field)
            .and_then(|text| inputs::parse_moment(name, text).ok())
    };
    // A script may send the form without the field.
    let max_party_size = form
        .sent("max_party_size")
        .map(inputs::parse_max_party_size)
        .transpose()?;
    let was = Edit {
        title: form
            .sent("was_title")
            .and_then(|text| parse_title(text).ok()),
        description: form
            .sent("was_description")
            .and_then(|text| parse_description(text).ok()),
        waitlist: form.sent("was_waitlist").map(|text| text == "true"),
        max_party_size: form
            .sent("was_max_party_size")
            .and_then(|text| inputs::parse_max_party_size(text).ok()),
        opens_at: was_moment("opens_at", "was_opens_at"),
        closes_at: was_moment("closes_at", "was_closes_at"),
        ..Edit::default()
    };
    Ok(Edit {
        title: changed(parse_title(form.get("title"))?, was.title.as_ref()),
        description: changed(
            parse_description(form.get("description"))?,
            was.description.as_ref(),
        ),
        waitlist: changed(form.is_ticked("waitlist"), was.waitlist.as_ref()),
        max_party_size: max_party_size.and_then(|most| changed(most, was.max_party_size.as_ref())),
        opens_at: changed(moment("opens_at")?, was.opens_at.as_ref()),
        closes_at: changed(moment("closes_at")?, was.closes_at.as_ref()),
        was: Some(Box::new(was)),
        ..Edit::default()
    })
}

/// What the capacity's form changes.
pub(super) fn capacity(form: &Form) -> Result<Edit, Problem> {
    let was = form
        .sent("was_capacity")
        .and_then(|text| inputs::parse_capacity(text).ok());
    Ok(Edit {
        capacity: changed(inputs::parse_capacity(form.get("capacity"))?, was.as_ref()),
        was: Some(Box::new(Edit {
            capacity: was,
            ..Edit::default()
        })),
        ..Edit::default()
    })
}

fn changed<T: PartialEq>(new: T, was: Option<&T>) -> Option<T> {
    (was != Some(&new)).then_some(new)
}

/// A form that was refused, and the fields that were the reason.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused<'a> {
    pub(super) form: &'a Form,
    pub(super) wrong: &'a [String],
}

/// The details' fields; `typed` after a form that was refused.
pub(super) fn details_shown(event: &Event, typed: Option<Refused<'_>>) -> Details {
    let field = |name: &str, now: String| setting(name, now, typed);
    Details {
        title: field("title", event.title.clone()),
        description: field("description", event.description.clone()),
        opens_at: field("opens_at", inputs::moment(event.opens_at)),
        closes_at: field("closes_at", inputs::moment(event.closes_at)),
        max_party_size: field("max_party_size", event.max_party_size.get().to_string()),
        waitlist: choice(
            "waitlist",
            event.waitlist,
            typed.map(|refused| refused.form),
        ),
    }
}

/// The capacity's field; `typed` after a form that was refused.
pub(super) fn capacity_shown(event: &Event, typed: Option<Refused<'_>>) -> Setting {
    setting("capacity", inputs::capacity(event.capacity), typed)
}

/// Keeps what was typed; an untouched field shows the current value.
fn setting(name: &str, now: String, typed: Option<Refused<'_>>) -> Setting {
    let Some(Refused { form, wrong }) = typed else {
        return Setting {
            value: now.clone(),
            now,
            clashes: false,
            is_wrong: false,
        };
    };
    let (value, was) = (form.get(name), form.sent(&format!("was_{name}")));
    if was.is_some_and(|was| same(was, value)) {
        return setting(name, now, None);
    }
    let clashes = was.is_some_and(|was| !same(was, &now)) && !same(value, &now);
    Setting {
        clashes,
        is_wrong: clashes || wrong.iter().any(|field| field == name),
        value: value.to_owned(),
        now,
    }
}

fn choice(name: &str, now: bool, typed: Option<&Form>) -> Choice {
    let was = typed
        .and_then(|form| form.sent(&format!("was_{name}")))
        .map(|was| was == "true");
    let value = typed
        .map(|form| form.is_ticked(name))
        .filter(|value| was != Some(*value));
    Choice {
        // With two values there is no conflict: a change by somebody else is the one typed here.
        value: value.unwrap_or(now),
        now,
    }
}

/// Whether two texts of a field mean the same. Browsers change line ends and the format of moments.
fn same(one: &str, other: &str) -> bool {
    let lines = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    let moment = |text: &str| inputs::parse_moment("at", text).ok().flatten();
    lines(one) == lines(other) || moment(one).is_some_and(|at| moment(other) == Some(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::samples;

    fn form(fields: &str) -> Form {
        serde_urlencoded::from_str(fields).unwrap()
    }

    #[test]
    fn only_what_was_changed_is_sent() {
        let sent = form(
            "title=Ball&was_title=Gala&description=One%0D%0ATwo&was_description=One%0ATwo&waitlist=true&was_waitlist=true\
             &opens_at=2026-11-21T09%3A00%3A05.120&was_opens_at=2026-11-21T09%3A00%3A05.12&closes_at=&was_closes_at=2026-12-01T09%3A00",
        );
        let edit = details(&sent).unwrap();
        let expected = Edit {
            title: Some("Ball".to_owned()),
            closes_at: Some(None),
            was: edit.was.clone(),
            ..Edit::default()
        };
        assert_eq!(edit, expected);
        assert_eq!(edit.was.unwrap().title.as_deref(), Some("Gala"));
        let untouched = details(&form(
            "title=Gala&was_title=Gala&description=&was_description=&was_waitlist=false&opens_at=&was_opens_at=&closes_at=&was_closes_at=",
        ));
        assert!(untouched.unwrap().is_empty());
        assert!(
            capacity(&form("capacity=100&was_capacity=100"))
                .unwrap()
                .is_empty()
        );
        assert!(
            !capacity(&form("capacity=&was_capacity=100"))
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_refused_form_shows_what_was_typed_beside_what_is_true_now() {
        let event = Event {
            title: "Dance".to_owned(),
            description: "New".to_owned(),
            ..samples::event()
        };
        let typed = form("title=Ball&was_title=Gala&description=Old&was_description=Old");
        let wrong = ["description".to_owned(), "closes_at".to_owned()];
        let typed = Refused {
            form: &typed,
            wrong: &wrong,
        };
        let shown = details_shown(&event, Some(typed));
        assert_eq!(
            (shown.title.value.as_str(), shown.title.now.as_str()),
            ("Ball", "Dance")
        );
        assert!(shown.title.clashes && shown.title.is_wrong);
        assert!(shown.closes_at.is_wrong && !shown.closes_at.clashes);
        assert_eq!(shown.description.value, "New", "untouched here");
        assert!(!shown.description.clashes);
        assert!(!details_shown(&event, None).title.clashes);
        let typed = form("capacity=7&was_capacity=90");
        let typed = Refused {
            form: &typed,
            wrong: &[],
        };
        let capacity = capacity_shown(&event, Some(typed));
        assert_eq!(
            (
                capacity.value.as_str(),
                capacity.now.as_str(),
                capacity.clashes
            ),
            ("7", "100", true)
        );
    }
}
