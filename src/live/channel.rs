//! One event's newest state: one cell, published by one watch channel.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::commits::Commits;
use super::fanout::{Notifier, Waiter};
use super::meters::Refusals;
use super::presence::Presence;
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::headcount::Headcount;
use crate::domain::position::Position;
use crate::store::Announcement;
use crate::wire::message::{Message, Payload, Reason};

/// Why all streams of an event end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server stops; farewells are spread over this time.
    Drain(Duration),
    /// The event was deleted.
    Deleted,
}

impl End {
    /// What the farewell says.
    pub(super) fn reason(self) -> Reason {
        match self {
            Self::Drain(_) => Reason::Drain,
            Self::Deleted => Reason::Deleted,
        }
    }

    /// How long after the start of a drain a watcher's farewell is due, drawn for each watcher. It
    /// uses 80 % of `window`, so that the last farewell is written within the window.
    pub(super) fn spread(window: Duration) -> Duration {
        window.mul_f64(rand::random_range(0.0..0.8))
    }
}

/// A push with its sequence number. A watcher remembers the number of what it has sent.
#[derive(Debug, Clone)]
pub struct Push {
    /// Grows with every push of the channel.
    pub sequence: u64,
    /// What to send.
    pub message: Arc<Message>,
}

/// The newest state, as polls and pages see it.
#[derive(Debug, Clone)]
pub struct Newest {
    /// The row.
    pub event: Arc<Event>,
    /// The count of that row, with `stale_since` while the database cannot be reached.
    pub count: Push,
    /// Since when the database cannot be reached.
    pub stale_since: Option<Timestamp>,
}

impl Newest {
    /// The cursor of the present state.
    pub fn position(&self) -> Position {
        self.event.position()
    }

    /// The count object.
    pub fn headcount(&self) -> Headcount {
        Headcount {
            stale_since: self.stale_since,
            ..self.event.headcount()
        }
    }
}

/// The live state of an event as one value. Each public field is the newest push of its kind; a
/// watcher sends those that it has not sent.
#[derive(Debug, Clone)]
pub struct LiveState {
    /// The count.
    pub count: Push,
    /// Set while the database cannot be reached.
    pub stale: Option<Push>,
    /// How many watch.
    pub watching: Option<Push>,
    /// The newest announcement since this node started.
    pub notice: Option<Push>,
    /// The event's details have changed.
    pub details: Option<Push>,
    /// Set when everybody's stream ends.
    pub end: Option<End>,
    /// What polls see. It is ahead of `count` by at most the publish interval.
    newest: Newest,
    /// Key of the newest announcement that was pushed here.
    announced: i64,
    /// The newest announcement, once this node has read it.
    announcement: Option<Arc<Announcement>>,
    /// The sequence number of the next push.
    sequence: u64,
    /// When a count was last pushed.
    pushed_at: Option<Instant>,
    /// A push is due at the end of the interval.
    push_is_scheduled: bool,
}

/// A committed state whose count must be pushed.
struct PendingPush {
    /// The time of the change, if it changed the details as well.
    edited_at: Option<Timestamp>,
}

/// When a count goes out.
enum Pace {
    Now,
    At(Instant),
    /// With a push that is already scheduled.
    Scheduled,
}

impl LiveState {
    fn new(event: Event) -> Self {
        let count = Push {
            sequence: 1,
            message: Arc::new(Message::new(Payload::Count(event.headcount()))),
        };
        Self {
            count: count.clone(),
            stale: None,
            watching: None,
            notice: None,
            details: None,
            end: None,
            announced: event.announcement,
            announcement: None,
            newest: Newest {
                event: Arc::new(event),
                count,
                stale_since: None,
            },
            sequence: 2,
            pushed_at: None,
            push_is_scheduled: false,
        }
    }

    fn sequenced(&mut self, message: Message) -> Push {
        let sequence = self.sequence;
        self.sequence += 1;
        Push {
            sequence,
            message: Arc::new(message),
        }
    }

    /// Stores a committed state; `None` when there is nothing to push.
    fn accept(&mut self, event: Event, force: bool) -> Option<PendingPush> {
        let known = &self.newest.event;
        if (event.revision < known.revision && !force) || event == **known {
            return None;
        }
        let counted = event.position() != known.position();
        let edited_at = (!event.has_details_of(known)).then_some(event.at);
        self.newest.event = Arc::new(event);
        if !counted {
            return None;
        }
        let count = Message::new(Payload::Count(self.newest.headcount()));
        self.newest.count = self.sequenced(count);
        Some(PendingPush { edited_at })
    }

    /// Pushes that the event's details have changed.
    fn push_details(&mut self, at: Timestamp) {
        self.details = Some(self.sequenced(Message::new(Payload::Details { at })));
    }

    /// Stores an announcement that was read, unless a newer one is known.
    fn remember(&mut self, announcement: Announcement) {
        let known = self.announcement.as_ref();
        if known.is_none_or(|known| known.id < announcement.id) {
            self.announcement = Some(Arc::new(announcement));
        }
    }

    fn pace(&mut self, now: Instant, interval: Duration) -> Pace {
        if self.push_is_scheduled {
            return Pace::Scheduled;
        }
        match self
            .pushed_at
            .map(|at| at + interval)
            .filter(|due| *due > now)
        {
            None => Pace::Now,
            Some(due) => {
                self.push_is_scheduled = true;
                Pace::At(due)
            }
        }
    }

