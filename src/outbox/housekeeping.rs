//! Removes what was finished long ago, and measures what waits.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::stopped;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::outbox::Channel;
use crate::store::{Store, StoreError};

/// How often the backlog is measured.
const TICK: Duration = Duration::from_secs(10);
/// Before the first tick: a start is not the time to write.
const FIRST: Duration = Duration::from_secs(2);
/// Rows that wait, by channel.
pub const WAITING: &str = "headcount_outbox_waiting";
/// The age of the oldest of them, by channel.
pub const OLDEST: &str = "headcount_outbox_oldest_seconds";
/// Attempts to deliver, by channel and outcome.
pub const TOTAL: &str = "headcount_outbox_total";
/// How often old rows are removed.
const PRUNING: Duration = Duration::from_hours(1);

/// Series that begin at 0, so that a first failure is an increase.
pub fn begin() {
    for channel in Channel::ALL.map(Channel::as_str) {
        metrics::gauge!(WAITING, "channel" => channel).set(0.0);
        metrics::gauge!(OLDEST, "channel" => channel).set(0.0);
        for outcome in ["sent", "retry", "failed", "dropped"] {
            metrics::counter!(TOTAL, "channel" => channel, "outcome" => outcome).increment(0);
        }
    }
}

/// Runs until `stop` is true. Every node does so.
pub async fn run(store: Store, clock: Clock, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval_at(Instant::now() + FIRST, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pruned: Option<Timestamp> = None;
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            _ = ticks.tick() => {}
        }
        let now = clock.now();
        if let Err(error) = measure(&store, now).await {
            tracing::debug!(%error, "cannot measure the outbox; trying again");
            continue;
        }
        if pruned.is_none_or(|at| now.since(at) >= PRUNING) {
            match prune(&store, now).await {
                Ok(()) => pruned = Some(now),
                Err(error) => {
                    tracing::warn!(%error, "cannot remove old rows of the outbox; trying again");
                }
            }
        }
    }
}

async fn measure(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    for channel in Channel::ALL {
        let backlog = store.outbox_backlog(channel).await?;
        let oldest = backlog.oldest.map_or(Duration::ZERO, |at| now.since(at));
        let label = channel.as_str();
        // A gauge is a float; nobody has 2^53 rows.
        #[expect(clippy::cast_precision_loss, reason = "a backlog is small")]
        metrics::gauge!(WAITING, "channel" => label).set(backlog.rows as f64);
        metrics::gauge!(OLDEST, "channel" => label).set(oldest.as_secs_f64());
    }
    Ok(())
}

async fn prune(store: &Store, now: Timestamp) -> Result<(), StoreError> {
    store.prune_confirmations(now).await?;
    while store.prune_outbox(now).await? {
        // Registrations have their turn.
        tokio::task::yield_now().await;
    }
    Ok(())
}
