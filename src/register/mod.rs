//! The write path: bounded admission, one writer an event, an answer after the durable commit.
//!
//! Owns the queues and the writers' tasks. Promises: commands of one event are decided in the order of their arrival; while one
//! commit runs the next batch gathers, and takes along who is on the way when a crowd comes, so batching costs a lone visitor nothing; a
//! full queue refuses at once; when the process stops, everything that was admitted is still decided and answered. Never decides (that is
//! `domain`), never retries a commit.

pub mod queue;
pub mod schedule;
mod writer;

use std::time::Duration;

/// Why a command got no decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The event's queue is full. Nothing was stored.
    #[error("too many people register at this moment")]
    Busy {
        /// When it is sensible to try again.
        retry_after: Duration,
    },
    /// The database cannot be reached. Whether the command was stored is not known; with the same idempotency key it is safe
    /// to send it again.
    #[error("the database cannot be reached")]
    DatabaseUnreachable,
    /// The process stops and takes nothing new. Nothing was stored.
    #[error("the server is stopping")]
    Draining,
    /// A defect; the log knows more.
    #[error("an internal error")]
    Internal,
}
