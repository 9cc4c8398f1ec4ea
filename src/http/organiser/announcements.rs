//! A line to everybody who watches.

use serde::{Deserialize, Serialize};
use warp::http::StatusCode;
use warp::reply::Response;

use crate::context::{Context, Shared};
use crate::domain::clock::Timestamp;
use crate::domain::event::{self, Event};
use crate::http::auth::Organiser;
use crate::http::body::{self, Takes, Unread};
use crate::http::given::Given;
use crate::http::incoming::Incoming;
use crate::http::{auth, find, reply};
use crate::problem::Problem;
use crate::store::Announcement;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    text: Given<'a>,
}

/// What watchers get as `notice`.
#[derive(Serialize)]
struct Notice<'a> {
    text: &'a str,
    at: Timestamp,
}

/// `POST /api/v1/events/{slug}/announcements`
pub(in crate::http) async fn post(
    slug: String,
    context: Shared,
    incoming: Incoming,
    body: Unread,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &incoming).await?;
    let event = find::event(&context, &slug).await?;
    let sent = body
        .read_up_to(body::ORGANISER_MAX, &incoming, Takes::Json)
        .await?;
    let fields: Fields<'_> = sent.decode()?;
    let text = fields
        .text
        .text("text")
        .and_then(event::parse_announcement)?;
    let announcement = tell(&context, &event, &text, organiser).await?;
    let mut response = reply::json(&Notice {
        text: &announcement.text,
        at: announcement.at,
    });
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Stores an announcement and tells everybody who watches.
pub(in crate::http) async fn tell(
    context: &Context,
    event: &Event,
    text: &str,
    organiser: Organiser,
) -> Result<Announcement, Problem> {
    let stored = context
        .registrar
        .announce(event.id, text, organiser.actor())
        .await?;
    stored.ok_or_else(|| Problem::event_not_found(event.slug.as_str()))
}
