//! The settings as their forms show them: as they are, or as they were typed in a form that was
//! refused.

use super::details::{Details, Setting, Tick};
use super::inputs;
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::zone::Zone;
use crate::http::pages::form::Form;

/// A form that was refused, and the fields that were the reason.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused<'a> {
    pub(super) form: &'a Form,
    pub(super) wrong: &'a [String],
}

/// The details' fields; `typed` after a form that was refused.
pub(super) fn details(event: &Event, typed: Option<Refused<'_>>) -> Details {
    let field = |name: &str, now: String| setting(name, now, typed, &event.occasion.time_zone);
    let occasion = &event.occasion;
    let moment = |name: &str, at: Option<Timestamp>| {
        let setting = field(name, inputs::moment(at, &occasion.time_zone));
        Setting {
            was: inputs::exact(at, &occasion.time_zone),
            ..setting
        }
    };
    Details {
        exists: true,
        title: field("title", event.title.clone()),
        description: field("description", event.description.clone()),
        max_party_size: field("max_party_size", event.max_party_size.get().to_string()),
        opens_at: moment("opens_at", event.opens_at),
        closes_at: moment("closes_at", event.closes_at),
        starts_at: moment("starts_at", occasion.starts_at),
        ends_at: moment("ends_at", occasion.ends_at),
        time_zone: field("time_zone", occasion.time_zone.name().to_owned()),
        location: field("location", occasion.location.clone()),
        online_url: field(
            "online_url",
            occasion
                .online_url
                .as_ref()
                .map(|url| url.as_str().to_owned())
                .unwrap_or_default(),
        ),
        contact: field("contact", occasion.contact.clone()),
        waitlist: choice(
            "waitlist",
            event.waitlist,
            typed.map(|refused| refused.form),
        ),
    }
}

/// The details' fields for a new event, with what was `typed` and which fields were wrong.
pub(super) fn new_details(typed: &Form, wrong: &[String], default_zone: &Zone) -> Details {
    let field = |name: &str, default: &str| Setting {
        value: typed.sent(name).unwrap_or(default).to_owned(),
        is_wrong: wrong.iter().any(|field| field == name),
        ..Setting::default()
    };
    Details {
        exists: false,
        title: field("title", ""),
        description: field("description", ""),
        max_party_size: field("max_party_size", "1"),
        opens_at: field("opens_at", ""),
        closes_at: field("closes_at", ""),
        starts_at: field("starts_at", ""),
        ends_at: field("ends_at", ""),
        time_zone: field("time_zone", default_zone.name()),
        location: field("location", ""),
        online_url: field("online_url", ""),
        contact: field("contact", ""),
        waitlist: Tick {
            value: typed.is_ticked("waitlist"),
            now: false,
        },
    }
}

/// The capacity's field; `typed` after a form that was refused.
pub(super) fn capacity(event: &Event, typed: Option<Refused<'_>>) -> Setting {
    setting(
        "capacity",
        inputs::capacity(event.capacity),
        typed,
        &event.occasion.time_zone,
    )
}

/// Keeps what was typed; an untouched field shows the current value.
fn setting(name: &str, now: String, typed: Option<Refused<'_>>, zone: &Zone) -> Setting {
    let Some(Refused { form, wrong }) = typed else {
        return Setting {
            value: now.clone(),
            was: now.clone(),
            now,
            clashes: false,
            is_wrong: false,
        };
    };
    let was = form.sent(&format!("was_{name}"));
    let is_named = wrong.iter().any(|field| field == name);
    // A field that was not sent keeps its setting.
    let Some(value) = form.sent(name) else {
        return Setting {
            is_wrong: is_named,
            ..setting(name, now, None, zone)
        };
    };
    if was.is_some_and(|was| same(was, value, zone)) {
        return setting(name, now, None, zone);
    }
    let clashes = was.is_some_and(|was| !same(was, &now, zone)) && !same(value, &now, zone);
    Setting {
        clashes,
        is_wrong: clashes || is_named,
        value: value.to_owned(),
        was: now.clone(),
        now,
    }
}

fn choice(name: &str, now: bool, typed: Option<&Form>) -> Tick {
    let was = typed
        .and_then(|form| form.sent(&format!("was_{name}")))
        .map(|was| was == "true");
    let value = typed
        .map(|form| form.is_ticked(name))
        .filter(|value| was != Some(*value));
    Tick {
        // A setting with two values cannot conflict: somebody else's change is the one typed here.
        value: value.unwrap_or(now),
        now,
    }
}

/// Whether two texts of a field mean the same. Browsers change line ends and the format of moments.
fn same(one: &str, other: &str, zone: &Zone) -> bool {
    let lines = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    let moment = |text: &str| inputs::parse_exact(text, zone).flatten();
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
        let shown = details(&event, Some(typed));
        assert_eq!(
            (shown.title.value.as_str(), shown.title.now.as_str()),
            ("Ball", "Dance")
        );
        assert!(shown.title.clashes && shown.title.is_wrong);
        assert!(shown.closes_at.is_wrong && !shown.closes_at.clashes);
        assert_eq!(shown.description.value, "New", "untouched here");
        assert!(!shown.description.clashes);
        assert!(!details(&event, None).title.clashes);
        let typed = form("capacity=7&was_capacity=90");
        let typed = Refused {
            form: &typed,
            wrong: &[],
        };
        let shown = capacity(&event, Some(typed));
        assert_eq!(
            (shown.value.as_str(), shown.now.as_str(), shown.clashes),
            ("7", "100", true)
        );
    }
}
