//! Events by their names.

use std::sync::Arc;

use super::may_preview;
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::event::{Event, EventId, Slug};
use crate::problem::{Code, Problem};

/// The event of a path segment, in the hub's newest state. Another node may have created it a
/// moment ago, so an unknown event is looked up in the database.
pub(super) async fn event(context: &Context, slug: &str) -> Result<Arc<Event>, Problem> {
    let parsed = Slug::parse(slug).map_err(|_| Problem::event_not_found(slug))?;
    if let Some(channel) = context.hub.channel(&parsed) {
        return Ok(channel.newest().event);
    }
    // Boxed: rare, and large enough to make every request's future large.
    let event = Box::pin(context.store.event(&parsed))
        .await?
        .ok_or_else(|| Problem::event_not_found(slug))?;
    context.hub.publish(event.clone());
    Ok(Arc::new(event))
}

/// The event of a path segment, for a call that needs no credentials: a draft is none.
pub(super) async fn known_to_all(context: &Context, slug: &str) -> Result<Arc<Event>, Problem> {
    match event(context, slug).await {
        Ok(event) if event.is_draft() => Err(unknown(context, slug).await),
        found => found,
    }
}

/// The event of a path segment, of which organisers see a preview while it is a draft. Credentials
/// are checked for a draft and for an unknown event alike, so that a refusal of them (429, 503) does
/// not tell which of the two it is.
pub(super) async fn previewed(
    context: &Shared,
    head: &RequestHead,
    slug: &str,
) -> Result<Arc<Event>, Problem> {
    let found = event(context, slug).await;
    let is_hidden = match &found {
        Ok(event) => event.is_draft(),
        Err(problem) => problem.code() == Code::EventNotFound,
    };
    if !is_hidden {
        return found;
    }
    // Boxed: rare, and large enough to make every request's future large.
    let preview = may_preview(Shared::clone(context), head.clone(), slug.to_owned());
    match (preview.await?, &found) {
        (true, _) | (false, Err(_)) => found,
        (false, Ok(_)) => Err(unknown(context, slug).await),
    }
}

/// The answer at a draft's address. For an unknown event the database is asked, and has no row. So it
/// is asked here for an event that never exists: neither the answer nor its time tells that there is a
/// draft, and how large it is.
async fn unknown(context: &Context, slug: &str) -> Problem {
    const NEVER: EventId = 0;
    let looked_up = Box::pin(context.store.event_by_id(NEVER)).await.err();
    looked_up.map_or_else(|| Problem::event_not_found(slug), Problem::from)
}

/// The event of a registration.
pub(super) async fn event_by_id(
    context: &Context,
    id: EventId,
) -> Result<Option<Arc<Event>>, Problem> {
    if let Some(channel) = context.hub.channel_by_id(id) {
        return Ok(Some(channel.newest().event));
    }
    Ok(Box::pin(context.store.event_by_id(id)).await?.map(Arc::new))
}
