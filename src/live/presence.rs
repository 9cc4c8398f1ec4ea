//! Who watches: counted by transport, for the gauges and the `watching` event.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The push techniques, as the metrics and the documents name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Server-sent events.
    Sse,
    /// A request that waits for a change.
    LongPoll,
    /// A request now and then.
    Poll,
    /// An endless HTML document.
    Frame,
    /// RFC 6455.
    WebSocket,
    /// Socket.IO v5.
    SocketIo,
    /// The lossless log as server-sent events.
    Changes,
}

impl Transport {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 7] = [
        Self::Sse,
        Self::LongPoll,
        Self::Poll,
        Self::Frame,
        Self::WebSocket,
        Self::SocketIo,
        Self::Changes,
    ];

    /// The word in metrics and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sse => "sse",
            Self::LongPoll => "long-poll",
            Self::Poll => "poll",
            Self::Frame => "frame",
            Self::WebSocket => "ws",
            Self::SocketIo => "socketio",
            Self::Changes => "changes",
        }
    }
}

/// The open live views of one event.
#[derive(Debug, Default)]
pub struct Watchers {
    open: AtomicU64,
    /// Everybody who ever came and is told the number: tells that somebody new wants to hear the number.
    come: AtomicU64,
    /// Of the open ones, those that are no people's.
    aside: AtomicU64,
}

impl Watchers {
    /// How many watch now, on this node; who was set aside is not counted.
    pub fn open(&self) -> u64 {
        self.open
            .load(Ordering::Relaxed)
            .saturating_sub(self.aside.load(Ordering::Relaxed))
    }

    /// How many of those who are told the number have come so far, on this node.
    pub fn come(&self) -> u64 {
        self.come.load(Ordering::Relaxed)
    }

    /// Counts one watcher until the guard is dropped.
    pub fn enter(self: &Arc<Self>, transport: Transport) -> Watcher {
        self.open.fetch_add(1, Ordering::Relaxed);
        // A long poll comes again and again, and neither it nor the frame shows the number.
        match transport {
            Transport::Sse | Transport::WebSocket | Transport::SocketIo | Transport::Changes => {
                self.come.fetch_add(1, Ordering::Relaxed);
            }
            Transport::LongPoll | Transport::Poll | Transport::Frame => {}
        }
        gauge(transport).increment(1.0);
        Watcher {
            watchers: Arc::clone(self),
            transport,
            present: true,
        }
    }

    /// Leaves one open view of that technique out of all counts until the guard is dropped: the program's own, behind which nobody
    /// sits.
    pub fn set_aside(self: &Arc<Self>, transport: Transport) -> Aside {
        self.aside.fetch_add(1, Ordering::Relaxed);
        gauge(transport).decrement(1.0);
        Aside {
            watchers: Arc::clone(self),
            transport,
        }
    }
}

/// One open live view; counted until it is dropped, but for the times in which it is not present.
#[derive(Debug)]
pub struct Watcher {
    watchers: Arc<Watchers>,
    transport: Transport,
    present: bool,
}

impl Watcher {
    /// By which technique.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// Whether it counts.
    pub(super) fn set_present(&mut self, present: bool) {
        if std::mem::replace(&mut self.present, present) == present {
            return;
        }
        if present {
            self.watchers.open.fetch_add(1, Ordering::Relaxed);
            gauge(self.transport).increment(1.0);
        } else {
            self.watchers.open.fetch_sub(1, Ordering::Relaxed);
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
pub struct Aside {
    watchers: Arc<Watchers>,
    transport: Transport,
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.watchers.aside.fetch_sub(1, Ordering::Relaxed);
        gauge(self.transport).increment(1.0);
    }
}
