//! The change log, followed without a gap: every revision, in order, never conflated.
//!
//! It subscribes first, then reads the log to its end, then waits until the subscription reports
//! more. The next read finds a change that is committed between the two steps.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::channel::Channel;
use super::permit::Permit;
use super::presence::Transport;
use super::subscription::{Item, Subscription};
use crate::domain::change::Change;
use crate::domain::event::Event;
use crate::domain::position::{Position, Revision};
use crate::store::{Store, StoreError};
use crate::trace::{self, Traces};

/// Changes in one read. A reader that stalls keeps them, up to [`MAX_READ_AHEAD`].
const PAGE: u32 = 64;
/// The most bytes that a reader holds of changes that it has not taken.
const MAX_READ_AHEAD: usize = 16 * 1024;
const _: () = assert!(size_of::<Change>() * PAGE as usize <= MAX_READ_AHEAD);
/// How long to wait after a failed read.
const RETRY: Duration = Duration::from_secs(1);

/// What a follower of the log sends next.
#[derive(Debug)]
pub enum Entry {
    /// The client's position is unknown to this event's log, which starts over.
    Reset,
    /// A revision.
    Change(Box<Change>),
    /// Any other item of the subscription, except counts.
    Item(Item),
}

/// Where to begin: the revision after which to read, and whether the client's position is not of
/// this event's log.
pub fn start(event: &Event, after: Option<Result<Position, ()>>) -> (Revision, bool) {
    match after {
        None => (0, false),
        Some(Ok(position))
            if position.epoch == event.epoch && position.revision <= event.revision =>
        {
            (position.revision, false)
        }
        Some(_) => (0, true),
    }
}

/// Follows the log of one event.
#[derive(Debug)]
pub struct Log {
    store: Store,
    event: Arc<Event>,
    subscription: Subscription,
    after: Revision,
    reset: bool,
    page: VecDeque<Change>,
    /// Whether the log may hold more than was read.
    behind: bool,
    /// The request's: what follows its answer's head is sent outside its task.
    traces: Option<Traces>,
}

impl Log {
    /// Follows `channel`'s log after the revision `after`, for as long as `permit` lasts; a `reset`
    /// comes first.
    pub fn open(
        store: Store,
        channel: &Channel,
        after: Revision,
        reset: bool,
        heartbeat: Duration,
        permit: Option<Permit>,
    ) -> Self {
        let subscription = Subscription::open(channel, Transport::Changes, None, heartbeat);
        Self {
            store,
            event: channel.newest().event,
            subscription: subscription.with(permit),
            after,
            reset,
            page: VecDeque::new(),
            behind: true,
            traces: trace::current(),
        }
    }

    /// The next change that was read already, so that a transport can write several at once.
    pub fn read_ahead(&mut self) -> Option<Change> {
        let change = self.page.pop_front()?;
        self.after = change.headcount.revision;
        Some(change)
    }

    /// The next entry, after waiting for it; `None` after the farewell.
    pub async fn next(&mut self) -> Option<Entry> {
        if std::mem::take(&mut self.reset) {
            return Some(Entry::Reset);
        }
        loop {
            if let Some(change) = self.read_ahead() {
                return Some(Entry::Change(Box::new(change)));
            }
            if self.behind {
                // Between two pages: a client that is far behind waits for nothing else.
                if let Some(end) = self.subscription.revoked().await {
                    return Some(Entry::Item(end));
                }
                match self.store.changes(&self.event, self.after, PAGE).await {
                    Ok(page) => {
                        self.behind = !page.is_empty();
                        self.page = page.into();
                        continue;
                    }
                    // The store logs it once for all followers.
                    Err(StoreError::Busy) => tokio::time::sleep(RETRY).await,
                    Err(error) => {
                        let event = &self.event.slug;
                        trace::enter(self.traces.clone(), || {
                            tracing::warn!(%error, %event, "cannot read the change log; trying again");
                        });
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
            match self.subscription.next().await? {
                Item::Message(message)
                    if matches!(message.payload(), crate::wire::message::Payload::Count(_)) =>
                {
                    self.behind = true;
                }
                item => return Some(Entry::Item(item)),
            }
        }
    }
}
