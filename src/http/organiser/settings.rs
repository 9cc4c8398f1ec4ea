//! Creating, changing and deleting events.

use serde::Deserialize;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::query::Query;
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::command::{Answer, Command};
use crate::domain::event::{self, Edit, Event, NewEvent, PartySize, Slug};
use crate::domain::invalid::Invalid;
use crate::http::body::{self, AllowedMedia, Media, Unread};
use crate::http::details::Item;
use crate::http::field_value::{Check, FieldValue};
use crate::http::registration::unexpected;
use crate::http::{auth, events, find, preconditions, reply};
use crate::negotiation::etag;
use crate::problem::Problem;

/// An event's settings; all of them for a new one, any of them for a change.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    slug: FieldValue<'a>,
    #[serde(borrow)]
    title: FieldValue<'a>,
    #[serde(borrow)]
    description: FieldValue<'a>,
    #[serde(borrow)]
    capacity: FieldValue<'a>,
    #[serde(borrow)]
    waitlist: FieldValue<'a>,
    #[serde(borrow)]
    max_party_size: FieldValue<'a>,
    #[serde(borrow)]
    opens_at: FieldValue<'a>,
    #[serde(borrow)]
    closes_at: FieldValue<'a>,
    #[serde(borrow)]
    closed: FieldValue<'a>,
}

