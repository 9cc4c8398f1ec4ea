//! Registering, and the visitor's own registration (docs/protocol.md, section 8).

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use warp::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::body::{AllowedMedia, Content, Unread};
use super::field_value::{Check, FieldValue};
use super::{auth, find, preconditions, rate, reply};
use crate::context::head::RequestHead;
use crate::context::{Admission, Context, Shared};
use crate::domain::audit::Actor;
use crate::domain::command::{Answer, Applicant, Command, Refusal};
use crate::domain::event::Event;
use crate::domain::invalid::Invalid;
use crate::domain::person::{Email, Name};
use crate::domain::position::{Position, Revision};
use crate::domain::registration::{IdempotencyKey, Registration, Secret, Status, Token};
use crate::problem::{Code, Problem};

/// The header that names an attempt, so that repeating the request is safe.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks the response to a repeated request: the registration exists already.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What a visitor fills in.
#[derive(Debug, Default, Deserialize)]
pub struct Fields<'a> {
    /// See [`Name`].
    #[serde(borrow, default)]
    pub name: FieldValue<'a>,
    /// See [`Email`].
    #[serde(borrow, default)]
    pub email: FieldValue<'a>,
    /// The form's hidden field, for clients that cannot set a header.
    #[serde(borrow, default)]
    pub idempotency_key: FieldValue<'a>,
    /// A honeypot: hidden from people, filled in by programs that fill in every field.
    #[serde(borrow, default)]
    pub website: FieldValue<'a>,
}

/// A registration and what its answer needs to know of the event.
#[derive(Debug)]
pub struct Accepted {
    /// The event, as the hub had it before this registration.
    pub event: Arc<Event>,
    /// The row.
    pub registration: Arc<Registration>,
    /// The same key was answered before; nothing changed.
    pub replayed: bool,
}

/// A registration as its owner sees it.
#[derive(Debug, Serialize)]
pub struct View<'a> {
    id: String,
    number: u32,
    status: Status,
    waiting_position: Option<u32>,
    round: u32,
    event: &'a str,
    name: &'a str,
    token: String,
    position: Position,
    links: Links,
}

/// The response to a registration. Whoever has it has the private link.
struct Document {
    /// Where it can be read again.
    address: String,
    /// A [`View`] as JSON.
    text: Bytes,
}

/// Where the owner finds it again.
#[derive(Debug, Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: String,
    page: String,
}

