//! The only map from any error to HTTP: RFC 9457 documents (docs/protocol.md, section 9).
//!
//! Every refusal can be understood alone. It says what is wrong and whether a retry helps. If the
//! outcome is unknown, it also says that the registration may exist already. This module has what
//! the client receives; the log line is written where the error occurs.

mod code;

use std::time::Duration;

use serde_json::{Map, Value, json};
use warp::http::{HeaderMap, HeaderValue, header};
use warp::reply::Response;

use crate::domain::command::Refusal;
use crate::domain::invalid::Invalid;
use crate::store::{CreateError, StoreError};
use crate::trace;
use crate::write_path::Failure;

pub use code::Code;

/// `application/problem+json`, RFC 9457, section 3.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// One occurrence of a problem. Boxed: every handler's `Result` has room for one.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    detail: String,
    more: Map<String, Value>,
    invalid: Vec<Invalid>,
    headers: HeaderMap,
}

impl Problem {
    /// A problem with a sentence about this very occurrence.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            more: Map::new(),
            invalid: Vec::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// Its kind.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The sentence about this occurrence.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Fields that were refused, empty unless the code is `validation-failed`.
    pub fn errors(&self) -> Vec<(String, String)> {
        let text = |error: &Value, key: &str| error[key].as_str().unwrap_or_default().to_owned();
        self.0
            .more
            .get("errors")
            .and_then(Value::as_array)
            .map_or_else(Vec::new, |errors| {
                errors
                    .iter()
                    .map(|e| (text(e, "field"), text(e, "message")))
                    .collect()
            })
    }

    /// How many places are free, if the code is `event-full`.
    pub fn remaining(&self) -> Option<u64> {
        self.0.more.get("remaining").and_then(Value::as_u64)
    }

    /// The same with the reasons, which pages translate.
    pub fn mistakes(&self) -> &[Invalid] {
        &self.0.invalid
    }

    /// Fields that were refused, all at once.
    pub fn invalid(errors: &[Invalid]) -> Self {
        let detail = errors
            .iter()
            .map(|error| error.message.as_str())
            .collect::<Vec<_>>()
            .join("; ");
        let mut problem = Self::new(Code::ValidationFailed, detail).with("errors", json!(errors));
        problem.0.invalid = errors.to_vec();
        problem
    }

    /// Adds a member to the document.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0.more.insert(name.to_owned(), value);
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Sets `Retry-After`, in whole seconds, at least 1 (RFC 9110, section 10.2.3).
    #[must_use]
    pub fn retry_after(self, after: Duration) -> Self {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// The document, with the trace of the request that is being answered.
    pub fn document(&self) -> Value {
        let mut document = self.0.more.clone();
        document.insert(
            "type".into(),
            json!(format!("/problems#{}", self.0.code.as_str())),
        );
        document.insert("title".into(), json!(self.0.code.title()));
        document.insert("status".into(), json!(self.0.code.status().as_u16()));
        document.insert("code".into(), json!(self.0.code.as_str()));
        document.insert("detail".into(), json!(self.0.detail));
        note_trace(&mut document);
        Value::Object(document)
    }

    /// Headers of the answer, such as `Retry-After`.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The answer. It carries the problem in its extensions as well, so that a page can be shown in
    /// its stead.
    pub fn into_response(self) -> Response {
        let mut response = Response::new(self.document().to_string().into());
        *response.status_mut() = self.0.code.status();
        response.headers_mut().clone_from(&self.0.headers);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(self);
        response
    }
}

/// Adds the trace of the request that is being answered.
pub fn note_trace(document: &mut Map<String, Value>) {
    if let Some(trace) = trace::id() {
        document.insert("trace_id".into(), json!(trace.to_string()));
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        match refusal {
            Refusal::EventFull { remaining } => {
                Self::new(Code::EventFull, detail).with("remaining", json!(remaining))
            }
            Refusal::EventClosed => Self::new(Code::EventClosed, detail),
            Refusal::EventNotOpen { opens_at } => {
                Self::new(Code::EventNotOpen, detail).with("opens_at", json!(opens_at))
            }
            Refusal::AlreadyRegistered => Self::new(Code::AlreadyRegistered, detail),
            Refusal::IdempotencyMismatch => Self::new(Code::IdempotencyMismatch, detail),
            Refusal::RegistrationNotFound => Self::new(Code::RegistrationNotFound, detail),
            Refusal::RegistrationCancelled => Self::new(Code::RegistrationCancelled, detail),
            Refusal::RegistrationErased => Self::new(Code::RegistrationErased, detail),
            Refusal::EventNotFound => Self::new(Code::EventNotFound, detail),
            Refusal::NotEmpty(_) => Self::new(Code::NotEmpty, detail),
            Refusal::ChangedMeanwhile => Self::new(
                Code::ChangedMeanwhile,
                "the event is not at the position that If-Match names; read it again",
            ),
            Refusal::Invalid(invalid) => Self::invalid(&[invalid]),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Busy { retry_after } => Self::new(
                Code::Busy,
                "too many people register at this moment; nothing was \
                    stored, and the same request is safe to send again",
            )
            .retry_after(retry_after),
            Failure::DatabaseUnreachable => Self::unreachable(),
            Failure::Draining => Self::new(
                Code::Draining,
                "this server is stopping; nothing was \
                stored, and the same request is safe to send again",
            )
            .retry_after(Duration::from_secs(2)),
            Failure::Internal => Self::internal(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unreachable(_) => Self::unreachable(),
            StoreError::Busy => Self::new(
                Code::Busy,
                "too many long lists are being read at this moment; nothing was changed, and the \
                same request is safe to send again",
            )
            .retry_after(Duration::from_secs(1)),
            StoreError::Unexpected(_)
            | StoreError::Unreadable(_)
            | StoreError::NewerSchema(_)
            | StoreError::Migration(_) => {
                tracing::error!(%error, "a database call failed");
                Self::internal()
            }
        }
    }
}

impl From<CreateError> for Problem {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::SlugTaken => Self::new(Code::SlugTaken, error.to_string()),
            CreateError::Store(error) => error.into(),
        }
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(&[invalid])
    }
}

