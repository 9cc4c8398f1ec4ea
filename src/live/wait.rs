//! Waiting once for a change: what a long poll does.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::channel::{Channel, End, Newest};
use super::presence::Transport;
use crate::domain::position::Position;

/// How a wait ended.
#[derive(Debug)]
pub enum Waited {
    /// There is something to tell: another position, or the database went away or came back.
    Changed(Newest),
    /// The time is over, or the server stops, and nothing has changed.
    Unchanged(Newest),
    /// The event was deleted.
    Deleted,
}

/// Waits until the newest position is none that the client `has`, at most for `wait`. While the database is away and the
/// position is the client's it holds on: an answer at once would only be asked for again at once. Dropping it frees everything.
pub async fn changed(channel: &Channel, has: impl Fn(&Position) -> bool, wait: Duration) -> Waited {
    // Subscribe, then read the newest: what is committed in between wakes.
    let mut updates = channel.updates();
    let first = channel.newest();
    if !has(&first.position()) {
        return Waited::Changed(first);
    }
    let mut until = Instant::now() + wait;
    // Who comes during a drain is not held at all.
    let mut draining = false;
    if let Some(End::Drain(_)) = updates.borrow().end {
        (until, draining) = (Instant::now(), true);
    }
    let _watcher = channel.watchers.enter(Transport::LongPoll);
    loop {
        let end = updates.borrow_and_update().end;
        match end {
            Some(End::Deleted) => return Waited::Deleted,
            Some(End::Drain(window)) if !draining => {
                draining = true;
                until = until.min(Instant::now() + End::spread(window));
            }
            Some(End::Drain(_)) | None => {}
        }
        let newest = channel.newest();
        if !has(&newest.position()) || newest.stale_since.is_some() != first.stale_since.is_some() {
            return Waited::Changed(newest);
        }
        match timeout_at(until, updates.changed()).await {
            Ok(Ok(())) => {}
            // The time is over, or the channel is gone: the process is ending.
            Ok(Err(_)) | Err(_) => return Waited::Unchanged(channel.newest()),
        }
    }
}