/// `POST /api/v1/events/{slug}/registrations`
pub(super) async fn post(
    slug: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let event = admit(&context, &head, &slug).await?;
    let applicant = applicant(
        &body.read(&head, AllowedMedia::JsonOrForm).await?.decode()?,
        &head,
    )?;
    preconditions::require(&head.headers, &[event.position()])?;
    let base = base(&context, &head);
    // Frees the head before the commit is awaited: a crowd waits all at once.
    drop(head);
    let Accepted {
        event,
        registration,
        replayed,
    } = register(&context, event, applicant).await?;
    let Document { address, text } = if replayed {
        // Boxed: rare, and large enough to make every request's future large.
        Box::pin(replay(&context, &base, &event, &registration)).await?
    } else {
        acceptance(&base, &event, &registration)
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
    find::event(context, slug).await
}

/// Registers the person in the body; answers after the durable commit.
pub async fn submit(
    context: &Context,
    head: &RequestHead,
    event: Arc<Event>,
    sent: &Content,
) -> Result<Accepted, Problem> {
    register(context, event, applicant(&sent.decode()?, head)?).await
}

async fn register(
    context: &Context,
    event: Arc<Event>,
    applicant: Applicant,
) -> Result<Accepted, Problem> {
    let command = Command::Register(applicant);
    match context.registrar.submit(event.id, command).await?? {
        Answer::Registered {
            registration,
            replayed,
        } => Ok(Accepted {
            event,
            registration,
            replayed,
        }),
        other => Err(unexpected(&other)),
    }
}

/// Parses all fields and reports all mistakes at once.
fn applicant(fields: &Fields<'_>, head: &RequestHead) -> Result<Applicant, Problem> {
    let key = key(fields, head)?;
    let mut check = Check::default();
    let name = check.take(fields.name.text("name").and_then(Name::parse));
    let email = check.take(fields.email.text("email").and_then(Email::parse));
    if fields.website.is_filled() {
        // A refusal, not a feigned success: a browser may have filled it in for a person.
        check.take::<()>(Err(Invalid::new(
            "website",
            "honeypot",
            "website must stay empty; it is there to recognise programs",
        )));
    }
    check.done()?;
    match (name, email) {
        (Some(name), Some(email)) => Ok(Applicant {
            name,
            email,
            key,
            secret: Secret::draw(),
        }),
        _ => Err(check.problem()),
    }
}

/// The header wins over the form's field. An empty field counts as none.
fn key(fields: &Fields<'_>, head: &RequestHead) -> Result<Option<IdempotencyKey>, Problem> {
    let refuse = |message: &str| Problem::new(Code::BadRequest, message);
    let raw = match (head.headers.get(&IDEMPOTENCY_KEY), &fields.idempotency_key) {
        (Some(header), _) => std::str::from_utf8(header.as_bytes())
            .map_err(|_| refuse("the Idempotency-Key is not UTF-8"))?,
        (None, FieldValue::Text(field)) if !field.is_empty() => field,
        _ => return Ok(None),
    };
    IdempotencyKey::parse(raw)
        .map(Some)
        .map_err(|invalid| refuse(&invalid.message))
}

/// `GET /api/v1/registrations/{token}`
pub(super) async fn get(
    token: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let own = own(&context, &token).await?;
    Ok(reply::json(&present(&context, &head, &own)))
}

/// `DELETE /api/v1/registrations/{token}`
pub(super) async fn delete(
    token: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    auth::refuse_cross_site(&context.settings, &head)?;
    let own = cancel(&context, &head.headers, &token).await?;
    Ok(reply::json(&present(&context, &head, &own)))
}

/// A registration as it is now.
#[derive(Debug)]
pub struct Own {
    /// Its event.
    pub event: Arc<Event>,
    /// The row.
    pub registration: Registration,
    /// The present place in the waiting list, from 1.
    pub waiting_position: Option<u32>,
}

/// The registration that a private link opens. A forged link and an unknown one get the same
/// answer.
pub async fn own(context: &Context, token: &str) -> Result<Own, Problem> {
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
    Ok(Own {
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
pub async fn cancel(context: &Context, headers: &HeaderMap, token: &str) -> Result<Own, Problem> {
    // Looked up first: a guessed link costs a read and never takes the event's lock.
    let own = own(context, token).await?;
    let position = Position {
        epoch: own.event.epoch.clone(),
        revision: own.registration.revision,
    };
    preconditions::require(headers, &[own.event.position(), position])?;
    let secret = Some(own.registration.secret.clone());
    let command = Command::Cancel {
        locator: own.registration.locator,
        secret,
        by: Actor::Visitor,
    };
    match context.registrar.submit(own.event.id, command).await? {
        Ok(Answer::Cancelled(registration)) => Ok(Own {
            registration: Arc::unwrap_or_clone(registration),
            waiting_position: None,
            ..own
        }),
        Ok(other) => Err(unexpected(&other)),
        // Deleted between the two steps, and the registration with it.
        Err(Refusal::EventNotFound) => Err(not_found()),
        Err(refusal) => Err(refusal.into()),
    }
}

/// The prefix of links. Empty when the request names no host (HTTP/1.0): a client resolves relative
/// links against the address of its request.
fn base(context: &Context, head: &RequestHead) -> String {
    head.base_url(&context.settings).unwrap_or_default()
}

/// The answer to a repeated request: the registration as it is now, never as it was at first. Only
/// a waiting position needs another read of the database.
async fn replay(
    context: &Context,
    base: &str,
    event: &Event,
    row: &Arc<Registration>,
) -> Result<Document, Problem> {
    let listed = match row.status {
        Status::Waiting => context.store.registration(row.locator).await?,
        Status::Confirmed | Status::Cancelled => None,
    };
    let (row, position) = match &listed {
        Some(listed) => (&listed.registration, listed.waiting_position),
        None => (&**row, None),
    };
    let facts = (row.status, position, row.revision);
    Ok(document(view(base, event, row, facts)))
}

/// The answer to a new registration, as the batch has accepted it.
fn acceptance(base: &str, event: &Event, row: &Registration) -> Document {
    let status = if row.accepted_waiting.is_some() {
        Status::Waiting
    } else {
        Status::Confirmed
    };
    let facts = (status, row.accepted_waiting, row.accepted_revision);
    document(view(base, event, row, facts))
}

fn document(view: View<'_>) -> Document {
    Document {
        text: reply::text(&view),
        address: view.links.this,
    }
}

fn present<'a>(context: &Context, head: &RequestHead, own: &'a Own) -> View<'a> {
    let row = &own.registration;
    view(
        &base(context, head),
        &own.event,
        row,
        (row.status, own.waiting_position, row.revision),
    )
}

fn view<'a>(
    base: &str,
    event: &'a Event,
    row: &'a Registration,
    (status, waiting_position, revision): (Status, Option<u32>, Revision),
) -> View<'a> {
    let id = row.locator.to_string();
    let token = row.secret.token(&id);
    View {
        id,
        number: row.locator.number,
        status,
        waiting_position,
        round: row.locator.round,
        event: event.slug.as_str(),
        name: row.name.as_str(),
        position: Position {
            epoch: event.epoch.clone(),
            revision,
        },
        links: Links {
            this: [base, "/api/v1/registrations/", &token].concat(),
            page: [base, "/r/", &token].concat(),
        },
        token,
    }
}

