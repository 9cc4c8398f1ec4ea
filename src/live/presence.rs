//! Presence: the open live views of an event, for the gauges and the `watching` event.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The transports, by the names that metrics and documents use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Server-sent events.
    Sse,
    /// The same stream as lines of JSON.
    Ndjson,
    /// A request that waits for a change.
    LongPoll,
    /// A request at a time.
    Poll,
    /// An endless HTML document.
    Frame,
    /// RFC 6455.
    WebSocket,
    /// WebTransport over HTTP/3.
    WebTransport,
    /// Socket.IO v5.
    SocketIo,
    /// The lossless log as server-sent events.
    Changes,
}

impl Transport {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::Sse,
        Self::Ndjson,
        Self::LongPoll,
        Self::Poll,
        Self::Frame,
        Self::WebSocket,
        Self::WebTransport,
        Self::SocketIo,
        Self::Changes,
    ];

    /// Its name in metrics and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sse => "sse",
            Self::Ndjson => "ndjson",
            Self::LongPoll => "long-poll",
            Self::Poll => "poll",
            Self::Frame => "frame",
            Self::WebSocket => "ws",
            Self::WebTransport => "wt",
            Self::SocketIo => "socketio",
            Self::Changes => "changes",
        }
    }
}

/// The open live views of one event.
#[derive(Debug, Default)]
pub struct Presence {
    open: AtomicU64,
    /// How many views that show the number of watchers were opened so far. A new one needs the
    /// number even if it has not changed.
    shown: AtomicU64,
    /// How many of the open ones are the server's own.
    excluded: AtomicU64,
}

impl Presence {
    /// How many watch now, on this node, without the excluded ones.
    pub fn open(&self) -> u64 {
        self.open
            .load(Ordering::Relaxed)
            .saturating_sub(self.excluded.load(Ordering::Relaxed))
    }

    /// How many views that show the number of watchers were opened so far, on this node.
    pub fn ever_open(&self) -> u64 {
        self.shown.load(Ordering::Relaxed)
    }

    /// Counts one watcher until the guard is dropped.
    pub fn enter(self: &Arc<Self>, transport: Transport) -> Watcher {
        self.open.fetch_add(1, Ordering::Relaxed);
        // A long poll is opened again for each change. Neither a long poll nor a frame shows the
        // number of watchers.
        match transport {
            Transport::Sse
            | Transport::Ndjson
            | Transport::WebSocket
            | Transport::WebTransport
            | Transport::SocketIo
            | Transport::Changes => {
                self.shown.fetch_add(1, Ordering::Relaxed);
            }
            Transport::LongPoll | Transport::Poll | Transport::Frame => {}
        }
        gauge(transport).increment(1.0);
        Watcher {
            presence: Arc::clone(self),
            transport,
            present: true,
        }
    }

    /// Leaves one open view of that transport, such as the canary's, out of all counts until the
    /// guard is dropped.
    pub fn exclude(self: &Arc<Self>, transport: Transport) -> Excluded {
        self.excluded.fetch_add(1, Ordering::Relaxed);
        gauge(transport).decrement(1.0);
        Excluded {
            presence: Arc::clone(self),
            transport,
        }
    }
}

/// One open live view. It counts until it is dropped, except while it is not present.
#[derive(Debug)]
pub struct Watcher {
    presence: Arc<Presence>,
    transport: Transport,
    present: bool,
}

impl Watcher {
    /// The view's transport.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Sets whether it counts from now on.
    pub(super) fn set_present(&mut self, present: bool) {
        if std::mem::replace(&mut self.present, present) == present {
            return;
        }
        if present {
            self.presence.open.fetch_add(1, Ordering::Relaxed);
            gauge(self.transport).increment(1.0);
        } else {
            self.presence.open.fetch_sub(1, Ordering::Relaxed);
            gauge(self.transport).decrement(1.0);
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.set_present(false);
    }
}

fn gauge(transport: Transport) -> metrics::Gauge {
    metrics::gauge!("headcount_watchers", "transport" => transport.as_str())
}

/// One open live view that is not counted, until this is dropped.
#[derive(Debug)]
pub struct Excluded {
    presence: Arc<Presence>,
    transport: Transport,
}

impl Drop for Excluded {
    fn drop(&mut self) {
        self.presence.excluded.fetch_sub(1, Ordering::Relaxed);
        gauge(self.transport).increment(1.0);
    }
}
