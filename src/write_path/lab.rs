//! Keeps the lab small.

use std::time::Duration;

use super::queue::Registrar;
use crate::domain::audit::Actor;
use crate::domain::clock::Clock;
use crate::domain::command::{Answer, Command, Refusal};
use crate::domain::event::Slug;
use crate::domain::lab::{self, Upkeep};
use crate::live::hub::Hub;

/// How often the lab is checked. Between two checks it grows by what the limits for each address
/// admit.
const TICK: Duration = Duration::from_secs(1);

/// Empties or drops the lab when that is due. Runs until it is dropped. Every node does so; the
/// expected position keeps a second node from repeating it.
pub async fn run(registrar: Registrar, hub: Hub, clock: Clock) {
    // The constant is a valid slug.
    let slug = Slug::parse(lab::SLUG).expect("a valid slug");
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(channel) = hub.channel(&slug).filter(|_| !hub.is_stale()) else {
            continue;
        };
        let event = channel.newest().event;
        let (expected, by) = (Some(vec![event.position()]), Actor::Schedule);
        let command = match lab::upkeep(&event, clock.now()) {
            None => continue,
            Some(Upkeep::Empty) => Command::Reset {
                capacity: None,
                expected,
                by,
            },
            Some(Upkeep::Drop) => Command::Delete {
                confirmed: true,
                expected,
                by,
            },
        };
        match registrar.submit(event.id, command).await {
            Ok(Ok(Answer::Deleted)) => registrar.forget(event.id),
            // Somebody registered just now, or another node was first: the next check decides.
            Ok(Ok(_) | Err(Refusal::ChangedMeanwhile | Refusal::EventNotFound)) => {}
            Ok(Err(refusal)) => tracing::warn!(%refusal, "lab was not tidied up; trying again"),
            Err(error) => tracing::warn!(%error, "lab was not tidied up; trying again"),
        }
    }
}
