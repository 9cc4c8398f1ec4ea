//! What this node measures for the dashboard, since it started: delivery and refusals. Nothing is
//! stored.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Deliveries that a quantile is computed of: some minutes of a busy event.
const KEPT: usize = 1_000;

/// From a change's commit until the canary received it: the last [`KEPT`].
#[derive(Debug, Default)]
pub struct Delivery {
    // Held for a few instructions, over no await.
    last: Mutex<VecDeque<Duration>>,
}

impl Delivery {
    /// Adds one.
    pub fn record(&self, took: Duration) {
        let mut last = lock(&self.last);
        if last.len() == KEPT {
            last.pop_front();
        }
        last.push_back(took);
    }

    /// The median and the 99th percentile; `None` before the first delivery.
    pub fn quantiles(&self) -> Option<(Duration, Duration)> {
        let mut sorted: Vec<_> = lock(&self.last).iter().copied().collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        Some((sorted[last / 2], sorted[last * 99 / 100]))
    }
}

/// How many registrations of an event were refused, by problem code.
#[derive(Debug, Default)]
pub struct Refusals {
    // Held for a few instructions, over no await.
    counts: Mutex<BTreeMap<&'static str, u32>>,
}

impl Refusals {
    /// Adds one.
    pub fn add(&self, code: &'static str) {
        let mut counts = lock(&self.counts);
        let count = counts.entry(code).or_default();
        *count = count.saturating_add(1);
    }

    /// The codes with their numbers, the most frequent first.
    pub fn counts(&self) -> Vec<(&'static str, u32)> {
        let mut counts: Vec<_> = lock(&self.counts).iter().map(|(k, n)| (*k, *n)).collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_last_deliveries() {
        let delivery = Delivery::default();
        assert_eq!(delivery.quantiles(), None);
        for ms in 1..=2_000 {
            delivery.record(Duration::from_millis(ms));
        }
        let ms = Duration::from_millis;
        assert_eq!(delivery.quantiles(), Some((ms(1_500), ms(1_990))));
    }

    #[test]
    fn the_most_frequent_refusal_comes_first() {
        let refusals = Refusals::default();
        for code in ["event-full", "event-closed", "event-closed"] {
            refusals.add(code);
        }
        assert_eq!(refusals.counts(), [("event-closed", 2), ("event-full", 1)]);
    }
}
