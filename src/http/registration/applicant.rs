//! What somebody who registers has sent: the fields, the answers and the key of the attempt.

use serde::Deserialize;
use warp::http::HeaderName;

use super::answers::{self, AnswersField};
use crate::context::head::RequestHead;
use crate::domain::command::Applicant;
use crate::domain::event::Event;
use crate::domain::invalid::Invalid;
use crate::domain::person::{Email, Name};
use crate::domain::questions::{Answers, Unanswered};
use crate::domain::registration::{IdempotencyKey, PartySize, Secret};
use crate::http::body::Content;
use crate::http::field_value::{Check, FieldValue};
use crate::http::language;
use crate::http::proof::{Asked, Proof};
use crate::problem::{Code, Problem};

/// The header that names an attempt, so that repeating the request is safe.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

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
pub(super) fn applicant(
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
    use crate::context::{Admission, Peer};
    use crate::domain::clock::Timestamp;
    use crate::domain::position::Epoch;
    use warp::http::{HeaderMap, HeaderValue};

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
