//! Reset and its undo.

use serde::Deserialize;
use warp::reply::Response;

use super::settings::changed;
use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::domain::access::Permission;
use crate::domain::command::Command;
use crate::domain::event::{Capacity, Event};
use crate::domain::invalid::Invalid;
use crate::http::body::{self, AllowedMedia, Unread};
use crate::http::field_value::{Check, FieldValue};
use crate::http::{auth, find, preconditions};
use crate::problem::Problem;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    confirm: FieldValue<'a>,
    #[serde(borrow)]
    capacity: FieldValue<'a>,
}

/// `POST /api/v1/events/{slug}/reset`
pub(in crate::http) async fn reset(
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
    let capacity = confirmed(&sent.decode()?, &event)?;
    let expected = preconditions::of_event(&head.headers, &event)?;
    changed(
        &context,
        &event,
        Command::Reset {
            expected,
            capacity,
            by: organiser.actor(),
        },
    )
    .await
}

/// The new capacity, if one is given and the slug was repeated.
fn confirmed(fields: &Fields<'_>, event: &Event) -> Result<Option<Capacity>, Problem> {
    let mut check = Check::default();
    let repeated = |text: &str| {
        if text == event.slug.as_str() {
            Ok(())
        } else {
            Err(wrong(&event.slug))
        }
    };
    check.take(fields.confirm.text("confirm").and_then(repeated));
    let capacity = check.take(fields.capacity.capacity("capacity")).flatten();
    check.done()?;
    Ok(capacity)
}

fn wrong(slug: &impl std::fmt::Display) -> Invalid {
    Invalid::new(
        "confirm",
        "not-repeated",
        format!("confirm must repeat the event's slug, {slug}"),
    )
}

/// `POST /api/v1/events/{slug}/reset/undo`; needs no body.
pub(in crate::http) async fn undo(
    slug: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let expected = preconditions::of_event(&head.headers, &event)?;
    changed(
        &context,
        &event,
        Command::Undo {
            expected,
            by: organiser.actor(),
        },
    )
    .await
}
