//! A visitor's own registration: reads, changes and cancels it by its private link.

use std::sync::Arc;

use serde::Deserialize;
use warp::http::{HeaderMap, Method};
use warp::reply::Response;

use super::answers::{self, AnswersField};
use super::applicant::PARTY_SIZE;
use super::create::{body_max, permit_for_body};
use super::unexpected;
use super::view::present;
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::audit::Actor;
use crate::domain::command::{Answer, Command, Refusal, Revised};
use crate::domain::event::Event;
use crate::domain::person::Name;
use crate::domain::position::Position;
use crate::domain::questions::Unanswered;
use crate::domain::registration::{Registration, Token};
use crate::http::body::{AllowedMedia, Content, Unread};
use crate::http::field_value::{Check, FieldValue};
use crate::http::{auth, find, preconditions, rate, reply};
use crate::problem::Problem;

/// `GET /api/v1/registrations/{token}`
pub(in crate::http) async fn get(
    token: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let found = find_own(&context, &token).await?;
    note_opened(&context, &head, &found).await;
    Ok(reply::json(&present(&context, &head, &found).await?))
}

/// `DELETE /api/v1/registrations/{token}`
pub(in crate::http) async fn delete(
    token: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    auth::refuse_cross_site(&context.settings, &head)?;
    let found = cancel(&context, &head.headers, &token).await?;
    Ok(reply::json(&present(&context, &head, &found).await?))
}

/// `POST /api/v1/registrations/{token}/erase`
pub(in crate::http) async fn erase_own(
    token: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    auth::refuse_cross_site(&context.settings, &head)?;
    rate::change(&context, head.peer.ip)?;
    let found = erase(&context, &head.headers, &token).await?;
    Ok(reply::json(&present(&context, &head, &found).await?))
}

/// What an owner changes.
#[derive(Debug, Default, Deserialize)]
struct Changes<'a> {
    #[serde(borrow, default)]
    name: FieldValue<'a>,
    #[serde(borrow, default)]
    party_size: FieldValue<'a>,
    /// Form fields have a name for each.
    #[serde(default)]
    answers: AnswersField,
}

/// `PATCH /api/v1/registrations/{token}`
pub(in crate::http) async fn patch(
    token: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    auth::refuse_cross_site(&context.settings, &head)?;
    rate::change(&context, head.peer.ip)?;
    // Before the body is checked: a wrong link must not reveal which fields there are.
    let found = find_own(&context, &token).await?;
    let _permit = permit_for_body(&context, &head, &found.event)?;
    let sent = body
        .read_up_to(body_max(&found.event), &head, AllowedMedia::Json)
        .await?;
    let revised = revised(&sent, &found.event, Unanswered::Refused)?;
    let found = change(&context, &head.headers, found, revised).await?;
    Ok(reply::json(&present(&context, &head, &found).await?))
}

/// Parses all fields and reports all mistakes at once. An absent field stays as it is.
pub fn revised(sent: &Content, event: &Event, unanswered: Unanswered) -> Result<Revised, Problem> {
    let mut fields: Changes<'_> = sent.decode()?;
    let answers = std::mem::take(&mut fields.answers);
    let answers = match answers::of_request(sent, answers, &event.questions)? {
        Ok(sent) => event.questions.correction(&sent, unanswered),
        Err(invalid) => Err(vec![invalid]),
    };
    let mut check = Check::default();
    let name = match &fields.name {
        FieldValue::Absent => None,
        given => check.take(given.text("name").and_then(Name::parse)),
    };
    let party_size = check.take(fields.party_size.party_size(PARTY_SIZE, sent.media));
    let answers = check.take_all(answers);
    check.done()?;
    Ok(Revised {
        name,
        party_size: party_size.flatten(),
        answers: answers.unwrap_or_default(),
        by_mailed_link: false,
    })
}

/// A registration as it is now.
#[derive(Debug)]
pub struct OwnRegistration {
    /// Its event.
    pub event: Arc<Event>,
    /// The row.
    pub registration: Registration,
    /// The present place in the waiting list, from 1.
    pub waiting_position: Option<u32>,
    /// Whether the link was one that only a mail contains.
    pub mailed: bool,
}

impl OwnRegistration {
    /// The revision that made or last changed it.
    fn position(&self) -> Position {
        Position {
            epoch: self.event.epoch.clone(),
            revision: self.registration.revision,
        }
    }
}

/// The event that a private link names, to learn how long a form may be; it says nothing about the
/// registration.
pub async fn event_of(context: &Context, token: &str) -> Option<Arc<Event>> {
    let token: Token = token.parse().ok()?;
    find::event_by_id(context, token.locator.event).await.ok()?
}

