//! Fan-out: wakes all watchers of an event at a push, and one watcher when its own deadline is due.
//!
//! tokio's watch channel carries the newest state; this module only wakes. The channel's own
//! notifications cost too much with ten thousand watchers:
//!
//! - they wake everybody at once, so that a registration waits behind all of them in the scheduler;
//! - they take a lock for each watcher at each push;
//! - they have no alarms, so that each watcher would need a timer for its heartbeat.
//!
//! Here a watcher has a [`Waiter`], which holds its task's waker. One task for each event, the
//! fan-out task, goes round:
//!
//! ```text
//! a push: everybody is due  ──▶ wake a chunk, yield, wake the next … once round from where it is
//! a waiter's alarm is due   ──▶ wake that one
//! nothing is due            ──▶ sleep until the next alarm or push
//! ```
//!
//! A push during a round makes the task go once round from where it is. So nobody is woken for a
//! push that is no longer the newest, and everybody has a turn however many pushes come. An event
//! without waiters has no fan-out task.
//!
//! While a commit is underway, the fan-out's thread also yields its core. The database has its own
//! thread or process, which may be waiting for this core.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::commits::Commits;

/// Waiters woken before the task yields, for each thread of the runtime. A chunk delays other tasks
/// by half a millisecond.
const CHUNK: usize = 32;
/// Half of a thread's own queue in tokio. Further tasks would go to the queue that all threads
/// share, where a database's answer arrives.
const LARGEST_CHUNK: usize = 128;
/// The least time between two yields of the core: another thread may keep it for milliseconds.
const YIELD_CORE: Duration = Duration::from_millis(1);
/// Alarms are rounded up to a multiple of this, so that the alarms of a crowd coincide.
pub(super) const TICK: Duration = Duration::from_millis(16);

/// One event's waiters and their task.
#[derive(Debug)]
struct Fanout {
    // Held for a chunk of wake-ups, over no await. Drop wakers outside the lock: the last one drops
    // its task, and with it a waiter, which takes this lock.
    waiters: Mutex<Waiters>,
    /// Wakes the task.
    call: Notify,
    commits: Commits,
    started: Instant,
    /// When the clock was last read, in nanoseconds after `started`.
    clock: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiters {
    wakers: Vec<Option<Waker>>,
    free: Vec<u32>,
    alarms: BTreeSet<(Instant, u32)>,
    /// Where the round continues.
    at: usize,
    /// How many waiters the round has still to visit.
    left: usize,
    running: bool,
}

/// What the task does next.
enum Next {
    Yield,
    Sleep(Option<Instant>),
    End,
}

/// A channel's side of its fan-out; notifies a last time when it is dropped.
#[derive(Debug)]
pub(super) struct Notifier(Arc<Fanout>);

impl Notifier {
    /// A notifier without waiters.
    pub(super) fn new(commits: Commits) -> Self {
        Self(Arc::new(Fanout {
            waiters: Mutex::default(),
            call: Notify::new(),
            commits,
            started: Instant::now(),
            clock: AtomicU64::new(0),
        }))
    }

    /// Wakes every waiter. Publish the new state before this call.
    pub(super) fn notify_all(&self) {
        self.0.read_clock();
        let mut waiters = self.0.lock();
        if waiters.left == 0 && !waiters.wakers.is_empty() {
            // A random start, so that the same watcher is not last in every round.
            waiters.at = rand::random_range(0..waiters.wakers.len());
        }
        waiters.left = waiters.wakers.len();
        drop(waiters);
        self.0.call.notify_one();
    }

    /// A waiter for one watcher. Must be called inside a tokio runtime with time enabled.
    pub(super) fn waiter(&self) -> Waiter {
        let fanout = &self.0;
        fanout.read_clock();
        let mut waiters = fanout.lock();
        let key = waiters.free.pop().unwrap_or_else(|| {
            waiters.wakers.push(None);
            // No machine has that many sockets.
            u32::try_from(waiters.wakers.len() - 1).expect("fewer than 2^32 watchers")
        });
        if !std::mem::replace(&mut waiters.running, true) {
            tokio::spawn(Arc::clone(fanout).run());
        }
        drop(waiters);
        Waiter {
            fanout: Arc::clone(fanout),
            key,
            waker: None,
            alarm: None,
        }
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.notify_all();
    }
}

impl Fanout {
    async fn run(self: Arc<Self>) {
        let chunk = LARGEST_CHUNK.min(CHUNK * Handle::current().metrics().num_workers());
        let mut yielded = self.started;
        loop {
            // Two statements, so that the lock is not held over the await.
            let now = self.read_clock();
            let next = self.lock().step(now, chunk);
            match next {
                // The tasks that were just woken, and all other ready tasks, run first.
                Next::Yield => {
                    if now >= yielded + YIELD_CORE && self.commits.are_underway() {
                        yielded = now;
                        std::thread::yield_now();
                    }
                    tokio::task::yield_now().await;
                }
                Next::Sleep(None) => self.call.notified().await,
                Next::Sleep(Some(alarm)) => tokio::select! {
                    () = self.call.notified() => {}
                    () = sleep_until(alarm) => {}
                },
                Next::End => return,
            }
        }
    }

