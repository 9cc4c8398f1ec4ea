//! Where a page's numbers come from: the newest state this node knows, and the database where that is not enough.

use std::sync::Arc;
use std::time::Duration;

use super::views::EventView;
use crate::context::Context;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, EventId, Slug};
use crate::domain::position::Revision;
use crate::http::find;
use crate::live::channel::{Channel, Newest};
use crate::problem::{Code, Problem};

/// How long a page waits for a change that another node has committed to arrive here.
const PATIENCE: Duration = Duration::from_secs(1);

/// An event as a page shows it.
#[derive(Debug)]
pub(super) struct Shown {
    /// The row.
    pub(super) event: Arc<Event>,
    stale_since: Option<Timestamp>,
}

impl Shown {
    /// For the template.
    pub(super) fn view(&self) -> EventView {
        EventView::new(&self.event, self.stale_since)
    }
}

impl From<Newest> for Shown {
    fn from(newest: Newest) -> Self {
        Self {
            event: newest.event,
            stale_since: newest.stale_since,
        }
    }
}

impl From<Arc<Event>> for Shown {
    fn from(event: Arc<Event>) -> Self {
        Self {
            event,
            stale_since: None,
        }
    }
}

/// Every event, in the order of their creation.
pub(super) fn all(context: &Context) -> Vec<EventView> {
    context
        .hub
        .channels()
        .iter()
        .map(|channel| Shown::from(channel.newest()).view())
        .collect()
}

/// The event with that slug, without a question to the database unless another node has just created it.
pub(super) async fn by_slug(context: &Context, slug: &str) -> Result<Shown, Problem> {
    match Slug::parse(slug)
        .ok()
        .and_then(|slug| context.hub.channel(&slug))
    {
        Some(channel) => Ok(channel.newest().into()),
        None => find::event(context, slug).await.map(Shown::from),
    }
}

/// The event, at `revision` or later: whoever was registered by another node must not be shown an older count than their own.
pub(super) async fn not_before(
    context: &Context,
    id: EventId,
    revision: Revision,
) -> Result<Shown, Problem> {
    if let Some(channel) = context.hub.channel_by_id(id)
        && let Ok(shown) = tokio::time::timeout(PATIENCE, arrival(&channel, revision)).await
    {
        return Ok(shown);
    }
    context
        .store
        .event_by_id(id)
        .await?
        .map(|event| Arc::new(event).into())
        .ok_or_else(|| {
            Problem::new(
                Code::RegistrationNotFound,
                "the event of this registration is gone",
            )
        })
}

async fn arrival(channel: &Channel, revision: Revision) -> Shown {
    let mut updates = channel.updates();
    loop {
        let newest = channel.newest();
        if newest.event.revision >= revision {
            return newest.into();
        }
        // The sender lives in `channel`, so this cannot fail while it is borrowed.
        let _ = updates.changed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::samples;
    use crate::live::hub::Hub;

    // Another node has registered somebody, and its change is still on its way here.
    #[tokio::test]
    async fn a_page_waits_for_the_visitor_s_own_revision() {
        let (hub, event) = (Hub::new(Duration::ZERO), samples::event());
        hub.publish(event.clone());
        let channel = hub.channel_by_id(event.id).unwrap();
        assert_eq!(arrival(&channel, event.revision).await.event.registered, 97);
        let later = Event {
            revision: event.revision + 1,
            registered: 98,
            ..event
        };
        let (shown, ()) = tokio::join!(arrival(&channel, later.revision), async {
            hub.publish(later.clone());
        });
        assert_eq!(shown.event.registered, 98);
    }
}