/// `POST /api/v1/events`
pub(in crate::http) async fn post(
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head).await?;
    let sent = body
        .read_up_to(body::ORGANISER_MAX, &head, AllowedMedia::Json)
        .await?;
    let new = new_event(&sent.decode()?)?;
    if preconditions::any(&head.headers) {
        let (_, tag) = events::document(&context).await;
        preconditions::require_tag(&head.headers, Some(&tag))?;
    }
    let event = create(&context, new, organiser).await?;
    let mut response = item(&context, &event).await;
    *response.status_mut() = StatusCode::CREATED;
    // A slug is letters, digits and hyphens.
    if let Ok(location) = HeaderValue::try_from(format!("/api/v1/events/{}", event.slug)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Creates an event and opens its live channel.
pub(in crate::http) async fn create(
    context: &Context,
    new: NewEvent,
    organiser: auth::Organiser,
) -> Result<Event, Problem> {
    Ok(context.registrar.create(new, organiser.actor()).await?)
}

fn new_event(fields: &Fields<'_>) -> Result<NewEvent, Problem> {
    let mut check = Check::default();
    let slug = check.take(fields.slug.text("slug").and_then(Slug::parse));
    let title = check.take(fields.title.text("title").and_then(event::parse_title));
    let description = check.take(
        fields
            .description
            .optional_text("description")
            .and_then(|text| event::parse_description(text.unwrap_or_default())),
    );
    // No default: an organiser who forgets the limit must not get an event without one.
    let missing = || {
        Invalid::new(
            "capacity",
            "missing",
            "capacity is missing; give a whole number, or null for no limit",
        )
    };
    let capacity = check.take(
        fields
            .capacity
            .capacity("capacity")
            .and_then(|capacity| capacity.ok_or_else(missing)),
    );
    let waitlist = check.take(fields.waitlist.flag("waitlist"));
    let max_party_size = check.take(most(&fields.max_party_size));
    let opens_at = check
        .take(fields.opens_at.moment("opens_at"))
        .map(Option::flatten);
    let closes_at = check
        .take(fields.closes_at.moment("closes_at"))
        .map(Option::flatten);
    if let (Some(opens_at), Some(closes_at)) = (opens_at, closes_at) {
        check.take(event::check_schedule(opens_at, closes_at));
    }
    check.done()?;
    match (slug, title, description, capacity) {
        (Some(slug), Some(title), Some(description), Some(capacity)) => Ok(NewEvent {
            slug,
            title,
            description,
            capacity,
            waitlist: waitlist.flatten().unwrap_or(false),
            max_party_size: max_party_size.flatten().unwrap_or(PartySize::ONE),
            opens_at: opens_at.flatten(),
            closes_at: closes_at.flatten(),
        }),
        _ => Err(check.problem()),
    }
}

fn most(field: &FieldValue<'_>) -> Result<Option<PartySize>, Invalid> {
    field.party_size("max_party_size", Media::Json)
}

/// `PATCH /api/v1/events/{slug}`
pub(in crate::http) async fn patch(
    slug: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head).await?;
    let event = find::event(&context, &slug).await?;
    let sent = body
        .read_up_to(body::ORGANISER_MAX, &head, AllowedMedia::Json)
        .await?;
    let edit = edit(&sent.decode()?, &event)?;
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

fn edit(fields: &Fields<'_>, event: &Event) -> Result<Edit, Problem> {
    let mut check = Check::default();
    match check.take(fields.slug.optional_text("slug")).flatten() {
        // A client may send back the whole object that it read.
        None => {}
        Some(same) if same == event.slug.as_str() => {}
        Some(_) => {
            check.take::<()>(Err(Invalid::new(
                "slug",
                "fixed",
                "slug cannot be changed: links lead to it",
            )));
        }
    }
    let title = match &fields.title {
        FieldValue::Absent => None,
        given => check.take(given.text("title").and_then(event::parse_title)),
    };
    let description = match &fields.description {
        FieldValue::Absent => None,
        given => check.take(
            given
                .optional_text("description")
                .and_then(|text| event::parse_description(text.unwrap_or_default())),
        ),
    };
    let edit = Edit {
        title,
        description,
        capacity: check.take(fields.capacity.capacity("capacity")).flatten(),
        waitlist: check.take(fields.waitlist.flag("waitlist")).flatten(),
        max_party_size: check.take(most(&fields.max_party_size)).flatten(),
        opens_at: check.take(fields.opens_at.moment("opens_at")).flatten(),
        closes_at: check.take(fields.closes_at.moment("closes_at")).flatten(),
        closed: check.take(fields.closed.flag("closed")).flatten(),
        was: None,
    };
    check.done()?;
    Ok(edit)
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
    let organiser = auth::writer(&context, &head).await?;
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
    let item = Item::new(context, event, event.headcount()).await;
    reply::with_etag(reply::json(&item), etag::of(&event.position()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Timestamp;
    use crate::domain::event::Capacity;
    use crate::domain::position::Epoch;

    fn fields(json: &str) -> Fields<'_> {
        serde_json::from_str(json).unwrap()
    }

    fn gala() -> Event {
        new_event(&fields(r#"{"slug":"gala","title":"Gala","capacity":10}"#))
            .unwrap()
            .open(Epoch::draw(), Timestamp::default())
    }

    fn refused(problem: &Problem) -> Vec<String> {
        problem
            .errors()
            .into_iter()
            .map(|(field, _)| field)
            .collect()
    }

    #[test]
    fn a_new_event_says_all_that_is_wrong() {
        let wrong = fields(
            r#"{"slug":"Gala!","title":"","capacity":-1,"waitlist":"yes","description":7,"opens_at":"soon"}"#,
        );
        assert_eq!(
            refused(&new_event(&wrong).unwrap_err()),
            [
                "slug",
                "title",
                "description",
                "capacity",
                "waitlist",
                "opens_at"
            ]
        );
        assert_eq!(
            refused(&new_event(&Fields::default()).unwrap_err()),
            ["slug", "title", "capacity"]
        );
        let backwards = fields(
            r#"{"slug":"g","title":"G","capacity":1,"opens_at":"2026-11-21T09:00:00Z","closes_at":"2026-11-21T09:00:00Z"}"#,
        );
        assert_eq!(refused(&new_event(&backwards).unwrap_err()), ["closes_at"]);
    }

    #[test]
    fn null_capacity_is_no_limit_and_the_rest_has_defaults() {
        let new = new_event(&fields(r#"{"slug":"gala","title":" Gala ","capacity":null,"description":null,"opens_at":null}"#)).unwrap();
        assert_eq!(
            (new.capacity, new.title.as_str(), new.waitlist, new.opens_at),
            (Capacity::UNLIMITED, "Gala", false, None)
        );
    }

    #[test]
    fn a_change_tells_absent_from_null() {
        assert_eq!(edit(&fields("{}"), &gala()).unwrap(), Edit::default());
        let removed = edit(
            &fields(r#"{"capacity":null,"opens_at":null,"description":null}"#),
            &gala(),
        )
        .unwrap();
        let expected = Edit {
            capacity: Some(Capacity::UNLIMITED),
            opens_at: Some(None),
            description: Some(String::new()),
            ..Edit::default()
        };
        assert_eq!(removed, expected);
        assert_eq!(
            edit(&fields(r#"{"closed":true,"slug":"gala"}"#), &gala()).unwrap(),
            Edit {
                closed: Some(true),
                ..Edit::default()
            }
        );
        assert_eq!(
            refused(
                &edit(
                    &fields(r#"{"slug":"ball","title":null,"closed":null}"#),
                    &gala()
                )
                .unwrap_err()
            ),
            ["slug", "title", "closed"]
        );
    }
}
