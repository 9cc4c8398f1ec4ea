//! Erases people's data once an event's retention period is over.

use std::collections::HashMap;
use std::time::Duration;

use super::Failure;
use super::queue::Registrar;
use crate::domain::clock::Clock;
use crate::domain::command::{Answer, Command, Refusal};
use crate::domain::event::{Event, EventId};
use crate::domain::position::Revision;
use crate::live::hub::Hub;
use crate::store::{Store, StoreError};

/// How often the events are checked: data that are due are erased within a minute.
const TICK: Duration = Duration::from_secs(5);
/// How many registrations one command erases. Visitors wait for it in the event's queue.
const BATCH_MAX: u32 = 250;

/// Why a pass over an event did not finish.
#[derive(Debug, thiserror::Error)]
enum Unfinished {
    #[error(transparent)]
    Reading(#[from] StoreError),
    #[error(transparent)]
    Writing(#[from] Failure),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Erases what is due in every event: at the start, then again and again. Runs until it is dropped.
/// Every node does so; a registration that another node has erased stays as it is.
pub async fn run(registrar: Registrar, store: Store, hub: Hub, clock: Clock) {
    // Everything of these events was erased at this revision. A later registration makes a new one.
    let mut erased: HashMap<EventId, Revision> = HashMap::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if hub.is_stale() {
            continue;
        }
        let events: Vec<_> = hub
            .channels()
            .iter()
            .map(|one| one.newest().event)
            .collect();
        erased.retain(|id, _| events.iter().any(|event| event.id == *id));
        for event in events {
            let is_due = event.erase_due().is_some_and(|due| due <= clock.now());
            if !is_due || erased.get(&event.id) == Some(&event.revision) {
                continue;
            }
            match pass(&registrar, &store, &event).await {
                // Registrations of this pass made revisions; the next pass finds nothing, and ends.
                Ok(0) => {
                    erased.insert(event.id, event.revision);
                }
                Ok(count) => {
                    tracing::info!(event = %event.slug, count, "erased registrations: the event's retention period is over");
                }
                Err(error) => {
                    tracing::warn!(%error, event = %event.slug, "cannot erase registrations that are due; trying again");
                }
            }
        }
    }
}

/// Erases everything of one event, some registrations at a time. Returns how many it erased.
async fn pass(registrar: &Registrar, store: &Store, event: &Event) -> Result<usize, Unfinished> {
    let (mut last, mut count) = (None, 0);
    loop {
        let locators = store.unerased(event.id, last, BATCH_MAX).await?;
        let Some(end) = locators.last().copied() else {
            return Ok(count);
        };
        last = Some(end);
        match registrar
            .submit(event.id, Command::EraseDue { locators })
            .await?
        {
            Ok(Answer::ErasedDue(erased)) => count += erased,
            Ok(other) => tracing::error!(?other, "unexpected answer to an erasure"),
            // Deleted in the meantime, and its registrations with it.
            Err(Refusal::EventNotFound) => return Ok(count),
            Err(refusal) => return Err(refusal.into()),
        }
    }
}
