//! Events by their names.

use std::sync::Arc;

use crate::context::Context;
use crate::domain::event::{Event, EventId, Slug};
use crate::problem::Problem;

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
    let event = event(context, slug).await?;
    if event.is_draft() {
        Err(Problem::event_not_found(slug))
    } else {
        Ok(event)
    }
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
