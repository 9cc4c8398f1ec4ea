//! Room for long bodies: those of people who answer an event's questions at length.
//!
//! A body, and the answers in it until they are committed, stay in memory while an event is busy.
//! Short ones are bounded by the event's queue. Long ones take a permit first, so that a crowd of
//! them has at most 64 MiB.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::subscriber::subscriber;

/// Long bodies at once, in all: 64 MiB of them.
pub const IN_ALL: usize = 512;
/// Of one address, so that one client does not take them all.
pub const PER_ADDRESS: usize = 64;

/// The addresses whose long bodies are being read or committed.
#[derive(Default)]
pub struct LongBodyLimiter(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    by_address: HashMap<IpAddr, usize>,
    in_all: usize,
}

/// A permit for one long body, until it is dropped.
pub struct LongBodyPermit<'a> {
    bodies: &'a LongBodyLimiter,
    address: IpAddr,
}

impl LongBodyLimiter {
    /// A permit for a body of this client; `None` while none is free.
    pub fn permit(&self, client: IpAddr) -> Option<LongBodyPermit<'_>> {
        let address = subscriber(client);
        let mut taken = self.lock();
        let own = taken.by_address.get(&address).copied().unwrap_or(0);
        if taken.in_all >= IN_ALL || own >= PER_ADDRESS {
            return None;
        }
        taken.in_all += 1;
        taken.by_address.insert(address, own + 1);
        Some(LongBodyPermit {
            bodies: self,
            address,
        })
    }

    // Held for a few instructions, over no await.
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LongBodyPermit<'_> {
    fn drop(&mut self) {
        let mut taken = self.bodies.lock();
        taken.in_all -= 1;
        if let Some(own) = taken.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

impl fmt::Debug for LongBodyLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LongBodyLimiter")
    }
}

impl fmt::Debug for LongBodyPermit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LongBodyPermit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: usize) -> IpAddr {
        IpAddr::from([10, 0, 0, u8::try_from(n).unwrap()])
    }

    #[test]
    fn long_bodies_are_bounded_for_an_address_and_in_all() {
        let bodies = LongBodyLimiter::default();
        let mut permits: Vec<_> = (0..PER_ADDRESS)
            .map(|_| bodies.permit(address(0)).unwrap())
            .collect();
        assert!(bodies.permit(address(0)).is_none());
        for n in 1..IN_ALL / PER_ADDRESS {
            permits.extend((0..PER_ADDRESS).map(|_| bodies.permit(address(n)).unwrap()));
        }
        assert!(bodies.permit(address(99)).is_none());
        permits.truncate(1);
        assert!(bodies.permit(address(99)).is_some());
        drop(permits);
        assert!(bodies.lock().by_address.is_empty() && bodies.lock().in_all == 0);
    }
}
