//! What the calls about accounts, tokens and webhooks share: an owner sends them, bodies are JSON, and
//! what was created has an address.

use serde::Serialize;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::Response;

use crate::context::Context;
use crate::context::head::RequestHead;
use crate::domain::access::Permission;
use crate::http::auth::{self, Organiser};
use crate::http::body::{self, AllowedMedia, Content, Unread};
use crate::http::{preconditions, reply};
use crate::problem::Problem;
use crate::wire::digits::hex;

/// An owner reads.
pub(super) async fn reader(context: &Context, head: &RequestHead) -> Result<Organiser, Problem> {
    auth::reader(context, head, Permission::Administer.everywhere()).await
}

/// An owner writes. What is here has no entity tag, so every `If-Match` fails.
pub(super) async fn writer(context: &Context, head: &RequestHead) -> Result<Organiser, Problem> {
    let owner = auth::writer(context, head, Permission::Administer.everywhere()).await?;
    preconditions::require_tag(&head.headers, None)?;
    Ok(owner)
}

/// The JSON that an owner sends.
pub(super) async fn read(body: Unread, head: &RequestHead) -> Result<Content, Problem> {
    body.read_up_to(body::ORGANISER_MAX, head, AllowedMedia::Json)
        .await
}

/// 201, with the address of what was created below `path`.
pub(super) fn created(path: &str, id: i64, view: &impl Serialize) -> Response {
    let mut response = reply::json(view);
    *response.status_mut() = StatusCode::CREATED;
    // A fixed path and a number.
    if let Ok(location) = HeaderValue::try_from(format!("{path}/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// 204.
pub(super) fn deleted() -> Response {
    reply::empty(StatusCode::NO_CONTENT)
}

/// Reads a key in an address; an impossible one is `unknown`.
pub(super) fn parse_id(id: &str, unknown: fn() -> Problem) -> Result<i64, Problem> {
    id.parse().map_err(|_| unknown())
}

/// A new secret: 256 bits.
pub(super) fn draw() -> String {
    hex(&rand::random::<[u8; 32]>())
}