    /// Reads the clock once, for everybody who is woken or becomes a waiter after this call.
    fn read_clock(&self) -> Instant {
        let now = Instant::now();
        let nanos = u64::try_from(now.saturating_duration_since(self.started).as_nanos())
            .unwrap_or(u64::MAX);
        self.clock.fetch_max(nanos, Ordering::Relaxed);
        now
    }

    /// The next multiple of [`TICK`].
    fn rounded(&self, at: Instant) -> Instant {
        let tick = TICK.as_nanos();
        let ticks = at
            .saturating_duration_since(self.started)
            .as_nanos()
            .div_ceil(tick);
        u64::try_from(ticks * tick).map_or(at, |nanos| self.started + Duration::from_nanos(nanos))
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiters {
    /// Wakes at most `chunk`.
    fn step(&mut self, now: Instant, chunk: usize) -> Next {
        if self.free.len() == self.wakers.len() {
            // Free the table of the largest crowd there was.
            *self = Self::default();
            return Next::End;
        }
        let mut woken = 0;
        while woken < chunk
            && let Some(&(alarm, key)) = self.alarms.first()
            && alarm <= now
        {
            self.alarms.pop_first();
            woken += self.wake(key as usize);
        }
        while woken < chunk && self.left > 0 {
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
            Next::Yield
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

/// One watcher's registration; freed when it is dropped.
#[derive(Debug)]
pub(super) struct Waiter {
    fanout: Arc<Fanout>,
    key: u32,
    /// Copies of the fan-out's entries for this waiter, to compare without the lock.
    waker: Option<Waker>,
    alarm: Option<Instant>,
}

impl Waiter {
    /// The fan-out's last reading of the clock; it never goes back. For a task that the fan-out
    /// woke, it is the time of waking. For any other task it may be old, but not older than this
    /// waiter. It is never before an alarm that has gone off.
    pub(super) fn now(&self) -> Instant {
        self.fanout.started + Duration::from_nanos(self.fanout.clock.load(Ordering::Relaxed))
    }

    /// From now on a push wakes this task. Check for a push after this call.
    pub(super) fn listen(&mut self, cx: &Context<'_>) {
        if self
            .waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            return;
        }
        self.waker = Some(cx.waker().clone());
        let old = self.fanout.lock().wakers[self.key as usize].replace(cx.waker().clone());
        drop(old);
    }

    /// From now on nothing wakes the task that listened last. Its alarm stays, and wakes nobody.
    pub(super) fn silence(&mut self) {
        if self.waker.take().is_some() {
            let old = self.fanout.lock().wakers[self.key as usize].take();
            drop(old);
        }
    }

    /// Ready at `at`. A waiter keeps only its earliest alarm; a woken task must set the others
    /// again.
    pub(super) fn poll_alarm(&mut self, cx: &Context<'_>, now: Instant, at: Instant) -> Poll<()> {
        if at <= now {
            return Poll::Ready(());
        }
        self.listen(cx);
        if self
            .alarm
            .is_none_or(|alarm| alarm <= now || alarm > at + TICK)
        {
            let alarm = self.fanout.rounded(at);
            let mut waiters = self.fanout.lock();
            if let Some(old) = self.alarm.replace(alarm) {
                waiters.alarms.remove(&(old, self.key));
            }
            waiters.alarms.insert((alarm, self.key));
            let is_next = waiters.alarms.first() == Some(&(alarm, self.key));
            drop(waiters);
            if is_next {
                self.fanout.call.notify_one();
            }
        }
        Poll::Pending
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiters = self.fanout.lock();
        let waker = waiters.wakers[self.key as usize].take();
        if let Some(alarm) = self.alarm {
            waiters.alarms.remove(&(alarm, self.key));
        }
        waiters.free.push(self.key);
        let is_empty = waiters.free.len() == waiters.wakers.len();
        drop(waiters);
        drop(waker);
        if is_empty {
            self.fanout.call.notify_one();
        }
    }
}
