//! Several nodes: keeps this node's hub at the database's state. [`super::broadcast`] notifies the
//! others of this node's commits.
//!
//! There is no cluster protocol: the database is the only thing that nodes share. A notification is
//! a hint to read a row again. The revision poll is the safety net: a lost notification, a pooler
//! without `LISTEN` or a broken connection costs at most [`POLL`]. The same poll notices that the
//! database is unreachable, and that it is back.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

use super::hub::Hub;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::event::EventId;
use crate::domain::position::Revision;
use crate::store::{Listener, Notification, Store, StoreError, within};

/// How often the revisions of all events are read.
const POLL: Duration = Duration::from_secs(1);
/// How long that read may take before the database counts as unreachable. Together with [`POLL`] it
/// is less than the three seconds within which watchers receive `stale`.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Keeps the hub at the database's state. Runs until it is dropped.
pub async fn follow(store: Store, hub: Hub, clock: Clock) {
    let mut follower = Follower {
        last_answer: clock.now(),
        store,
        hub,
        clock,
    };
    let mut listener = None;
    let mut polls = interval(POLL);
    polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = polls.tick() => {
                follower.poll().await;
                if listener.is_none() && !follower.hub.is_stale() {
                    listener = follower.listen().await;
                }
            }
            notification = next_notification(&mut listener) => match notification {
                Notification::Committed(event, revision) => {
                    follower.committed(event, revision).await;
                }
                Notification::Invalidated(event) => follower.reread(event).await,
                Notification::Lost => {
                    tracing::warn!("lost the connection for notifications; listening again");
                    listener = None;
                }
            },
        }
    }
}

async fn next_notification(listener: &mut Option<Listener>) -> Notification {
    match listener {
        Some(listener) => listener.next().await,
        None => std::future::pending().await,
    }
}

struct Follower {
    store: Store,
    hub: Hub,
    clock: Clock,
    last_answer: Timestamp,
}

impl Follower {
    async fn listen(&self) -> Option<Listener> {
        match timeout(ANSWER_TIMEOUT, self.store.listen()).await {
            Ok(Ok(listener)) => {
                if listener.is_some() {
                    // Commits before the listening began were not notified.
                    self.reread_all().await;
                }
                listener
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot listen for notifications; polling revisions");
                None
            }
            Err(_) => None,
        }
    }

    async fn poll(&mut self) {
        match within(ANSWER_TIMEOUT, self.store.heads()).await {
            Some(Ok(heads)) => {
                self.last_answer = self.clock.now();
                if self.hub.is_stale() {
                    if self.reread_all().await {
                        self.hub.set_stale(None);
                        tracing::info!("the database is reachable again; counts are live");
                    }
                    return;
                }
                let mut gone: HashSet<EventId> = self
                    .hub
                    .channels()
                    .iter()
                    .map(|channel| channel.newest().event.id)
                    .collect();
                for head in heads {
                    gone.remove(&head.event);
                    let channel = self.hub.channel_by_id(head.event);
                    let known = channel.is_some_and(|channel| {
                        channel.newest().event.revision == head.revision
                            && channel.announced() >= head.announcement
                    });
                    if !known {
                        self.reread(head.event).await;
                    }
                }
                for event in gone {
                    self.reread(event).await;
                }
            }
            Some(Err(error)) => self.mark_stale(&error.to_string()),
            None => self.mark_stale("no answer in time"),
        }
    }

    fn mark_stale(&self, why: &str) {
        if !self.hub.is_stale() {
            tracing::error!(
                why,
                "cannot reach the database; showing the last known counts as stale"
            );
            self.hub.set_stale(Some(self.last_answer));
        }
    }

    async fn committed(&self, event: EventId, revision: Revision) {
        let known = self
            .hub
            .channel_by_id(event)
            .is_some_and(|channel| channel.newest().event.revision >= revision);
        if !known {
            self.reread(event).await;
        }
    }

    /// Reads one event again. Everything that this node publishes was committed before. So a row
    /// that is older than what this node had published before the read means that the database was
    /// restored.
    async fn reread(&self, id: EventId) {
        let known = self
            .hub
            .channel_by_id(id)
            .map_or(0, |channel| channel.newest().event.revision);
        let result = async {
            match self.store.event_by_id(id).await? {
                None => self.hub.remove(id),
                Some(event) => {
                    let newest = event.announcement;
                    if event.revision < known {
                        let (slug, revision) = (&event.slug, event.revision);
                        tracing::warn!(
                            %slug, known, revision,
                            "database is older than this node (restored?); using its state"
                        );
                        self.hub.publish_restored(event);
                    } else {
                        self.hub.publish(event);
                    }
                    let announced = self
                        .hub
                        .channel_by_id(id)
                        .map_or(newest, |channel| channel.announced());
                    if newest > announced
                        && let Some(announcement) = self.store.announcement(id).await?
                    {
                        self.hub.announce(id, &announcement);
                    }
                }
            }
            Ok::<(), StoreError>(())
        };
        if let Err(error) = result.await {
            tracing::warn!(%error, event = id, "cannot read an event; the next poll tries again");
        }
    }

    /// Reads all events again; returns whether that succeeded.
    async fn reread_all(&self) -> bool {
        let known: HashMap<EventId, Revision> = self
            .hub
            .channels()
            .iter()
            .map(|channel| channel.newest().event)
            .map(|event| (event.id, event.revision))
            .collect();
        match self.store.events().await {
            Ok(events) => {
                let gone: Vec<EventId> = known
                    .keys()
                    .filter(|id| !events.iter().any(|event| event.id == **id))
                    .copied()
                    .collect();
                for event in events {
                    if known
                        .get(&event.id)
                        .is_some_and(|known| event.revision < *known)
                    {
                        self.hub.publish_restored(event);
                    } else {
                        self.hub.publish(event);
                    }
                }
                for event in gone {
                    self.reread(event).await;
                }
                true
            }
            Err(error) => {
                tracing::warn!(%error, "cannot read the events; the next poll tries again");
                false
            }
        }
    }
}
