//! The load of one address: bytes of answers that it has not taken, and requests in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes of answers that one HTTP/2 connection may leave waiting. A page with all its
/// files is a tenth of it.
const MAX_UNSENT_PER_CONNECTION: usize = 2 * 1024 * 1024;
/// The same for one address: 2,000 phones in a hall that all wait for a page of 20 KiB leave two
/// thirds of it.
const MAX_UNSENT_PER_ADDRESS: usize = 128 * 1024 * 1024;

/// An address with less than this part of its limit is not refused because of all others.
const FAIR_SHARE: usize = 8;

/// The load of one address. Its connections share the counters.
#[derive(Debug, Clone, Default)]
pub(super) struct Load {
    /// Bytes of answers that it has not taken.
    pub(super) unsent: Arc<AtomicUsize>,
    /// Requests in flight beyond one for each connection.
    requests: Arc<AtomicUsize>,
}

/// Counts requests in flight: from the head until the client has taken the answer's last byte, or
/// the answer is given up.
///
/// A connection's place covers one request. HTTP/2 carries 100 at once, so without a count 400
/// connections of one address put 40,000 pages before everybody else's.
#[derive(Debug)]
pub(super) struct RequestLimiter {
    all: Arc<AtomicUsize>,
    max: usize,
    max_per_address: usize,
}

/// The place of a request in flight.
#[derive(Debug)]
pub(super) struct InFlight([Arc<AtomicUsize>; 2]);

impl RequestLimiter {
    pub(super) fn new(max: usize, max_per_address: usize) -> Self {
        Self {
            all: Arc::default(),
            max,
            max_per_address,
        }
    }

    /// Counts a request; `None` when its address has too many, or when all together have too many
    /// and the address more than a fair share. So others never refuse a browser its first requests.
    pub(super) fn begin(&self, load: &Load) -> Option<InFlight> {
        let place = InFlight([Arc::clone(&load.requests), Arc::clone(&self.all)]);
        let own = place.0[0].fetch_add(1, Ordering::Relaxed);
        let all = place.0[1].fetch_add(1, Ordering::Relaxed);
        let is_few = own < self.max_per_address / FAIR_SHARE;
        // The drop releases what does not fit.
        (own < self.max_per_address && (is_few || all < self.max)).then_some(place)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        for counter in &self.0 {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Whether a client has taken enough of its answers to ask for more. Above half of a bound it is
/// refused before anything is done; what is under way then may fill the other half. What its address
/// leaves waiting does not count against a connection that has taken everything.
pub(super) fn may_ask(connection: &AtomicUsize, address: &AtomicUsize) -> bool {
    let own = connection.load(Ordering::Relaxed);
    own == 0
        || (own < MAX_UNSENT_PER_CONNECTION / 2
            && address.load(Ordering::Relaxed) < MAX_UNSENT_PER_ADDRESS / 2)
}

/// The bytes of one answer, counted for its connection and its address until its client has taken
/// them.
#[derive(Debug)]
pub(super) struct UnsentBytes {
    counters: [Arc<AtomicUsize>; 2],
    bytes: usize,
}

impl UnsentBytes {
    /// Counts an answer; `None` when the connection or the address leaves too much waiting already.
    /// An answer larger than a bound passes while nothing else waits.
    pub(super) fn count(
        connection: &Arc<AtomicUsize>,
        address: &Arc<AtomicUsize>,
        bytes: usize,
    ) -> Option<Self> {
        let counters = [Arc::clone(connection), Arc::clone(address)];
        let bounds = [MAX_UNSENT_PER_CONNECTION, MAX_UNSENT_PER_ADDRESS];
        let counted = Self { counters, bytes };
        let mut within = true;
        for (counter, bound) in counted.counters.iter().zip(bounds) {
            let before = counter.fetch_add(bytes, Ordering::Relaxed);
            within &= before == 0 || before + bytes <= bound;
        }
        // The drop releases what does not fit.
        within.then_some(counted)
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
        let half = MAX_UNSENT_PER_CONNECTION / 2;
        let held = [half, half].map(|bytes| UnsentBytes::count(&connection, &address, bytes));
        assert!(held.iter().all(Option::is_some));
        assert!(UnsentBytes::count(&connection, &address, 1).is_none());
        let other = Arc::default();
        assert!(UnsentBytes::count(&other, &address, half).is_some());
        assert!(!may_ask(&connection, &address) && may_ask(&other, &address));
        drop(held);
        assert!(may_ask(&connection, &address));
        assert!(UnsentBytes::count(&connection, &address, 2 * MAX_UNSENT_PER_ADDRESS).is_some());
        assert_eq!(address.load(Ordering::Relaxed), 0);
    }
}
