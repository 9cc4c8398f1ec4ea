//! Engine.IO packets, protocol v4
//! (<https://github.com/socketio/engine.io-protocol>): what carries Socket.IO, by polling and by
//! WebSocket.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use serde_json::json;

use super::websocket;

/// Separates the packets of one body.
const SEPARATOR: char = '\x1e';

/// The server asks whether the client is there.
pub static PING: LazyLock<Packet> = LazyLock::new(|| Packet::new("2"));
/// The answer to a probe.
pub static PROBED: LazyLock<Packet> = LazyLock::new(|| Packet::new("3probe"));
/// The session is over.
pub static CLOSE: LazyLock<Packet> = LazyLock::new(|| Packet::new("1"));
/// Nothing: ends a poll.
pub static NOOP: LazyLock<Packet> = LazyLock::new(|| Packet::new("6"));

/// A packet for clients: text, and the WebSocket frame that carries it. Clones share its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    frame: Bytes,
    start: usize,
}

impl Packet {
    /// A packet of that text, its type included.
    pub fn new(text: &str) -> Self {
        let frame = websocket::text_frame(text.as_bytes().to_vec());
        let start = frame.len() - text.len();
        Self { frame, start }
    }

    /// As a WebSocket frame.
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// As bytes of UTF-8 for a body.
    pub fn text(&self) -> &[u8] {
        &self.frame[self.start..]
    }
}

/// The body of an answered poll.
pub fn payload(packets: &[Packet]) -> Bytes {
    let mut body = BytesMut::new();
    for packet in packets {
        if !body.is_empty() {
            body.put_u8(SEPARATOR as u8);
        }
        body.extend_from_slice(packet.text());
    }
    body.freeze()
}

/// The packets of a client's body.
pub fn packets(body: &str) -> impl Iterator<Item = &str> {
    body.split(SEPARATOR)
}

/// A packet that a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineIoPacket<'a> {
    /// The session is over.
    Close,
    /// `2probe`: tries a WebSocket before it moves there.
    Probe,
    /// The answer to the server's ping.
    Pong,
    /// A packet of Socket.IO.
    Message(&'a str),
    /// The WebSocket takes over.
    Upgrade,
    /// Nothing.
    Noop,
}

impl<'a> EngineIoPacket<'a> {
    /// Reads a packet; `None` when it is none, or binary.
    pub fn parse(text: &'a str) -> Option<Self> {
        Some(match text {
            "1" => Self::Close,
            "2probe" => Self::Probe,
            "3" => Self::Pong,
            "5" => Self::Upgrade,
            "6" => Self::Noop,
            _ => Self::Message(text.strip_prefix('4')?),
        })
    }
}

/// The first packet of a session.
pub fn open(
    sid: &str,
    upgrades: &[&str],
    ping_every: Duration,
    pong_within: Duration,
    largest: usize,
) -> Packet {
    let open = json!({
        "sid": sid,
        "upgrades": upgrades,
        "pingInterval": ping_every.as_millis(),
        "pingTimeout": pong_within.as_millis(),
        "maxPayload": largest,
    });
    Packet::new(&format!("0{open}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_the_same_text_in_a_body_and_in_a_frame() {
        let packet = Packet::new("4é");
        assert_eq!(packet.text(), "4é".as_bytes());
        assert_eq!(packet.frame()[..2], [0x81, 3]);
        assert_eq!(payload(&[packet, PING.clone()]), "4é\x1e2".as_bytes());
        assert_eq!(packets("4a\x1e3").collect::<Vec<_>>(), ["4a", "3"]);
    }

    #[test]
    fn only_packets_of_the_protocol_are_read() {
        for (text, expected) in [
            ("1", Some(EngineIoPacket::Close)),
            ("2probe", Some(EngineIoPacket::Probe)),
            ("3", Some(EngineIoPacket::Pong)),
            ("42[]", Some(EngineIoPacket::Message("2[]"))),
            ("4", Some(EngineIoPacket::Message(""))),
            ("5", Some(EngineIoPacket::Upgrade)),
            ("6", Some(EngineIoPacket::Noop)),
            // A client of this version never pings, and nothing here reads binary data.
            ("2", None),
            ("bAQID", None),
            ("0", None),
            ("7", None),
            ("abc", None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(EngineIoPacket::parse(text), expected, "{text}");
        }
    }
}
