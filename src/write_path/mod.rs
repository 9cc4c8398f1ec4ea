//! The write path: bounded admission, one writer for each event, an answer after the durable
//! commit.
//!
//! This module owns the queues and the writers' tasks. Commands of one event are decided in the
//! order of arrival. While one commit runs, the next batch fills up, so batching costs a lone
//! visitor nothing. A full queue refuses at once. When the process stops, everything that was
//! admitted is still decided and answered.
//!
//! It never decides (that is `domain`) and never repeats a commit.

pub mod lab;
pub mod queue;
pub mod retention;
pub mod schedule;
mod spans;
mod writer;

use std::time::Duration;

/// Why a command got no decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The event's queue is full. Nothing was stored.
    #[error("too many people are registering at this moment")]
    Busy {
        /// How long to wait before a retry.
        retry_after: Duration,
    },
    /// The database cannot be reached. It is unknown whether the command was stored; with the same
    /// idempotency key it is safe to send it again.
    #[error("the database cannot be reached")]
    DatabaseUnreachable,
    /// The process is stopping and accepts nothing new. Nothing was stored.
    #[error("the server is stopping")]
    Draining,
    /// A defect; the log says more.
    #[error("an internal error")]
    Internal,
}
