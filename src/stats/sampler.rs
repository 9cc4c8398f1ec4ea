//! Samples how many people watch each event, over all nodes.
//!
//! Every node counts and writes; the database keeps the highest number of a step, so it does not
//! matter who is first. While the database is unreachable nothing is recorded: that is a gap.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::domain::clock::{Clock, Timestamp};
use crate::domain::event::EventId;
use crate::domain::series::Step;
use crate::live::hub::Hub;
use crate::live::presence_report::PresenceReporter;
use crate::store::{Store, StoreError};

/// How often watchers are counted: often enough that a short peak is seen.
const INTERVAL: Duration = Duration::from_secs(5);
/// How long samples of minutes are kept.
pub const MINUTES_KEPT: Duration = Duration::from_hours(7 * 24);
/// How long samples of hours and days are kept.
pub const HOURS_KEPT: Duration = Duration::from_hours(400 * 24);

/// Takes samples until it is dropped.
pub async fn run(mut sampler: Sampler, hub: Hub, clock: Clock) {
    // Not at once: a start has enough to do.
    let mut ticks = interval_at(Instant::now() + INTERVAL, INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if hub.is_stale() {
            continue;
        }
        if let Err(error) = sampler.sample(clock.now()).await {
            tracing::debug!(%error, "cannot record how many watch; trying again in five seconds");
        }
    }
}

/// Counts, and writes what is higher than before in this minute.
#[derive(Debug)]
pub struct Sampler {
    store: Store,
    presence: PresenceReporter,
    /// The minute that was written last, and the numbers that the database has of it.
    minute: Option<Timestamp>,
    watching: HashMap<EventId, u64>,
    /// The hour in which old samples were deleted last.
    pruned: Option<Timestamp>,
}

impl Sampler {
    /// Has sampled nothing yet.
    pub fn new(store: Store, presence: PresenceReporter) -> Self {
        Self {
            store,
            presence,
            minute: None,
            watching: HashMap::new(),
            pruned: None,
        }
    }

    /// Takes one sample, and deletes old samples once an hour.
    pub async fn sample(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let minute = Some(Step::Minute.start(now));
        let mut higher = self.presence.watching().await?;
        let is_new = self.minute != minute;
        if !is_new {
            higher.retain(|event, watchers| self.watching.get(event) < Some(watchers));
        }
        if is_new || !higher.is_empty() {
            self.store.sample(&higher, now).await?;
        }
        if is_new {
            self.minute = minute;
            self.watching.clear();
        }
        self.watching.extend(higher);
        let hour = Some(Step::Hour.start(now));
        if self.pruned != hour {
            let (minutes, longer) = (before(now, MINUTES_KEPT), before(now, HOURS_KEPT));
            self.store.prune_series(minutes, longer).await?;
            self.pruned = hour;
        }
        Ok(())
    }
}

fn before(now: Timestamp, kept: Duration) -> Timestamp {
    let kept = i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(kept))
}
