//! Every session, counted in all and for each address, and the one task that ends those whose
//! client is gone.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::session::Session;

/// How often all sessions are checked, for pings that no poll fetches and for clients that are
/// gone.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How many sessions may be open. A session outlives its connections, so that limits of connections
/// do not bound it.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// In all.
    pub total: usize,
    /// For one client, as [`crate::context::subscriber::subscriber`] tells clients apart.
    pub per_address: usize,
}

/// The sessions of this process.
pub(super) struct Sessions {
    limits: Limits,
    // Held for one look-up, or for one round of the sweep, over no await. A session's own lock is
    // taken inside it, never the other way round.
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    by_sid: HashMap<String, Arc<Session>>,
    by_owner: HashMap<IpAddr, usize>,
    sweeping: bool,
}

impl Sessions {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            open: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new session in; `None` over a limit. Must be called inside a tokio runtime.
    pub(super) fn open(self: &Arc<Self>, session: Session) -> Option<Arc<Session>> {
        let mut open = self.lock();
        let held = open.by_owner.get(&session.owner).copied().unwrap_or(0);
        if open.by_sid.len() >= self.limits.total || held >= self.limits.per_address {
            return None;
        }
        open.by_owner.insert(session.owner, held + 1);
        let session = Arc::new(session);
        open.by_sid
            .insert(session.sid.clone(), Arc::clone(&session));
        if !std::mem::replace(&mut open.sweeping, true) {
            tokio::spawn(Arc::clone(self).sweep());
        }
        Some(session)
    }

    /// The open session of that id.
    pub(super) fn get(&self, sid: &str) -> Option<Arc<Session>> {
        let session = self.lock().by_sid.get(sid).cloned()?;
        // The sweep may be a second late.
        if session.check(Instant::now()).is_err() {
            self.remove(&session);
            return None;
        }
        Some(session)
    }

    /// Removes a session from the count.
    pub(super) fn remove(&self, session: &Session) {
        self.lock().remove(session);
    }

    /// Runs while there are sessions.
    async fn sweep(self: Arc<Self>) {
        let mut rounds = interval(SWEEP_EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let now = Instant::now();
            let mut open = self.lock();
            let sessions = open.by_sid.values();
            let gone: Vec<_> = sessions
                .filter(|session| session.check(now).is_err())
                .cloned()
                .collect();
            for session in &gone {
                open.remove(session);
            }
            if open.by_sid.is_empty() {
                // Frees the table of the largest crowd there was.
                *open = Open::default();
                return;
            }
        }
    }
}

impl Open {
    fn remove(&mut self, session: &Session) {
        if self.by_sid.remove(&session.sid).is_none() {
            return;
        }
        if let Some(held) = self.by_owner.get_mut(&session.owner) {
            *held -= 1;
            if *held == 0 {
                self.by_owner.remove(&session.owner);
            }
        }
    }
}

/// Removes a session that a WebSocket carries when it is dropped.
pub(super) struct SessionGuard {
    sessions: Arc<Sessions>,
    session: Arc<Session>,
}

impl SessionGuard {
    pub(super) fn new(sessions: Arc<Sessions>, session: Arc<Session>) -> Self {
        Self { sessions, session }
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        self.sessions.remove(&self.session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_client_and_all_together_have_a_limit_and_ended_sessions_free_it() {
        let sessions = Arc::new(Sessions::new(Limits {
            total: 3,
            per_address: 2,
        }));
        let open = |sid: &str, owner: &str| {
            sessions.open(Session::websocket(sid.to_owned(), owner.parse().unwrap()))
        };
        let first = open("a", "192.0.2.1").unwrap();
        assert!(open("b", "192.0.2.1").is_some());
        assert!(open("c", "192.0.2.1").is_none(), "one client's limit");
        assert!(open("d", "192.0.2.2").is_some());
        assert!(open("e", "192.0.2.3").is_none(), "the limit of all");
        drop(SessionGuard::new(Arc::clone(&sessions), first));
        assert!(sessions.get("a").is_none());
        let last = open("f", "192.0.2.1").unwrap();
        for sid in ["b", "d"] {
            sessions.get(sid).unwrap().close();
        }
        last.close();
        // The sweep finds them, and ends with the last.
        tokio::time::sleep(SWEEP_EVERY * 2).await;
        assert!(sessions.lock().by_owner.is_empty() && !sessions.lock().sweeping);
    }
}
