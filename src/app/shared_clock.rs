//! One clock for all nodes: the database server's.
//!
//! Nodes compare their own time with times that others have written: when a ticket key is used, a
//! session or a claim ends, an event opens. One node whose clock is wrong would spoil what all of
//! them share. So a node corrects its clock by the database's. With SQLite there is one machine, and
//! nothing to correct.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::domain::clock::{Clock, Corrected};
use crate::store::{Store, StoreError};

/// How often the clocks are compared. A clock may be set while the node runs.
const EVERY: Duration = Duration::from_secs(10);
/// Clocks that are synchronised differ by less (NTP). A smaller difference is left alone, so that
/// the time does not jump with each comparison.
const TOLERANCE_MS: u64 = 1_000;
/// Slower answers are too imprecise.
const SLOW: Duration = Duration::from_millis(500);

/// Corrects `clock` by the database's, if it can be corrected. Call it before the clock is used.
pub(super) async fn correct(store: &Store, clock: &Clock) -> Result<(), StoreError> {
    if let Clock::Corrected(clock) = clock {
        compare(store, clock).await?;
    }
    Ok(())
}

/// Repeats this every ten seconds, until it is dropped.
pub(super) async fn run(store: Store, clock: Clock) {
    loop {
        sleep(EVERY).await;
        if let Err(error) = correct(&store, &clock).await {
            tracing::debug!(%error, "cannot compare the clock with the database's");
        }
    }
}

async fn compare(store: &Store, clock: &Corrected) -> Result<(), StoreError> {
    let begun = Instant::now();
    let Some(reference) = store.server_time().await? else {
        return Ok(());
    };
    let took = begun.elapsed();
    if took > SLOW {
        return Ok(());
    }
    let shown = clock.uncorrected().minus(took / 2);
    let ahead_ms = shown.as_millis() - reference.as_millis();
    if ahead_ms.abs_diff(clock.ahead_ms()) <= TOLERANCE_MS {
        return Ok(());
    }
    if ahead_ms.unsigned_abs() <= TOLERANCE_MS {
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
    Ok(())
}
