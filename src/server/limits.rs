//! How many connections, streams and requests may be open, in all and for one address.
//!
//! A [`ConnectionPermit`] lives inside the socket's own wrapper ([`super::socket::SocketGuard`]).
//! It is released when the socket closes, whatever holds the socket by then. No route has to keep a
//! guard across an upgrade, and none can forget to.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::load::Load;
use super::meters::Meters;

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// `--max-connections`.
    Total,
    /// `--max-connections-per-ip`.
    Address,
    /// [`super::load`]'s limits of requests in flight.
    Requests,
}

/// Counts open connections, streams and requests.
#[derive(Debug)]
pub(super) struct ConnectionLimiter {
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
    connections: usize,
    /// Streams beyond the first on an HTTP/2 connection.
    streams: usize,
    refused: usize,
    by_network: HashMap<Network, Usage>,
}

/// The counters of one address.
#[derive(Debug, Default)]
struct Usage {
    permits: usize,
    load: Load,
}

impl Open {
    fn is_full(&self, max: usize) -> bool {
        self.connections + self.streams >= max
    }

    fn take(&mut self, network: Network, max: usize) -> Option<Load> {
        let usage = self.by_network.entry(network).or_default();
        // `max` is at least 1, so an entry that was just made is never left empty.
        if usage.permits >= max {
            return None;
        }
        usage.permits += 1;
        Some(usage.load.clone())
    }

    fn release(&mut self, network: Network) {
        if let Some(usage) = self.by_network.get_mut(&network) {
            usage.permits -= 1;
            if usage.permits == 0 {
                self.by_network.remove(&network);
            }
        }
        // After a flood from many addresses the table's memory is freed.
        if self.by_network.is_empty() {
            self.by_network.shrink_to(1024);
        }
    }
}

/// A connection that is served, or refused in its client's protocol.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) permit: ConnectionPermit,
    /// The limit that the connection exceeds.
    pub(super) over: Option<Limit>,
    pub(super) load: Load,
}

impl ConnectionLimiter {
    pub(super) fn new(
        max_connections: usize,
        max_per_address: usize,
        max_refusals: usize,
        meters: Meters,
    ) -> Self {
        Self {
            max_connections,
            max_per_address: max_per_address.max(1),
            max_refusals,
            open: Mutex::default(),
            none_left: Notify::new(),
            meters,
        }
    }

    /// Admits a new connection; `None` when even the permits for refusals are taken. `address` is
    /// none for a trusted proxy, whose requests are counted one by one.
    pub(super) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Admitted> {
        let mut network = address.map(Network::of);
        let mut load = Load::default();
        let mut open = self.lock();
        let mut over = open.is_full(self.max_connections).then_some(Limit::Total);
        if let (Some(network), None) = (network, over) {
            match open.take(network, self.max_per_address) {
                Some(own) => load = own,
                None => over = Some(Limit::Address),
            }
        }
        if let Some(limit) = over {
            self.meters.refused(limit);
            if open.refused >= self.max_refusals {
                self.meters.unheard();
                return None;
            }
            open.refused += 1;
            network = None;
        } else {
            open.connections += 1;
        }
        drop(open);
        self.meters.opened();
        let permit = ConnectionPermit {
            limiter: Arc::clone(self),
            network,
            admitted: over.is_none(),
        };
        Some(Admitted { permit, over, load })
    }

    /// Admits one request: for `address` if that is counted by requests, and as a stream of its own
    /// if another one has the connection's permit. Also returns what the address has in flight.
    pub(super) fn admit_request(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        stream: bool,
    ) -> Result<(RequestPermit, Load), Limit> {
        let network = address.map(Network::of);
        let mut open = self.lock();
        let admitted = if stream && open.is_full(self.max_connections) {
            Err(Limit::Total)
        } else {
            match network {
                None => Ok(Load::default()),
                Some(network) => open
                    .take(network, self.max_per_address)
                    .ok_or(Limit::Address),
            }
        };
        if admitted.is_ok() {
            open.streams += usize::from(stream);
        }
        drop(open);
        match admitted {
            Ok(load) => {
                let permit = RequestPermit {
                    limiter: Arc::clone(self),
                    network,
                    stream,
                };
                Ok((permit, load))
            }
            Err(limit) => {
                self.meters.refused(limit);
                Err(limit)
            }
        }
    }