fn not_found() -> Problem {
    Problem::from(Refusal::RegistrationNotFound)
}

/// The writer's answer does not fit the command: a defect.
pub(super) fn unexpected(answer: &Answer) -> Problem {
    tracing::error!(?answer, "the writer's answer does not fit the command");
    Problem::from(crate::register::Failure::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Admission, Peer};

    fn head(key: Option<&[u8]>) -> RequestHead {
        let headers: HeaderMap = key
            .into_iter()
            .map(|key| (IDEMPOTENCY_KEY, HeaderValue::from_bytes(key).unwrap()))
            .collect();
        RequestHead {
            headers,
            peer: Peer {
                ip: [0, 0, 0, 0].into(),
                secure: false,
            },
            admission: Admission::Admitted,
            authority: None,
        }
    }

    fn text(text: &str) -> FieldValue<'_> {
        FieldValue::Text(text.into())
    }

    /// It is moved, and given memory, for every request.
    #[test]
    fn the_future_of_a_registration_is_small() {
        fn size<A, B, C, D, F>(_: impl Fn(A, B, C, D) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(post) <= 2_048, "{} bytes", size(post));
    }

    #[test]
    fn all_fields_are_refused_at_once() {
        let fields = Fields {
            email: text("nobody"),
            website: text("http://spam.example"),
            ..Fields::default()
        };
        let problem = applicant(&fields, &head(None)).unwrap_err();
        assert_eq!(problem.code(), Code::ValidationFailed);
        assert_eq!(
            problem
                .errors()
                .into_iter()
                .map(|(field, _)| field)
                .collect::<Vec<_>>(),
            ["name", "email", "website"]
        );
        let fields = Fields {
            name: text("Ada"),
            email: text("ada@example.org"),
            website: text(""),
            ..Fields::default()
        };
        assert!(applicant(&fields, &head(None)).is_ok());
    }

    #[test]
    fn keys_have_1_to_255_characters() {
        let from = |header: Option<&[u8]>, field: FieldValue<'_>| {
            key(
                &Fields {
                    idempotency_key: field,
                    ..Fields::default()
                },
                &head(header),
            )
            .map_err(|p| p.code())
        };
        let parsed = |raw: &str| Ok(Some(IdempotencyKey::parse(raw).unwrap()));
        assert_eq!(from(Some(b"a"), text("b")), parsed("a"));
        assert_eq!(from(None, text("b")), parsed("b"));
        assert_eq!(from(None, text("")), Ok(None));
        assert_eq!(from(None, FieldValue::Absent), Ok(None));
        assert_eq!(
            from(Some("键".repeat(85).as_bytes()), FieldValue::Absent),
            parsed(&"键".repeat(85))
        );
        for bad in [&b""[..], &[b'x'; 256], b"\xFF"] {
            assert_eq!(from(Some(bad), FieldValue::Absent), Err(Code::BadRequest));
        }
        assert_eq!(from(None, text(&"x".repeat(256))), Err(Code::BadRequest));
    }
}
