//! The figures of a run, as `--json` prints them. Each name ends with its unit.

use hdrhistogram::Histogram;
use serde::Serialize;

use super::age::{Commit, delays, mean_age};
use super::clock::ServerClock;
use super::variant::Variant;
use super::watcher::Watcher;
use crate::cli::client::meter::Traffic;
use crate::domain::clock::Timestamp;

/// A whole run.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) server: String,
    pub(super) at: Timestamp,
    /// For each transport.
    pub(super) watchers: u32,
    pub(super) registrations_per_second: f64,
    pub(super) duration_s: f64,
    pub(super) together: bool,
    /// The process whose CPU time was read.
    pub(super) server_process: Option<String>,
    /// The server's CPU time for a registration without watchers; subtracted from
    /// `server_cpu_us_per_update`.
    pub(super) server_cpu_us_per_registration: Option<f64>,
    /// How far the two machines' clocks may be apart, on top of the millisecond to which commits
    /// are stamped.
    pub(super) clock_uncertainty_ms: f64,
    pub(super) rows: Vec<Row>,
}

/// One transport.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) watchers: usize,
    /// Committed changes in the phase.
    pub(super) changes: usize,
    /// Counts shown, over all watchers.
    pub(super) updates: u64,
    pub(super) delay: Delay,
    /// The mean age of what is on the screen, as `age.rs` defines it.
    pub(super) mean_age_ms: f64,
    pub(super) requests_per_update: f64,
    pub(super) received_bytes_per_update: f64,
    pub(super) sent_bytes_per_update: f64,
    pub(super) server_cpu_us_per_update: Option<f64>,
    /// The share of one core that measuring took.
    pub(super) client_cpu_percent: Option<f64>,
    /// Changes that a watcher did not show because a later one overtook them, over all watchers.
    pub(super) skipped: u64,
    /// Watchers that did not end on the newest count.
    pub(super) lost: usize,
    /// Connections that ended in the phase, over all watchers; each was resumed.
    pub(super) reconnects: u32,
}

/// Percentiles over every change and every watcher, in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Delay {
    pub(super) p50_ms: f64,
    pub(super) p90_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
    /// (delay in milliseconds, percent of the changes shown within it)
    pub(super) distribution: Vec<(f64, f64)>,
}

/// What a phase measured for one transport.
pub(super) struct Raw<'a> {
    pub(super) variant: Variant,
    pub(super) watchers: &'a [std::sync::Arc<Watcher>],
    pub(super) commits: &'a [Commit],
    pub(super) clock: &'a ServerClock,
    /// The load's window, microseconds of the server's clock.
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) traffic: Traffic,
    pub(super) reconnects: u32,
    /// The server's CPU time beyond what the registrations alone would have cost, microseconds.
    pub(super) server_cpu_us: Option<f64>,
    pub(super) client_cpu_percent: Option<f64>,
}

impl Row {
    pub(super) fn of(raw: &Raw<'_>) -> Self {
        let last = raw.commits.last().map_or(0, |commit| commit.revision);
        // From a microsecond to ten minutes with three digits.
        let mut histogram = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3)
            .expect("the bounds are in order and the digits few");
        let (mut updates, mut shown, mut ages) = (0, 0, Vec::new());
        for watcher in raw.watchers {
            let sights = watcher.sights(raw.clock);
            let new = sights.iter().filter(|sight| sight.at >= raw.from).count() as u64;
            updates += new;
            for delay in delays(raw.commits, &sights) {
                shown += 1;
                histogram.saturating_record(delay);
            }
            ages.extend(mean_age(raw.commits, &sights, raw.from, raw.to));
        }
        let per_update = |total: u64| quotient(total, updates);
        Self {
            name: raw.variant.name(),
            watchers: raw.watchers.len(),
            changes: raw.commits.len(),
            updates,
            delay: Delay::of(&histogram),
            mean_age_ms: ages.iter().sum::<f64>() / quotient(ages.len().max(1) as u64, 1) / 1_000.0,
            requests_per_update: per_update(raw.traffic.requests),
            received_bytes_per_update: per_update(raw.traffic.received_bytes),
            sent_bytes_per_update: per_update(raw.traffic.sent_bytes),
            server_cpu_us_per_update: raw.server_cpu_us.map(|us| us / quotient(updates.max(1), 1)),
            client_cpu_percent: raw.client_cpu_percent,
            skipped: u64::saturating_sub(shown, updates),
            lost: raw
                .watchers
                .iter()
                .filter(|watcher| watcher.newest() < last)
                .count(),
            reconnects: raw.reconnects,
        }
    }

    pub(super) fn bytes_per_update(&self) -> f64 {
        self.received_bytes_per_update + self.sent_bytes_per_update
    }
}

impl Delay {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |percent: f64| quotient(histogram.value_at_percentile(percent), 1_000);
        // Every half percent, and the tail in finer steps.
        let percents = (0..200)
            .map(|half| f64::from(half) / 2.0)
            .chain([99.5, 99.8, 99.9, 99.95, 99.99, 100.0]);
        Self {
            p50_ms: at(50.0),
            p90_ms: at(90.0),
            p99_ms: at(99.0),
            max_ms: quotient(histogram.max(), 1_000),
            distribution: percents.map(|percent| (at(percent), percent)).collect(),
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and microseconds of a run are far below 2^52"
)]
fn quotient(total: u64, count: u64) -> f64 {
    if count == 0 {
        0.0
    } else {
        total as f64 / count as f64
    }
}
