//! Connections for reading, in separate pools: one kind of read never takes the connections of
//! another.
//!
//! The readiness check and the revision poll have a connection of their own. Only a few long reads
//! (pages of the change log, lists, the audit log) and exports run at once. Further ones wait
//! briefly for their turn, then get [`StoreError::Busy`]. Each client has one long read at a time, so
//! nobody holds all turns.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use sqlx::{Database, Pool};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::StoreError;

/// Connections for the readiness check and the revision poll.
const RESERVED: u32 = 1;
/// Connections for long reads, and so the most that run at once: each reads up to a thousand rows.
pub(super) const LONG: u32 = 2;
/// Exports that run at once. Each opens a connection of its own and may last minutes.
const EXPORTS: u32 = 2;
/// How long a pool of readers waits for a connection. Each read has a shorter timeout of its own,
/// which allows for a busy process (see [`super::timeout`]).
pub(super) const READ_ACQUIRE_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a read waits for its turn. It is long enough for a burst of a few hundred, and short
/// enough that a refusal comes before clients give up.
const TURN_TIMEOUT: Duration = Duration::from_secs(1);
/// At most one log line in this time reports refused reads.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Pools of one database.
#[derive(Debug)]
pub(super) struct Readers<DB: Database> {
    reserved: Pool<DB>,
    short: Pool<DB>,
    long: Pool<DB>,
    pub(super) long_reads: Gate,
    pub(super) exports: Gate,
}

impl<DB: Database> Readers<DB> {
    /// `pool` makes a lazy pool with that many connections; `short` of them are for short reads.
    pub(super) fn new(short: u32, pool: impl Fn(u32) -> Pool<DB>) -> Self {
        Self {
            reserved: pool(RESERVED),
            short: pool(short),
            long: pool(LONG),
            long_reads: Gate::new("long reads", LONG),
            exports: Gate::new("exports", EXPORTS),
        }
    }

    /// For the readiness check and the revision poll only.
    pub(super) fn reserved(&self) -> &Pool<DB> {
        &self.reserved
    }

    /// For statements that read a few rows.
    pub(super) fn short(&self) -> &Pool<DB> {
        &self.short
    }

    /// For a caller that holds a turn of [`Self::long_reads`].
    pub(super) fn long(&self) -> &Pool<DB> {
        &self.long
    }

    /// Closes all connections; open statements finish first.
    pub(super) async fn close(&self) {
        tokio::join!(self.reserved.close(), self.short.close(), self.long.close());
    }
}

/// Limits how many run at once.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    what: &'static str,
    turns: Arc<Semaphore>,
    /// One turn for each client that has one or waits for one.
    // Held for a look-up, over no await.
    clients: Arc<Mutex<HashMap<IpAddr, Weak<Semaphore>>>>,
    logged: Arc<Mutex<Option<Instant>>>,
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _of_all: OwnedSemaphorePermit,
    _of_client: Option<OwnedSemaphorePermit>,
}

impl Gate {
    fn new(what: &'static str, at_once: u32) -> Self {
        Self {
            what,
            turns: Arc::new(Semaphore::new(at_once as usize)),
            clients: Arc::default(),
            logged: Arc::default(),
        }
    }

    /// Waits for a turn, in order of arrival. A client first waits for the end of its own turn,
    /// without blocking others. Without a client, the program itself reads.
    pub(super) async fn turn(&self, client: Option<IpAddr>) -> Result<Turn, StoreError> {
        let turns = Arc::clone(&self.turns);
        let own = client.map(|client| self.of_client(client));
        let turn = async {
            // A semaphore that is never closed gives no error.
            let of_client = match own {
                Some(own) => Some(own.acquire_owned().await?),
                None => None,
            };
            Ok::<_, AcquireError>(Turn {
                _of_all: turns.acquire_owned().await?,
                _of_client: of_client,
            })
        };
        if let Ok(Ok(turn)) = timeout(TURN_TIMEOUT, turn).await {
            Ok(turn)
        } else {
            self.log();
            Err(StoreError::Busy)
        }
    }

    fn of_client(&self, client: IpAddr) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = clients.get(&client).and_then(Weak::upgrade) {
            return own;
        }
        // A new client: remove the entries of clients that have gone.
        clients.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(1));
        clients.insert(client, Arc::downgrade(&own));
        own
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
        let turns = [
            gate.turn(None).await.unwrap(),
            gate.turn(None).await.unwrap(),
        ];
        assert!(matches!(gate.turn(None).await, Err(StoreError::Busy)));
        drop(turns);
        assert!(gate.turn(None).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_one_turn_at_a_time_and_leaves_the_others_to_the_rest() {
        let gate = Gate::new("reads", 2);
        let [attacker, organiser] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().ok());
        let held = gate.turn(attacker).await.unwrap();
        let crowd: Vec<_> = (0..100)
            .map(|_| {
                let gate = gate.clone();
                tokio::spawn(async move { gate.turn(attacker).await.is_err() })
            })
            .collect();
        tokio::task::yield_now().await;
        let begun = Instant::now();
        let own = gate.turn(organiser).await;
        assert!(own.is_ok() && begun.elapsed() < TURN_TIMEOUT / 10);
        for refused in crowd {
            assert!(refused.await.unwrap());
        }
        drop((held, own));
        assert!(gate.turn(attacker).await.is_ok());
        assert!(gate.turn(organiser).await.is_ok());
        assert_eq!(
            gate.clients.lock().unwrap().len(),
            1,
            "who has gone is forgotten"
        );
    }
}
