//! Registering: parses the request, submits the command, and answers after the durable commit
//! (docs/protocol.md, section 8).

use std::sync::Arc;

use serde::Deserialize;
use warp::http::{HeaderName, HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::answers::{self, AnswersField};
use super::unexpected;
use super::view::{Document, acceptance, base, replay, waiting};
use crate::context::head::RequestHead;
use crate::context::long_bodies::LongBodyPermit;
use crate::context::{Admission, Context, Shared};
use crate::domain::access::Permission;
use crate::domain::command::{Answer, Applicant, Command, Refusal};
use crate::domain::event::Event;
use crate::domain::invalid::Invalid;
use crate::domain::person::{Email, Name};
use crate::domain::questions::{Answers, Unanswered};
use crate::domain::registration::{IdempotencyKey, PartySize, Registration, Secret};
use crate::http::body::{self, AllowedMedia, Content, Unread};
use crate::http::field_value::{Check, FieldValue};
use crate::http::proof::{Asked, Attempt, Proof, Used};
use crate::http::{auth, find, language, preconditions, rate, reply};
use crate::problem::{Code, Problem};

/// The header that names an attempt, so that repeating the request is safe.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks the response to a repeated request: the registration exists already.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The field of a party's size.
pub(super) const PARTY_SIZE: &str = "party_size";

/// What a visitor fills in.
#[derive(Debug, Default, Deserialize)]
pub struct Fields<'a> {
    /// See [`Name`].
    #[serde(borrow, default)]
    pub name: FieldValue<'a>,
    /// See [`Email`].
    #[serde(borrow, default)]
    pub email: FieldValue<'a>,
    /// See [`PartySize`]; one person unless given.
    #[serde(borrow, default)]
    pub party_size: FieldValue<'a>,
    /// The form's hidden field, for clients that cannot set a header.
    #[serde(borrow, default)]
    pub idempotency_key: FieldValue<'a>,
    /// A honeypot: hidden from people, filled in by programs that fill in every field.
    #[serde(borrow, default)]
    pub website: FieldValue<'a>,
    /// The solution of a challenge, where the event asks for one.
    #[serde(borrow, default)]
    pub proof: FieldValue<'a>,
    /// Answers to the event's questions; form fields have a name for each.
    #[serde(default)]
    pub answers: AnswersField,
}

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

