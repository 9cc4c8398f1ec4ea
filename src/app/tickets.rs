//! Shares the keys of TLS session tickets among the nodes, through the database. A client that was
//! cut off by one node then resumes its session at another, also after a restart.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::domain::clock::{Clock, Timestamp};
use crate::domain::ticket_key::{TicketKey, due, in_order_of_use};
use crate::server::Tickets;
use crate::store::{Store, StoreError};

/// How often the keys are read. A key is stored five minutes before its first use.
const EVERY: Duration = Duration::from_mins(1);
/// The pause after each reading: anybody can present a ticket of an unknown key, as often as they
/// like.
const PAUSE: Duration = Duration::from_secs(5);

/// Keeps a server's keys the same as those of the database.
#[derive(Debug)]
pub struct SharedTickets {
    tickets: Arc<Tickets>,
    store: Store,
    clock: Clock,
    /// As they were read last; before that, one of this process.
    keys: Vec<TicketKey>,
}

impl SharedTickets {
    /// Has not read anything yet.
    pub fn new(tickets: Arc<Tickets>, store: Store, clock: Clock) -> Self {
        let own = TicketKey::draw(0, clock.now());
        Self {
            tickets,
            store,
            clock,
            keys: vec![own],
        }
    }

    /// Reads the keys, draws the next one if it is due, and gives them to the server. Deletes those
    /// that have expired or are damaged. Without an answer of the database the keys that were read
    /// last stay in force until they expire.
    pub async fn refresh(&mut self) {
        let now = self.clock.now();
        match self.read(now).await {
            Ok(keys) => self.keys = keys,
            Err(error) => {
                tracing::warn!(%error, "cannot read the keys of TLS tickets; using those read last");
            }
        }
        self.tickets.set(&in_order_of_use(&self.keys, now));
    }

    async fn read(&self, now: Timestamp) -> Result<Vec<TicketKey>, StoreError> {
        let stored = self.store.ticket_keys().await?;
        let number =
            |key: &Result<TicketKey, i64>| key.as_ref().map_or_else(|n| *n, |key| key.number);
        // The number of a damaged key may be anything.
        let sound = stored.iter().flatten().map(|key| key.number);
        let next = sound.max().unwrap_or(0).saturating_add(1);
        let is_live =
            |key: &&Result<TicketKey, i64>| key.as_ref().is_ok_and(|key| key.is_live(now));
        let (live, gone): (Vec<_>, Vec<_>) = stored.iter().partition(is_live);
        let live: Vec<TicketKey> = live.into_iter().flatten().cloned().collect();
        let gone: Vec<i64> = gone.into_iter().map(number).collect();
        let new = due(&live, now).map(|used_from| TicketKey::draw(next, used_from));
        if gone.is_empty() && new.is_none() {
            return Ok(live);
        }
        self.store.rotate_ticket_keys(&gone, new.as_ref()).await?;
        // Another node may have been first.
        let stored = self.store.ticket_keys().await?;
        Ok(stored.into_iter().flatten().collect())
    }

    /// Refreshes the keys every minute, and when a client presents a ticket of an unknown key. Runs
    /// until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            sleep(PAUSE).await;
            tokio::select! {
                () = sleep(EVERY) => {}
                () = self.tickets.unknown_key() => {}
            }
            self.refresh().await;
        }
    }
}
