//! Presence over all nodes: reports this node's numbers to the others, and pushes the sum to
//! everybody who watches here.
//!
//! The database carries the reports ([`Store::report_watching`]). The number is approximate and
//! nothing waits for it. A node reports when its numbers have changed, once a second at most, and
//! every other second so that the report does not expire. A node that stops withdraws its report;
//! the report of a node that died expires by the database's clock. Without watchers a node neither
//! reports nor asks.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::hub::Hub;
use crate::domain::event::EventId;
use crate::store::{Store, StoreError};

/// How often this node reads its numbers.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// How often unchanged numbers are reported: well below the time after which a report expires.
const REFRESH: Duration = Duration::from_secs(2);
/// The sum is pushed once in this many rounds: every five seconds (docs/protocol.md, section 4).
const PUSH_EVERY: u64 = 5;

/// Reports this node's watchers to the nodes that share its database.
#[derive(Debug, Clone)]
pub struct PresenceReporter {
    node: String,
    store: Store,
    hub: Hub,
}

impl PresenceReporter {
    /// Draws the node's name; reports nothing yet.
    pub fn new(store: Store, hub: Hub) -> Self {
        // Any name will do, as long as it differs from every other node's.
        Self {
            node: format!("{:032x}", rand::random::<u128>()),
            store,
            hub,
        }
    }

    /// Reports, asks and pushes. Runs until it is dropped.
    pub async fn run(self) {
        let mut ticks = interval(REPORT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut reported, mut pushed, mut elsewhere) =
            (Reported::default(), HashMap::new(), HashMap::new());
        for round in 0_u64.. {
            ticks.tick().await;
            // During an outage the other nodes' numbers stay as they were, like all counts.
            if !self.hub.is_stale() {
                let here = self.hub.watchers();
                let nobody = here.is_empty();
                self.report(here, &mut reported).await;
                if round % PUSH_EVERY == 0 && !nobody {
                    match self.store.watching_elsewhere(&self.node).await {
                        Ok(counted) => elsewhere = counted,
                        Err(error) => {
                            tracing::debug!(
                                %error,
                                "cannot read how many watch on other nodes; using the last numbers"
                            );
                        }
                    }
                }
            }
            if round % PUSH_EVERY == 0 {
                self.hub.push_watching(&mut pushed, &elsewhere);
            }
        }
    }

    async fn report(&self, here: HashMap<EventId, u64>, reported: &mut Reported) {
        let expiring = !here.is_empty() && reported.at.is_none_or(|at| at.elapsed() >= REFRESH);
        if here == reported.watchers && !expiring {
            return;
        }
        match self.store.report_watching(&self.node, &here).await {
            Ok(()) => {
                *reported = Reported {
                    watchers: here,
                    at: Some(Instant::now()),
                }
            }
            Err(error) => {
                tracing::debug!(%error, "cannot report how many watch here; trying again in a second");
            }
        }
    }

    /// How many people watch each event now, over all nodes. Events without watchers are left out.
    pub async fn watching(&self) -> Result<HashMap<EventId, u64>, StoreError> {
        let mut watching = self.store.watching_elsewhere(&self.node).await?;
        for (event, here) in self.hub.watchers() {
            *watching.entry(event).or_default() += here;
        }
        watching.retain(|_, watchers| *watchers > 0);
        Ok(watching)
    }

    /// Withdraws the report. Call it when [`Self::run`] has ended.
    pub async fn leave(&self) {
        if let Err(error) = self
            .store
            .report_watching(&self.node, &HashMap::new())
            .await
        {
            tracing::debug!(
                %error,
                "cannot withdraw the report of how many watch here; it expires by itself"
            );
        }
    }
}

/// The last report that the database accepted.
#[derive(Default)]
struct Reported {
    watchers: HashMap<EventId, u64>,
    at: Option<Instant>,
}