/// The registration that a private link opens. A forged link and an unknown one get the same
/// answer.
pub async fn find_own(context: &Context, token: &str) -> Result<OwnRegistration, Problem> {
    let token: Token = token.parse().map_err(|_| not_found())?;
    let event = find::event_by_id(context, token.locator.event)
        .await?
        .ok_or_else(not_found)?;
    let listed = context
        .store
        .registration(token.locator)
        .await?
        .ok_or_else(not_found)?;
    let row = &listed.registration;
    let mailed = context.store.outgoing().mailed_secret(row);
    let mailed = mailed.is_some_and(|secret| secret.matches(&token.secret));
    if !mailed && !row.secret.matches(&token.secret) {
        return Err(not_found());
    }
    Ok(OwnRegistration {
        mailed,
        event,
        registration: listed.registration,
        waiting_position: listed.waiting_position,
    })
}

/// Notes that somebody who reads the mails to the address has opened the link in one, and has seen the
/// name that the registration had. `/confirm/{token}` is the only other GET that changes something.
pub async fn note_opened(context: &Context, head: &RequestHead, own: &OwnRegistration) {
    // A program that only checks links asks with HEAD.
    if head.method != Method::GET {
        return;
    }
    let row = &own.registration;
    let is_noted = row.email_proven_at.is_some() && row.renamed_at.is_none();
    if !own.mailed || row.email.is_none() || is_noted {
        return;
    }
    // Boxed: rare, and large enough to make every request's future large.
    let noted = Box::pin(context.store.prove_email(row, context.clock.now())).await;
    if let Err(error) = noted {
        tracing::warn!(%error, "cannot note that a mailed link was opened; the next opening counts");
    }
}

/// Ends mails to everybody for this registration. A second call changes nothing.
pub async fn unsubscribe(context: &Context, own: &OwnRegistration) -> Result<(), Problem> {
    let locator = own.registration.locator;
    context
        .store
        .unsubscribe(locator, context.clock.now())
        .await?;
    Ok(())
}

/// Whether a private link that opens nothing belongs to a deleted event, whose registrations were
/// deleted with it. Whether the link was ever real is unknown; the answer says only that its event
/// is gone.
pub async fn is_of_deleted_event(context: &Context, token: &str) -> Result<bool, Problem> {
    let Ok(token) = token.parse::<Token>() else {
        return Ok(false);
    };
    let id = token.locator.event;
    Ok(find::event_by_id(context, id).await?.is_none() && context.store.had_event(id).await?)
}

/// Cancels the registration. A second call changes nothing and answers the same.
pub async fn cancel(
    context: &Context,
    headers: &HeaderMap,
    token: &str,
) -> Result<OwnRegistration, Problem> {
    // Looked up first: a guessed link costs a read and never takes the event's lock.
    let found = find_own(context, token).await?;
    preconditions::require(headers, &[found.event.position(), found.position()])?;
    let secret = Some(found.registration.secret.clone());
    let command = Command::Cancel {
        locator: found.registration.locator,
        secret,
        by: Actor::Visitor,
    };
    match context.registrar.submit(found.event.id, command).await? {
        Ok(Answer::Cancelled(registration)) => Ok(OwnRegistration {
            registration: Arc::unwrap_or_clone(registration),
            waiting_position: None,
            ..found
        }),
        Ok(other) => Err(unexpected(&other)),
        // Deleted between the two steps, and the registration with it.
        Err(Refusal::EventNotFound) => Err(not_found()),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Erases the name, the address and the answers. A second call changes nothing and answers the same.
pub async fn erase(
    context: &Context,
    headers: &HeaderMap,
    token: &str,
) -> Result<OwnRegistration, Problem> {
    // Looked up first, as for a cancellation.
    let found = find_own(context, token).await?;
    preconditions::require(headers, &[found.event.position(), found.position()])?;
    let command = Command::Erase {
        locator: found.registration.locator,
        secret: Some(found.registration.secret),
        by: Actor::Visitor,
    };
    match context.registrar.submit(found.event.id, command).await? {
        // Read again: only the database knows the place in the waiting list.
        Ok(Answer::Erased(row)) => find_own(context, &row.token().to_string()).await,
        Ok(other) => Err(unexpected(&other)),
        // Deleted between the two steps, and the registration with it.
        Err(Refusal::EventNotFound) => Err(not_found()),
        Err(refusal) => Err(refusal.into()),
    }
}

/// Changes the registration that was `found` by its private link.
pub async fn change(
    context: &Context,
    headers: &HeaderMap,
    found: OwnRegistration,
    revised: Revised,
) -> Result<OwnRegistration, Problem> {
    let row = &found.registration;
    let positions = [found.event.position(), found.position()];
    let expected = preconditions::expected(headers, &positions)?;
    let command = Command::Change {
        locator: row.locator,
        secret: Some(row.secret.clone()),
        revised: Revised {
            by_mailed_link: found.mailed,
            ..revised
        },
        expected,
        by: Actor::Visitor,
    };
    match context.registrar.submit(found.event.id, command).await? {
        // Read again: only the database knows the place in the waiting list.
        Ok(Answer::Changed(row)) => find_own(context, &row.token().to_string()).await,
        Ok(other) => Err(unexpected(&other)),
        // Deleted between the two steps, and the registration with it.
        Err(Refusal::EventNotFound) => Err(not_found()),
        Err(refusal) => Err(refusal.into()),
    }
}

fn not_found() -> Problem {
    Problem::from(Refusal::RegistrationNotFound)
}
