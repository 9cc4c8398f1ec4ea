//! A new event with the settings of another one.

use serde::Deserialize;
use warp::reply::Response;

use super::settings;
use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::domain::access::Permission;
use crate::domain::duplicate::Duplicate;
use crate::domain::event::{Slug, parse_title};
use crate::domain::visibility::Visibility;
use crate::http::body::{self, AllowedMedia, Unread};
use crate::http::field_value::{Check, FieldValue};
use crate::http::{auth, find, preconditions};
use crate::problem::Problem;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    slug: FieldValue<'a>,
    #[serde(borrow)]
    title: FieldValue<'a>,
    #[serde(borrow)]
    keep_times: FieldValue<'a>,
    #[serde(borrow)]
    visibility: FieldValue<'a>,
}

/// `POST /api/v1/events/{slug}/duplicate`
pub(in crate::http) async fn post(
    slug: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    // It makes an event, like `POST /api/v1/events`.
    let organiser = auth::writer(&context, &head, Permission::Manage.everywhere()).await?;
    let event = find::event(&context, &slug).await?;
    let sent = body
        .read_up_to(body::ORGANISER_MAX, &head, AllowedMedia::Json)
        .await?;
    let duplicate = read(&sent.decode()?)?;
    preconditions::require(&head.headers, &[event.position()])?;
    let made = settings::create(&context, duplicate.of(&event), &organiser).await?;
    Ok(settings::created(&context, &made).await)
}

fn read(fields: &Fields<'_>) -> Result<Duplicate, Problem> {
    let mut check = Check::default();
    let slug = check.take(fields.slug.text("slug").and_then(Slug::parse));
    let title = match &fields.title {
        FieldValue::Absent | FieldValue::Null => None,
        given => check.take(given.text("title").and_then(parse_title)),
    };
    let keep_times = check.take(fields.keep_times.flag("keep_times")).flatten();
    let visibility = check
        .take(fields.visibility.replacing(Visibility::FIELD, |word| {
            Visibility::read(word.unwrap_or_default())
        }))
        .flatten();
    check.done()?;
    let Some(slug) = slug else {
        return Err(check.problem());
    };
    Ok(Duplicate {
        slug,
        title,
        keep_times: keep_times.unwrap_or(false),
        visibility: visibility.unwrap_or(Visibility::Draft),
    })
}
