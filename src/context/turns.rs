//! Turns to check a password: a few at once, and few who wait.
//!
//! Argon2id takes 19 MiB and tens of milliseconds of a core. Addresses that have failed lately wait
//! in a separate queue. So clients that guess never take the places of an address without failures,
//! however many they are.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::throttle::subscriber;

/// Guesses must not use the cores that registrations need.
const AT_ONCE: usize = 2;
/// The most of one address, checks included. It is above the failures of a minute, so that a client
/// that guesses meets that limit first.
const PER_ADDRESS: usize = 16;
/// Addresses that have failed lately, in all: they delay the next one by a second or two.
const GUESSING: usize = 32;
/// The most of addresses without failures: more than there are organisers.
const UNSUSPECTED: usize = 1_024;

/// The addresses that wait for a turn or have one.
pub struct Turns {
    checks: Semaphore,
    // Held for a few instructions, over no await.
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    by_address: HashMap<IpAddr, usize>,
    guessing: usize,
    unsuspected: usize,
}

/// The error when too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// A turn; the next one begins when it is dropped.
pub struct Turn<'a> {
    _check: Option<SemaphorePermit<'a>>,
    _place: Place<'a>,
}

/// A place among those who wait, until the turn ends or the waiting client has left.
struct Place<'a> {
    turns: &'a Turns,
    address: IpAddr,
    has_failed: bool,
}

impl Turns {
    /// Turns of which none is taken.
    pub fn new() -> Self {
        Self {
            checks: Semaphore::new(AT_ONCE),
            waiting: Mutex::default(),
        }
    }

    /// Waits for a turn. `has_failed` says whether the address has failed lately.
    pub async fn take(&self, address: IpAddr, has_failed: bool) -> Result<Turn<'_>, TooMany> {
        let place = self.place(subscriber(address), has_failed)?;
        Ok(Turn {
            // Always `Some`: the semaphore is never closed.
            _check: self.checks.acquire().await.ok(),
            _place: place,
        })
    }

    fn place(&self, address: IpAddr, has_failed: bool) -> Result<Place<'_>, TooMany> {
        let mut waiting = self.lock();
        let own = waiting.by_address.get(&address).copied().unwrap_or(0);
        let (all, most) = waiting.queue(has_failed);
        if *all >= most || own >= PER_ADDRESS {
            return Err(TooMany);
        }
        *all += 1;
        waiting.by_address.insert(address, own + 1);
        Ok(Place {
            turns: self,
            address,
            has_failed,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn queue(&mut self, has_failed: bool) -> (&mut usize, usize) {
        if has_failed {
            (&mut self.guessing, GUESSING)
        } else {
            (&mut self.unsuspected, UNSUSPECTED)
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.turns.lock();
        *waiting.queue(self.has_failed).0 -= 1;
        if let Some(own) = waiting.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                waiting.by_address.remove(&self.address);
            }
        }
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turns")
    }
}

impl fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: usize) -> IpAddr {
        let n = u32::try_from(n).unwrap();
        IpAddr::from((0x0A00_0000 + n).to_be_bytes())
    }

    #[test]
    fn few_of_one_address_wait_and_places_are_given_back() {
        let turns = Turns::new();
        let mut held: Vec<_> = (0..100)
            .map_while(|_| turns.place(address(1), false).ok())
            .collect();
        assert_eq!(held.len(), PER_ADDRESS);
        assert!(turns.place(address(2), false).is_ok(), "a neighbour waits");
        held.pop();
        held.push(
            turns
                .place(address(1), true)
                .expect("a place that is free again"),
        );
        drop(held);
        let waiting = turns.lock();
        assert!(waiting.by_address.is_empty());
        assert_eq!((waiting.guessing, waiting.unsuspected), (0, 0));
    }

    #[test]
    fn who_guesses_never_takes_the_place_of_an_address_without_failures() {
        let turns = Turns::new();
        let held: Vec<_> = (0..10_000)
            .filter_map(|n| turns.place(address(n), true).ok())
            .collect();
        assert_eq!(held.len(), GUESSING);
        let organiser = turns.place(address(20_000), false);
        assert!(organiser.is_ok());
        let more: Vec<_> = (30_000..40_000)
            .filter_map(|n| turns.place(address(n), false).ok())
            .collect();
        assert_eq!(more.len(), UNSUSPECTED - 1, "and all together are bounded");
    }

    #[tokio::test]
    async fn a_cancelled_wait_for_a_turn_gives_its_place_back() {
        use futures_util::FutureExt as _;

        let turns = Turns::new();
        let mut first = Vec::new();
        for n in 0..AT_ONCE {
            first.push(turns.take(address(n), false).await.unwrap());
        }
        let waits = turns.take(address(9), false).now_or_never();
        assert!(waits.is_none());
        assert_eq!(turns.lock().unsuspected, AT_ONCE, "it has left");
        first.pop();
        assert!(turns.take(address(9), false).await.is_ok());
    }
}
