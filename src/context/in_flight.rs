//! A request in flight: it takes a slot of its address until it waits or is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A request's slot among those in flight. The server puts it into the extensions of the requests
/// that need one.
///
/// It is released with the last clone. A handler whose client only waits for news releases it
/// earlier: such a request does no work, and another limit counts it (of connections or sessions).
#[derive(Debug, Clone)]
pub struct InFlight(Arc<Slot>);

#[derive(Debug)]
struct Slot {
    counters: [Arc<AtomicUsize>; 2],
    is_released: AtomicBool,
}

impl InFlight {
    /// A slot that `counters` count already.
    pub fn new(counters: [Arc<AtomicUsize>; 2]) -> Self {
        Self(Arc::new(Slot {
            counters,
            is_released: AtomicBool::new(false),
        }))
    }

    /// Releases the slot; a second call changes nothing.
    pub fn release(&self) {
        self.0.release();
    }
}

impl Slot {
    fn release(&self) {
        if !self.is_released.swap(true, Ordering::Relaxed) {
            for counter in &self.counters {
                counter.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.release();
    }
}
