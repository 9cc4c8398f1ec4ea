//! Adds up the change log of every event in the background.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::domain::event::EventId;
use crate::domain::position::Position;
use crate::live::hub::Hub;
use crate::store::{Store, StoreError};

/// How often new lines are added. A reader adds the few newer ones itself.
const INTERVAL: Duration = Duration::from_secs(2);
/// Lines in one transaction: it holds SQLite's only writer, so it has to be short.
const PORTION: u32 = 2_000;

/// Adds up what other nodes and this one commit. Runs until it is dropped. After an upgrade it first
/// adds up the whole history, a portion at a time.
pub async fn run(store: Store, hub: Hub) {
    let mut done: HashMap<EventId, Position> = HashMap::new();
    // Not at once: a start has enough to do.
    let mut ticks = interval_at(Instant::now() + INTERVAL, INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if hub.is_stale() {
            continue;
        }
        let mut newest = HashMap::new();
        for channel in hub.channels() {
            let event = channel.newest().event;
            let position = event.position();
            if done.get(&event.id) != Some(&position) {
                match catch_up(&store, event.id).await {
                    Ok(()) => {}
                    Err(error) => {
                        tracing::debug!(
                            %error, event = %event.slug,
                            "cannot add up the change log; trying again in two seconds"
                        );
                        continue;
                    }
                }
            }
            newest.insert(event.id, position);
        }
        done = newest;
    }
}

/// Adds up all that is in an event's log now.
pub async fn catch_up(store: &Store, event: EventId) -> Result<(), StoreError> {
    while store.add_up(event, PORTION).await? >= PORTION as usize {
        // Visitors' commits take their turn.
        tokio::task::yield_now().await;
    }
    Ok(())
}
