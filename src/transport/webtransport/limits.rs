//! How many connections of WebTransport may be open, in all and for one client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::context::subscriber::subscriber;

/// How many connections may be open. Each carries one session.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In all.
    pub total: usize,
    /// For one client, as [`subscriber`] tells clients apart.
    pub per_address: usize,
    /// Connections over a limit that may be open at once, to refuse them with a farewell. The next
    /// one is refused by QUIC.
    pub refusals: usize,
}

/// Counts open connections.
#[derive(Debug)]
pub(super) struct Limiter {
    limits: Limits,
    // Held for a few instructions, over no await.
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    admitted: usize,
    refused: usize,
    /// Connections without a session yet.
    handshakes: usize,
    by_client: HashMap<IpAddr, usize>,
}

/// Reasons to refuse a connection: too many in all, or from its address.
const TOTAL: &str = "total";
const ADDRESS: &str = "address";

impl Limiter {
    pub(super) fn new(limits: Limits) -> Self {
        // Prometheus does not see the first sample of a series as an increase.
        metrics::gauge!(super::OPEN).set(0);
        for reason in [TOTAL, ADDRESS] {
            metrics::counter!(super::REFUSED, "reason" => reason).increment(0);
        }
        Self {
            limits,
            open: Mutex::default(),
        }
    }

    /// Admits a connection, or admits it for a farewell; `None` when even that is too much.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Permit> {
        let client = subscriber(address);
        let mut open = self.lock();
        let held = open.by_client.get(&client).copied().unwrap_or(0);
        let over = if open.admitted >= self.limits.total {
            Some(TOTAL)
        } else if held >= self.limits.per_address {
            Some(ADDRESS)
        } else {
            None
        };
        if let Some(reason) = over {
            metrics::counter!(super::REFUSED, "reason" => reason).increment(1);
            if open.refused >= self.limits.refusals {
                return None;
            }
            open.refused += 1;
        } else {
            open.admitted += 1;
            open.by_client.insert(client, held + 1);
        }
        open.handshakes += 1;
        metrics::gauge!(super::OPEN).increment(1);
        drop(open);
        Some(Permit {
            limiter: Arc::clone(self),
            client: over.is_none().then_some(client),
            shaking: true,
        })
    }

    /// How many connections have no session yet.
    pub(super) fn handshakes(&self) -> usize {
        self.lock().handshakes
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The permit of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: Arc<Limiter>,
    /// `None` over a limit.
    client: Option<IpAddr>,
    shaking: bool,
}

impl Permit {
    pub(super) fn is_over_limit(&self) -> bool {
        self.client.is_none()
    }

    /// The connection has a session now.
    pub(super) fn establish(&mut self) {
        if std::mem::take(&mut self.shaking) {
            self.limiter.lock().handshakes -= 1;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.establish();
        metrics::gauge!(super::OPEN).decrement(1);
        let mut open = self.limiter.lock();
        let Some(client) = self.client else {
            open.refused -= 1;
            return;
        };
        open.admitted -= 1;
        if let Some(held) = open.by_client.get_mut(&client) {
            *held -= 1;
            if *held == 0 {
                open.by_client.remove(&client);
            }
        }
        if open.by_client.is_empty() {
            // Frees the table of the largest crowd there was.
            open.by_client = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_refuses_with_a_farewell_and_then_without() {
        let limiter = Arc::new(Limiter::new(Limits {
            total: 3,
            per_address: 2,
            refusals: 1,
        }));
        let admit = |ip: &str| limiter.admit(ip.parse().unwrap());
        let mut first = admit("192.0.2.1").unwrap();
        let second = admit("192.0.2.1").unwrap();
        assert!(!first.is_over_limit() && !second.is_over_limit());
        let refused = admit("::ffff:192.0.2.1").unwrap();
        assert!(refused.is_over_limit());
        assert!(admit("192.0.2.1").is_none());
        let third = admit("2001:db8::1").unwrap();
        assert!(!third.is_over_limit());
        drop(refused);
        assert!(admit("2001:db8:0:1::1").unwrap().is_over_limit());
        assert_eq!(limiter.handshakes(), 3);
        first.establish();
        first.establish();
        assert_eq!(limiter.handshakes(), 2);
        drop((first, second, third));
        let open = limiter.lock();
        assert_eq!((open.admitted, open.refused, open.handshakes), (0, 0, 0));
        assert!(open.by_client.is_empty());
    }
}
