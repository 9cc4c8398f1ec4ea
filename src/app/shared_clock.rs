//! One clock for all nodes: the database server's.
//!
//! Nodes compare their own time with times that others have written: when a ticket key is used, a
//! session or a claim ends, an event opens. One node whose clock is wrong would spoil what all of
//! them share. So a node corrects its clock by the database's. With SQLite there is one machine, and
//! nothing to correct.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::domain::clock::{Clock, Corrected, Timestamp};
use crate::store::{Store, StoreError};

/// How often the clocks are compared. A clock may be set while the node runs.
const EVERY: Duration = Duration::from_secs(10);
/// Clocks that are synchronised differ by less (NTP). A smaller difference is left alone, so that
/// the time does not jump with each comparison.
const TOLERANCE: Duration = Duration::from_secs(1);
/// Comparisons, five minutes of them, before a jump of the database's clock is believed: people are
/// erased, and events close, when their time has come.
const CONVINCED: u32 = 30;
/// How far this node's own clock is ahead of the database's.
pub(super) const AHEAD: &str = "headcount_clock_ahead_seconds";

/// Compares the clocks. With a clock that is not to be corrected it does nothing.
#[derive(Debug)]
pub(super) struct SharedClock {
    store: Store,
    clock: Clock,
    reference: Reference,
}

/// The database's clock, as it was read last.
#[derive(Debug, Default)]
struct Reference {
    last: Option<(Instant, Timestamp)>,
    /// How often in a row it showed another time than the last and the time since.
    doubts: u32,
}

impl SharedClock {
    /// Corrects `clock` by the database's. Nobody has used it before.
    pub(super) async fn start(store: &Store, clock: &Clock) -> Result<Self, StoreError> {
        let mut shared = Self {
            store: store.clone(),
            clock: clock.clone(),
            reference: Reference::default(),
        };
        metrics::gauge!(AHEAD).set(0.0);
        shared.compare().await?;
        Ok(shared)
    }

    /// Repeats this every ten seconds, until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            sleep(EVERY).await;
            if let Err(error) = self.compare().await {
                tracing::debug!(%error, "cannot compare the clock with the database's");
            }
        }
    }

    async fn compare(&mut self) -> Result<(), StoreError> {
        let Clock::Corrected(clock) = self.clock.clone() else {
            return Ok(());
        };
        let begun = Instant::now();
        let Some(reference) = self.store.server_time().await? else {
            return Ok(());
        };
        let took = begun.elapsed();
        let shown = clock.uncorrected().minus(took / 2);
        // A slow answer says less about the moment at which it was given.
        let tolerance = TOLERANCE + took / 2;
        if !self
            .reference
            .believe(begun + took / 2, reference, tolerance)
        {
            return Ok(());
        }
        correct(&clock, shown, reference, tolerance);
        Ok(())
    }
}

impl Reference {
    /// Whether to use the time `shown`: it is the last one and the time since, or it has differed from
    /// that for [`CONVINCED`] comparisons.
    fn believe(&mut self, at: Instant, shown: Timestamp, tolerance: Duration) -> bool {
        if let Some((before, then)) = self.last {
            let expected = then.plus(at - before);
            let jump = expected.since(shown) + shown.since(expected);
            if jump > tolerance && self.doubts < CONVINCED {
                if self.doubts == 0 {
                    tracing::error!(
                        %expected,
                        %shown,
                        "the database server's clock has jumped; not following it for five minutes"
                    );
                }
                self.doubts += 1;
                return false;
            }
        }
        self.doubts = 0;
        self.last = Some((at, shown));
        true
    }
}

fn correct(clock: &Corrected, shown: Timestamp, reference: Timestamp, tolerance: Duration) {
    let ahead_ms = shown.as_millis() - reference.as_millis();
    #[expect(clippy::cast_precision_loss, reason = "a metric")]
    metrics::gauge!(AHEAD).set(ahead_ms as f64 / 1_000.0);
    let tolerance_ms = tolerance.as_millis();
    if u128::from(ahead_ms.abs_diff(clock.ahead_ms())) <= tolerance_ms {
        return;
    }
    if u128::from(ahead_ms.unsigned_abs()) <= tolerance_ms {
        clock.correct(0);
        tracing::info!("this node's clock agrees with the database server's again");
    } else {
        clock.correct(ahead_ms);
        tracing::warn!(
            ahead_ms,
            "this node's clock differs from the database server's; using the database's time \
             (synchronise the clocks with NTP)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_databases_clock_is_believed_after_five_minutes() {
        let begun = Instant::now();
        let noon = Timestamp::from_millis(1_800_000_000_000);
        let mut reference = Reference::default();
        let mut shows = |seconds: u64, ahead_s: u64| {
            let after = Duration::from_secs(seconds);
            let shown = noon.plus(after + Duration::from_secs(ahead_s));
            reference.believe(begun + after, shown, TOLERANCE)
        };
        assert!(shows(0, 0) && shows(10, 0), "it goes on");
        let year = 365 * 24 * 3_600;
        assert!(!shows(20, year), "an accident");
        assert!(shows(30, 0), "and over");
        for round in 0..u64::from(CONVINCED) {
            assert!(!shows(40 + 10 * round, year));
        }
        assert!(shows(340, year), "it stays");
        assert!(shows(350, year));
    }
}