/// The person in a form that has no proof, because it was sent without scripts.
pub fn unproven(sent: &Content, head: &RequestHead, event: &Event) -> Result<Applicant, Problem> {
    let (applicant, _) = applicant(sent, head, event, None)?;
    if applicant.party_size > event.max_party_size {
        let most = event.max_party_size.get();
        let refused = PartySize::out_of_range(PARTY_SIZE, most);
        return Err(Problem::invalid(&[refused]));
    }
    Ok(applicant)
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

/// The answers to the event's questions.
pub(super) fn answered(
    sent: &Content,
    field: AnswersField,
    event: &Event,
    unanswered: Unanswered,
) -> Result<Result<Answers, Vec<Invalid>>, Problem> {
    Ok(match answers::of_request(sent, field, &event.questions)? {
        Ok(sent) => event.questions.answered(&sent, unanswered),
        Err(invalid) => Err(vec![invalid]),
    })
}

/// Parses all fields and reports all mistakes at once.
fn applicant(
    sent: &Content,
    head: &RequestHead,
    event: &Event,
    asked: Option<&Asked>,
) -> Result<(Applicant, Option<Proof>), Problem> {
    let mut fields: Fields<'_> = sent.decode()?;
    let answers = std::mem::take(&mut fields.answers);
    let answers = answered(sent, answers, event, Unanswered::Refused)?;
    let key = key(&fields.idempotency_key, head)?;
    let mut check = Check::default();
    let name = check.take(fields.name.text("name").and_then(Name::parse));
    let email = check.take(fields.email.text("email").and_then(Email::parse));
    let party_size = check.take(fields.party_size.party_size(PARTY_SIZE, sent.media));
    if fields.website.is_filled() {
        // A refusal, not a pretended success: a browser may have filled it in for a person.
        check.take::<()>(Err(Invalid::new(
            "website",
            "honeypot",
            "website must stay empty; it is there to recognise programs",
        )));
    }
    let answers = check.take_all(answers);
    let proof = asked.map(|asked| asked.check(event, &fields.proof));
    let proof = check.take(proof.transpose()).flatten();
    let party_size = party_size.flatten().unwrap_or(PartySize::ONE);
    note_party_limit(&mut check, party_size, event);
    match (name, email, answers) {
        (Some(name), Some(email), Some(answers)) if check.done().is_ok() => {
            let applicant = Applicant {
                party_size,
                answers,
                language: language::preferred(&head.headers),
                ..Applicant::new(name, email, key, Secret::draw())
            };
            Ok((applicant, proof))
        }
        _ => Err(check.problem()),
    }
}

/// The decision enforces the event's limit, because a repeated request may be older than the limit.
/// Here the limit is only reported together with other mistakes.
pub(super) fn note_party_limit(check: &mut Check, party_size: PartySize, event: &Event) {
    if check.done().is_err() && party_size > event.max_party_size {
        let most = event.max_party_size.get();
        check.take::<()>(Err(PartySize::out_of_range(PARTY_SIZE, most)));
    }
}

/// The header wins over the form's field. An empty field counts as none.
pub(super) fn key(
    field: &FieldValue<'_>,
    head: &RequestHead,
) -> Result<Option<IdempotencyKey>, Problem> {
    let refuse = |message: &str| Problem::new(Code::BadRequest, message);
    let raw = match (head.headers.get(&IDEMPOTENCY_KEY), field) {
        (Some(header), _) => std::str::from_utf8(header.as_bytes())
            .map_err(|_| refuse("the Idempotency-Key is not UTF-8"))?,
        (None, FieldValue::Text(field)) if !field.is_empty() => field,
        _ => return Ok(None),
    };
    IdempotencyKey::parse(raw)
        .map(Some)
        .map_err(|invalid| refuse(&invalid.message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Peer;
    use crate::domain::clock::Timestamp;
    use crate::domain::position::Epoch;
    use warp::http::HeaderMap;

    fn head(key: Option<&[u8]>) -> RequestHead {
        let headers: HeaderMap = key
            .into_iter()
            .map(|key| (IDEMPOTENCY_KEY, HeaderValue::from_bytes(key).unwrap()))
            .collect();
        RequestHead {
            method: warp::http::Method::GET,
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

    /// Every request allocates and moves it.
    #[test]
    fn the_future_of_a_registration_is_small() {
        fn size<A, B, C, D, F>(_: impl Fn(A, B, C, D) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(post) <= 2_048, "{} bytes", size(post));
    }

    #[test]
    fn all_fields_are_refused_at_once() {
        let refused = |json: &str| {
            let event = crate::domain::lab::new().open(Epoch::draw(), Timestamp::default());
            let sent = Content::json(json.to_owned());
            let person = applicant(&sent, &head(None), &event, None);
            person.map(|(person, _)| person).map_err(|problem| {
                assert_eq!(problem.code(), Code::ValidationFailed);
                let errors = problem.errors().into_iter();
                errors.map(|(field, _)| field).collect::<Vec<_>>()
            })
        };
        let spam = r#"{"email":"nobody","party_size":0,"website":"http://spam.example"}"#;
        assert_eq!(
            refused(spam).unwrap_err(),
            ["name", "email", "party_size", "website"]
        );
        let large = r#"{"name":"","email":"ada@example.org","party_size":2}"#;
        assert_eq!(refused(large).unwrap_err(), ["name", "party_size"]);
        let good = r#"{"name":"Ada","email":"ada@example.org","website":""}"#;
        assert_eq!(refused(good).unwrap().party_size, PartySize::ONE);
        // Whether it is too large now is decided under the event's lock.
        let good = r#"{"name":"Ada","email":"ada@example.org","party_size":2}"#;
        assert_eq!(refused(good).unwrap().party_size.get(), 2);
        let asked = r#"{"name":"","email":"ada@example.org","answers":{"diet":1}}"#;
        assert_eq!(refused(asked).unwrap_err(), ["name", "answers.diet"]);
    }

    #[test]
    fn keys_have_1_to_255_characters() {
        let from = |header: Option<&[u8]>, field: FieldValue<'_>| {
            key(&field, &head(header)).map_err(|p| p.code())
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
