//! One watcher's subscription to an event. Every transport gets its items from a subscription.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::channel::{Channel, End, LiveState};
use super::fanout::{TICK, Waiter};
use super::permit::Permit;
use super::presence::{Transport, Watcher};
use crate::domain::position::Position;
use crate::wire::message::{Message, Payload, Reason};

/// Farewells ask clients to reconnect after a random time in this range, in milliseconds. So a
/// deploy does not bring all of them back in the same second.
pub const RETRY_MS: std::ops::Range<u64> = 1_000..4_000;

/// The fraction of the heartbeat interval after which a heartbeat is sent. It is a little sooner
/// than promised, so that it is in time on a busy machine.
const PUNCTUALITY: f64 = 0.95;

/// What a watcher sends next.
#[derive(Debug, Clone)]
pub enum Item {
    /// A push.
    Message(Arc<Message>),
    /// Nothing happened for a while: shows that the connection is alive.
    Heartbeat,
    /// A farewell drawn for this watcher; nothing follows.
    End {
        /// Why.
        reason: Reason,
        /// When to reconnect, milliseconds.
        retry_ms: u64,
    },
}

/// A farewell drawn for one watcher.
pub fn farewell(reason: Reason) -> Item {
    Item::End {
        reason,
        retry_ms: rand::random_range(RETRY_MS),
    }
}

impl Item {
    /// A farewell as a push.
    pub fn bye(reason: Reason, retry_ms: u64) -> Message {
        Message::new(Payload::Bye { reason, retry_ms })
    }
}

/// Follows one event. Of several changes made while the watcher was busy it yields only the newest.
#[derive(Debug)]
pub struct Subscription {
    updates: watch::Receiver<LiveState>,
    waiter: Waiter,
    first: Option<Item>,
    /// The newest sequence number sent: of counts, of `stale`, and of notices, details and
    /// `watching` together.
    seen_count: u64,
    seen_stale: u64,
    seen_other: u64,
    heartbeat: Duration,
    beat_at: Instant,
    end_at: Option<(Instant, Reason)>,
    ended: bool,
    permit: Option<Permit>,
    watcher: Watcher,
}

impl Subscription {
    /// Follows `channel`. A watcher whose `after` is the newest position gets a heartbeat first.
    /// Every other watcher gets the newest count first: it is behind, has a foreign or future
    /// position, or none.
    pub fn open(
        channel: &Channel,
        transport: Transport,
        after: Option<&Position>,
        heartbeat: Duration,
    ) -> Self {
        let watcher = channel.presence.enter(transport);
        // Subscribe first, then read the newest state: a commit in between is pushed, and compared
        // by its sequence number.
        let updates = channel.updates();
        let waiter = channel.waiter();
        let newest = channel.newest();
        let (seen_other, end) = {
            let state = updates.borrow();
            (
                [&state.watching, &state.notice, &state.details]
                    .into_iter()
                    .flatten()
                    .map(|push| push.sequence)
                    .max()
                    .unwrap_or(0),
                state.end,
            )
        };
        let current =
            newest.stale_since.is_none() && after.is_some_and(|after| *after == newest.position());
        // The first heartbeat is spread over the second half of the interval. So watchers that came
        // in one burst do not get their heartbeats in one burst.
        let heartbeat = heartbeat.mul_f64(PUNCTUALITY).saturating_sub(TICK);
        let now = waiter.now();
        let beat_at = now + heartbeat.mul_f64(rand::random_range(0.5..1.0));
        let mut subscription = Self {
            updates,
            waiter,
            first: Some(if current {
                Item::Heartbeat
            } else {
                Item::Message(newest.count.message)
            }),
            seen_count: newest.count.sequence,
            seen_stale: 0,
            seen_other,
            heartbeat,
            beat_at,
            // A watcher that comes during a drain gets the count and the farewell at once.
            end_at: end.map(|end| (now, end.reason())),
            ended: false,
            permit: None,
            watcher,
        };
        // The first poll must read the channel's state, which may be stale or ending.
        subscription.updates.mark_changed();
        subscription
    }

    /// Ends with `permit`, as if the event were deleted.
    #[must_use]
    pub fn with(mut self, permit: Option<Permit>) -> Self {
        self.permit = permit;
        self
    }

    /// The farewell, if the permit has ended.
    pub async fn revoked(&mut self) -> Option<Item> {
        poll_fn(|cx| Poll::Ready(self.poll_revoked(cx))).await
    }

