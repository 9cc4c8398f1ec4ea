//! A visitor's own registration: reads and cancels it by its private link.

use std::sync::Arc;

use warp::http::HeaderMap;
use warp::reply::Response;

use super::unexpected;
use super::view::present;
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::audit::Actor;
use crate::domain::command::{Answer, Command, Refusal};
use crate::domain::event::Event;
use crate::domain::position::Position;
use crate::domain::registration::{Registration, Token};
use crate::http::{auth, find, preconditions, reply};
use crate::problem::Problem;

/// `GET /api/v1/registrations/{token}`
pub(in crate::http) async fn get(
    token: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let found = find_own(&context, &token).await?;
    Ok(reply::json(&present(&context, &head, &found)))
}

/// `DELETE /api/v1/registrations/{token}`
pub(in crate::http) async fn delete(
    token: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    auth::refuse_cross_site(&context.settings, &head)?;
    let found = cancel(&context, &head.headers, &token).await?;
    Ok(reply::json(&present(&context, &head, &found)))
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
    if !listed.registration.secret.matches(&token.secret) {
        return Err(not_found());
    }
    Ok(OwnRegistration {
        event,
        registration: listed.registration,
        waiting_position: listed.waiting_position,
    })
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
    let position = Position {
        epoch: found.event.epoch.clone(),
        revision: found.registration.revision,
    };
    preconditions::require(headers, &[found.event.position(), position])?;
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

fn not_found() -> Problem {
    Problem::from(Refusal::RegistrationNotFound)
}
