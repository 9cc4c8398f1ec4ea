//! What every transport yields.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::count::Count;
use crate::domain::clock::Timestamp;

/// A count that was not seen before.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Seen {
    /// When its last byte was read here, by a monotonic clock.
    pub(in crate::cli) at: Instant,
    /// The object as the server wrote it, on one line.
    pub(in crate::cli) json: String,
    pub(in crate::cli) count: Count,
}

/// What a client yields.
#[derive(Debug, Clone)]
pub(in crate::cli) enum Item {
    /// The server has answered on a new connection.
    Connected,
    /// A count.
    Seen(Box<Seen>),
    /// The server's database cannot be reached.
    Stale(Timestamp),
    /// The database is reachable again; the count may be unchanged.
    Fresh,
    /// An organiser's announcement.
    Notice(String),
    /// The connection is lost, refused or ended by the server.
    Disconnected {
        why: String,
        /// The next attempt comes after this.
        wait: Duration,
    },
}

/// Handles an item; `Break` stops following.
pub(in crate::cli) trait Sink: Send {
    fn take(&mut self, item: Item) -> ControlFlow<()>;
}

impl<F: FnMut(Item) -> ControlFlow<()> + Send> Sink for F {
    fn take(&mut self, item: Item) -> ControlFlow<()> {
        self(item)
    }
}

/// Why following ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum End {
    /// The sink stopped it.
    #[error("stopped")]
    Stopped,
    #[error("there is no such event")]
    NoSuchEvent,
    #[error("the event was deleted")]
    Deleted,
    /// A retry would fail in the same way.
    #[error("{0}")]
    Refused(String),
}
