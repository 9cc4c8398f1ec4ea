//! Creating, changing and deleting events.

use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::query::Query;
use super::settings_fields::{edit, new_event};
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::command::{Answer, Command};
use crate::domain::event::{Event, NewEvent};
use crate::http::body::{self, AllowedMedia, Unread};
use crate::http::details::{Item, Reader};
use crate::http::registration::unexpected;
use crate::http::{auth, events, find, preconditions, reply};
use crate::negotiation::etag;
use crate::problem::Problem;

/// `POST /api/v1/events`
pub(in crate::http) async fn post(
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.everywhere()).await?;
    let sent = body
        .read_up_to(body::ORGANISER_MAX, &head, AllowedMedia::Json)
        .await?;
    let new = new_event(&sent.decode()?, &context.settings.time_zone)?;
    if preconditions::any(&head.headers) {
        // The organiser may have read the list with or without credentials.
        let (_, public) = events::document(&context, Reader::Anybody).await;
        let names_it = reply::strong_match(&head.headers, &public)
            || reply::none_match(&head.headers, &public);
        let tag = if names_it {
            public
        } else {
            events::document(&context, Reader::Organiser).await.1
        };
        preconditions::require_tag(&head.headers, Some(&tag))?;
    }
    let event = create(&context, new, &organiser).await?;
    Ok(created(&context, &event).await)
}

/// 201 with the new event.
pub(super) async fn created(context: &Context, event: &Event) -> Response {
    let mut response = item(context, event).await;
    *response.status_mut() = StatusCode::CREATED;
    // A slug is letters, digits and hyphens.
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/events/{}", event.slug)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Creates an event and opens its live channel.
pub(in crate::http) async fn create(
    context: &Context,
    new: NewEvent,
    organiser: &auth::Organiser,
) -> Result<Event, Problem> {
    Ok(context.registrar.create(new, &organiser.actor()).await?)
}

/// `PATCH /api/v1/events/{slug}`
pub(in crate::http) async fn patch(
    slug: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let sent = body
        .read_up_to(body::ORGANISER_MAX, &head, AllowedMedia::Json)
        .await?;
    let edit = edit(&sent.decode()?, &event, &context.settings.time_zone)?;
    let expected = preconditions::of_event(&head.headers, &event)?;
    changed(
        &context,
        &event,
        Command::Edit {
            edit,
            expected,
            by: organiser.actor(),
        },
    )
    .await
}

/// Submits the change and shows the event after it.
pub(super) async fn changed(
    context: &Context,
    event: &Event,
    command: Command,
) -> Result<Response, Problem> {
    match context.registrar.submit(event.id, command).await?? {
        Answer::Event(event) => Ok(item(context, &event).await),
        other => Err(unexpected(&other)),
    }
}

/// `DELETE /api/v1/events/{slug}?confirm=<slug>`
pub(in crate::http) async fn delete(
    slug: String,
    context: Shared,
    head: RequestHead,
    query: String,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let confirmed = Query::parse(&query)?.confirm.as_deref() == Some(event.slug.as_str());
    let expected = preconditions::of_event(&head.headers, &event)?;
    match context
        .registrar
        .submit(
            event.id,
            Command::Delete {
                expected,
                confirmed,
                by: organiser.actor(),
            },
        )
        .await??
    {
        Answer::Deleted => {
            context.registrar.forget(event.id);
            Ok(reply::empty(StatusCode::NO_CONTENT))
        }
        other => Err(unexpected(&other)),
    }
}

async fn item(context: &Context, event: &Event) -> Response {
    let item = Item::new(context, event, event.headcount(), Reader::Organiser).await;
    reply::with_etag(reply::json(&item), etag::of(&event.position()))
}
