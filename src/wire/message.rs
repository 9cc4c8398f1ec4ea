//! Pushes, each rendered at most once for each wire, however many watch.

use std::sync::OnceLock;

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::chunk::Chunk;
use super::engineio::Packet;
use super::{frame, ndjson, socketio, sse, websocket, webtransport};
use crate::domain::clock::Timestamp;
use crate::domain::headcount::Headcount;

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The server stops.
    Drain,
    /// Too many connections.
    Limit,
    /// The event was deleted.
    Deleted,
}

/// The content of a push (docs/protocol.md, section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The whole state; the only push with a cursor.
    Count(Headcount),
    /// How many watch the event, over all nodes, approximately.
    Watching(u64),
    /// An organiser's announcement.
    Notice {
        /// One line.
        text: String,
        /// When it was made.
        at: Timestamp,
        /// From when on it is not shown.
        ends_at: Timestamp,
    },
    /// The event's details have changed: read them again.
    Details {
        /// When they were changed.
        at: Timestamp,
    },
    /// The database cannot be reached; the count stays what it was.
    Stale(Timestamp),
    /// The stream ends. The time to reconnect is drawn for each watcher, so that not all come back
    /// at once.
    Bye {
        /// Why.
        reason: Reason,
        /// Milliseconds, never 0.
        retry_ms: u64,
    },
}

impl Payload {
    /// The name of the event on every wire.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Count(_) => "count",
            Self::Watching(_) => "watching",
            Self::Notice { .. } => "notice",
            Self::Details { .. } => "details",
            Self::Stale(_) => "stale",
            Self::Bye { .. } => "bye",
        }
    }
}

/// A push and its renderings.
#[derive(Debug)]
pub struct Message {
    payload: Payload,
    again: bool,
    json: OnceLock<Box<RawValue>>,
    json_bytes: OnceLock<Bytes>,
    sse: OnceLock<Chunk>,
    ndjson: OnceLock<Chunk>,
    frame: OnceLock<Option<Chunk>>,
    websocket: OnceLock<Bytes>,
    datagram: OnceLock<Option<Bytes>>,
    socketio: OnceLock<Packet>,
}

impl Message {
    /// A push without renderings.
    pub fn new(payload: Payload) -> Self {
        Self {
            payload,
            again: false,
            json: OnceLock::new(),
            json_bytes: OnceLock::new(),
            sse: OnceLock::new(),
            ndjson: OnceLock::new(),
            frame: OnceLock::new(),
            websocket: OnceLock::new(),
            datagram: OnceLock::new(),
            socketio: OnceLock::new(),
        }
    }

    /// Marks a count that was pushed before and is pushed again, because the database is back.
    #[must_use]
    pub fn again(self) -> Self {
        Self {
            again: true,
            ..self
        }
    }

    /// When the pushed change was committed; `None` unless it is a count with something new.
    pub fn committed_at(&self) -> Option<Timestamp> {
        match &self.payload {
            Payload::Count(headcount) if !self.again => Some(headcount.at),
            Payload::Count(_)
            | Payload::Watching(_)
            | Payload::Notice { .. }
            | Payload::Details { .. }
            | Payload::Stale(_)
            | Payload::Bye { .. } => None,
        }
    }

    /// Its content.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The payload as JSON text: the count object, `{"watching":n}` and so on.
    #[expect(clippy::missing_panics_doc, reason = "never panics, see below")]
    pub fn json(&self) -> &RawValue {
        self.json.get_or_init(|| {
            let value = match &self.payload {
                Payload::Count(headcount) => serde_json::value::to_raw_value(headcount),
                Payload::Watching(watching) => serde_json::value::to_raw_value(&Watching {
                    watching: *watching,
                }),
                Payload::Notice { text, at, ends_at } => serde_json::value::to_raw_value(&Notice {
                    text,
                    at: *at,
                    ends_at: *ends_at,
                }),
                Payload::Details { at } => serde_json::value::to_raw_value(&Details { at: *at }),
                Payload::Stale(stale_since) => serde_json::value::to_raw_value(&Stale {
                    stale_since: *stale_since,
                }),
                Payload::Bye { reason, retry_ms } => serde_json::value::to_raw_value(&Bye {
                    reason: *reason,
                    retry_ms: *retry_ms,
                }),
            };
            // Plain structs of numbers and strings: serialising them to memory cannot fail.
            value.expect("a push is representable as JSON")
        })
    }

    /// The JSON text as a response body, shared by every poll.
    pub fn json_bytes(&self) -> &Bytes {
        self.json_bytes
            .get_or_init(|| Bytes::copy_from_slice(self.json().get().as_bytes()))
    }

    /// An SSE block, ready to be written.
    pub fn sse(&self) -> &Chunk {
        self.sse
            .get_or_init(|| Chunk::new(&sse::message(&self.payload, self.json().get())))
    }

    /// A line of JSON, ready to be written.
    pub fn ndjson(&self) -> &Chunk {
        self.ndjson
            .get_or_init(|| Chunk::new(&ndjson::message(&self.payload, self.json())))
    }

    /// A piece of the endless HTML document; `None` for what it does not show.
    pub fn frame(&self) -> Option<&Chunk> {
        self.frame
            .get_or_init(|| {
                frame::update(&self.payload, self.json().get())
                    .map(|html| Chunk::new(html.as_bytes()))
            })
            .as_ref()
    }

    /// A WebSocket frame, ready to be written.
    pub fn websocket(&self) -> &Bytes {
        self.websocket
            .get_or_init(|| websocket::message(&self.payload, self.json()))
    }

    /// A datagram of WebTransport with the count, for the first session of a connection; `None` for
    /// every other push.
    pub fn datagram(&self) -> Option<&Bytes> {
        self.datagram
            .get_or_init(|| webtransport::datagram(&self.payload, self.json().get()))
            .as_ref()
    }

    /// A Socket.IO event packet, for a body and as a WebSocket frame.
    pub fn socketio(&self) -> &Packet {
        self.socketio
            .get_or_init(|| socketio::message(&self.payload, self.json()))
    }
}

/// `watching`'s payload.
#[derive(Serialize)]
struct Watching {
    watching: u64,
}

/// `notice`'s payload.
#[derive(Serialize)]
struct Notice<'a> {
    text: &'a str,
    at: Timestamp,
    ends_at: Timestamp,
}

/// `details`' payload.
#[derive(Serialize)]
struct Details {
    at: Timestamp,
}

/// `stale`'s payload.
#[derive(Serialize)]
struct Stale {
    stale_since: Timestamp,
}

/// `bye`'s payload.
#[derive(Serialize)]
struct Bye {
    reason: Reason,
    retry_ms: u64,
}
