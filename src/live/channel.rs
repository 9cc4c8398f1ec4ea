//! One event's newest state, and the watch channel that carries it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::commits::Commits;
use super::fanout::{Rope, Seat};
use super::presence::Watchers;
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::headcount::Headcount;
use crate::domain::position::Position;
use crate::store::Announcement;
use crate::wire::message::{Body, Message, Reason};

/// Why everybody's stream is to end.
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

    /// When a watcher's farewell is due inside a drain's `window`, drawn for each. Most of the window, so that the last
    /// farewell is still written inside it.
    pub(super) fn spread(window: Duration) -> Duration {
        window.mul_f64(rand::random_range(0.0..0.8))
    }
}

/// A push with its place in the order of this channel's pushes, so that a watcher knows what it has sent already.
#[derive(Debug, Clone)]
pub struct Part {
    /// Grows with every push of the channel.
    pub sequence: u64,
    /// What to send.
    pub message: Arc<Message>,
}

/// Everything that is pushed, as one value; each part is the newest of its kind. A watcher sends the parts it has not sent.
#[derive(Debug, Clone)]
pub struct Update {
    /// The count.
    pub count: Part,
    /// Set while the database cannot be reached.
    pub stale: Option<Part>,
    /// How many watch.
    pub watching: Option<Part>,
    /// The newest announcement since this node started.
    pub notice: Option<Part>,
    /// The event's details have changed.
    pub details: Option<Part>,
    /// Everybody's stream is to end.
    pub end: Option<End>,
}

/// The newest state, as polls and pages see it.
#[derive(Debug, Clone)]
pub struct Newest {
    /// The row.
    pub event: Arc<Event>,
    /// The count of that row, with `stale_since` while the database cannot be reached.
    pub count: Part,
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

/// What is still to be pushed.
#[derive(Debug)]
struct Pacing {
    /// When a count was last pushed.
    pushed_at: Option<Instant>,
    /// A push is due at the end of the interval.
    armed: bool,
}

/// One event's live state.
#[derive(Debug)]
pub struct Channel {
    newest: RwLock<Newest>,
    updates: watch::Sender<Update>,
    /// Wakes the subscriptions; whoever follows by [`Channel::updates`] is woken by the watch channel itself. Stands after it, and so
    /// is dropped after it: the last ring tells that the channel is gone.
    bell: Rope,
    pacing: Mutex<Pacing>,
    sequence: AtomicU64,
    announced: AtomicI64,
    /// The newest announcement, once it was read.
    announcement: RwLock<Option<Arc<Announcement>>>,
    interval: Duration,
    /// Who watches.
    pub watchers: Arc<Watchers>,
}

impl Channel {
    /// A channel for `event`, pushing counts at most once in `interval`, and making room for `commits`.
    pub(super) fn new(event: Event, interval: Duration, commits: Commits) -> Self {
        let count = Part {
            sequence: 1,
            message: Arc::new(Message::new(Body::Count(event.headcount()))),
        };
        let update = Update {
            count: count.clone(),
            stale: None,
            watching: None,
            notice: None,
            details: None,
            end: None,
        };
        Self {
            announced: AtomicI64::new(event.announcement),
            announcement: RwLock::default(),
            newest: RwLock::new(Newest {
                event: Arc::new(event),
                count,
                stale_since: None,
            }),
            updates: watch::Sender::new(update),
            bell: Rope::new(commits),
            pacing: Mutex::new(Pacing {
                pushed_at: None,
                armed: false,
            }),
            sequence: AtomicU64::new(2),
            interval,
            watchers: Arc::default(),
        }
    }

    fn part(&self, body: Body) -> Part {
        self.numbered(Message::new(body))
    }

    fn numbered(&self, message: Message) -> Part {
        Part {
            sequence: self.sequence.fetch_add(1, Ordering::SeqCst),
            message: Arc::new(message),
        }
    }

