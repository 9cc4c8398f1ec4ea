//! Notifies the other nodes of this node's commits.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::domain::event::EventId;
use crate::domain::position::Revision;
use crate::store::Store;

/// Accepts this node's commits, to notify the other nodes.
#[derive(Debug, Clone)]
pub struct Broadcaster(mpsc::UnboundedSender<(EventId, Notice)>);

/// What the other nodes receive: the newest revision, or `None` to read the event again in any
/// case.
type Notice = Option<Revision>;

impl Broadcaster {
    /// Reports a commit; never waits.
    pub fn committed(&self, event: EventId, revision: Revision) {
        // The receiver is gone only when the process ends.
        let _ = self.0.send((event, Some(revision)));
    }

    /// Reports a deletion or an announcement, which no revision shows; never waits.
    pub fn invalidated(&self, event: EventId) {
        let _ = self.0.send((event, None));
    }
}

/// A broadcaster and its task, which notifies the other nodes: at most one statement for each event
/// in `interval`. Never inside the committing transaction: there `NOTIFY` takes one lock for all
/// committers of the server.
pub fn broadcasting(
    store: Store,
    interval: Duration,
) -> (Broadcaster, impl Future<Output = ()> + Send) {
    // Unbounded but short: the task drains it at once into a map with one entry for each event.
    let (sender, mut reports) = mpsc::unbounded_channel();
    let task = async move {
        let mut due: HashMap<EventId, Notice> = HashMap::new();
        let mut not_before: HashMap<EventId, Instant> = HashMap::new();
        loop {
            let now = Instant::now();
            let at = |event: &EventId| not_before.get(event).copied().unwrap_or(now);
            let next = due.keys().map(at).min();
            tokio::select! {
                report = reports.recv() => match report {
                    Some(report) => {
                        note(&mut due, report);
                        while let Ok(report) = reports.try_recv() {
                            note(&mut due, report);
                        }
                    }
                    None if due.is_empty() => return,
                    None => {}
                },
                () = sleep_until(next.unwrap_or(now)), if next.is_some() => {}
            }
            let now = Instant::now();
            let ready: Vec<EventId> = due
                .keys()
                .filter(|event| not_before.get(event).is_none_or(|at| *at <= now))
                .copied()
                .collect();
            for event in ready {
                let Some(notice) = due.remove(&event) else {
                    continue;
                };
                not_before.insert(event, now + interval);
                if let Err(error) = store.notify(event, notice).await {
                    tracing::debug!(%error, event, "cannot notify the other nodes; their polls will find it");
                }
            }
            not_before.retain(|event, at| due.contains_key(event) || *at > now);
        }
    };
    (Broadcaster(sender), task)
}

/// The newest revision replaces those before it; "read again" replaces every revision.
fn note(due: &mut HashMap<EventId, Notice>, (event, notice): (EventId, Notice)) {
    due.entry(event)
        .and_modify(|due| *due = due.and(notice))
        .or_insert(notice);
}
