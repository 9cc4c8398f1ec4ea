//! Delivers what transactions leave in the outbox: mails, and requests to webhooks.
//!
//! Each node has one [`worker::Worker`] for each channel. It claims rows under a lease, gives each to
//! the channel's [`Deliver`], and records the outcome. A row is delivered at least once, and once
//! unless a node dies between the receiver's answer and the record of it. The worker never decides
//! what a row says, and nothing here delays a registration's answer.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::domain::outbox::Row;

pub mod compose;
mod fanout;
pub mod housekeeping;
pub mod links;
pub mod mail;
pub mod reminders;
pub mod webhook;
pub mod worker;

pub use fanout::Spread;

/// A name for this process among all nodes.
pub fn owner() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// Waits until `stop` is true, or its sender is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What delivers the rows of one channel.
pub trait Deliver: Send + Sync {
    /// Makes one attempt. It ends within [`worker::ATTEMPT_TIMEOUT`], or counts as failed.
    fn deliver<'a>(&'a self, row: &'a Row) -> BoxFuture<'a, Outcome>;
}

/// A shared [`Deliver`].
pub type Deliverer = Arc<dyn Deliver>;

/// How an attempt ended. Texts are shown to organisers and contain no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Sent,
    /// It may work later.
    Retry {
        /// What went wrong.
        error: String,
        /// Whether it would have gone wrong for every row: the server is down, or refuses our
        /// password. The worker then tries one row at a time, with pauses.
        unreachable: bool,
    },
    /// It will never work.
    Failed {
        /// What went wrong.
        error: String,
        /// Whether the address itself is refused: it gets no further mail.
        refused: bool,
    },
    /// It must not be sent any more.
    Dropped(&'static str),
}
