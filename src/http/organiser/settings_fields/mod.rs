//! An event's settings, as a request names them.

use serde::Deserialize;

use crate::domain::event::{self, Edit, Event, NewEvent, PartySize, Slug};
use crate::domain::invalid::Invalid;
use crate::domain::mail::{MailKinds, MailSettings, RemindBefore};
use crate::domain::occasion::{self, Occasion, OccasionEdit, OnlineUrl};
use crate::domain::proof_of_work::ProofOfWork;
use crate::domain::questions::Questions;
use crate::domain::retention::EraseAfter;
use crate::domain::visibility::Visibility;
use crate::domain::zone::Zone;
use crate::http::body::Media;
use crate::http::field_value::{Check, FieldValue, JsonField};
use crate::problem::Problem;

/// An event's settings; all of them for a new one, any of them for a change.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields<'a> {
    #[serde(borrow)]
    slug: FieldValue<'a>,
    #[serde(borrow)]
    title: FieldValue<'a>,
    #[serde(borrow)]
    description: FieldValue<'a>,
    #[serde(borrow)]
    capacity: FieldValue<'a>,
    #[serde(borrow)]
    waitlist: FieldValue<'a>,
    #[serde(borrow)]
    max_party_size: FieldValue<'a>,
    #[serde(borrow)]
    opens_at: FieldValue<'a>,
    #[serde(borrow)]
    closes_at: FieldValue<'a>,
    #[serde(borrow)]
    closed: FieldValue<'a>,
    #[serde(borrow)]
    starts_at: FieldValue<'a>,
    #[serde(borrow)]
    ends_at: FieldValue<'a>,
    #[serde(borrow)]
    time_zone: FieldValue<'a>,
    #[serde(borrow)]
    location: FieldValue<'a>,
    #[serde(borrow)]
    online_url: FieldValue<'a>,
    #[serde(borrow)]
    contact: FieldValue<'a>,
    #[serde(borrow)]
    erase_after_days: FieldValue<'a>,
    #[serde(borrow)]
    proof_of_work: FieldValue<'a>,
    #[serde(borrow)]
    public_chart: FieldValue<'a>,
    #[serde(borrow)]
    visibility: FieldValue<'a>,
    #[serde(borrow)]
    archived: FieldValue<'a>,
    #[serde(borrow)]
    remind_hours_before: FieldValue<'a>,
    mails: JsonField,
    questions: JsonField,
}

impl Fields<'_> {
    /// When and where; `default` is the zone of events that name none.
    fn occasion(&self, default: &Zone, check: &mut Check) -> OccasionEdit {
        let starts_at = check.take(self.starts_at.moment("starts_at"));
        let ends_at = check.take(self.ends_at.moment("ends_at")).flatten();
        OccasionEdit {
            // An unreadable start is one mistake, not two.
            ends_at: ends_at.filter(|_| starts_at.is_some()),
            starts_at: starts_at.flatten(),
            time_zone: check
                .take(self.time_zone.replacing("time_zone", |text| {
                    text.map_or_else(|| Ok(default.clone()), Zone::parse)
                }))
                .flatten(),
            location: check
                .take(self.location.replacing("location", |text| {
                    occasion::parse_location(text.unwrap_or_default())
                }))
                .flatten(),
            online_url: check
                .take(self.online_url.replacing("online_url", |text| {
                    OnlineUrl::parse(text.unwrap_or_default())
                }))
                .flatten(),
            contact: check
                .take(self.contact.replacing("contact", |text| {
                    occasion::parse_contact(text.unwrap_or_default())
                }))
                .flatten(),
        }
    }
}

pub(super) fn new_event(fields: &Fields<'_>, default_zone: &Zone) -> Result<NewEvent, Problem> {
    let mut check = Check::default();
    let slug = check.take(fields.slug.text("slug").and_then(Slug::parse));
    let title = check.take(fields.title.text("title").and_then(event::parse_title));
    let description = check.take(
        fields
            .description
            .optional_text("description")
            .and_then(|text| event::parse_description(text.unwrap_or_default())),
    );
    // No default: an organiser who forgets the limit must not get an event without one.
    let missing = || {
        Invalid::new(
            "capacity",
            "missing",
            "capacity is missing; give a whole number, or null for no limit",
        )
    };
    let capacity = check.take(
        fields
            .capacity
            .capacity("capacity")
            .and_then(|capacity| capacity.ok_or_else(missing)),
    );
    let waitlist = check.take(fields.waitlist.flag("waitlist"));
    let max_party_size = check.take(most(&fields.max_party_size));
    let opens_at = check
        .take(fields.opens_at.moment("opens_at"))
        .map(Option::flatten);
    let closes_at = check
        .take(fields.closes_at.moment("closes_at"))
        .map(Option::flatten);
    if let (Some(opens_at), Some(closes_at)) = (opens_at, closes_at) {
        check.take(event::check_schedule(opens_at, closes_at));
    }
    let base = Occasion {
        time_zone: default_zone.clone(),
        ..Occasion::default()
    };
    let occasion = fields.occasion(default_zone, &mut check);
    let occasion = check.take(occasion.applied_to(&base));
    let erase_after = check.take(erase_after(fields)).flatten();
    let proof_of_work = check.take(proof_of_work(fields)).flatten();
    let public_chart = check.take(fields.public_chart.flag("public_chart"));
    let visibility = check.take(visibility(fields)).flatten();
    let archived = check.take(fields.archived.flag("archived"));
    let remind_before = check.take(remind_before(fields)).flatten();
    let mails = check.take(mails(fields)).flatten();
    let questions = fields.questions.get().map(Questions::parse);
    let questions = check.take_all(questions.transpose()).flatten();
    check.done()?;
    match (slug, title, description, capacity, occasion) {
        (Some(slug), Some(title), Some(description), Some(capacity), Some(occasion)) => {
            Ok(NewEvent {
                slug,
                title,
                description,
                capacity,
                waitlist: waitlist.flatten().unwrap_or(false),
                max_party_size: max_party_size.flatten().unwrap_or(PartySize::ONE),
                opens_at: opens_at.flatten(),
                closes_at: closes_at.flatten(),
                occasion,
                questions: questions.unwrap_or_default(),
                erase_after: erase_after.flatten(),
                proof_of_work: proof_of_work.unwrap_or_default(),
                public_chart: public_chart.flatten().unwrap_or(false),
                visibility: visibility.unwrap_or_default(),
                archived: archived.flatten().unwrap_or(false),
                mail: MailSettings {
                    remind_before: remind_before.flatten(),
                    mails: mails.unwrap_or_default(),
                },
            })
        }
        _ => Err(check.problem()),
    }
}

