//! NDJSON (<https://github.com/ndjson/ndjson-spec>): the messages of the WebSocket, one a
//! line.

use serde_json::value::RawValue;

use super::message::Payload;
use super::websocket;

/// An empty line: keeps the connection alive and says nothing.
pub const HEARTBEAT: &[u8] = b"\n";

/// A push. JSON has no line end outside strings, and escapes those within (RFC 8259, section 7).
pub(super) fn message(payload: &Payload, data: &RawValue) -> Vec<u8> {
    let mut line = websocket::text(payload, data);
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use crate::domain::clock::Timestamp;
    use crate::wire::message::{Message, Payload, Reason};

    #[test]
    fn every_push_is_one_line() {
        let at = Timestamp::from_millis(0);
        for (payload, line) in [
            (
                Payload::Watching(7),
                r#"{"type":"watching","data":{"watching":7}}"#,
            ),
            (
                Payload::Notice {
                    text: "one\ntwo\r\u{2028}three".to_owned(),
                    at,
                    ends_at: at,
                },
                "{\"type\":\"notice\",\"data\":{\"text\":\"one\\ntwo\\r\u{2028}three\",\"at\":\"1970-01-01T00:00:00.000Z\",\"ends_at\":\"1970-01-01T00:00:00.000Z\"}}",
            ),
            (
                Payload::Bye {
                    reason: Reason::Drain,
                    retry_ms: 1200,
                },
                r#"{"type":"bye","reason":"drain","retry_ms":1200}"#,
            ),
        ] {
            let message = Message::new(payload);
            let bytes = message.ndjson().data();
            assert_eq!(bytes, format!("{line}\n").as_bytes());
        }
    }
}
