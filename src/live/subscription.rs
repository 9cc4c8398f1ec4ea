//! One watcher's way to follow an event: what every transport asks for its items.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::channel::{Channel, End, Update};
use super::fanout::{Seat, TICK};
use super::presence::{Transport, Watcher};
use crate::domain::position::Position;
use crate::wire::message::{Body, Message, Reason};

/// Farewells ask clients to come back after a random time in this range, milliseconds, so that a deploy does not bring
/// all of them back in the same second.
pub const RETRY_MS: std::ops::Range<u64> = 1_000..4_000;

/// A heartbeat is due a little before the promised time, so that it is still in time when the machine is busy.
const PUNCTUALITY: f64 = 0.95;

/// What a watcher is to send next.
#[derive(Debug, Clone)]
pub enum Item {
    /// A push.
    Message(Arc<Message>),
    /// Nothing has happened for a while: show that the line is alive.
    Heartbeat,
    /// A farewell drawn for this watcher; nothing follows.
    End {
        /// Why.
        reason: Reason,
        /// When to come back, milliseconds.
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
        Message::new(Body::Bye { reason, retry_ms })
    }
}

/// Follows one event. Conflates: of several changes that were made while the watcher was busy it gives the newest.
#[derive(Debug)]
pub struct Subscription {
    updates: watch::Receiver<Update>,
    seat: Seat,
    first: Option<Item>,
    /// The newest sequence sent, of counts, of `stale`, and of notices, details and `watching` together.
    seen_count: u64,
    seen_stale: u64,
    seen_other: u64,
    heartbeat: Duration,
    beat_at: Instant,
    end_at: Option<(Instant, Reason)>,
    ended: bool,
    watcher: Watcher,
}

impl Subscription {
    /// Follows `channel`. A watcher that is at `after` already gets a heartbeat first; every other one (behind, a foreign epoch,
    /// from the future, or without a position) gets the newest count first.
    pub fn open(
        channel: &Channel,
        transport: Transport,
        after: Option<&Position>,
        heartbeat: Duration,
    ) -> Self {
        let watcher = channel.watchers.enter(transport);
        // Subscribe, then read the newest: what is committed in between is pushed, and compared by sequence.
        let updates = channel.updates();
        let seat = channel.sit();
        let newest = channel.newest();
        let (seen_other, end) = {
            let update = updates.borrow();
            (
                [&update.watching, &update.notice, &update.details]
                    .into_iter()
                    .flatten()
                    .map(|part| part.sequence)
                    .max()
                    .unwrap_or(0),
                update.end,
            )
        };
        let current =
            newest.stale_since.is_none() && after.is_some_and(|after| *after == newest.position());
        // Spread over the second half of the interval: those who came in one burst do not beat in one.
        let heartbeat = heartbeat.mul_f64(PUNCTUALITY).saturating_sub(TICK);
        let now = seat.now();
        let beat_at = now + heartbeat.mul_f64(rand::random_range(0.5..1.0));
        let mut subscription = Self {
            updates,
            seat,
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
            // Who comes during a drain gets the count and the farewell at once.
            end_at: end.map(|end| (now, end.reason())),
            ended: false,
            watcher,
        };
        // What stands in the channel now (it may be stale, or ending) has to be looked at once.
        subscription.updates.mark_changed();
        subscription
    }

    /// By which technique.
    pub fn transport(&self) -> Transport {
        self.watcher.transport()
    }

    /// Whether nothing has been given yet.
    pub fn is_fresh(&self) -> bool {
        self.first.is_some()
    }

    /// Whether the farewell is drawn already.
    pub fn is_ending(&self) -> bool {
        self.end_at.is_some()
    }

    /// The next item, after waiting for it; `None` after the farewell. Cancel-safe: an item that was not returned is not lost.
    pub async fn next(&mut self) -> Option<Item> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The same for a task that polls. It is woken by a change and when a heartbeat or its farewell is due, by nothing else.
    pub fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Option<Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        // Not the clock, which shows in a profile of ten thousand deliveries: whatever is due here, the walker wakes for.
        let now = self.seat.now();
        loop {
            if let Some(item) = self.ready(now) {
                self.beat_at = now + self.heartbeat;
                return Poll::Ready(Some(item));
            }
            self.seat.listen(cx);
            match self.updates.has_changed() {
                Ok(true) => {}
                Ok(false) => {
                    let due = self
                        .end_at
                        .map_or(self.beat_at, |(at, _)| at.min(self.beat_at));
                    ready!(self.seat.poll_alarm(cx, now, due));
                }
                // The channel is gone: with its event, or without a word because the process is ending.
                Err(_) => {
                    let reason = self.updates.borrow().end.map_or(Reason::Drain, End::reason);
                    self.end_at = Some((now, reason));
                }
            }
        }
    }

    /// Wakes the polling task at `at`, ready then: a transport's own deadlines need no timer beside. Ready when the walker has seen that
    /// time: by any other clock an alarm that it has not rung yet, for a farewell, would look past, and give way to this one.
    pub fn poll_alarm(&mut self, cx: &Context<'_>, at: Instant) -> Poll<()> {
        self.seat.poll_alarm(cx, self.seat.now(), at)
    }

    /// Nobody waits for the next item until somebody asks again: wakes no task meanwhile.
    pub fn silence(&mut self) {
        self.seat.silence();
    }

    /// Whether it counts as watching: a client that fetches items only now and then may be away.
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
            let update = self.updates.borrow_and_update();
            if let (Some(end), None) = (update.end, self.end_at) {
                let delay = match end {
                    End::Deleted => Duration::ZERO,
                    End::Drain(window) => End::spread(window),
                };
                self.end_at = Some((now + delay, end.reason()));
            }
            // Who is about to leave need not hear how many stay.
            let watching = update.watching.as_ref().filter(|_| self.end_at.is_none());
            let other = [update.notice.as_ref(), update.details.as_ref(), watching]
                .into_iter()
                .flatten()
                .filter(|part| part.sequence > self.seen_other)
                .min_by_key(|part| part.sequence);
            if update.count.sequence > self.seen_count {
                self.seen_count = update.count.sequence;
                Some(Arc::clone(&update.count.message))
            } else if let Some(part) = update
                .stale
                .as_ref()
                .filter(|part| part.sequence > self.seen_stale)
            {
                self.seen_stale = part.sequence;
                Some(Arc::clone(&part.message))
            } else if let Some(part) = other {
                self.seen_other = part.sequence;
                Some(Arc::clone(&part.message))
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
