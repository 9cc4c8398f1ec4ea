//! How many watch, over all nodes: this node's numbers to the others, and the sum to everybody who watches here.
//!
//! The database carries them ([`Store::report_watching`]); nothing else is shared. The number is approximate and nothing waits for
//! it: a report is made when the numbers have changed, once a second at most, and again every other second so that it does not
//! expire. A node that ends takes its report back; that of a node that died expires by the database's clock. Without watchers a
//! node neither reports nor asks.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::hub::Hub;
use crate::domain::event::EventId;
use crate::store::Store;

/// How often this node's numbers are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often they are reported although they are the same: well below the time after which a report expires.
const REFRESH: Duration = Duration::from_secs(2);
/// Of so many looks one is followed by telling: every five seconds (docs/protocol.md, section 4).
const TELL: u64 = 5;

/// This process among those that share the database.
#[derive(Debug, Clone)]
pub struct Watching {
    node: String,
    store: Store,
    hub: Hub,
}

impl Watching {
    /// Draws the node's name; reports nothing yet.
    pub fn new(store: Store, hub: Hub) -> Self {
        // Nobody ever reads it; it only must not be another's.
        Self {
            node: format!("{:032x}", rand::random::<u128>()),
            store,
            hub,
        }
    }

    /// Reports, asks and tells. Runs until it is dropped.
    pub async fn run(self) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut reported, mut told, mut elsewhere) =
            (Reported::default(), HashMap::new(), HashMap::new());
        for look in 0_u64.. {
            looks.tick().await;
            // While the database is away the numbers of the others stay what they were, as everything else does.
            if !self.hub.is_stale() {
                let here = self.hub.watchers();
                let nobody = here.is_empty();
                self.report(here, &mut reported).await;
                if look % TELL == 0 && !nobody {
                    match self.store.watching_elsewhere(&self.node).await {
                        Ok(counted) => elsewhere = counted,
                        Err(error) => tracing::debug!(%error, "not known how many watch elsewhere"),
                    }
                }
            }
            if look % TELL == 0 {
                self.hub.tell_watching(&mut told, &elsewhere);
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
                tracing::debug!(%error, "not reported how many watch here; the next look tries again");
            }
        }
    }

    /// Takes the report back, so that nobody counts those who were here. Call it when [`Self::run`] has ended.
    pub async fn leave(&self) {
        if let Err(error) = self
            .store
            .report_watching(&self.node, &HashMap::new())
            .await
        {
            tracing::debug!(%error, "the report of how many watch here stays until it expires");
        }
    }
}

/// What the others believe of this node.
#[derive(Default)]
struct Reported {
    watchers: HashMap<EventId, u64>,
    at: Option<Instant>,
}
