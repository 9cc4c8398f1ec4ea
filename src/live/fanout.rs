//! Wakes an event's watchers: all of them when something is pushed, one of them when its own time has come.
//!
//! The newest push is in a watch channel; only the waking is here, because tokio's has three costs that ten thousand watchers feel.
//! It wakes everybody at once, and whatever else the process has to do, a registration above all, stands behind all of them in
//! the scheduler's queue, once for each step it takes. It takes a lock for each watcher at each push. And it knows no time, so that each
//! watcher needs a timer of its own for its heartbeat.
//!
//! Here a watcher has a seat, which holds its task's waker for as long as the task stays the same. One walker goes round:
//!
//! ```text
//! ring: everybody is due ──▶ wake a portion, step aside, wake the next … once round from where the walker is
//! alarm of a seat is due ──▶ wake that one
//! nothing due            ──▶ sleep until the next alarm or ring
//! ```
//!
//! A ring while the walk is under way makes it go once round from where it is: nobody is woken for a push that is no longer the
//! newest, and however many pushes come, everybody has their turn. A bell that nobody sits at has no walker.
//!
//! While a commit is underway the walker's thread steps aside as well: what a database has to do for it, it does on a thread or in a
//! process of its own, which may be waiting for this core, and a system can leave a busy thread there for some milliseconds.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::commits::Commits;

/// How many are woken before the walker steps aside, for each thread of the runtime: what waits behind a portion waits half a millisecond.
const PORTION: usize = 32;
/// Half of what fits into a thread's own queue: what does not fit stands in the one that all threads share, where a database's answer comes.
const LARGEST_PORTION: usize = 128;
/// How often the walker's thread gives its core away. Whoever takes it may keep it for milliseconds.
const GIVE_WAY: Duration = Duration::from_millis(1);
/// Alarms are put off to the next multiple of this: those of one crowd fall together, and the walker sleeps meanwhile.
pub(super) const TICK: Duration = Duration::from_millis(16);

/// One event's watchers and their walker.
#[derive(Debug)]
struct Bell {
    // Held for a portion of wake-ups, over no await. Wakers are dropped outside: the last one takes its task along, and that its seat.
    seats: Mutex<Seats>,
    /// Calls the walker.
    call: Notify,
    commits: Commits,
    begun: Instant,
    /// When somebody last looked at the clock, nanoseconds after `begun`.
    looked: AtomicU64,
}

#[derive(Debug, Default)]
struct Seats {
    wakers: Vec<Option<Waker>>,
    free: Vec<u32>,
    alarms: BTreeSet<(Instant, u32)>,
    /// Where the walk goes on.
    at: usize,
    /// How many seats it has still to look at.
    left: usize,
    walking: bool,
}

/// What the walker does next.
enum Next {
    StepAside,
    Sleep(Option<Instant>),
    Leave,
}

/// The channel's hold on its bell; rings a last time when it is dropped.
#[derive(Debug)]
pub(super) struct Rope(Arc<Bell>);

impl Rope {
    /// A bell that nobody sits at yet.
    pub(super) fn new(commits: Commits) -> Self {
        Self(Arc::new(Bell {
            seats: Mutex::default(),
            call: Notify::new(),
            commits,
            begun: Instant::now(),
            looked: AtomicU64::new(0),
        }))
    }

    /// Wakes everybody. What they are to find must be there already.
    pub(super) fn ring(&self) {
        self.0.look();
        let mut seats = self.0.lock();
        if seats.left == 0 && !seats.wakers.is_empty() {
            // Whoever sits last in one walk does not in the next.
            seats.at = rand::random_range(0..seats.wakers.len());
        }
        seats.left = seats.wakers.len();
        drop(seats);
        self.0.call.notify_one();
    }

    /// A place for one watcher. Must be called inside a tokio runtime with time enabled.
    pub(super) fn sit(&self) -> Seat {
        let bell = &self.0;
        bell.look();
        let mut seats = bell.lock();
        let key = seats.free.pop().unwrap_or_else(|| {
            seats.wakers.push(None);
            // A machine has no room for so many sockets.
            u32::try_from(seats.wakers.len() - 1).expect("fewer than 2^32 watchers")
        });
        if !std::mem::replace(&mut seats.walking, true) {
            tokio::spawn(Arc::clone(bell).walk());
        }
        drop(seats);
        Seat {
            bell: Arc::clone(bell),
            key,
            waker: None,
            alarm: None,
        }
    }
}

impl Drop for Rope {
    fn drop(&mut self) {
        self.ring();
    }
}

