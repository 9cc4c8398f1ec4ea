//! Permits to check a password: how many checks run at once, how many sign-ins may wait, and who is
//! next.
//!
//! Argon2id takes 19 MiB and about ten milliseconds of a core. The order of the queue decides how
//! long strangers can delay an organiser. [`Waiting::next`] chooses:
//!
//! 1. Addresses that have not failed lately come first.
//! 2. Among them, the address with the fewest waiting sign-ins, then the network with the fewest:
//!    an attacker's many addresses are in few networks.
//! 3. Among equals, the newest: a newcomer is served before a crowd that was already waiting.
//!
//! An address is in front only once; then it has failed. Every fourth permit goes to the sign-in that
//! has waited longest, so everybody is served.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::subscriber::subscriber;

/// Checks at once. Guessing must not take the cores that registrations need.
pub const AT_ONCE: usize = 2;
/// Sign-ins of one address that may wait or be checked. More than may fail in a minute, so a client
/// that guesses reaches that limit first.
const PER_ADDRESS: usize = 16;
/// Sign-ins that may wait from addresses that have failed lately. At ten milliseconds a check, two
/// at once, a full queue delays the next one by 0.2 s.
const SUSPECTED: usize = 32;
/// Sign-ins that may wait from addresses without failures: more than there are organisers, but
/// bounded.
const UNSUSPECTED: usize = 1_024;
/// One permit in this many goes to the one who has waited longest.
const OLDEST_EVERY: u64 = 4;

/// The sign-ins that wait for a permit or have one.
#[derive(Clone, Default)]
pub struct PasswordQueue(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    /// The addresses whose passwords are checked now.
    running: Vec<IpAddr>,
    waiters: Vec<Waiter>,
    crowds: Crowds,
    arrivals: u64,
    permits_given: u64,
}

/// A waiting sign-in.
struct Waiter {
    /// Smaller is older.
    arrival: u64,
    address: IpAddr,
    has_failed: bool,
    /// How many sign-ins of the same address waited or had a permit when it arrived.
    ahead: usize,
    permit: oneshot::Sender<CheckPermit>,
}

/// A network, by its first address and the length of its prefix.
type Network = (IpAddr, u32);
/// How many wait in each network.
type Crowds = HashMap<Network, usize>;
/// Orders waiting sign-ins: how many wait at the same address, then in the networks around it, the
/// smallest first.
type Crowding = (usize, [usize; 3]);

/// The networks around an address. In IPv6 a line has a /64, a site up to a /48 (RFC 6177), and a
/// provider a /32.
fn networks(address: IpAddr) -> [Network; 3] {
    match address {
        IpAddr::V4(v4) => [24, 16, 8].map(|length| {
            let bits = v4.to_bits() & (u32::MAX << (Ipv4Addr::BITS - length));
            (Ipv4Addr::from_bits(bits).into(), length)
        }),
        IpAddr::V6(v6) => [56, 48, 32].map(|length| {
            let bits = v6.to_bits() & (u128::MAX << (Ipv6Addr::BITS - length));
            (Ipv6Addr::from_bits(bits).into(), length)
        }),
    }
}

impl Waiter {
    fn crowding(&self, crowds: &Crowds) -> Crowding {
        let around = networks(self.address);
        let waiting = |network| crowds.get(&network).copied().unwrap_or(0);
        (self.ahead, around.map(waiting))
    }
}

/// The error when too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// A permit; the next one is given when it is dropped. The check holds it, not the request that asked
/// for it.
pub struct CheckPermit {
    checks: PasswordQueue,
    address: IpAddr,
}

/// A request that waits; leaves the queue when its client does.
struct WaitingRequest {
    checks: PasswordQueue,
    arrival: u64,
    permit: oneshot::Receiver<CheckPermit>,
}

