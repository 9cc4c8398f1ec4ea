//! A request in flight: it has a place among those of its address until it waits or is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A request's place among those in flight. The server puts it into the extensions of the requests
/// that need one.
///
/// It is given back with the last clone. A handler whose client only waits for news gives it back
/// earlier: such a request does no work, and another limit counts it (of connections or sessions).
#[derive(Debug, Clone)]
pub struct InFlight(Arc<Place>);

#[derive(Debug)]
struct Place {
    counters: [Arc<AtomicUsize>; 2],
    is_given_back: AtomicBool,
}

impl InFlight {
    /// A place that `counters` count already.
    pub fn new(counters: [Arc<AtomicUsize>; 2]) -> Self {
        Self(Arc::new(Place {
            counters,
            is_given_back: AtomicBool::new(false),
        }))
    }

    /// Gives the place back; a second call changes nothing.
    pub fn give_back(&self) {
        self.0.give_back();
    }
}

impl Place {
    fn give_back(&self) {
        if !self.is_given_back.swap(true, Ordering::Relaxed) {
            for counter in &self.counters {
                counter.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.give_back();
    }
}