    /// Pushes the newest count; `false` when it was pushed before.
    fn push(&mut self, now: Instant) -> bool {
        self.push_is_scheduled = false;
        self.pushed_at = Some(now);
        let changed = self.count.sequence < self.newest.count.sequence;
        self.count = self.newest.count.clone();
        changed
    }

    /// Sets whether the database is unreachable; `false` when nothing changed.
    fn set_stale(&mut self, since: Option<Timestamp>) -> bool {
        if self.newest.stale_since.is_some() == since.is_some() {
            return false;
        }
        self.newest.stale_since = since;
        let count = Message::new(Payload::Count(self.newest.headcount())).again();
        self.newest.count = self.sequenced(count);
        self.stale = since.map(|since| self.sequenced(Message::new(Payload::Stale(since))));
        // During an outage the count does not change, so only new watchers get it, with
        // `stale_since`. After it everybody gets it again.
        if since.is_none() {
            self.count = self.newest.count.clone();
        }
        true
    }

    /// Pushes an announcement; `false` when it, or a newer one, was pushed before.
    fn announce(&mut self, announcement: &Announcement) -> bool {
        // Do not compare with the event's row: a commit may have published the row before the
        // announcement.
        if self.announced >= announcement.id {
            return false;
        }
        self.announced = announcement.id;
        self.remember(announcement.clone());
        if announcement.is_withdrawal() {
            self.push_details(announcement.at);
            return true;
        }
        let notice = Message::new(Payload::Notice {
            text: announcement.text.clone(),
            at: announcement.at,
            ends_at: announcement.ends_at,
        });
        self.notice = Some(self.sequenced(notice));
        true
    }
}

/// One event's live state and its watchers.
#[derive(Debug)]
pub struct Channel {
    /// The state's only copy. Its lock is held for a few instructions, over no await.
    state: watch::Sender<LiveState>,
    /// Wakes subscriptions and long polls. It is declared after `state` and so dropped after it:
    /// its last notification means that the channel is gone.
    notifier: Notifier,
    interval: Duration,
    /// Who watches.
    pub presence: Arc<Presence>,
    /// Registrations that were refused here.
    pub refusals: Refusals,
}

impl Channel {
    /// A channel for `event`. It pushes counts at most once in `interval`, and its fan-out yields
    /// to `commits`.
    pub(super) fn new(event: Event, interval: Duration, commits: Commits) -> Self {
        Self {
            state: watch::Sender::new(LiveState::new(event)),
            notifier: Notifier::new(commits),
            interval,
            presence: Arc::default(),
            refusals: Refusals::default(),
        }
    }

    /// The newest state. It is ahead of what is pushed by at most the publish interval.
    pub fn newest(&self) -> Newest {
        self.state.borrow().newest.clone()
    }

    /// Key of the newest announcement that was pushed here.
    pub fn announced(&self) -> i64 {
        self.state.borrow().announced
    }

    /// Follows what is pushed.
    pub fn updates(&self) -> watch::Receiver<LiveState> {
        self.state.subscribe()
    }

    /// Registers a task that every push wakes. Call this first, then read the newest state.
    pub(super) fn waiter(&self) -> Waiter {
        self.notifier.waiter()
    }

    /// Changes the state, and notifies every watcher if `change` returns `true`.
    fn update(&self, change: impl FnOnce(&mut LiveState) -> bool) {
        if self.state.send_if_modified(change) {
            self.notifier.notify_all();
        }
    }

    /// Publishes a committed state, unless a newer one is known. With `force` an older state is
    /// published too, because the database was restored. After a quiet time the count is pushed at
    /// once. In a burst, counts between two pushes are skipped, but never the last one.
    pub(super) fn publish(self: &Arc<Self>, event: Event, force: bool) {
        let mut later = None;
        self.update(|state| {
            let Some(PendingPush { edited_at }) = state.accept(event, force) else {
                return false;
            };
            let now = Instant::now();
            let pushed = match state.pace(now, self.interval) {
                Pace::Now => state.push(now),
                Pace::At(due) => {
                    later = Some(due);
                    false
                }
                Pace::Scheduled => false,
            };
            if let Some(at) = edited_at {
                state.push_details(at);
            }
            pushed || edited_at.is_some()
        });
        if let Some(due) = later {
            let channel = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep_until(due).await;
                channel.update(|state| state.push(Instant::now()));
            });
        }
    }

    /// Marks the database as unreachable since that time (`Some`), or reachable again (`None`). At
    /// recovery the count is pushed again, even with the same position.
    pub(super) fn set_stale(&self, since: Option<Timestamp>) {
        self.update(|state| state.set_stale(since));
    }

    /// Pushes how many watch.
    pub(super) fn set_watching(&self, watching: u64) {
        self.update(|state| {
            state.watching = Some(state.sequenced(Message::new(Payload::Watching(watching))));
            true
        });
    }

    /// Pushes an announcement once, however often it is reported.
    pub(super) fn announce(&self, announcement: &Announcement) {
        self.update(|state| state.announce(announcement));
    }

    /// The newest announcement, if this node has read it.
    pub fn announcement(&self) -> Option<Arc<Announcement>> {
        self.state.borrow().announcement.clone()
    }

    /// Stores an announcement that was read, unless a newer one is known.
    pub fn remember(&self, announcement: Announcement) {
        self.update(|state| {
            state.remember(announcement);
            false
        });
    }

    /// Ends every stream, also those that begin after this call.
    pub(super) fn end(&self, end: End) {
        self.update(|state| {
            state.end = Some(end);
            true
        });
    }
}