    fn poll_revoked(&mut self, cx: &mut Context<'_>) -> Option<Item> {
        let revoked = Pin::new(self.permit.as_mut()?).poll(cx);
        if revoked.is_pending() {
            return None;
        }
        self.permit = None;
        self.ended = true;
        Some(farewell(Reason::Deleted))
    }

    /// The watcher's transport.
    pub fn transport(&self) -> Transport {
        self.watcher.transport()
    }

    /// Whether no item has been yielded yet.
    pub fn is_fresh(&self) -> bool {
        self.first.is_some()
    }

    /// Whether the farewell is already due at a known time.
    pub fn is_ending(&self) -> bool {
        self.end_at.is_some()
    }

    /// Waits for the next item; `None` after the farewell. It is cancel-safe: an item that was not
    /// returned is not lost.
    pub async fn next(&mut self) -> Option<Item> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Like [`Self::next`], for a task that polls. Only a change, a due heartbeat and the farewell
    /// wake it.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Some(end) = self.poll_revoked(cx) {
            return Poll::Ready(Some(end));
        }
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        // The fan-out's time, not the clock's: reading the clock shows in a profile of ten thousand
        // deliveries. The fan-out wakes this task for everything that is due here.
        let now = self.waiter.now();
        loop {
            if let Some(item) = self.ready(now) {
                self.beat_at = now + self.heartbeat;
                return Poll::Ready(Some(item));
            }
            self.waiter.listen(cx);
            match self.updates.has_changed() {
                Ok(true) => {}
                Ok(false) => {
                    let due = self
                        .end_at
                        .map_or(self.beat_at, |(at, _)| at.min(self.beat_at));
                    ready!(self.waiter.poll_alarm(cx, now, due));
                }
                // The channel is gone: its event was deleted, or the process ends.
                Err(_) => {
                    let reason = self.updates.borrow().end.map_or(Reason::Drain, End::reason);
                    self.end_at = Some((now, reason));
                }
            }
        }
    }

    /// Ready at `at`, and wakes the polling task then, so that a transport's deadlines need no
    /// timer. It uses the fan-out's time: by the clock, a pending alarm could seem to be past, and
    /// this one would replace it.
    pub fn poll_alarm(&mut self, cx: &Context<'_>, at: Instant) -> Poll<()> {
        self.waiter.poll_alarm(cx, self.waiter.now(), at)
    }

    /// Stops waking the task until the next poll.
    pub fn silence(&mut self) {
        self.waiter.silence();
    }

    /// Sets whether this subscription counts as a watcher. A client that only polls now and then
    /// may be absent in between.
    pub fn set_present(&mut self, present: bool) {
        self.watcher.set_present(present);
    }

    /// What can be sent without waiting.
    fn ready(&mut self, now: Instant) -> Option<Item> {
        if let Some((at, reason)) = self.end_at
            && at <= now
        {
            self.ended = true;
            return Some(farewell(reason));
        }
        let item = {
            let state = self.updates.borrow_and_update();
            if let (Some(end), None) = (state.end, self.end_at) {
                let delay = match end {
                    End::Deleted => Duration::ZERO,
                    End::Drain(window) => End::spread(window),
                };
                self.end_at = Some((now + delay, end.reason()));
            }
            // A watcher that is about to leave does not need the number of watchers.
            let watching = state.watching.as_ref().filter(|_| self.end_at.is_none());
            let other = [state.notice.as_ref(), state.details.as_ref(), watching]
                .into_iter()
                .flatten()
                .filter(|push| push.sequence > self.seen_other)
                .min_by_key(|push| push.sequence);
            if state.count.sequence > self.seen_count {
                self.seen_count = state.count.sequence;
                Some(Arc::clone(&state.count.message))
            } else if let Some(push) = state
                .stale
                .as_ref()
                .filter(|push| push.sequence > self.seen_stale)
            {
                self.seen_stale = push.sequence;
                Some(Arc::clone(&push.message))
            } else if let Some(push) = other {
                self.seen_other = push.sequence;
                Some(Arc::clone(&push.message))
            } else {
                None
            }
        };
        if let Some(message) = item {
            return Some(Item::Message(message));
        }
        if let Some((at, reason)) = self.end_at
            && at <= now
        {
            self.ended = true;
            return Some(farewell(reason));
        }
        (self.beat_at <= now).then_some(Item::Heartbeat)
    }
}
