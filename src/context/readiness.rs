//! Whether new visitors should be sent to this process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::store::{Store, within};

/// Probes of a load balancer share one answer of the database for this long.
const FRESH: Duration = Duration::from_secs(1);
/// A database that needs longer for `SELECT 1` is too slow for visitors.
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// Why this process is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReady {
    /// It stops.
    Draining,
    /// It cannot reach its database.
    Database,
}

/// Draining, and the last answer of the database.
#[derive(Debug, Default)]
pub struct Readiness {
    draining: AtomicBool,
    /// Held during the probe, so that a crowd of probes makes one query.
    probed: Mutex<Option<(Instant, bool)>>,
}

impl Readiness {
    /// The process stops: from now on it is not ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether the process stops.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Whether new visitors should be sent here.
    pub async fn check(&self, store: &Store) -> Result<(), NotReady> {
        if self.is_draining() {
            return Err(NotReady::Draining);
        }
        let mut probed = self.probed.lock().await;
        let reachable = match *probed {
            Some((at, reachable)) if at.elapsed() < FRESH => reachable,
            _ => {
                let reachable = matches!(within(PING_TIMEOUT, store.ping()).await, Some(Ok(())));
                *probed = Some((Instant::now(), reachable));
                reachable
            }
        };
        if reachable {
            Ok(())
        } else {
            Err(NotReady::Database)
        }
    }
}
