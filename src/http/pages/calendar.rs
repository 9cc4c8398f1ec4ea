//! Calendar files: an event's, a visitor's own, and the feed of all events.

use warp::http::{HeaderValue, header};
use warp::reply::Response;

use super::answer::problem_page;
use super::states;
use super::visit::Visit;
use crate::context::{Context, Shared};
use crate::domain::event::Event;
use crate::domain::lab;
use crate::http::{rate, registration, reply};
use crate::problem::{Code, Problem};
use crate::text;
use crate::wire::calendar::{Entry, calendar};

/// `GET /e/{slug}/event.ics`.
pub(super) async fn event(slug: String, context: Shared, visit: Visit) -> Response {
    let file = async {
        let shown = states::for_all(&context, &slug).await?;
        let entry = entry(&context, &visit, &shown.event).ok_or_else(undated)?;
        // Folding a long description takes as long as a list.
        let _permit = rate::calendar(&context, visit.head.peer.ip).await?;
        Ok(calendar(None, &[entry]))
    };
    answer(file.await, &context, &visit, &slug, Caching::Shared)
}

/// `GET /r/{token}/event.ics`.
pub(super) async fn own(token: String, context: Shared, visit: Visit) -> Response {
    let file = async {
        let own = registration::find_own(&context, &token).await?;
        let (event, row) = (&own.event, &own.registration);
        let link = visit.absolute(&context.settings, &format!("/r/{}", row.token()));
        let entry = text::calendar::of_registration(visit.texts, event, row, link);
        let entry = entry.ok_or_else(undated)?;
        let _permit = rate::calendar(&context, visit.head.peer.ip).await?;
        Ok((calendar(None, &[entry]), event.slug.to_string()))
    };
    let (file, name) = match file.await {
        Ok((file, name)) => (Ok(file), name),
        Err(problem) => (Err(problem), String::new()),
    };
    answer(file, &context, &visit, &name, Caching::Private)
}

/// `GET /events.ics`.
pub(super) async fn feed(context: Shared, visit: Visit) -> Response {
    let permit = match rate::calendar(&context, visit.head.peer.ip).await {
        Ok(permit) => permit,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let channels = context.hub.channels();
    let entries: Vec<Entry> = channels
        .iter()
        .map(|channel| channel.newest().event)
        .filter(|event| event.slug.as_str() != lab::SLUG && event.is_listed())
        .filter_map(|event| entry(&context, &visit, &event))
        .collect();
    let file = calendar(Some(&visit.texts.get("events-title")), &entries);
    drop(permit);
    answer(Ok(file), &context, &visit, "events", Caching::Shared)
}

/// An event as everybody sees it; `None` if it has no start.
fn entry(context: &Context, visit: &Visit, event: &Event) -> Option<Entry> {
    let page = visit.absolute(&context.settings, &format!("/e/{}", event.slug));
    text::calendar::of_event(event, page)
}

fn undated() -> Problem {
    Problem::new(
        Code::NotFound,
        "there is no calendar file before the event has a time (starts_at)",
    )
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caching {
    /// Anybody may see it.
    Shared,
    /// It has a private link.
    Private,
}

fn answer(
    file: Result<String, Problem>,
    context: &Context,
    visit: &Visit,
    name: &str,
    caching: Caching,
) -> Response {
    let file = match file {
        Ok(file) => file,
        Err(problem) => return problem_page(visit, &problem),
    };
    let etag = reply::content_etag(file.as_bytes());
    let mut response = if context.hub.is_stale() {
        // No validator, because it may be out of date (docs/protocol.md, section 13).
        reply::json_bytes(file.into())
    } else {
        reply::conditional(&visit.head.headers, etag, file.into())
    };
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/calendar; charset=utf-8"),
    );
    // A slug is letters, digits and hyphens.
    if let Ok(disposition) = HeaderValue::try_from(format!("inline; filename=\"{name}.ics\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Accept-Language, Cookie"),
    );
    match caching {
        Caching::Shared => {}
        Caching::Private => {
            let private = HeaderValue::from_static("private, no-cache");
            headers.insert(header::CACHE_CONTROL, private);
        }
    }
    response
}
