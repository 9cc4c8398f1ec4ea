//! How many bytes of answers may wait for one connection, and for one address.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes of answers that one HTTP/2 connection may leave waiting. A page with all its
/// files is a tenth of it.
const MAX_UNSENT_PER_CONNECTION: usize = 2 * 1024 * 1024;
/// The same for one address: 2,000 phones in a hall that all wait for a page of 20 KiB leave two
/// thirds of it.
const MAX_UNSENT_PER_ADDRESS: usize = 128 * 1024 * 1024;

/// Whether a client has taken enough of its answers to ask for more. Above half of a bound it is
/// refused before anything is done; what is under way then may fill the other half.
pub(super) fn may_ask(connection: &AtomicUsize, address: &AtomicUsize) -> bool {
    connection.load(Ordering::Relaxed) < MAX_UNSENT_PER_CONNECTION / 2
        && address.load(Ordering::Relaxed) < MAX_UNSENT_PER_ADDRESS / 2
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
        // What does not fit is given back by the drop.
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
