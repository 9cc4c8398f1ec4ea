//! Permits to render what is expensive: a list of all events, a series, a calendar file.
//!
//! A list of many events keeps a thread busy for milliseconds, and it has no other cost that a limit
//! would count. So one list is rendered at a time: the other threads stay free for registrations.
//! There is one permit, and addresses take turns: of each address one request waits for it, and the
//! others queue behind that one. So a newcomer waits for one list of every other address, however many each of them asks for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::task::yield_now;

use super::password_queue::TooMany;
use super::subscriber::subscriber;

/// Lists of one address that may wait or be rendered. A hall behind one address opens the page at
/// the same moment; its lists delay those of others by a fraction of a second.
const PER_ADDRESS: u32 = 64;

/// Who renders a list now, and how many wait for each address.
#[derive(Debug)]
pub struct RenderQueue {
    permit: Semaphore,
    // Held for a look-up only, over no await.
    waiting: Mutex<HashMap<IpAddr, Queue>>,
}

/// Those of one address.
#[derive(Debug)]
struct Queue {
    waiting: u32,
    /// Who of them waits for the permit.
    first: Arc<Semaphore>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            waiting: 0,
            first: Arc::new(Semaphore::new(1)),
        }
    }
}

/// A permit; the next one is given when it is dropped.
#[derive(Debug)]
pub struct RenderPermit<'a> {
    _permit: SemaphorePermit<'a>,
    _first: OwnedSemaphorePermit,
    _waiter: Waiter<'a>,
}

/// One of those who are counted for an address, until it is dropped.
#[derive(Debug)]
struct Waiter<'a> {
    renders: &'a RenderQueue,
    address: IpAddr,
}

/// The permit is free.
impl Default for RenderQueue {
    fn default() -> Self {
        Self {
            permit: Semaphore::new(1),
            waiting: Mutex::default(),
        }
    }
}

impl RenderQueue {
    /// Waits for a permit: those of an address in the order of arrival, and addresses in the order in
    /// which they have somebody who waits. Fails if too many of this address wait already.
    pub async fn take(&self, address: IpAddr) -> Result<RenderPermit<'_>, TooMany> {
        let (waiter, first) = self.enter(subscriber(address))?;
        let first = first.acquire_owned().await.map_err(|_| TooMany)?;
        let permit = self.permit.acquire().await.map_err(|_| TooMany)?;
        // Between two lists, whatever else is ready on this thread comes first.
        yield_now().await;
        Ok(RenderPermit {
            _permit: permit,
            _first: first,
            _waiter: waiter,
        })
    }

    fn enter(&self, address: IpAddr) -> Result<(Waiter<'_>, Arc<Semaphore>), TooMany> {
        let mut waiting = self.waiting();
        let queue = waiting.entry(address).or_default();
        if queue.waiting >= PER_ADDRESS {
            return Err(TooMany);
        }
        queue.waiting += 1;
        let waiter = Waiter {
            renders: self,
            address,
        };
        Ok((waiter, Arc::clone(&queue.first)))
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<IpAddr, Queue>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut queue) = self.renders.waiting().entry(self.address) {
            queue.get_mut().waiting -= 1;
            if queue.get().waiting == 0 {
                queue.remove();
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
        let renders = RenderQueue::default();
        let first = renders.take(CROWD).await.unwrap();
        let mut waiting: Vec<_> = (1..PER_ADDRESS)
            .map(|_| Box::pin(renders.take(CROWD)))
            .collect();
        for waiter in &mut waiting {
            let at_once = timeout(Duration::from_millis(1), waiter.as_mut());
            assert!(at_once.await.is_err(), "one at a time");
        }
        assert!(renders.take(CROWD).await.is_err(), "a full queue refuses");
        let mut other = Box::pin(renders.take(OTHER));
        let at_once = timeout(Duration::from_millis(1), other.as_mut());
        assert!(at_once.await.is_err(), "others wait for their permit");
        // Clients that leave wait no longer.
        drop(waiting);
        drop(first);
        assert!(other.await.is_ok());
        assert!(renders.take(CROWD).await.is_ok());
        assert!(renders.waiting().is_empty());
    }
    #[tokio::test(start_paused = true)]
    async fn a_newcomer_waits_for_one_list_of_a_crowd() {
        let renders = RenderQueue::default();
        let first = renders.take(CROWD).await.unwrap();
        let mut crowd: Vec<_> = (1..PER_ADDRESS)
            .map(|_| Box::pin(renders.take(CROWD)))
            .collect();
        for waiting in &mut crowd {
            assert!(timeout(Duration::ZERO, waiting.as_mut()).await.is_err());
        }
        let mut newcomer = Box::pin(renders.take(OTHER));
        assert!(timeout(Duration::ZERO, newcomer.as_mut()).await.is_err());
        drop(first);
        for waiting in &mut crowd {
            let at_once = timeout(Duration::ZERO, waiting.as_mut());
            assert!(at_once.await.is_err(), "the newcomer is next");
        }
        let permit = newcomer.await.unwrap();
        drop(permit);
        assert!(crowd.swap_remove(0).await.is_ok());
    }
}