impl Problem {
    fn unreachable() -> Self {
        Self::new(
            Code::DatabaseUnreachable,
            "the database cannot be reached at the moment; whether a change was stored is not \
            known, and with the same Idempotency-Key it is safe to send it again",
        )
        .retry_after(Duration::from_secs(2))
    }

    fn internal() -> Self {
        Self::new(
            Code::Internal,
            "the server has logged what went wrong; with the same Idempotency-Key it is safe to try again",
        )
    }

    /// A limit of connections is reached. Open ones stay; this client may return later.
    pub fn over_limit() -> Self {
        let detail = "too many connections are open; nothing was stored, and the same request is \
            safe to send again";
        Self::new(Code::Busy, detail).retry_after(Duration::from_secs(5))
    }

    /// One address, or all together, have too many requests in flight.
    pub fn requests_in_flight() -> Self {
        let detail = "too many requests are unanswered, or their answers unread; nothing was stored, \
                      and the same request is safe to send again: read what has come first";
        Self::new(Code::Busy, detail).retry_after(Duration::from_secs(1))
    }

    /// One address asks at a time for too many lists of all events, series or calendar files.
    pub fn lists_waiting() -> Self {
        let detail =
            "too many lists, charts or calendar files are asked for from this address; ask again";
        Self::new(Code::Busy, detail).retry_after(Duration::from_secs(1))
    }

    /// All room for long bodies is taken.
    pub fn long_bodies() -> Self {
        let detail = "too many long answers are being stored at this moment; nothing was stored, \
                      and the same request is safe to send again";
        Self::new(Code::Busy, detail).retry_after(Duration::from_secs(1))
    }

    /// A client that does not read its answers gets no more.
    pub fn unread_answers() -> Self {
        let detail = "too many answers wait for you to read them; the request was carried out, but \
                      its answer is not kept: read what has come, then ask again";
        Self::new(Code::Busy, detail).retry_after(Duration::from_secs(1))
    }

    /// `If-Match` or `If-None-Match` does not hold (RFC 9110, section 13.2).
    pub fn precondition_failed() -> Self {
        Self::new(
            Code::ChangedMeanwhile,
            "the precondition (If-Match or If-None-Match) does not hold; nothing was done",
        )
    }

    /// No event has that slug.
    pub fn event_not_found(slug: &str) -> Self {
        Self::new(Code::EventNotFound, format!("there is no event {slug:?}"))
    }
}