impl PasswordQueue {
    /// All permits are free.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for a permit. `has_failed` says whether the address has failed lately. A waiter may have
    /// to yield to a newer one; see [`Waiting::make_room`].
    pub async fn take(&self, address: IpAddr, has_failed: bool) -> Result<CheckPermit, TooMany> {
        let address = subscriber(address);
        let mut waiter = {
            let mut waiting = self.lock();
            if waiting.running.len() < AT_ONCE {
                waiting.running.push(address);
                let checks = self.clone();
                return Ok(CheckPermit { checks, address });
            }
            let (permit, receiver) = oneshot::channel();
            WaitingRequest {
                checks: self.clone(),
                arrival: waiting.enter(address, has_failed, permit)?,
                permit: receiver,
            }
        };
        // The other half is dropped when a newer waiter takes over.
        (&mut waiter.permit).await.map_err(|_| TooMany)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Held for a pass over those who wait, over no await. Nothing panics meanwhile.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn enter(
        &mut self,
        address: IpAddr,
        has_failed: bool,
        permit: oneshot::Sender<CheckPermit>,
    ) -> Result<u64, TooMany> {
        let waiting = self.waiters.iter().map(|waiter| &waiter.address);
        let ahead = waiting
            .chain(&self.running)
            .filter(|other| **other == address)
            .count();
        if ahead >= PER_ADDRESS {
            return Err(TooMany);
        }
        self.make_room(has_failed, ahead)?;
        self.arrivals += 1;
        for network in networks(address) {
            *self.crowds.entry(network).or_insert(0) += 1;
        }
        self.waiters.push(Waiter {
            arrival: self.arrivals,
            address,
            has_failed,
            ahead,
            permit,
        });
        Ok(self.arrivals)
    }

    /// Makes room in a full queue: refuses the sign-in with the most of its own address ahead. If
    /// none has any ahead, it refuses one in the largest crowd. Among equals it refuses the oldest.
    /// It refuses the newcomer instead if that has even more ahead.
    fn make_room(&mut self, has_failed: bool, ahead: usize) -> Result<(), TooMany> {
        let queue = |waiter: &&Waiter| waiter.has_failed == has_failed;
        let most = if has_failed { SUSPECTED } else { UNSUSPECTED };
        if self.waiters.iter().filter(queue).count() < most {
            return Ok(());
        }
        let waiters = self.waiters.iter().filter(queue);
        let largest = waiters.clone().map(|waiter| waiter.ahead).max();
        let largest = largest.filter(|largest| *largest >= ahead).ok_or(TooMany)?;
        // A crowd's size is looked up only if needed: a flood comes here with every request.
        let around = |waiter: &Waiter| match largest {
            0 => waiter.crowding(&self.crowds).1,
            _ => [0; 3],
        };
        let last = waiters
            .filter(|waiter| waiter.ahead == largest)
            .max_by_key(|waiter| (around(waiter), Reverse(waiter.arrival)))
            .ok_or(TooMany)?;
        let arrival = last.arrival;
        self.leave(arrival);
        Ok(())
    }

    /// Whose permit it is; the order is explained at the top.
    fn next(&mut self) -> Option<Waiter> {
        self.permits_given += 1;
        let waiters = self.waiters.iter().enumerate();
        let (at, _) = if self.permits_given.is_multiple_of(OLDEST_EVERY) {
            waiters.min_by_key(|(_, waiter)| waiter.arrival)?
        } else {
            waiters.min_by_key(|(_, waiter)| {
                let crowding = waiter.crowding(&self.crowds);
                (waiter.has_failed, crowding, Reverse(waiter.arrival))
            })?
        };
        Some(self.remove(at))
    }

    fn leave(&mut self, arrival: u64) {
        let mut waiters = self.waiters.iter();
        if let Some(at) = waiters.position(|waiter| waiter.arrival == arrival) {
            self.remove(at);
        }
    }

    fn remove(&mut self, at: usize) -> Waiter {
        let waiter = self.waiters.swap_remove(at);
        for network in networks(waiter.address) {
            if let Some(crowd) = self.crowds.get_mut(&network) {
                *crowd -= 1;
                if *crowd == 0 {
                    self.crowds.remove(&network);
                }
            }
        }
        waiter
    }
}

impl Drop for WaitingRequest {
    fn drop(&mut self) {
        self.checks.lock().leave(self.arrival);
    }
}

impl Drop for CheckPermit {
    fn drop(&mut self) {
        let mut waiting = self.checks.lock();
        if let Some(own) = waiting.running.iter().position(|it| *it == self.address) {
            waiting.running.swap_remove(own);
        }
        let Some(Waiter {
            address, permit, ..
        }) = waiting.next()
        else {
            return;
        };
        waiting.running.push(address);
        drop(waiting);
        // Without the lock: a client that has just left drops its permit, which gives it to the next.
        let checks = self.checks.clone();
        drop(permit.send(CheckPermit { checks, address }));
    }
}

impl fmt::Debug for PasswordQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordQueue")
    }
}

impl fmt::Debug for CheckPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CheckPermit")
    }
}

#[cfg(test)]
mod tests;
