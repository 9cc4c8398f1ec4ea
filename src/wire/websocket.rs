//! The messages on a WebSocket: text frames of JSON (docs/protocol.md, section 5).
//!
//! Renders whole frames: a server's frames are not masked (RFC 6455, section 5.3), so that one
//! serves all clients.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::json;
use super::message::{Message, Payload, Reason};
use crate::domain::clock::Timestamp;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Outgoing<'a> {
    Count { data: &'a RawValue },
    Watching { data: &'a RawValue },
    Notice { data: &'a RawValue },
    Details { data: &'a RawValue },
    Stale { data: &'a RawValue },
    Bye { reason: Reason, retry_ms: u64 },
    Pong { id: &'a RawValue, at: Timestamp },
}

impl Outgoing<'_> {
    fn json(&self) -> Vec<u8> {
        // Plain structs and text that is JSON already: serialising them to memory cannot fail.
        serde_json::to_vec(self).expect("a message is representable as JSON")
    }

    fn render(&self) -> Bytes {
        text_frame(self.json())
    }
}

/// A frame of text, which must be UTF-8.
pub(super) fn text_frame(text: Vec<u8>) -> Bytes {
    frame(Frame::message(text, OpCode::Data(Data::Text), true))
}

/// A ping without payload.
pub fn ping() -> Bytes {
    frame(Frame::ping(Bytes::new()))
}

fn frame(frame: Frame) -> Bytes {
    let mut bytes = Vec::with_capacity(frame.len());
    // Writing to memory cannot fail.
    frame
        .format(&mut bytes)
        .expect("a frame is representable as bytes");
    bytes.into()
}

/// A push.
pub(super) fn message(payload: &Payload, data: &RawValue) -> Bytes {
    text_frame(text(payload, data))
}

/// A push without its frame.
pub(super) fn text(payload: &Payload, data: &RawValue) -> Vec<u8> {
    let message = match payload {
        Payload::Count(_) => Outgoing::Count { data },
        Payload::Watching(_) => Outgoing::Watching { data },
        Payload::Notice { .. } => Outgoing::Notice { data },
        Payload::Details { .. } => Outgoing::Details { data },
        Payload::Stale(_) => Outgoing::Stale { data },
        Payload::Bye { reason, retry_ms } => Outgoing::Bye {
            reason: *reason,
            retry_ms: *retry_ms,
        },
    };
    message.json()
}

/// A message that a client may send.
#[derive(Debug)]
pub enum ClientMessage {
    /// Asks for the server's clock; `id` comes back as it was sent.
    Ping {
        /// Any JSON value; `null` when left out.
        id: Box<RawValue>,
    },
}

/// Its form on the wire.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    r#type: String,
    id: Option<Box<RawValue>>,
}

impl ClientMessage {
    /// Reads a text frame; `None` when it breaks the grammar (close code 1008).
    pub fn parse(text: &str) -> Option<Self> {
        let raw: Raw = json::object(text)?;
        (raw.r#type == "ping").then(|| Self::Ping {
            id: raw.id.unwrap_or_else(|| RawValue::NULL.to_owned()),
        })
    }
}

/// The answer to a ping.
pub fn pong(id: &RawValue, at: Timestamp) -> Bytes {
    Outgoing::Pong { id, at }.render()
}

/// A farewell drawn for one client.
pub fn bye(reason: Reason, retry_ms: u64) -> Bytes {
    let farewell = Message::new(Payload::Bye { reason, retry_ms });
    message(farewell.payload(), farewell.json())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A short frame's header: text, final, not masked (RFC 6455, section 5.2).
    fn framed(text: &str) -> Vec<u8> {
        [&[0x81, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
    }

    #[test]
    fn a_ping_comes_back_with_its_id_and_the_moment() {
        let Some(ClientMessage::Ping { id }) = ClientMessage::parse(r#"{"type":"ping","id":7}"#)
        else {
            panic!("not understood")
        };
        assert_eq!(
            pong(&id, Timestamp::from_millis(0)),
            framed(r#"{"type":"pong","id":7,"at":"1970-01-01T00:00:00.000Z"}"#)
        );
    }

    #[test]
    fn anything_else_is_not_understood() {
        for text in [
            "",
            "ping",
            "{}",
            r#"{"type":"count"}"#,
            r#"{"type":"ping","id":1,"x":2}"#,
            "[]",
            "null",
            r#"["ping",1]"#,
            r#"["ping"]"#,
            " [\"ping\",1]",
            r#""ping""#,
            r#"[{"type":"ping"}]"#,
            r#"{"type":["ping"]}"#,
            r#"{"type":"Ping"}"#,
            r#"{"id":1}"#,
            r#"{"type":"ping","id":1,"id":2}"#,
            r#"{"type":"ping"}{"type":"ping"}"#,
            r#"{"type":"ping","id":01}"#,
            "\u{feff}{\"type\":\"ping\"}",
        ] {
            assert!(ClientMessage::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_farewell_says_when_to_come_back() {
        assert_eq!(
            bye(Reason::Drain, 1200),
            framed(r#"{"type":"bye","reason":"drain","retry_ms":1200}"#)
        );
    }

    #[test]
    fn a_long_message_says_its_length_in_two_bytes_more() {
        let notice = Message::new(Payload::Notice {
            text: "x".repeat(200),
            at: Timestamp::from_millis(0),
            ends_at: Timestamp::from_millis(1),
        });
        let frame = notice.websocket();
        assert_eq!(frame[..2], [0x81, 126]);
        assert_eq!(
            usize::from(u16::from_be_bytes([frame[2], frame[3]])),
            frame.len() - 4
        );
        assert_eq!(ping(), [0x89, 0].as_slice());
    }
}
