//! The figures of a run, and their statistics.

use std::time::Duration;

/// The figures of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// Microseconds of the server for each delivery.
    pub(crate) cpu: f64,
    /// Milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Milliseconds from the request for a change to the last watcher.
    pub(crate) span: f64,
    /// KiB for each watcher.
    pub(crate) memory: f64,
    /// Connections a second.
    pub(crate) connects: f64,
}

impl Figures {
    fn each(of: impl Fn(fn(&Self) -> f64) -> f64) -> Self {
        Self {
            cpu: of(|run| run.cpu),
            p50: of(|run| run.p50),
            p99: of(|run| run.p99),
            span: of(|run| run.span),
            memory: of(|run| run.memory),
            connects: of(|run| run.connects),
        }
    }

    pub(crate) fn median(runs: &[Self]) -> Self {
        Self::each(|field| median(runs.iter().map(field).collect()))
    }

    /// The median of the rounds' ratios: the two runs of a round are close in time, and the
    /// machine's speed changes from minute to minute.
    pub(crate) fn ratio(runs: &[Self], others: &[Self]) -> Self {
        let ratios: Vec<Self> = runs
            .iter()
            .zip(others)
            .map(|(run, other)| Self::each(|field| field(run) / field(other)))
            .collect();
        // The allocator takes memory in steps, which some rounds do not see.
        let [memory, other] = [runs, others].map(|runs| Self::median(runs).memory);
        Self {
            memory: memory / other,
            ..Self::median(&ratios)
        }
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

pub(crate) fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a list"
    )]
    let at = (sorted.len() as f64 * quantile) as usize;
    sorted[at.min(sorted.len() - 1)]
}

pub(crate) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).expect("a benchmark is short"))
}

pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
