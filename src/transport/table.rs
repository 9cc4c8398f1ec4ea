//! The transports side by side: what documents, metrics and comparisons say about each.

use super::{changes, frame, long_poll, socketio, sse, websocket};
use crate::live::presence::Transport;

/// One transport's facts. All transports carry the same count and cursor, so that a client may
/// change from one to another at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Technique {
    /// Whose gauge and histogram it is, see [`Transport::as_str`].
    pub transport: Transport,
    /// Its name in English.
    pub name: &'static str,
    /// Where it answers.
    pub path: &'static str,
    /// How a client sends its cursor.
    pub resume: &'static str,
    /// Whether a connection is held while nothing happens.
    pub held: bool,
    /// The largest message of a client, bytes; none where it sends nothing after its request.
    pub largest_message: Option<usize>,
    /// Further bounds: the name, with its unit last, and the bound.
    pub limits: &'static [(&'static str, u64)],
}

/// All six, the recommended first.
pub const TECHNIQUES: [Technique; 6] = [
    Technique {
        transport: Transport::Sse,
        name: "Server-sent events",
        path: "/api/v1/events/{slug}/stream",
        resume: "Last-Event-ID, ?last_event_id= or ?after=",
        held: true,
        largest_message: None,
        limits: &[
            ("shortest_retry_ms", sse::RETRY_MS.start),
            ("longest_retry_ms", sse::RETRY_MS.end),
        ],
    },
    Technique {
        transport: Transport::WebSocket,
        name: "WebSocket",
        path: "/api/v1/events/{slug}/ws",
        resume: "?after=",
        held: true,
        largest_message: Some(websocket::LARGEST_MESSAGE),
        limits: &[
            ("ping_s", websocket::PING_EVERY.as_secs()),
            ("pong_s", websocket::PONG_WITHIN.as_secs()),
            ("stall_s", websocket::STALL.as_secs()),
        ],
    },
    Technique {
        transport: Transport::LongPoll,
        name: "Long polling",
        path: "/api/v1/events/{slug}",
        resume: "If-None-Match or ?after=, with Prefer: wait=N or ?wait=N",
        held: true,
        largest_message: None,
        limits: &[("longest_wait_s", long_poll::LONGEST_WAIT_S)],
    },
    Technique {
        transport: Transport::Poll,
        name: "Interval polling",
        path: "/api/v1/events/{slug}",
        resume: "If-None-Match or ?after=",
        held: false,
        largest_message: None,
        limits: &[],
    },
    Technique {
        transport: Transport::SocketIo,
        name: "Socket.IO",
        path: "/socket.io/",
        resume: "auth: {event, after}",
        held: true,
        largest_message: Some(socketio::LARGEST_MESSAGE),
        limits: &[
            ("ping_s", socketio::PING_EVERY.as_secs()),
            ("pong_s", socketio::PONG_WITHIN.as_secs()),
        ],
    },
    Technique {
        transport: Transport::Frame,
        name: "iframe streaming",
        path: "/api/v1/events/{slug}/frame",
        resume: "?after=",
        held: true,
        largest_message: None,
        limits: &[("most_updates", frame::MOST_UPDATES as u64)],
    },
];

/// The change log has the same cursor but is no live view: it never leaves anything out.
pub const CHANGES: Technique = Technique {
    transport: Transport::Changes,
    name: "Change log",
    path: "/api/v1/events/{slug}/changes",
    resume: "?after= (JSON), Last-Event-ID, ?last_event_id= or ?after= (events)",
    held: true,
    largest_message: None,
    limits: &[("longest_page", changes::LONGEST_PAGE as u64)],
};

impl Technique {
    /// The transport of that word, as the metrics and the command line name it.
    pub fn find(word: &str) -> Option<&'static Self> {
        TECHNIQUES
            .iter()
            .find(|technique| technique.transport.as_str() == word)
    }

    /// Its path for an event.
    pub fn path_of(&self, slug: &str) -> String {
        self.path.replace("{slug}", slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_finds_its_technique() {
        for technique in &TECHNIQUES {
            assert_eq!(
                Technique::find(technique.transport.as_str()),
                Some(technique)
            );
        }
        assert_eq!(Technique::find("carrier-pigeon"), None);
    }
}
