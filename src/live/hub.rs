//! The live states of all events.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::channel::{Channel, End};
use super::commits::Commits;
use super::meters::Delivery;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, EventId, Slug};
use crate::store::Announcement;

/// The directory of channels. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    channels: RwLock<Directory>,
    interval: Duration,
    drain: RwLock<Option<Duration>>,
    stale: AtomicBool,
    commits: Commits,
    delivery: Delivery,
}

#[derive(Debug, Default)]
struct Directory {
    by_id: HashMap<EventId, Arc<Channel>>,
    by_slug: HashMap<Slug, EventId>,
}

impl Hub {
    /// A hub that pushes each event's count at most once in `interval`.
    pub fn new(interval: Duration) -> Self {
        Self(Arc::new(Inner {
            channels: RwLock::default(),
            interval,
            drain: RwLock::new(None),
            stale: AtomicBool::new(false),
            commits: Commits::default(),
            delivery: Delivery::default(),
        }))
    }

    /// The commits that are underway; fan-outs yield to them.
    pub fn commits(&self) -> &Commits {
        &self.0.commits
    }

    /// How long deliveries took.
    pub fn delivery(&self) -> &Delivery {
        &self.0.delivery
    }

    /// The channel of an event.
    pub fn channel(&self, slug: &Slug) -> Option<Arc<Channel>> {
        let directory = self
            .0
            .channels
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        directory
            .by_slug
            .get(slug)
            .and_then(|id| directory.by_id.get(id))
            .cloned()
    }

    /// The channel of an event, by its key.
    pub fn channel_by_id(&self, id: EventId) -> Option<Arc<Channel>> {
        self.0
            .channels
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_id
            .get(&id)
            .cloned()
    }

    /// Every channel, in the order of the events' creation.
    pub fn channels(&self) -> Vec<Arc<Channel>> {
        let directory = self
            .0
            .channels
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut channels: Vec<_> = directory.by_id.iter().collect();
        channels.sort_unstable_by_key(|(id, _)| **id);
        channels
            .into_iter()
            .map(|(_, channel)| Arc::clone(channel))
            .collect()
    }

    /// Publishes a committed state. Opens a channel if the event is new here.
    pub fn publish(&self, event: Event) {
        self.accept(event, false);
    }

    /// Publishes a state that may be older than the known one, because the database was restored.
    pub fn publish_restored(&self, event: Event) {
        self.accept(event, true);
    }

    fn accept(&self, event: Event, force: bool) {
        if let Some(channel) = self.channel_by_id(event.id)
            && !hides(&channel, &event, force)
        {
            channel.publish(event, force);
            return;
        }
        let mut directory = self
            .0
            .channels
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = directory.by_id.get(&event.id)
            && !hides(channel, &event, force)
        {
            let channel = Arc::clone(channel);
            drop(directory);
            channel.publish(event, force);
            return;
        }
        let channel = Arc::new(Channel::new(
            event.clone(),
            self.0.interval,
            self.0.commits.clone(),
        ));
        if let Some(window) = *self.0.drain.read().unwrap_or_else(PoisonError::into_inner) {
            channel.end(End::Drain(window));
        }
        // A reused slug belongs to the newer event, even if the deletion of the older one has not
        // arrived yet. An event that becomes a draft gets a channel of its own as well.
        if let Some(old) = directory.by_slug.insert(event.slug, event.id)
            && let Some(old) = directory.by_id.remove(&old)
        {
            old.end(End::Deleted);
        }
        directory.by_id.insert(event.id, channel);
    }

    /// Forgets a deleted event and ends its streams.
    pub fn remove(&self, id: EventId) {
        let mut directory = self
            .0
            .channels
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = directory.by_id.remove(&id) {
            directory.by_slug.retain(|_, event| *event != id);
            channel.end(End::Deleted);
        }
    }

    /// Pushes an announcement to an event's watchers.
    pub fn announce(&self, id: EventId, announcement: &Announcement) {
        if let Some(channel) = self.channel_by_id(id) {
            channel.announce(announcement);
        }
    }

    /// Marks the database as unreachable since that time (`Some`), or reachable again (`None`).
    pub fn set_stale(&self, since: Option<Timestamp>) {
        self.0.stale.store(since.is_some(), Ordering::SeqCst);
        for channel in self.channels() {
            channel.set_stale(since);
        }
    }

    /// Whether the database is unreachable.
    pub fn is_stale(&self) -> bool {
        self.0.stale.load(Ordering::SeqCst)
    }

    /// Ends every stream, spread over `window`. A stream that begins after this call ends at once.
    pub fn drain(&self, window: Duration) {
        *self.0.drain.write().unwrap_or_else(PoisonError::into_inner) = Some(window);
        for channel in self.channels() {
            channel.end(End::Drain(window));
        }
    }

    /// The number of watchers of each event on this node. Events without watchers are left out.
    pub fn watchers(&self) -> HashMap<EventId, u64> {
        let counts = self
            .channels()
            .into_iter()
            .map(|channel| (channel.newest().event.id, channel.presence.open()));
        counts.filter(|(_, open)| *open > 0).collect()
    }

    /// Pushes the number of watchers of each event where it differs from `pushed`, the numbers of
    /// the last call. `elsewhere` has the watchers on other nodes. Call it every five seconds.
    pub fn push_watching(
        &self,
        pushed: &mut HashMap<EventId, (u64, u64)>,
        elsewhere: &HashMap<EventId, u64>,
    ) {
        let mut now = HashMap::new();
        for channel in self.channels() {
            let id = channel.newest().event.id;
            let watching = channel.presence.open() + elsewhere.get(&id).copied().unwrap_or(0);
            let state = (watching, channel.presence.ever_open());
            if channel.presence.open() > 0 && pushed.get(&id) != Some(&state) {
                channel.set_watching(watching);
            }
            now.insert(id, state);
        }
        *pushed = now;
    }
}

/// Whether an event becomes a draft. For its watchers it is gone, as if it were deleted, so their
/// channel ends; organisers follow the draft on a new one.
fn hides(channel: &Channel, event: &Event, force: bool) -> bool {
    let known = channel.newest().event;
    let is_news = force || event.revision >= known.revision;
    is_news && event.is_draft() && !known.is_draft()
}
