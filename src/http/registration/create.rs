//! Registering: parses the request, submits the command, and answers after the durable commit
//! (docs/protocol.md, section 8).

use std::sync::Arc;

use warp::http::{HeaderName, HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::applicant::applicant;
use super::unexpected;
use super::view::{Document, acceptance, base, replay, waiting};
use crate::context::head::RequestHead;
use crate::context::long_body_limiter::LongBodyPermit;
use crate::context::{Admission, Context, Shared};
use crate::domain::access::Permission;
use crate::domain::command::{Answer, Applicant, Command, Refusal};
use crate::domain::event::Event;
use crate::domain::registration::Registration;
use crate::http::body::{self, AllowedMedia, Content, Unread};
use crate::http::proof::{Attempt, Used};
use crate::http::{auth, find, preconditions, rate, reply};
use crate::problem::Problem;

/// Marks the response to a repeated request: the registration exists already.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A registration, and the event that its answer needs.
#[derive(Debug)]
pub struct Registered {
    /// The event, as the hub had it before this registration.
    pub event: Arc<Event>,
    /// The row.
    pub registration: Arc<Registration>,
    /// Whether the same key was answered before, so that nothing changed.
    pub replayed: bool,
}

/// `POST /api/v1/events/{slug}/registrations`
pub(in crate::http) async fn post(
    slug: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let event = admit(&context, &head, &slug).await?;
    let _permit = permit_for_body(&context, &head, &event)?;
    let sent = body
        .read_up_to(body_max(&event), &head, AllowedMedia::JsonOrForm)
        .await?;
    let attempt = Attempt::new(&context, &head, &event).await?;
    let accepted = accept(&context, &head, &event, &attempt, &sent).await?;
    drop(sent);
    preconditions::require(&head.headers, &[event.position()])?;
    let base = base(&context, &head);
    // Free the head before waiting for the commit, because a whole crowd waits at once.
    drop(head);
    let registered = accepted.register(&context, event).await;
    let registered = registered.inspect_err(|problem| attempt.refused(&context, problem))?;
    created(&context, &base, registered).await
}

/// The answer with a new registration, or with an earlier one of the same key.
pub(super) async fn created(
    context: &Context,
    base: &str,
    registered: Registered,
) -> Result<Response, Problem> {
    let Registered {
        event,
        registration,
        replayed,
    } = registered;
    let Document { address, text } = if replayed {
        // Boxed: rare, and large enough to make every request's future large.
        Box::pin(replay(context, base, &event, &registration)).await?
    } else if registration.accepted_waiting.is_some() {
        // Boxed for the same reason: those who have a place do not need it.
        Box::pin(waiting(context, base, &event, &registration)).await?
    } else {
        acceptance(base, &event, &registration, None)
    };
    let mut response = reply::json_bytes(text);
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::try_from(address) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if replayed {
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Refuses what the head alone decides: a connection over the limit, a cross-site request, an
/// address over its rate limit, an unknown event.
pub async fn admit(
    context: &Context,
    head: &RequestHead,
    slug: &str,
) -> Result<Arc<Event>, Problem> {
    if head.admission == Admission::OverLimit {
        return Err(Problem::over_limit());
    }
    auth::refuse_cross_site(&context.settings, head)?;
    rate::registration(context, head.peer.ip)?;
    auth::registrant(context, head, Permission::Add.on(slug)).await?;
    find::known_to_all(context, slug).await
}

/// Registers the person in the body; answers after the durable commit.
pub async fn submit(
    context: &Context,
    head: &RequestHead,
    event: Arc<Event>,
    sent: &Content,
) -> Result<Registered, Problem> {
    let attempt = Attempt::new(context, head, &event).await?;
    let accepted = accept(context, head, &event, &attempt, sent).await?;
    let registered = accepted.register(context, event).await;
    registered.inspect_err(|problem| attempt.refused(context, problem))
}

/// Somebody who may register.
struct Accepted {
    applicant: Applicant,
    /// The proof that was used for it, if this attempt needs one. Boxed: rare and large.
    used: Option<Box<Used>>,
}

impl Accepted {
    /// Registers the person, or answers again what the same proof has registered before.
    async fn register(self, context: &Context, event: Arc<Event>) -> Result<Registered, Problem> {
        let Some(mut used) = self.used else {
            return register(context, event, Command::Register(self.applicant)).await;
        };
        if let Some(registration) = used.registered.take() {
            if !registration.is_repeated_by(&self.applicant) {
                return Err(Refusal::IdempotencyMismatch.into());
            }
            return Ok(Registered {
                event,
                registration: Arc::new(registration),
                replayed: true,
            });
        }
        // Boxed: rare, and large enough to make every request's future large.
        Box::pin(async {
            let command = Command::Register(self.applicant);
            let registered = register(context, event, command).await?;
            used.note(context, registered.registration.locator).await;
            Ok(registered)
        })
        .await
    }
}

/// The person in the body, with a proof that was not used before if this attempt needs one.
async fn accept(
    context: &Context,
    head: &RequestHead,
    event: &Event,
    attempt: &Attempt,
    sent: &Content,
) -> Result<Accepted, Problem> {
    let accepted = match applicant(sent, head, event, attempt.asked.as_ref()) {
        // Boxed: rare, and large enough to make every request's future large.
        Ok((applicant, Some(proof))) => {
            let used = Box::pin(proof.use_for(context, event, &applicant)).await;
            used.map(|used| Accepted {
                applicant,
                used: Some(Box::new(used)),
            })
        }
        Ok((applicant, None)) => Ok(Accepted {
            applicant,
            used: None,
        }),
        Err(problem) => Err(problem),
    };
    accepted.inspect_err(|problem| attempt.refused(context, problem))
}

/// The largest body of somebody who registers. Only answers need more than a name does.
pub fn body_max(event: &Event) -> usize {
    if event.questions.is_empty() {
        body::MAX
    } else {
        body::ANSWERS_MAX
    }
}

/// A permit for a body that may be long, to be kept until it is committed. A short one needs none.
pub fn permit_for_body<'a>(
    context: &'a Context,
    head: &RequestHead,
    event: &Event,
) -> Result<Option<LongBodyPermit<'a>>, Problem> {
    let said = head.header(header::CONTENT_LENGTH);
    let length: Option<usize> = said.and_then(|length| length.parse().ok());
    let is_short = length.is_some_and(|length| length <= body::MAX);
    if is_short || body_max(event) == body::MAX {
        return Ok(None);
    }
    let permit = context.long_bodies.permit(head.peer.ip);
    permit.map(Some).ok_or_else(Problem::long_bodies)
}

/// Submits a command that registers one party.
pub(super) async fn register(
    context: &Context,
    event: Arc<Event>,
    command: Command,
) -> Result<Registered, Problem> {
    match context.registrar.submit(event.id, command).await?? {
        Answer::Registered {
            registration,
            replayed,
        } => Ok(Registered {
            event,
            registration,
            replayed,
        }),
        other => Err(unexpected(&other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every request allocates and moves it.
    #[test]
    fn the_future_of_a_registration_is_small() {
        fn size<A, B, C, D, F>(_: impl Fn(A, B, C, D) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(post) <= 2_048, "{} bytes", size(post));
    }
}
