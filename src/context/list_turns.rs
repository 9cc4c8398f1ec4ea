//! Turns to render a list of all events.
//!
//! A list of many events keeps a thread busy for milliseconds, and it has no other cost that a limit
//! would count. So one list is rendered at a time: the other threads stay free for registrations.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::yield_now;

use super::subscriber::subscriber;
use super::turns::TooMany;

/// Lists of one address that may wait or be rendered. A hall behind one address opens the page at
/// the same moment; its lists delay those of others by a fraction of a second.
const PER_ADDRESS: u32 = 64;

/// Who renders a list now, and how many wait for each address.
#[derive(Debug)]
pub struct ListTurns {
    turn: Semaphore,
    // Held for a look-up only, over no await.
    waiting: Mutex<HashMap<IpAddr, u32>>,
}

/// A turn; the next one begins when it is dropped.
#[derive(Debug)]
pub struct ListTurn<'a> {
    _permit: SemaphorePermit<'a>,
    _waiter: Waiter<'a>,
}

/// One of those who are counted for an address, until it is dropped.
#[derive(Debug)]
struct Waiter<'a> {
    turns: &'a ListTurns,
    address: IpAddr,
}

/// The turn is free.
impl Default for ListTurns {
    fn default() -> Self {
        Self {
            turn: Semaphore::new(1),
            waiting: Mutex::default(),
        }
    }
}

impl ListTurns {
    /// Waits for a turn, in the order of arrival. Fails if too many of this address wait already.
    pub async fn take(&self, address: IpAddr) -> Result<ListTurn<'_>, TooMany> {
        let waiter = self.enter(subscriber(address))?;
        let permit = self.turn.acquire().await.map_err(|_| TooMany)?;
        // Between two lists, whatever else is ready on this thread comes first.
        yield_now().await;
        Ok(ListTurn {
            _permit: permit,
            _waiter: waiter,
        })
    }

    fn enter(&self, address: IpAddr) -> Result<Waiter<'_>, TooMany> {
        let mut waiting = self.waiting();
        let count = waiting.entry(address).or_default();
        if *count >= PER_ADDRESS {
            return Err(TooMany);
        }
        *count += 1;
        Ok(Waiter {
            turns: self,
            address,
        })
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.turns.waiting().entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const CROWD: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));

    #[tokio::test(start_paused = true)]
    async fn one_list_is_rendered_at_a_time_and_a_crowd_is_refused_before_others() {
        let turns = ListTurns::default();
        let first = turns.take(CROWD).await.unwrap();
        let mut waiting: Vec<_> = (1..PER_ADDRESS)
            .map(|_| Box::pin(turns.take(CROWD)))
            .collect();
        for waiter in &mut waiting {
            let at_once = timeout(Duration::from_millis(1), waiter.as_mut());
            assert!(at_once.await.is_err(), "one at a time");
        }
        assert!(turns.take(CROWD).await.is_err(), "a full queue refuses");
        let mut other = Box::pin(turns.take(OTHER));
        let at_once = timeout(Duration::from_millis(1), other.as_mut());
        assert!(at_once.await.is_err(), "others wait for their turn");
        // Clients that leave wait no longer.
        drop(waiting);
        drop(first);
        assert!(other.await.is_ok());
        assert!(turns.take(CROWD).await.is_ok());
        assert!(turns.waiting().is_empty());
    }
}
