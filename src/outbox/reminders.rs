//! Writes reminders when they are due.
//!
//! A reminder is a mail to everybody with a place in the round. Its key contains the event, the round
//! and the start, so that it is written once: by whichever node is first, and not again after a
//! restart. A start that moves has a reminder of its own.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::domain::clock::{Clock, Timestamp};
use crate::domain::event::{Event, EventId};
use crate::domain::outbox::{MailKind, NewRow};
use crate::live::hub::Hub;
use crate::store::Store;

/// How often the events are checked.
const TICK: Duration = Duration::from_secs(5);
/// When they are checked first: other nodes may have changed an event while this one started.
const FIRST: Duration = Duration::from_secs(2);

/// Runs until it is dropped. Every node does so.
pub async fn run(store: Store, hub: Hub, clock: Clock) {
    // What this process has seen to be written.
    let mut written: HashMap<EventId, String> = HashMap::new();
    let mut ticks = interval_at(Instant::now() + FIRST, TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if hub.is_stale() {
            continue;
        }
        let now = clock.now();
        let channels = hub.channels();
        let events = channels.iter().map(|one| one.newest().event);
        let due: Vec<_> = events
            .filter_map(|event| reminder(&event, now).map(|row| (event, row)))
            .collect();
        written.retain(|id, _| due.iter().any(|(event, _)| event.id == *id));
        for (event, row) in due {
            let Some(key) = row.once.clone() else {
                continue;
            };
            if written.get(&event.id) == Some(&key) {
                continue;
            }
            match store.write_outbox(&[row], now).await {
                Ok(()) => {
                    written.insert(event.id, key);
                }
                Err(error) => {
                    tracing::warn!(%error, event = %event.slug, "cannot write a reminder; trying again");
                }
            }
        }
    }
}

/// The reminder of an event, if it is due and the event has not begun.
fn reminder(event: &Event, now: Timestamp) -> Option<NewRow> {
    let starts_at = event.occasion.starts_at?;
    let before = event.mail.remind_before?;
    let is_due = before.due(starts_at) <= now && now < starts_at;
    if !is_due || !event.mail.mails.has(MailKind::Reminder) || event.registered == 0 {
        return None;
    }
    let (id, round) = (event.id, event.round);
    let row = NewRow::fanout(MailKind::Reminder, id, round, json!({}), now);
    Some(NewRow {
        once: Some(format!("reminder:{id}-{round}:{}", starts_at.as_millis())),
        ..row
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::event::{Capacity, NewEvent, Slug};
    use crate::domain::mail::{MailKinds, RemindBefore};
    use crate::domain::occasion::Occasion;
    use crate::domain::position::Epoch;

    fn event(starts_at: &str) -> Event {
        let slug = Slug::parse("gala").unwrap();
        let new = NewEvent::new(slug, "Gala", Capacity::UNLIMITED);
        let mut event = new.open(Epoch::draw(), Timestamp::default());
        event.registered = 1;
        event.mail.remind_before = RemindBefore::parse(24).ok();
        event.occasion = Arc::new(Occasion {
            starts_at: Some(starts_at.parse().unwrap()),
            ..Occasion::default()
        });
        event
    }

    #[test]
    fn a_reminder_is_due_from_its_hour_until_the_start() {
        // Clocks go back in between: 24 hours before 19:00 CET it is 20:00 CEST.
        let gala = event("2026-10-25T19:00:00+01:00");
        let key = |at: &str| reminder(&gala, at.parse().unwrap()).and_then(|row| row.once);
        assert_eq!(key("2026-10-24T19:59:59.999+02:00"), None);
        let first = key("2026-10-24T20:00:00+02:00").unwrap();
        assert_eq!(key("2026-10-25T18:59:59+01:00").as_ref(), Some(&first));
        assert_eq!(key("2026-10-25T19:00:00+01:00"), None, "it has begun");
        let moved = event("2026-10-25T19:30:00+01:00");
        let now = "2026-10-25T18:00:00+01:00".parse().unwrap();
        assert_ne!(reminder(&moved, now).unwrap().once, Some(first.clone()));
        let again = Event {
            round: 2,
            ..gala.clone()
        };
        assert_ne!(reminder(&again, now).unwrap().once, Some(first));
    }

    #[test]
    fn nobody_is_reminded_without_the_setting() {
        let now = "2026-10-25T18:00:00+01:00".parse().unwrap();
        let gala = event("2026-10-25T19:00:00+01:00");
        assert!(reminder(&gala, now).is_some());
        let mut never = gala.clone();
        never.mail.remind_before = None;
        assert_eq!(reminder(&never, now), None);
        let mut off = gala.clone();
        off.mail.mails = MailKinds::only(|kind| kind != MailKind::Reminder);
        assert_eq!(reminder(&off, now), None);
        let empty = Event {
            registered: 0,
            ..gala
        };
        assert_eq!(reminder(&empty, now), None);
    }
}
