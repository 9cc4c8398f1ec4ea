//! The load of one address: unread bytes of answers, and requests in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::context::in_flight::InFlight;

/// The most bytes of answers that one address may leave unread: 2,000 phones in a venue that all
/// wait for a page of 20 KiB use a third of it.
const MAX_UNSENT: usize = 128 * 1024 * 1024;
/// One connection may leave unread this fraction, a 64th, of what remains of its address's limit: 2
/// MiB at first, and less the more others leave unread. After 1,000 connections that read nothing,
/// each further one has 120 KiB. A page with all its files has 150 KiB.
const SHARES: usize = 64;
/// What every connection may leave unread, however much its address does: a page for a neighbour of
/// an attacker behind the same NAT.
const ASSURED: usize = 32 * 1024;

/// An address below this fraction, an eighth, of its limit is never refused because of others.
const FAIR_SHARE: usize = 8;

/// The load of one address. Its connections share the counters.
#[derive(Debug, Clone, Default)]
pub(super) struct Load {
    /// Unread bytes of answers.
    pub(super) unsent: Arc<AtomicUsize>,
    /// Requests in flight beyond one for each connection.
    requests: Arc<AtomicUsize>,
}

/// Counts requests in flight: from the head until the client has taken the answer's last byte, or
/// the answer is given up.
///
/// A connection's permit covers one request. HTTP/2 carries 100 at once, so without a count 400
/// connections of one address put 40,000 pages before everybody else's.
#[derive(Debug)]
pub(super) struct RequestLimiter {
    all: Arc<AtomicUsize>,
    max: usize,
    max_per_address: usize,
}

impl RequestLimiter {
    pub(super) fn new(max: usize, max_per_address: usize) -> Self {
        Self {
            all: Arc::default(),
            max,
            max_per_address,
        }
    }

    /// Counts a request; `None` when its address has too many, or when all together have too many
    /// and the address more than a fair share. So a browser's first requests are never refused
    /// because of others.
    pub(super) fn begin(&self, load: &Load) -> Option<InFlight> {
        let own = load.requests.fetch_add(1, Ordering::Relaxed);
        let all = self.all.fetch_add(1, Ordering::Relaxed);
        let slot = InFlight::new([Arc::clone(&load.requests), Arc::clone(&self.all)]);
        let is_few = own < self.max_per_address / FAIR_SHARE;
        // The drop releases what does not fit.
        (own < self.max_per_address && (is_few || all < self.max)).then_some(slot)
    }
}

/// What one connection may leave unread while its address leaves `address` unread.
fn share(address: usize) -> usize {
    (MAX_UNSENT.saturating_sub(address) / SHARES).max(ASSURED)
}

/// Whether a client has read enough of its answers to ask for more. Above half of its connection's
/// share it is refused before anything is done. Answers that are under way may fill the other half.
/// A connection that has read everything may always ask.
pub(super) fn may_ask(connection: &AtomicUsize, address: &AtomicUsize) -> bool {
    let own = connection.load(Ordering::Relaxed);
    own == 0 || own < share(address.load(Ordering::Relaxed)) / 2
}

/// The bytes of one answer, counted for its connection and its address until its client has taken
/// them.
#[derive(Debug)]
pub(super) struct UnsentBytes {
    counters: [Arc<AtomicUsize>; 2],
    bytes: usize,
}

impl UnsentBytes {
    /// Counts an answer; `None` if the connection leaves too much unread already. An answer larger
    /// than its share passes while the address leaves nothing unread.
    pub(super) fn count(
        connection: &Arc<AtomicUsize>,
        address: &Arc<AtomicUsize>,
        bytes: usize,
    ) -> Option<Self> {
        let own = connection.fetch_add(bytes, Ordering::Relaxed);
        let all = address.fetch_add(bytes, Ordering::Relaxed);
        let counters = [Arc::clone(connection), Arc::clone(address)];
        let counted = Self { counters, bytes };
        // The drop releases what does not fit.
        (all == 0 || own.saturating_add(bytes) <= share(all)).then_some(counted)
    }
}

impl Drop for UnsentBytes {
    fn drop(&mut self) {
        for counter in &self.counters {
            counter.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_flight_are_bounded_for_one_address_and_in_all() {
        let limiter = RequestLimiter::new(3, 2);
        let (one, other) = (Load::default(), Load::default());
        let held = [limiter.begin(&one), limiter.begin(&one)];
        assert!(held.iter().all(Option::is_some));
        assert!(limiter.begin(&one).is_none(), "the address's limit");
        let third = limiter.begin(&other).unwrap();
        assert!(limiter.begin(&other).is_none(), "the limit of all");
        drop(held);
        assert!(limiter.begin(&one).is_some());
        drop(third);
        assert_eq!(limiter.all.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn others_never_refuse_an_address_its_fair_share() {
        let limiter = RequestLimiter::new(FAIR_SHARE, FAIR_SHARE);
        let (greedy, browser) = (Load::default(), Load::default());
        let held: Vec<_> = (0..=FAIR_SHARE).map(|_| limiter.begin(&greedy)).collect();
        assert_eq!(held.iter().flatten().count(), FAIR_SHARE);
        let fair = limiter.begin(&browser);
        assert!(fair.is_some());
        assert!(
            limiter.begin(&browser).is_none(),
            "beyond it the total counts"
        );
    }

    #[test]
    fn bytes_that_are_not_taken_are_bounded_and_given_back() {
        let (connection, address) = (Arc::default(), Arc::default());
        let whole = MAX_UNSENT / SHARES;
        let held = UnsentBytes::count(&connection, &address, whole);
        assert!(held.is_some());
        assert!(UnsentBytes::count(&connection, &address, 1).is_none());
        let other = Arc::default();
        assert!(UnsentBytes::count(&other, &address, whole / 2).is_some());
        assert!(!may_ask(&connection, &address) && may_ask(&other, &address));
        drop(held);
        assert!(may_ask(&connection, &address));
        assert!(UnsentBytes::count(&connection, &address, 2 * MAX_UNSENT).is_some());
        assert_eq!(address.load(Ordering::Relaxed), 0);
    }

    /// Whatever attackers do: the more connections, the less each gets.
    #[test]
    fn connections_that_read_nothing_leave_something_to_every_other() {
        const PAGE: usize = 15 * 1024;
        for connections in [1, 20, 1_300, 16_000] {
            let address = Arc::default();
            let mut held = Vec::new();
            for _ in 0..connections {
                let connection = Arc::default();
                let more = std::iter::from_fn(|| {
                    let may_ask = may_ask(&connection, &address);
                    may_ask.then(|| UnsentBytes::count(&connection, &address, PAGE))?
                });
                held.extend(more);
            }
            let unread = address.load(Ordering::Relaxed);
            assert!(unread <= MAX_UNSENT + connections * ASSURED);
            let neighbour = Arc::default();
            let answers = [PAGE, PAGE].map(|bytes| {
                let may_ask = may_ask(&neighbour, &address);
                may_ask.then(|| UnsentBytes::count(&neighbour, &address, bytes))?
            });
            assert!(answers.iter().all(Option::is_some), "{connections}");
        }
    }
}
