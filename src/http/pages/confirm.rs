//! Registering without scripts where the bot check asks for a proof: the person confirms from the
//! inbox (docs/protocol.md, section 8).

use std::time::Duration;

use warp::http::{Method, StatusCode};
use warp::reply::Response;

use super::answer::{problem_page, problem_page_with, see_other};
use super::visit::Visit;
use crate::context::{Context, Shared};
use crate::domain::command::{Answer, Applicant, Command, Refusal};
use crate::domain::confirmation::{Confirmation, Outcome, Token, WAITING_MAX};
use crate::domain::event::{Event, EventId};
use crate::domain::headcount::State;
use crate::domain::registration::Registration;
use crate::http::body::Content;
use crate::http::{find, proof, registration, reply};
use crate::outbox::links::Busy;
use crate::problem::{Code, Problem};

/// The texts of a link that does not work any more.
const GONE: &str = "confirm-gone";

/// Whether a form was refused only because it has no proof: a browser without scripts sent it.
pub(super) fn lacks_only_proof(problem: &Problem) -> bool {
    let mut mistakes = problem.mistakes().iter();
    problem.code() == Code::ValidationFailed
        && !problem.mistakes().is_empty()
        && mistakes.all(|mistake| mistake.field == proof::FIELD && mistake.reason == "missing")
}

/// Mails a link to the address in the form. The answer does not depend on who has registered.
pub(super) async fn ask(
    context: &Context,
    visit: &Visit,
    event: &Event,
    sent: &Content,
) -> Result<(), Problem> {
    takes_people(event)?;
    let applicant = registration::unproven(sent, &visit.head, event)?;
    let waiting = context.store.confirmations_waiting(event.id).await?;
    if waiting >= u64::from(WAITING_MAX) {
        return Err(busy());
    }
    let asked = context.lost_links.ask_to_confirm(event, applicant);
    asked.map_err(|Busy| busy())
}

fn busy() -> Problem {
    let detail = "too many people confirm from their inbox at this moment; nothing was stored";
    Problem::new(Code::Busy, detail).retry_after(Duration::from_mins(1))
}

/// Nobody should open a mail to learn that there is no place.
fn takes_people(event: &Event) -> Result<(), Refusal> {
    match event.state() {
        State::Open | State::Waitlist => Ok(()),
        State::Full => Err(Refusal::EventFull {
            remaining: event.capacity.remaining(event.registered).unwrap_or(0),
        }),
        State::Closed => Err(Refusal::EventClosed),
        State::Scheduled => Err(Refusal::EventNotOpen {
            opens_at: event.opens_at,
        }),
    }
}

/// `GET /confirm/{token}`: takes the place, and leads to the registration. Like every mailed link it
/// proves that the mail has reached its reader.
pub(super) async fn open(token: String, context: Shared, visit: Visit) -> Response {
    match opened(&context, &visit, &token).await {
        Ok(Some(path)) => see_other(&path),
        Ok(None) => reply::empty(StatusCode::NO_CONTENT),
        Err(problem) if problem.code() == Code::NotFound => {
            problem_page_with(&visit, &problem, GONE)
        }
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// Where the link leads; `None` for a program that only checks links, with HEAD.
async fn opened(context: &Context, visit: &Visit, token: &str) -> Result<Option<String>, Problem> {
    let token: Token = token.parse().map_err(|_| gone())?;
    let found = context.store.confirmation(token.id).await?;
    let now = context.clock.now();
    let is_valid = |one: &Confirmation| one.secret.matches(&token.secret) && one.expires_at > now;
    let Confirmation {
        id, event, outcome, ..
    } = found.filter(is_valid).ok_or_else(gone)?;
    if visit.head.method != Method::GET {
        return Ok(None);
    }
    let row = match outcome {
        Outcome::Opened(made) => {
            let listed = context.store.registration(made).await?;
            listed.ok_or_else(gone)?.registration
        }
        Outcome::Waits(applicant) => {
            let row = register(context, event, *applicant).await?;
            context.store.note_confirmed(id, row.locator).await?;
            row
        }
    };
    let secret = context.store.outgoing().mailed_secret(&row);
    let secret = secret.as_ref().unwrap_or(&row.secret);
    let token = secret.token(&row.locator.to_string());
    Ok(Some(format!("/r/{token}")))
}

/// Registers the person, unless the address has registered in another way meanwhile.
async fn register(
    context: &Context,
    event: EventId,
    applicant: Applicant,
) -> Result<Registration, Problem> {
    // A draft is nothing to visitors, also to those who have a link.
    let current = find::event_by_id(context, event).await?;
    current.filter(|event| !event.is_draft()).ok_or_else(gone)?;
    let email = applicant.email.clone();
    let command = Command::Register(applicant);
    match context.registrar.submit(event, command).await? {
        Ok(Answer::Registered { registration, .. }) => {
            Ok(std::sync::Arc::unwrap_or_clone(registration))
        }
        Ok(other) => Err(registration::unexpected(&other)),
        // The event was deleted.
        Err(Refusal::EventNotFound) => Err(gone()),
        Err(refusal) => {
            let event = find::event_by_id(context, event).await?.ok_or_else(gone)?;
            let own = match (&refusal, email) {
                // A full event says so before it says whose address it knows.
                (Refusal::AlreadyRegistered | Refusal::EventFull { .. }, Some(email)) => {
                    let store = &context.store;
                    store.registration_of(event.id, event.round, &email).await?
                }
                _ => None,
            };
            own.ok_or_else(|| refusal.into())
        }
    }
}

fn gone() -> Problem {
    Problem::new(
        Code::NotFound,
        "this link is wrong, or older than 24 hours; fill in the form again",
    )
}
