//! A registration that the organiser adds: for somebody at the door or on the phone.

use std::sync::Arc;

use serde::Deserialize;
use warp::reply::Response;

use super::answers::AnswersField;
use super::applicant::{PARTY_SIZE, answered, key, note_party_limit};
use super::create::{Registered, body_max, created, register};
use super::view::base;
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::command::{Applicant, Command};
use crate::domain::event::Event;
use crate::domain::invalid::Invalid;
use crate::domain::person::{Email, Name};
use crate::domain::questions::Unanswered;
use crate::domain::registration::{PartySize, Secret};
use crate::http::auth::{self, Organiser};
use crate::http::body::{AllowedMedia, Content, Media, Unread};
use crate::http::field_value::{Check, FieldValue};
use crate::http::{find, language, preconditions};
use crate::problem::Problem;

/// The fields of a request to add somebody.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    name: FieldValue<'a>,
    #[serde(borrow)]
    email: FieldValue<'a>,
    #[serde(borrow)]
    party_size: FieldValue<'a>,
    #[serde(borrow)]
    over_capacity: FieldValue<'a>,
    #[serde(borrow)]
    idempotency_key: FieldValue<'a>,
    answers: AnswersField,
}

/// A person to add.
#[derive(Debug)]
pub struct ByHand {
    applicant: Applicant,
    over_capacity: bool,
}

/// `POST /api/v1/events/{slug}/registrations/add`
pub(in crate::http) async fn post(
    slug: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Add.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let sent = body
        .read_up_to(body_max(&event), &head, AllowedMedia::Json)
        .await?;
    let person = ByHand::parse(&sent, &head, &event)?;
    preconditions::require(&head.headers, &[event.position()])?;
    let base = base(&context, &head);
    let registered = add(&context, event, person, &organiser).await?;
    created(&context, &base, registered).await
}

/// Adds the person; answers after the durable commit.
pub async fn add(
    context: &Context,
    event: Arc<Event>,
    person: ByHand,
    organiser: &Organiser,
) -> Result<Registered, Problem> {
    let command = Command::Add {
        applicant: person.applicant,
        over_capacity: person.over_capacity,
        by: organiser.actor(),
    };
    register(context, event, command).await
}

impl ByHand {
    /// Parses all fields and reports all mistakes at once.
    pub fn parse(sent: &Content, head: &RequestHead, event: &Event) -> Result<Self, Problem> {
        let mut fields: Fields<'_> = sent.decode()?;
        let answers = std::mem::take(&mut fields.answers);
        let answers = answered(sent, answers, event, Unanswered::Allowed)?;
        let key = key(&fields.idempotency_key, head)?;
        let mut check = Check::default();
        let name = check.take(fields.name.text("name").and_then(Name::parse));
        let email = check.take(email(&fields.email, sent.media));
        let party_size = check.take(fields.party_size.party_size(PARTY_SIZE, sent.media));
        let over_capacity = check.take(over_capacity(&fields.over_capacity, sent.media));
        let answers = check.take_all(answers);
        let party_size = party_size.flatten().unwrap_or(PartySize::ONE);
        note_party_limit(&mut check, party_size, event);
        match (name, email, answers) {
            (Some(name), Some(email), Some(answers)) if check.done().is_ok() => Ok(Self {
                applicant: Applicant {
                    party_size,
                    answers,
                    language: language::preferred(&head.headers),
                    ..Applicant::new(name, email, key, Secret::draw())
                },
                over_capacity: over_capacity.unwrap_or_default(),
            }),
            _ => Err(check.problem()),
        }
    }
}

/// An address, or none. An empty field of a form is none.
fn email(field: &FieldValue<'_>, media: Media) -> Result<Option<Email>, Invalid> {
    match field.optional_text("email")? {
        None => Ok(None),
        Some(text) if media == Media::Form && text.trim().is_empty() => Ok(None),
        Some(text) => Email::parse(text).map(Some),
    }
}

/// A checkbox of a form is sent only if it is ticked.
fn over_capacity(field: &FieldValue<'_>, media: Media) -> Result<bool, Invalid> {
    match (field, media) {
        (FieldValue::Text(text), Media::Form) => Ok(text == "true"),
        (field, _) => Ok(field.flag("over_capacity")?.unwrap_or_default()),
    }
}
