//! The forms for an event's settings.
//!
//! Beside each field is a hidden one, `was_<name>`, with the value when the page was rendered. Only
//! fields that differ from it are changed. Two organisers who edit different settings do not undo
//! each other.

use super::{inputs, retention};
use crate::domain::clock::Timestamp;
use crate::domain::event::{Edit, Event, parse_description, parse_title};
use crate::domain::invalid::Invalid;
use crate::domain::local_time::Choice;
use crate::domain::occasion::{OccasionEdit, OnlineUrl, parse_contact, parse_location};
use crate::domain::proof_of_work::ProofOfWork;
use crate::domain::retention::EraseAfter;
use crate::domain::visibility::Visibility;
use crate::domain::zone::Zone;
use crate::http::field_value::Check;
use crate::http::pages::form::Form;
use crate::problem::Problem;

/// What the details' form changes, and how its local times became moments. Fields that were not sent
/// keep their settings.
pub(super) fn details(form: &Form, event: &Event) -> Result<(Edit, Vec<Choice>), Problem> {
    let mut check = Check::default();
    let zones = Zones::of(form, event, &mut check);
    let mut choices = Vec::new();
    let mut moment = |name: &'static str| -> Option<Option<Timestamp>> {
        let was = zones.was_moment(form, name);
        let text = form.sent(name)?;
        // An untouched field keeps every digit, and the second of two equal local times.
        let is_untouched = zones.now == zones.was
            && was.is_some_and(|was| inputs::moment(was, &zones.was) == text.trim());
        if is_untouched {
            return None;
        }
        let read = check.take(inputs::parse_moment(name, text, &zones.now))?;
        let new = changed(read.map(|(at, _)| at), was.as_ref());
        if new.is_some() {
            choices.extend(read.map(|(_, choice)| choice));
        }
        new
    };
    let (opens_at, closes_at) = (moment("opens_at"), moment("closes_at"));
    let (starts_at, ends_at) = (moment("starts_at"), moment("ends_at"));
    let was = was_details(form, &zones);
    // A script may send the form without the field.
    let max_party_size = form
        .sent("max_party_size")
        .and_then(|text| check.take(inputs::parse_max_party_size(text)));
    let title = check.take(parse_title(form.get("title")));
    let description = check.take(parse_description(form.get("description")));
    let mut fields = Fields { form, check };
    let occasion = OccasionEdit {
        starts_at,
        ends_at,
        time_zone: changed(zones.now.clone(), Some(&zones.was)),
        location: fields.sent("location", parse_location, was.occasion.location.as_ref()),
        online_url: fields.sent(
            "online_url",
            OnlineUrl::parse,
            was.occasion.online_url.as_ref(),
        ),
        contact: fields.sent("contact", parse_contact, was.occasion.contact.as_ref()),
    };
    // A page from before this setting sends neither field: it keeps the setting.
    let public_chart = was
        .public_chart
        .and_then(|was| changed(form.is_ticked("public_chart"), Some(&was)));
    let was_kept = was.erase_after.as_ref();
    let erase_after = fields.sent(EraseAfter::FIELD, inputs::parse_erase_after, was_kept);
    let was_asked = was.proof_of_work.as_ref();
    let proof_of_work = fields.sent(ProofOfWork::FIELD, ProofOfWork::read, was_asked);
    let was_seen = was.visibility.as_ref();
    let visibility = fields.sent(Visibility::FIELD, Visibility::read, was_seen);
    let edit = Edit {
        title: title.and_then(|title| changed(title, was.title.as_ref())),
        description: description.and_then(|text| changed(text, was.description.as_ref())),
        waitlist: changed(form.is_ticked("waitlist"), was.waitlist.as_ref()),
        max_party_size: max_party_size.and_then(|most| changed(most, was.max_party_size.as_ref())),
        opens_at,
        closes_at,
        erase_after,
        proof_of_work,
        visibility,
        public_chart,
        occasion: Box::new(occasion),
        was: Some(Box::new(was)),
        ..Edit::default()
    };
    if let Some((ends_at, after)) = retention::edited(&edit, event) {
        fields.check.take(retention::check(ends_at, after));
    }
    fields.check.done()?;
    Ok((edit, choices))
}

/// The settings as the page was rendered. A field without its `was_` value is changed without a
/// check.
fn was_details(form: &Form, zones: &Zones) -> Edit {
    let text = |name: &str, parse: fn(&str) -> Result<String, Invalid>| {
        form.sent(name).and_then(|text| parse(text).ok())
    };
    Edit {
        title: text("was_title", parse_title),
        description: text("was_description", parse_description),
        waitlist: form.sent("was_waitlist").map(|text| text == "true"),
        max_party_size: form
            .sent("was_max_party_size")
            .and_then(|text| inputs::parse_max_party_size(text).ok()),
        opens_at: zones.was_moment(form, "opens_at"),
        closes_at: zones.was_moment(form, "closes_at"),
        erase_after: form
            .sent("was_erase_after_days")
            .and_then(|text| inputs::parse_erase_after(text).ok()),
        proof_of_work: form.sent("was_proof_of_work").and_then(ProofOfWork::parse),
        visibility: form.sent("was_visibility").and_then(Visibility::parse),
        public_chart: form.sent("was_public_chart").map(|text| text == "true"),
        occasion: Box::new(OccasionEdit {
            starts_at: zones.was_moment(form, "starts_at"),
            ends_at: zones.was_moment(form, "ends_at"),
            time_zone: form.sent("was_time_zone").map(|_| zones.was.clone()),
            location: text("was_location", parse_location),
            online_url: form
                .sent("was_online_url")
                .and_then(|text| OnlineUrl::parse(text).ok()),
            contact: text("was_contact", parse_contact),
        }),
        ..Edit::default()
    }
}

