//! The write path: bounded admission, one writer an event, an answer after the durable commit.
//!
//! Owns the queues and the writers' tasks. Promises: commands of one event are decided in the order of their arrival; while one
//! commit runs the next batch gathers, and takes along who is on the way when a crowd comes, so batching costs a lone visitor nothing;
//! what is prepared while the database writes goes to nobody before the commit; a full queue refuses at once; when the process stops,
//! everything that was admitted is still decided and answered. Never decides (that is `domain`), never retries a commit.

pub mod lab;
pub mod queue;
pub mod schedule;
mod writer;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::domain::command::Decision;
use crate::domain::registration::Registration;

/// What tells a person of the new registration. Whoever has it has the private link.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Where it can be read again.
    pub address: String,
    /// What it says.
    pub text: Bytes,
}

/// A document is never printed.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(…)")
    }
}

/// Makes the document of a registration. It is asked while the database writes, so what it makes may be of one that never comes true, and
/// is thrown away then. It runs in the event's writer, in the middle of a commit: it must neither block nor panic.
pub type Author = Box<dyn Fn(&Registration) -> Document + Send>;

/// What the person who asked is told: what was decided, and is stored.
#[derive(Debug)]
pub struct Told {
    /// The answer.
    pub decision: Decision,
    /// What the [`Author`] has made of this very registration. `None` where the writer was told of nothing before: when nothing had to be stored,
    /// or something else with it.
    pub document: Option<Document>,
}

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