    /// The newest state, ahead of what is pushed by at most the publish interval.
    pub fn newest(&self) -> Newest {
        // Held for this clone of references only, never over an await.
        self.newest
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Follows what is pushed.
    pub fn updates(&self) -> watch::Receiver<Update> {
        self.updates.subscribe()
    }

    /// A place to be woken at by what is pushed. Subscribe first, then look at the newest.
    pub(super) fn sit(&self) -> Seat {
        self.bell.sit()
    }

    /// Changes what is pushed, and tells everybody.
    fn tell(&self, change: impl FnOnce(&mut Update)) {
        self.updates.send_modify(change);
        self.bell.ring();
    }

    /// Takes a committed state unless a newer one is known. With `force` it is taken even if it is older: the database was
    /// restored. The first push after a quiet time goes out at once, the last one of a burst always.
    pub(super) fn publish(self: &Arc<Self>, event: Event, force: bool) {
        let edited_at = {
            let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
            if event.revision < newest.event.revision && !force {
                return;
            }
            if event == *newest.event {
                return;
            }
            let counted = event.position() != newest.event.position();
            let edited_at = (!event.has_details_of(&newest.event)).then_some(event.at);
            newest.event = Arc::new(event);
            if !counted {
                return;
            }
            newest.count = self.part(Body::Count(newest.headcount()));
            edited_at
        };
        self.push_paced();
        if let Some(at) = edited_at {
            self.tell(|update| update.details = Some(self.part(Body::Details { at })));
        }
    }

    /// Pushes now, or arms one push for the end of the interval.
    fn push_paced(self: &Arc<Self>) {
        let now = Instant::now();
        let due = {
            let mut pacing = self.pacing.lock().unwrap_or_else(PoisonError::into_inner);
            if pacing.armed {
                return;
            }
            match pacing
                .pushed_at
                .map(|at| at + self.interval)
                .filter(|due| *due > now)
            {
                None => {
                    pacing.pushed_at = Some(now);
                    None
                }
                Some(due) => {
                    pacing.armed = true;
                    Some(due)
                }
            }
        };
        match due {
            None => self.push(),
            Some(due) => {
                let channel = Arc::clone(self);
                tokio::spawn(async move {
                    tokio::time::sleep_until(due).await;
                    {
                        let mut pacing = channel
                            .pacing
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner);
                        pacing.armed = false;
                        pacing.pushed_at = Some(Instant::now());
                    }
                    channel.push();
                });
            }
        }
    }

    /// Pushes the newest count.
    fn push(&self) {
        let changed = self.updates.send_if_modified(|update| {
            // Read inside the channel's own lock: of two pushes at once the later one cannot carry the older count.
            let newest = self.newest();
            let changed = update.count.sequence < newest.count.sequence;
            update.count = newest.count;
            changed
        });
        if changed {
            self.bell.ring();
        }
    }

    /// The database is away since then (`Some`), or back (`None`). At recovery the count goes out again, even with the same id.
    pub(super) fn set_stale(&self, since: Option<Timestamp>) {
        {
            let mut newest = self.newest.write().unwrap_or_else(PoisonError::into_inner);
            if newest.stale_since.is_some() == since.is_some() {
                return;
            }
            newest.stale_since = since;
            newest.count = self.numbered(Message::new(Body::Count(newest.headcount())).again());
        }
        self.tell(|update| {
            update.stale = since.map(|since| self.part(Body::Stale(since)));
            // While it is away the count stays what it was, so only newcomers get it once more, with `stale_since`.
            if since.is_none() {
                update.count = self.newest().count;
            }
        });
    }

    /// Tells everybody how many watch.
    pub(super) fn set_watching(&self, watching: u64) {
        self.tell(|update| update.watching = Some(self.part(Body::Watching(watching))));
    }

    /// The newest announcement that was told here.
    pub fn announced(&self) -> i64 {
        self.announced.load(Ordering::SeqCst)
    }

    /// Tells everybody what the organiser announces; once, whoever brings it.
    pub(super) fn announce(&self, announcement: &Announcement) {
        // Not the row's own field: a commit may have published the row before the announcement itself comes here.
        if self.announced.fetch_max(announcement.id, Ordering::SeqCst) >= announcement.id {
            return;
        }
        self.remember(announcement.clone());
        if announcement.is_withdrawal() {
            let at = announcement.at;
            self.tell(|update| update.details = Some(self.part(Body::Details { at })));
            return;
        }
        let notice = self.part(Body::Notice {
            text: announcement.text.clone(),
            at: announcement.at,
            ends_at: announcement.ends_at,
        });
        self.tell(|update| update.notice = Some(notice));
    }

    /// The newest announcement, if it was read here already.
    pub fn announcement(&self) -> Option<Arc<Announcement>> {
        self.announcement
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Keeps an announcement that was read, unless a newer one is known.
    pub fn remember(&self, announcement: Announcement) {
        let mut known = self
            .announcement
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if known
            .as_ref()
            .is_none_or(|known| known.id < announcement.id)
        {
            *known = Some(Arc::new(announcement));
        }
    }

    /// Ends everybody's stream, also those that begin from now on.
    pub(super) fn end(&self, end: End) {
        self.tell(|update| update.end = Some(end));
    }
}