/// The zone in which a form's times were typed, and the one in which they were shown before.
#[derive(Debug)]
struct Zones {
    now: Zone,
    was: Zone,
}

impl Zones {
    /// An unknown zone is a mistake; the times are then read in the one before.
    fn of(form: &Form, event: &Event, check: &mut Check) -> Self {
        let of_event = &event.occasion.time_zone;
        let was = form
            .sent("was_time_zone")
            .and_then(|name| Zone::parse(name).ok())
            .unwrap_or_else(|| of_event.clone());
        let typed = form
            .sent("time_zone")
            .and_then(|name| check.take(Zone::parse(name)));
        Self {
            now: typed.unwrap_or_else(|| was.clone()),
            was,
        }
    }

    #[expect(
        clippy::option_option,
        reason = "unreadable, empty and a moment differ, as in an edit"
    )]
    fn was_moment(&self, form: &Form, name: &str) -> Option<Option<Timestamp>> {
        let text = form.sent(&format!("was_{name}"))?;
        inputs::parse_exact(text, &self.was)
    }
}

/// The fields of a form, and what is wrong with them.
struct Fields<'a> {
    form: &'a Form,
    check: Check,
}

impl Fields<'_> {
    /// A setting whose field was sent, if it differs from what it was.
    fn sent<T: PartialEq>(
        &mut self,
        name: &str,
        parse: fn(&str) -> Result<T, Invalid>,
        was: Option<&T>,
    ) -> Option<T> {
        let new = self.check.take(parse(self.form.sent(name)?))?;
        changed(new, was)
    }
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
            "title=Ball&was_title=Gala&description=One%0D%0ATwo&was_description=One%0ATwo\
             &waitlist=true&was_waitlist=true&opens_at=2026-11-21T09%3A00%3A05.120\
             &was_opens_at=2026-11-21T09%3A00%3A05.12&closes_at=&was_closes_at=2026-12-01T09%3A00",
        );
        let (edit, choices) = details(&sent, &samples::event()).unwrap();
        assert_eq!(choices, []);
        let expected = Edit {
            title: Some("Ball".to_owned()),
            closes_at: Some(None),
            was: edit.was.clone(),
            ..Edit::default()
        };
        assert_eq!(edit, expected);
        assert_eq!(edit.was.unwrap().title.as_deref(), Some("Gala"));
        let untouched = details(
            &form(
                "title=Gala&was_title=Gala&description=&was_description=&was_waitlist=false\
                 &opens_at=&was_opens_at=&closes_at=&was_closes_at=",
            ),
            &samples::event(),
        );
        assert!(untouched.unwrap().0.is_empty());
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
    fn times_are_read_in_the_zone_that_was_typed() {
        let edit = |fields: &str| {
            let common = "title=T&was_title=T&description=&was_description=&was_waitlist=false&";
            let (edit, choices) =
                details(&form(&format!("{common}{fields}")), &samples::event()).unwrap();
            let zone = edit
                .occasion
                .time_zone
                .as_ref()
                .map(|zone| zone.name().to_owned());
            let starts_at = edit
                .occasion
                .starts_at
                .map(|at| at.map(|at| at.to_string()).unwrap_or_default());
            (zone, starts_at, choices)
        };
        let at = |text: &str| Some(text.to_owned());
        // Spring and autumn in Berlin.
        assert_eq!(
            edit(
                "time_zone=Europe/Berlin&was_time_zone=Europe/Berlin\
                 &starts_at=2027-03-28T02:30&was_starts_at="
            ),
            (
                None,
                at("2027-03-28T01:30:00.000Z"),
                vec![Choice::MovedForward]
            )
        );
        assert_eq!(
            edit(
                "time_zone=Europe/Berlin&was_time_zone=Europe/Berlin\
                 &starts_at=2026-10-25T02:30&was_starts_at="
            ),
            (None, at("2026-10-25T00:30:00.000Z"), vec![Choice::First])
        );
        // The second half past two is kept by a form that does not touch it.
        assert_eq!(
            edit(
                "time_zone=Europe/Berlin&was_time_zone=Europe/Berlin\
                 &starts_at=2026-10-25T02:30&was_starts_at=2026-10-25T01:30:00.000Z"
            ),
            (None, None, vec![])
        );
        // Another zone: the same clock time there.
        assert_eq!(
            edit(
                "time_zone=America/New_York&was_time_zone=Europe/Berlin\
                 &starts_at=2026-12-12T19:00&was_starts_at=2026-12-12T19:00"
            ),
            (
                at("America/New_York"),
                at("2026-12-13T00:00:00.000Z"),
                vec![Choice::Only]
            )
        );
        assert_eq!(edit(""), (None, None, vec![]), "what was not sent is kept");
        let wrong = form("title=+&time_zone=Mars&starts_at=soon&contact=a%0Ab&max_party_size=0");
        let wrong = details(&wrong, &samples::event()).unwrap_err();
        let fields = wrong.mistakes().iter().map(|mistake| &*mistake.field);
        assert_eq!(
            fields.collect::<Vec<_>>(),
            [
                "time_zone",
                "starts_at",
                "max_party_size",
                "title",
                "contact"
            ],
            "all at once"
        );
    }
}