    /// Connections open now, refusals included.
    pub(super) fn open(&self) -> usize {
        let open = self.lock();
        open.connections + open.refused
    }

    /// Waits until no connection is open.
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

/// The permit of one connection.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    limiter: Arc<ConnectionLimiter>,
    network: Option<Network>,
    admitted: bool,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.limiter.lock();
        if self.admitted {
            open.connections -= 1;
        } else {
            open.refused -= 1;
        }
        if let Some(network) = self.network {
            open.release(network);
        }
        let none_left = open.connections + open.refused == 0;
        drop(open);
        self.limiter.meters.closed();
        if none_left {
            self.limiter.none_left.notify_waiters();
        }
    }
}

/// The permit of one request: through a trusted proxy, or beside another stream.
#[derive(Debug)]
pub(super) struct RequestPermit {
    limiter: Arc<ConnectionLimiter>,
    network: Option<Network>,
    stream: bool,
}

impl Drop for RequestPermit {
    fn drop(&mut self) {
        let mut open = self.limiter.lock();
        open.streams -= usize::from(self.stream);
        if let Some(network) = self.network {
            open.release(network);
        }
    }
}

/// The unit that counts as one address.
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

    fn limiter(total: usize, per_address: usize, refusals: usize) -> Arc<ConnectionLimiter> {
        Arc::new(ConnectionLimiter::new(
            total,
            per_address,
            refusals,
            Meters::new(),
        ))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_limit_refuses_and_a_permit_that_is_released_can_be_taken_again() {
        let limiter = limiter(3, 2, 1);
        let a = Some(ip("192.0.2.1"));
        let first = limiter.admit(a).unwrap();
        assert_eq!(first.over, None);
        let _second = limiter.admit(a).unwrap();
        let refused = limiter.admit(a).unwrap();
        assert_eq!(refused.over, Some(Limit::Address));
        // The one permit for refusals is taken: another address is served, this one is closed.
        assert!(limiter.admit(a).is_none());
        let other = limiter.admit(Some(ip("192.0.2.2"))).unwrap();
        assert_eq!(other.over, None);
        drop(refused);
        let refused = limiter.admit(Some(ip("192.0.2.3"))).unwrap();
        assert_eq!(refused.over, Some(Limit::Total));
        drop((refused, first));
        assert_eq!(limiter.admit(a).unwrap().over, None);
    }

    #[test]
    fn an_ipv6_network_and_a_mapped_address_count_as_one_address() {
        let limiter = limiter(9, 1, 9);
        let held = [
            limiter.admit(Some(ip("2001:db8::1"))),
            limiter.admit(Some(ip("192.0.2.1"))),
        ];
        for same in ["2001:db8::ffff:2", "::ffff:192.0.2.1"] {
            assert_eq!(
                limiter.admit(Some(ip(same))).unwrap().over,
                Some(Limit::Address),
                "{same}"
            );
        }
        let other = limiter.admit(Some(ip("2001:db8:0:1::1"))).unwrap();
        assert_eq!(other.over, None);
        drop((held, other));
        assert!(limiter.lock().by_network.is_empty());
        assert_eq!(limiter.open(), 0);
    }

    #[test]
    fn a_refused_request_leaves_no_trace() {
        let limiter = limiter(9, 1, 9);
        let client = Some(ip("192.0.2.1"));
        let held = limiter.admit_request(client, false).unwrap();
        assert_eq!(
            limiter.admit_request(client, false).unwrap_err(),
            Limit::Address
        );
        drop(held);
        assert!(limiter.admit_request(client, false).is_ok());
    }

    #[test]
    fn streams_take_the_permits_of_connections() {
        let limiter = limiter(3, 9, 9);
        let client = Some(ip("192.0.2.1"));
        let connection = limiter.admit(client).unwrap();
        let streams = [(); 2].map(|()| limiter.admit_request(client, true).unwrap());
        assert_eq!(
            limiter.admit_request(client, true).unwrap_err(),
            Limit::Total
        );
        assert_eq!(limiter.admit(client).unwrap().over, Some(Limit::Total));
        drop(streams);
        assert!(limiter.admit_request(client, true).is_ok());
        drop(connection);
        assert!(limiter.lock().by_network.is_empty());
    }
}
