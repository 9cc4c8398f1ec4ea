//! One watcher of a phase: follows the event, and records what it showed and when.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::age::Sight;
use super::clock::ServerClock;
use super::variant::Variant;
use crate::cli::client::follow;
use crate::cli::client::item::Item;
use crate::cli::client::meter::Meter;
use crate::cli::client::target::Target;

/// What a watcher has seen.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    pub(super) meter: Arc<Meter>,
    /// The newest revision shown; 0 before the first.
    newest: AtomicI64,
    /// Connections lost, farewells of the server included.
    cuts: AtomicU32,
    /// A lock and not a channel: the watcher writes and the phase reads, each for an instant, on
    /// one thread.
    seen: Mutex<Vec<(Instant, i64)>>,
    /// The last failure.
    trouble: Mutex<Option<String>>,
    gave_up: AtomicBool,
}

impl Watcher {
    /// Follows until it is aborted.
    pub(super) async fn watch(self: Arc<Self>, target: Arc<Target>, variant: Variant) {
        let mut sink = |item: Item| {
            match item {
                Item::Seen(seen) => {
                    self.newest.store(seen.count.revision(), Relaxed);
                    self.seen
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((seen.at, seen.count.revision()));
                }
                Item::Disconnected { why, .. } => {
                    self.cuts.fetch_add(1, Relaxed);
                    self.complain(why);
                }
                Item::Connected | Item::Stale(_) | Item::Fresh | Item::Notice(_) => {}
            }
            ControlFlow::Continue(())
        };
        let end = follow(&target, variant.transport, &self.meter, &mut sink).await;
        self.complain(end.to_string());
        self.gave_up.store(true, Relaxed);
    }

    fn complain(&self, why: String) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    pub(super) fn newest(&self) -> i64 {
        self.newest.load(Relaxed)
    }

    pub(super) fn cuts(&self) -> u32 {
        self.cuts.load(Relaxed)
    }

    /// Whether it has ended for good.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up.load(Relaxed)
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn sights(&self, clock: &ServerClock) -> Vec<Sight> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter()
            .map(|&(at, revision)| Sight {
                revision,
                at: clock.at(at),
            })
            .collect()
    }
}
