//! Connections for reading, in separate pools: one kind of read never takes the connections of
//! another.
//!
//! The readiness check and the revision poll have a connection of their own. Only a few long reads
//! (pages of the change log, lists, the audit log) and exports run at once. Further ones wait
//! briefly for their turn, then get [`StoreError::Busy`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::{Database, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::StoreError;

/// Connections for the readiness check and the revision poll.
const VITAL: u32 = 1;
/// Connections for long reads, and so the most that run at once: each reads up to a thousand rows.
pub(super) const LONG: u32 = 2;
/// Exports that run at once. Each opens a connection of its own and may last minutes.
const EXPORTS: u32 = 2;
/// How long a read waits for its turn: long enough for a burst of a few hundred, short enough that
/// a refusal comes before clients give up.
const TURN_TIMEOUT: Duration = Duration::from_secs(1);
/// At most one log line in this time reports refused reads.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Pools of one database.
#[derive(Debug)]
pub(super) struct Readers<DB: Database> {
    vital: Pool<DB>,
    short: Pool<DB>,
    long: Pool<DB>,
    pub(super) long_reads: Gate,
    pub(super) exports: Gate,
}

impl<DB: Database> Readers<DB> {
    /// `pool` makes a lazy pool with that many connections; `short` of them are for short reads.
    pub(super) fn new(short: u32, pool: impl Fn(u32) -> Pool<DB>) -> Self {
        Self {
            vital: pool(VITAL),
            short: pool(short),
            long: pool(LONG),
            long_reads: Gate::new("long reads", LONG),
            exports: Gate::new("exports", EXPORTS),
        }
    }

    /// For the readiness check and the revision poll only.
    pub(super) fn vital(&self) -> &Pool<DB> {
        &self.vital
    }

    /// For statements that read a few rows.
    pub(super) fn short(&self) -> &Pool<DB> {
        &self.short
    }

    /// For a caller that has a turn of [`Self::long_reads`].
    pub(super) fn long(&self) -> &Pool<DB> {
        &self.long
    }

    /// Closes all connections; open statements finish first.
    pub(super) async fn close(&self) {
        tokio::join!(self.vital.close(), self.short.close(), self.long.close());
    }
}

/// Limits how many run at once.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    what: &'static str,
    turns: Arc<Semaphore>,
    logged: Arc<Mutex<Option<Instant>>>,
}

impl Gate {
    fn new(what: &'static str, at_once: u32) -> Self {
        Self {
            what,
            turns: Arc::new(Semaphore::new(at_once as usize)),
            logged: Arc::default(),
        }
    }

    /// Waits for a turn, in order of arrival. The turn ends when the permit is dropped.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        // The semaphore is never closed, so every error is the timeout.
        if let Ok(Ok(turn)) = timeout(TURN_TIMEOUT, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(turn)
        } else {
            self.log();
            Err(StoreError::Busy)
        }
    }

    fn log(&self) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            *logged = Some(Instant::now());
            tracing::warn!(
                "too many {} of the database at once; refusing some with 503 busy",
                self.what
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn more_than_the_cap_are_refused_after_a_second_and_served_again_later() {
        let gate = Gate::new("reads", 2);
        let turns = [gate.turn().await.unwrap(), gate.turn().await.unwrap()];
        assert!(matches!(gate.turn().await, Err(StoreError::Busy)));
        drop(turns);
        assert!(gate.turn().await.is_ok());
    }
}
