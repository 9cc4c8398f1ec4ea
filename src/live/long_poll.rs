//! The wait of a long poll.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::channel::{Channel, End, LiveState, Newest};
use super::fanout::Waiter;
use super::presence::Transport;
use crate::domain::position::Position;

/// How a wait ended.
#[derive(Debug)]
pub enum Waited {
    /// There is something new: another position, or the database became unreachable or reachable.
    Changed(Newest),
    /// Nothing changed before the deadline, or before the server stops.
    Unchanged(Newest),
    /// The event was deleted.
    Deleted,
}

/// Waits, at most for `wait`, until there is a position that the client does not have. It also
/// waits if the database is unreachable from the start: an immediate answer would only cause the
/// next request. Cancel-safe.
pub async fn changed(channel: &Channel, has: impl Fn(&Position) -> bool, wait: Duration) -> Waited {
    // Subscribe first, then read the newest state: a commit in between wakes this task.
    let updates = channel.updates();
    let first = channel.newest();
    if !has(&first.position()) {
        return Waited::Changed(first);
    }
    let waiter = channel.waiter();
    // During a drain a client does not wait at all.
    let draining = matches!(updates.borrow().end, Some(End::Drain(_)));
    let until = if draining {
        waiter.now()
    } else {
        waiter.now() + wait
    };
    let is_stale = first.stale_since.is_some();
    let mut wait = Wait {
        channel,
        has,
        is_stale,
        updates,
        waiter,
        until,
        draining,
    };
    let _watcher = channel.presence.enter(Transport::LongPoll);
    poll_fn(|cx| wait.poll(cx)).await
}

struct Wait<'a, F> {
    channel: &'a Channel,
    has: F,
    /// Whether the database was unreachable at the start.
    is_stale: bool,
    updates: watch::Receiver<LiveState>,
    waiter: Waiter,
    until: Instant,
    draining: bool,
}

impl<F: Fn(&Position) -> bool> Wait<'_, F> {
    fn poll(&mut self, cx: &Context<'_>) -> Poll<Waited> {
        loop {
            let end = self.updates.borrow_and_update().end;
            match end {
                Some(End::Deleted) => return Poll::Ready(Waited::Deleted),
                Some(End::Drain(window)) if !self.draining => {
                    self.draining = true;
                    self.until = self.until.min(self.waiter.now() + End::spread(window));
                }
                Some(End::Drain(_)) | None => {}
            }
            let newest = self.channel.newest();
            let is_stale = newest.stale_since.is_some();
            if !(self.has)(&newest.position()) || is_stale != self.is_stale {
                return Poll::Ready(Waited::Changed(newest));
            }
            self.waiter.listen(cx);
            // The channel outlives this wait, so its sender is still there.
            if !self.updates.has_changed().unwrap_or(false) {
                ready!(self.waiter.poll_alarm(cx, self.waiter.now(), self.until));
                return Poll::Ready(Waited::Unchanged(self.channel.newest()));
            }
        }
    }
}
