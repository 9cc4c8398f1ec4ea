//! How many connections may be open: in all, and from one address.
//!
//! A [`Permit`] lives inside the socket's own wrapper ([`super::handoff::Lent`]), so it is given back when the socket closes and
//! not before, whoever holds the socket by then: no route has to keep a guard across an upgrade, and none can forget to.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::meters::Meters;

/// Which limit was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// `--max-connections`.
    Total,
    /// `--max-connections-per-ip`.
    Address,
}

/// Counts what is open.
#[derive(Debug)]
pub(super) struct Register {
    max_connections: usize,
    max_per_address: usize,
    max_refusals: usize,
    // Held for a few instructions, over no await; a few ten thousand times a second at the most.
    open: Mutex<Open>,
    none_left: Notify,
    meters: Meters,
}

#[derive(Debug, Default)]
struct Open {
    admitted: usize,
    refused: usize,
    by_network: HashMap<Network, usize>,
}

impl Open {
    fn take(&mut self, network: Network, max: usize) -> bool {
        let held = self.by_network.get(&network).copied().unwrap_or(0);
        if held >= max {
            return false;
        }
        self.by_network.insert(network, held + 1);
        true
    }

    fn give_back(&mut self, network: Network) {
        if let Some(held) = self.by_network.get_mut(&network) {
            *held -= 1;
            if *held == 0 {
                self.by_network.remove(&network);
            }
        }
        // A flood from many addresses must not leave its table behind.
        if self.by_network.is_empty() {
            self.by_network.shrink_to(1024);
        }
    }
}

impl Register {
    pub(super) fn new(
        max_connections: usize,
        max_per_address: usize,
        max_refusals: usize,
        meters: Meters,
    ) -> Self {
        Self {
            max_connections,
            max_per_address,
            max_refusals,
            open: Mutex::default(),
            none_left: Notify::new(),
            meters,
        }
    }

    /// A place for a new connection, and the limit that it is over, if any; `None` when even the places for refusals are taken. `address` is none for a trusted
    /// proxy, whose requests are counted one by one.
    pub(super) fn admit(
        self: &Arc<Self>,
        address: Option<IpAddr>,
    ) -> Option<(Permit, Option<Limit>)> {
        let network = address.map(Network::of);
        let mut open = self.lock();
        let over = if open.admitted >= self.max_connections {
            Some(Limit::Total)
        } else if network.is_some_and(|network| !open.take(network, self.max_per_address)) {
            Some(Limit::Address)
        } else {
            None
        };
        if let Some(limit) = over {
            self.meters.refused(limit);
            if open.refused >= self.max_refusals {
                self.meters.unheard();
                return None;
            }
            open.refused += 1;
        } else {
            open.admitted += 1;
        }
        drop(open);
        self.meters.opened();
        let network = network.filter(|_| over.is_none());
        Some((
            Permit {
                register: Arc::clone(self),
                network,
                admitted: over.is_none(),
            },
            over,
        ))
    }

    /// A place for one request that a trusted proxy passes on for `address`.
    pub(super) fn admit_request(self: &Arc<Self>, address: IpAddr) -> Result<RequestPermit, Limit> {
        let network = Network::of(address);
        if self.lock().take(network, self.max_per_address) {
            Ok(RequestPermit {
                register: Arc::clone(self),
                network,
            })
        } else {
            self.meters.refused(Limit::Address);
            Err(Limit::Address)
        }
    }

    /// Connections open now, refusals included.
    pub(super) fn open(&self) -> usize {
        let open = self.lock();
        open.admitted + open.refused
    }

    /// Waits until nothing is open.
    pub(super) async fn none_open(&self) {
        loop {
            // Before the count is read: a close in between is seen.
            let none_left = self.none_left.notified();
            if self.open() == 0 {
                return;
            }
            none_left.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one connection.
#[derive(Debug)]
pub(super) struct Permit {
    register: Arc<Register>,
    network: Option<Network>,
    admitted: bool,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.register.lock();
        if self.admitted {
            open.admitted -= 1;
        } else {
            open.refused -= 1;
        }
        if let Some(network) = self.network {
            open.give_back(network);
        }
        let none_left = open.admitted + open.refused == 0;
        drop(open);
        self.register.meters.closed();
        if none_left {
            self.register.none_left.notify_waiters();
        }
    }
}

/// The place of one request through a trusted proxy.
#[derive(Debug)]
pub(super) struct RequestPermit {
    register: Arc<Register>,
    network: Network,
}

impl Drop for RequestPermit {
    fn drop(&mut self) {
        self.register.lock().give_back(self.network);
    }
}

/// What counts as one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Network {
    V4(Ipv4Addr),
    /// The upper 64 bits: a client moves freely in the rest (RFC 8981).
    V6(u64),
}

impl Network {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                Self::V6(u64::try_from(address.to_bits() >> 64).unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(total: usize, per_address: usize, refusals: usize) -> Arc<Register> {
        Arc::new(Register::new(total, per_address, refusals, Meters::new()))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn refuses_over_each_limit_and_recovers() {
        let register = register(3, 2, 1);
        let a = Some(ip("192.0.2.1"));
        let (first, over) = register.admit(a).unwrap();
        assert_eq!(over, None);
        let (_second, _) = register.admit(a).unwrap();
        let (refused, over) = register.admit(a).unwrap();
        assert_eq!(over, Some(Limit::Address));
        // The one place for refusals is taken: another address is served, this one is not even told.
        assert!(register.admit(a).is_none());
        let (_other, over) = register.admit(Some(ip("192.0.2.2"))).unwrap();
        assert_eq!(over, None);
        drop(refused);
        let (refused, over) = register.admit(Some(ip("192.0.2.3"))).unwrap();
        assert_eq!(over, Some(Limit::Total));
        drop((refused, first));
        assert_eq!(register.admit(a).unwrap().1, None);
    }

    #[test]
    fn counts_an_ipv6_network_and_a_mapped_address_as_one() {
        let register = register(9, 1, 9);
        let held = [
            register.admit(Some(ip("2001:db8::1"))),
            register.admit(Some(ip("192.0.2.1"))),
        ];
        for same in ["2001:db8::ffff:2", "::ffff:192.0.2.1"] {
            assert_eq!(
                register.admit(Some(ip(same))).unwrap().1,
                Some(Limit::Address),
                "{same}"
            );
        }
        assert_eq!(register.admit(Some(ip("2001:db8:0:1::1"))).unwrap().1, None);
        drop(held);
        assert!(register.lock().by_network.is_empty());
        assert_eq!(register.open(), 0);
    }

    #[test]
    fn a_refused_request_leaves_no_trace() {
        let register = register(9, 1, 9);
        let held = register.admit_request(ip("192.0.2.1")).unwrap();
        assert_eq!(
            register.admit_request(ip("192.0.2.1")).unwrap_err(),
            Limit::Address
        );
        drop(held);
        assert!(register.admit_request(ip("192.0.2.1")).is_ok());
    }
}
