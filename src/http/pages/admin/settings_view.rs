//! The settings as their forms show them: as they are, or as they were typed in a form that was
//! refused.

use super::details::{Details, Setting, Tick};
use super::{inputs, mistakes};
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::proof_of_work::ProofOfWork;
use crate::domain::retention::EraseAfter;
use crate::domain::visibility::Visibility;
use crate::domain::zone::Zone;
use crate::http::pages::form::Form;
use crate::problem::Problem;
use crate::text::Texts;

/// A form that was refused, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused<'a> {
    pub(super) texts: Texts,
    pub(super) form: &'a Form,
    pub(super) problem: &'a Problem,
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
        is_refused: typed.is_some(),
        title: field("title", event.title.clone()),
        description: field("description", event.description.clone()),
        max_party_size: field("max_party_size", event.max_party_size.get().to_string()),
        erase_after: field(EraseAfter::FIELD, inputs::erase_after(event.erase_after)),
        proof_of_work: field(ProofOfWork::FIELD, event.proof_of_work.to_string()),
        visibility: field(Visibility::FIELD, event.visibility.to_string()),
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
        public_chart: choice(
            "public_chart",
            event.public_chart,
            typed.map(|refused| refused.form),
        ),
    }
}

/// The details' fields for a new event, with what was `typed` and what is wrong with it.
pub(super) fn new_details(
    texts: Texts,
    typed: &Form,
    problem: Option<&Problem>,
    default_zone: &Zone,
) -> Details {
    let field = |name: &str, default: &str| Setting {
        value: typed.sent(name).unwrap_or(default).to_owned(),
        error: problem.and_then(|problem| mistakes::at(texts, problem, name)),
        ..Setting::default()
    };
    Details {
        exists: false,
        is_refused: problem.is_some(),
        title: field("title", ""),
        description: field("description", ""),
        max_party_size: field("max_party_size", "1"),
        erase_after: field(EraseAfter::FIELD, ""),
        proof_of_work: field(ProofOfWork::FIELD, ProofOfWork::Off.as_str()),
        visibility: field(Visibility::FIELD, Visibility::Public.as_str()),
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
        public_chart: Tick {
            value: typed.is_ticked("public_chart"),
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
    let Some(Refused {
        texts,
        form,
        problem,
    }) = typed
    else {
        return Setting {
            value: now.clone(),
            was: now.clone(),
            now,
            error: None,
        };
    };
    let was = form.sent(&format!("was_{name}"));
    let error = mistakes::at(texts, problem, name);
    // A field that was not sent keeps its setting.
    let untouched = |value: &str| was.is_some_and(|was| same(was, value, zone));
    let typed = form.sent(name).filter(|value| !untouched(value));
    let Some(value) = typed else {
        return Setting {
            error,
            ..setting(name, now, None, zone)
        };
    };
    let clashes = was.is_some_and(|was| !same(was, &now, zone)) && !same(value, &now, zone);
    let clash = || {
        if now.is_empty() {
            texts.get("clash-empty")
        } else {
            texts.get1("clash", "value", &now)
        }
    };
    Setting {
        error: if clashes { Some(clash()) } else { error },
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
    use crate::domain::invalid::Invalid;
    use crate::http::pages::samples;
    use crate::problem::Code;

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
        let wrong = ["description", "closes_at"].map(|field| Invalid::new(field, "malformed", ""));
        let problem = Problem::invalid(&wrong);
        let texts = Texts::default();
        let typed = Refused {
            texts,
            form: &typed,
            problem: &problem,
        };
        let shown = details(&event, Some(typed));
        assert_eq!(
            (shown.title.value.as_str(), shown.title.now.as_str()),
            ("Ball", "Dance")
        );
        assert!(shown.title.error.unwrap().contains("“Dance”"));
        assert_eq!(
            shown.closes_at.error.as_deref(),
            Some("Enter a date and a time, or leave this empty.")
        );
        assert_eq!(shown.description.value, "New", "untouched here");
        assert!(shown.description.error.is_some());
        assert_eq!(details(&event, None).title.error, None);
        let typed = form("capacity=7&was_capacity=90");
        let problem = Problem::new(Code::ChangedMeanwhile, "");
        let typed = Refused {
            texts,
            form: &typed,
            problem: &problem,
        };
        let shown = capacity(&event, Some(typed));
        assert_eq!((shown.value.as_str(), shown.now.as_str()), ("7", "100"));
        assert!(shown.error.is_some());
    }
}
