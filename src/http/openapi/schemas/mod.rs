//! The objects of the API, as the document describes them; [`super::bounds`] adds patterns and
//! limits. A test compares them with real answers.
#![expect(dead_code, reason = "described, never made")]

use serde::Serialize;
use utoipa::ToSchema;

mod event;
mod organiser;
mod owner;
mod registration;
mod webhook;

pub(super) use event::*;
pub(super) use organiser::*;
pub(super) use owner::*;
pub(super) use registration::*;
pub(super) use webhook::*;

/// An OpenAPI document.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Object)]
pub(super) struct Document(serde_json::Value);

/// The server's clock.
#[derive(Serialize, ToSchema)]
pub(super) struct Moment {
    #[schema(format = DateTime)]
    at: String,
}

/// Where WebTransport is.
#[derive(Serialize, ToSchema)]
pub(super) struct WebTransport {
    /// The origin, such as `https://events.example.org:8443`.
    #[schema(format = "uri")]
    url: String,
    /// The SHA-256 of each certificate that a client may meet, in hexadecimal. Empty with a certificate of an authority.
    certificate_hashes: Vec<String>,
}

/// The process's state.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `live` or `ready`.
    status: String,
}

/// A field that was refused.
#[derive(Serialize, ToSchema)]
pub(super) struct FieldError {
    field: String,
    message: String,
    /// The character that the field cannot have: `U+202E RIGHT-TO-LEFT OVERRIDE`.
    #[schema(nullable = false)]
    character: Option<String>,
}

/// RFC 9457. The page `/problems` explains every code.
#[derive(Serialize, ToSchema)]
pub(super) struct Problem {
    /// `/problems#<code>`.
    #[schema(format = "uri-reference")]
    r#type: String,
    title: String,
    status: i32,
    code: String,
    /// A sentence about this very occurrence.
    detail: String,
    /// The request in the server's log, from its `traceparent` if it has one.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    trace_id: String,
    /// With `validation-failed`: every field that was refused.
    #[schema(nullable = false)]
    errors: Option<Vec<FieldError>>,
    /// With `event-full`: how many places are free.
    #[schema(minimum = 0, nullable = false)]
    remaining: Option<i32>,
    /// With `event-not-open`.
    #[schema(format = DateTime)]
    opens_at: Option<String>,
    /// With `malformed-body`: where reading ended.
    #[schema(nullable = false)]
    byte: Option<i64>,
    /// With `malformed-body` in JSON.
    #[schema(nullable = false)]
    line: Option<i64>,
}
