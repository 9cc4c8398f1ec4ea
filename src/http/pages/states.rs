//! The state that pages show: the newest this node knows, or the database where that is too old.

use std::sync::Arc;
use std::time::Duration;

use super::answer::Keep;
use super::views::EventView;
use super::visit::Visit;
use crate::context::{Context, Shared};
use crate::domain::announcement::Announcement;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, EventId, Slug};
use crate::domain::position::Revision;
use crate::http::{details, find};
use crate::live::channel::{Channel, Newest};
use crate::problem::{Code, Problem};

/// How long a page waits for another node's change to arrive here.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(1);

/// An event as a page shows it.
#[derive(Debug)]
pub(super) struct Shown {
    /// The row.
    pub(super) event: Arc<Event>,
    stale_since: Option<Timestamp>,
    announcement: Option<Arc<Announcement>>,
}

impl Shown {
    async fn of(context: &Context, newest: Newest) -> Self {
        Self {
            announcement: details::announcement(context, &newest.event).await,
            stale_since: newest.stale_since,
            event: newest.event,
        }
    }

    /// How long browsers and caches keep its public page: a draft's preview is the organiser's own.
    pub(super) fn keep(&self) -> Keep {
        if self.event.is_draft() {
            Keep::Never
        } else {
            Keep::Revalidated
        }
    }

    /// For a template that is rendered `now`.
    pub(super) fn view(&self, now: Timestamp) -> EventView {
        EventView::new(
            &self.event,
            self.stale_since,
            self.announcement.as_deref(),
            now,
        )
    }
}

/// An event without a channel: just created by another node, or being deleted.
impl From<Arc<Event>> for Shown {
    fn from(event: Arc<Event>) -> Self {
        Self {
            event,
            stale_since: None,
            announcement: None,
        }
    }
}

/// The events that `wanted` takes, in the order of their creation.
pub(super) async fn those(context: &Context, wanted: fn(&Event) -> bool) -> Vec<EventView> {
    let mut events = Vec::new();
    for channel in context.hub.channels() {
        let newest = channel.newest();
        if wanted(&newest.event) {
            let shown = Shown::of(context, newest).await;
            events.push(shown.view(context.clock.now()));
        }
    }
    events
}

/// The event with that slug. Asks the database only if another node has just created it.
pub(super) async fn by_slug(context: &Context, slug: &str) -> Result<Shown, Problem> {
    match Slug::parse(slug)
        .ok()
        .and_then(|slug| context.hub.channel(&slug))
    {
        Some(channel) => Ok(Shown::of(context, channel.newest()).await),
        None => find::event(context, slug).await.map(Shown::from),
    }
}

/// The same, for a page that everybody may see: a draft is no event.
pub(super) async fn for_all(context: &Context, slug: &str) -> Result<Shown, Problem> {
    find::known_to_all(context, slug).await?;
    by_slug(context, slug).await
}

/// The same, for a page of which organisers see a preview while the event is a draft.
pub(super) async fn previewed(
    context: &Shared,
    visit: &Visit,
    slug: &str,
) -> Result<Shown, Problem> {
    find::previewed(context, &visit.head, slug).await?;
    by_slug(context, slug).await
}

/// The event at `revision` or later. A page must not show a count without the visitor's own
/// registration, even if another node made it.
pub(super) async fn not_before(
    context: &Context,
    id: EventId,
    revision: Revision,
) -> Result<Shown, Problem> {
    if let Some(channel) = context.hub.channel_by_id(id)
        && let Ok(newest) = tokio::time::timeout(ARRIVAL_TIMEOUT, arrival(&channel, revision)).await
    {
        return Ok(Shown::of(context, newest).await);
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

async fn arrival(channel: &Channel, revision: Revision) -> Newest {
    let mut updates = channel.updates();
    loop {
        let newest = channel.newest();
        if newest.event.revision >= revision {
            return newest;
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

    // Another node has registered somebody, and the change has not arrived here.
    #[tokio::test]
    async fn a_page_waits_for_the_visitors_own_revision() {
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