#[expect(
    clippy::option_option,
    reason = "absent, null and a number differ, as in an edit"
)]
fn erase_after(fields: &Fields<'_>) -> Result<Option<Option<EraseAfter>>, Invalid> {
    match &fields.erase_after_days {
        FieldValue::Absent => Ok(None),
        FieldValue::Null => Ok(Some(None)),
        FieldValue::Whole(days) => EraseAfter::parse(*days).map(Some).map(Some),
        FieldValue::Text(_) | FieldValue::Flag(_) | FieldValue::Other => {
            Err(EraseAfter::out_of_range())
        }
    }
}

fn proof_of_work(fields: &Fields<'_>) -> Result<Option<ProofOfWork>, Invalid> {
    let field = &fields.proof_of_work;
    field.replacing(ProofOfWork::FIELD, |word| {
        ProofOfWork::read(word.unwrap_or_default())
    })
}

#[expect(
    clippy::option_option,
    reason = "absent, null and a number differ, as in an edit"
)]
fn remind_before(fields: &Fields<'_>) -> Result<Option<Option<RemindBefore>>, Invalid> {
    match &fields.remind_hours_before {
        FieldValue::Absent => Ok(None),
        FieldValue::Null => Ok(Some(None)),
        FieldValue::Whole(hours) => RemindBefore::parse(*hours).map(Some).map(Some),
        FieldValue::Text(_) | FieldValue::Flag(_) | FieldValue::Other => {
            Err(RemindBefore::out_of_range())
        }
    }
}

fn visibility(fields: &Fields<'_>) -> Result<Option<Visibility>, Invalid> {
    let field = &fields.visibility;
    field.replacing(Visibility::FIELD, |word| {
        Visibility::read(word.unwrap_or_default())
    })
}

fn mails(fields: &Fields<'_>) -> Result<Option<MailKinds>, Invalid> {
    fields.mails.get().map(MailKinds::parse).transpose()
}

fn most(field: &FieldValue<'_>) -> Result<Option<PartySize>, Invalid> {
    field.party_size("max_party_size", Media::Json)
}

pub(super) fn edit(
    fields: &Fields<'_>,
    event: &Event,
    default_zone: &Zone,
) -> Result<Edit, Problem> {
    let mut check = Check::default();
    match check.take(fields.slug.optional_text("slug")).flatten() {
        // A client may send back the whole object that it read.
        None => {}
        Some(same) if same == event.slug.as_str() => {}
        Some(_) => {
            check.take::<()>(Err(Invalid::new(
                "slug",
                "fixed",
                "slug cannot be changed: links lead to it",
            )));
        }
    }
    let title = match &fields.title {
        FieldValue::Absent => None,
        given => check.take(given.text("title").and_then(event::parse_title)),
    };
    let description = match &fields.description {
        FieldValue::Absent => None,
        given => check.take(
            given
                .optional_text("description")
                .and_then(|text| event::parse_description(text.unwrap_or_default())),
        ),
    };
    let edit = Edit {
        title,
        description,
        capacity: check.take(fields.capacity.capacity("capacity")).flatten(),
        waitlist: check.take(fields.waitlist.flag("waitlist")).flatten(),
        max_party_size: check.take(most(&fields.max_party_size)).flatten(),
        opens_at: check.take(fields.opens_at.moment("opens_at")).flatten(),
        closes_at: check.take(fields.closes_at.moment("closes_at")).flatten(),
        occasion: Box::new(fields.occasion(default_zone, &mut check)),
        closed: check.take(fields.closed.flag("closed")).flatten(),
        erase_after: check.take(erase_after(fields)).flatten(),
        proof_of_work: check.take(proof_of_work(fields)).flatten(),
        public_chart: check
            .take(fields.public_chart.flag("public_chart"))
            .flatten(),
        visibility: check.take(visibility(fields)).flatten(),
        archived: check.take(fields.archived.flag("archived")).flatten(),
        remind_before: check.take(remind_before(fields)).flatten(),
        mails: check.take(mails(fields)).flatten(),
        questions: check
            .take_all(fields.questions.get().map(Questions::parse).transpose())
            .flatten(),
        was: None,
    };
    check.done()?;
    Ok(edit)
}

#[cfg(test)]
mod tests;
