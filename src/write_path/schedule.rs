//! Applies opening and closing times that are due.

use std::time::Duration;

use super::queue::Registrar;
use crate::domain::clock::Clock;
use crate::domain::command::Command;
use crate::live::hub::Hub;

/// How often the schedules are read. An event opens or closes at most this late, also after a
/// change of its settings on another node.
const TICK: Duration = Duration::from_millis(200);

/// Sends `ApplySchedule` to the writer of every event whose schedule is due. Runs until it is
/// dropped. Every node does so: the first transaction makes the change, and the others find nothing
/// to do.
pub async fn run(registrar: Registrar, hub: Hub, clock: Clock) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if hub.is_stale() {
            continue;
        }
        for channel in hub.channels() {
            let event = channel.newest().event;
            if event.next_due().is_some_and(|due| due <= clock.now())
                && let Err(error) = registrar.submit(event.id, Command::ApplySchedule).await
            {
                tracing::warn!(
                    %error, event = %event.slug,
                    "a due opening or closing was not committed; trying again"
                );
            }
        }
    }
}