impl Bell {
    async fn walk(self: Arc<Self>) {
        let portion = LARGEST_PORTION.min(PORTION * Handle::current().metrics().num_workers());
        let mut gave_way = self.begun;
        loop {
            // Statements of their own, so that the lock is not held over the waiting.
            let now = self.look();
            let next = self.lock().step(now, portion);
            match next {
                // Behind those that were just woken, and behind whatever else is ready.
                Next::StepAside => {
                    if now >= gave_way + GIVE_WAY && self.commits.are_underway() {
                        gave_way = now;
                        std::thread::yield_now();
                    }
                    tokio::task::yield_now().await;
                }
                Next::Sleep(None) => self.call.notified().await,
                Next::Sleep(Some(alarm)) => tokio::select! {
                    () = self.call.notified() => {}
                    () = sleep_until(alarm) => {}
                },
                Next::Leave => return,
            }
        }
    }

    /// Reads the clock for everybody who is woken, or takes a seat, after this.
    fn look(&self) -> Instant {
        let now = Instant::now();
        let nanos =
            u64::try_from(now.saturating_duration_since(self.begun).as_nanos()).unwrap_or(u64::MAX);
        self.looked.fetch_max(nanos, Ordering::Relaxed);
        now
    }

    /// The next multiple of [`TICK`].
    fn rounded(&self, at: Instant) -> Instant {
        let tick = TICK.as_nanos();
        let ticks = at
            .saturating_duration_since(self.begun)
            .as_nanos()
            .div_ceil(tick);
        u64::try_from(ticks * tick).map_or(at, |nanos| self.begun + Duration::from_nanos(nanos))
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    /// Wakes at most `portion`.
    fn step(&mut self, now: Instant, portion: usize) -> Next {
        if self.free.len() == self.wakers.len() {
            // The table of the largest crowd there was is given back.
            *self = Self::default();
            return Next::Leave;
        }
        let mut woken = 0;
        while woken < portion
            && let Some(&(alarm, key)) = self.alarms.first()
            && alarm <= now
        {
            self.alarms.pop_first();
            woken += self.wake(key as usize);
        }
        while woken < portion && self.left > 0 {
            self.left -= 1;
            self.at = if self.at + 1 < self.wakers.len() {
                self.at + 1
            } else {
                0
            };
            woken += self.wake(self.at);
        }
        let next = self.alarms.first().map(|(alarm, _)| *alarm);
        if self.left > 0 || next.is_some_and(|alarm| alarm <= now) {
            Next::StepAside
        } else {
            Next::Sleep(next)
        }
    }

    fn wake(&self, at: usize) -> usize {
        self.wakers[at].as_ref().map_or(0, |waker| {
            waker.wake_by_ref();
            1
        })
    }
}

/// One watcher's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    bell: Arc<Bell>,
    key: u32,
    /// What the bell has of this seat, so that it need not be asked.
    waker: Option<Waker>,
    alarm: Option<Instant>,
}

impl Seat {
    /// The walker's time, which never goes back: for a task that it woke, that of its waking; for any other it may be long past, but not
    /// before this seat was taken. Nothing that the walker has woken somebody for lies after it.
    pub(super) fn now(&self) -> Instant {
        self.bell.begun + Duration::from_nanos(self.bell.looked.load(Ordering::Relaxed))
    }

    /// From now on a ring wakes this task. Look for what it told after this call.
    pub(super) fn listen(&mut self, cx: &Context<'_>) {
        if self
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            return;
        }
        self.waker = Some(cx.waker().clone());
        let old = self.bell.lock().wakers[self.key as usize].replace(cx.waker().clone());
        drop(old);
    }

    /// From now on nothing wakes the task that listened last. Its alarm stays, and wakes nobody.
    pub(super) fn silence(&mut self) {
        if self.waker.take().is_some() {
            let old = self.bell.lock().wakers[self.key as usize].take();
            drop(old);
        }
    }

    /// Ready at `at`. Of several wishes the earliest is kept; a woken task says those again that are still to come.
    pub(super) fn poll_alarm(&mut self, cx: &Context<'_>, now: Instant, at: Instant) -> Poll<()> {
        if at <= now {
            return Poll::Ready(());
        }
        self.listen(cx);
        if self
            .alarm
            .is_none_or(|alarm| alarm <= now || alarm > at + TICK)
        {
            let alarm = self.bell.rounded(at);
            let mut seats = self.bell.lock();
            if let Some(old) = self.alarm.replace(alarm) {
                seats.alarms.remove(&(old, self.key));
            }
            seats.alarms.insert((alarm, self.key));
            let is_next = seats.alarms.first() == Some(&(alarm, self.key));
            drop(seats);
            if is_next {
                self.bell.call.notify_one();
            }
        }
        Poll::Pending
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.bell.lock();
        let waker = seats.wakers[self.key as usize].take();
        if let Some(alarm) = self.alarm {
            seats.alarms.remove(&(alarm, self.key));
        }
        seats.free.push(self.key);
        let is_empty = seats.free.len() == seats.wakers.len();
        drop(seats);
        drop(waker);
        if is_empty {
            self.bell.call.notify_one();
        }
    }
}
