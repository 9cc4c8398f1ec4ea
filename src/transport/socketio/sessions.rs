//! Who polls. A client whose poll breaks off has left: the engine itself would keep its session until a ping has gone unanswered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use engineioxide::socket::Sid;
use engineioxide::{DisconnectReason, Socket, TransportType};

use super::Client;

/// The engine's open sessions; its own map is not open to us.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<Sid, Weak<Socket<Client>>>>);

impl Sessions {
    pub(super) fn enter(&self, socket: &Arc<Socket<Client>>) {
        self.with(|sessions| sessions.insert(socket.id, Arc::downgrade(socket)));
    }

    pub(super) fn leave(&self, sid: Sid) {
        self.with(|sessions| sessions.remove(&sid));
    }

    /// For the time in which a request of that session waits for its answer.
    pub(super) fn polling(&self, sid: Sid) -> Poll {
        Poll(self.with(|sessions| sessions.get(&sid).cloned()))
    }

    // Held for one look into the map, over no await.
    fn with<R>(&self, act: impl FnOnce(&mut HashMap<Sid, Weak<Socket<Client>>>) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A poll under way. Dropped without an answer it closes its session, as the reference server does ("poll connection closed
/// prematurely"): the client has closed the connection, and a packet that was meant for it may be lost.
pub(super) struct Poll(Option<Weak<Socket<Client>>>);

impl Poll {
    pub(super) fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        let Some(socket) = self.0.take().and_then(|socket| socket.upgrade()) else {
            return;
        };
        // Closing starts a task; a runtime that is being shut down has dropped the sessions' tasks anyway.
        if socket.transport_type() == TransportType::Polling
            && tokio::runtime::Handle::try_current().is_ok()
        {
            socket.close(DisconnectReason::TransportClose);
        }
    }
}
