//! Socket.IO packets, protocol v5 (<https://socket.io/docs/v4/socket-io-protocol/>): text packets
//! of the default namespace.
//!
//! [`super::engineio`] carries them. Not `socketioxide`: it renders every event again for every
//! socket, and refuses a connection with a message only, without the code that is promised.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::engineio::Packet;
use super::json::object;
use super::message::Payload;

/// A packet that a client sends.
#[derive(Debug, PartialEq, Eq)]
pub enum SocketIoPacket {
    /// Packet 0: joins the default namespace, with what it gives as `auth`.
    Connect(Auth),
    /// Packet 0 for another namespace, which does not exist.
    Elsewhere(String),
    /// Packet 1: leaves.
    Disconnect,
    /// `emit("watch", slug, ack)`: wants to follow another event.
    Watch {
        /// The event's slug.
        slug: String,
        /// Where the answer goes, if one is wanted.
        ack: Option<u64>,
    },
    /// Any other event: it is ignored.
    Other,
}

/// The `auth` of a connecting client. A value that is not text counts as missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Auth {
    /// The event's slug.
    pub event: Option<String>,
    /// The client's position.
    pub after: Option<String>,
}

#[derive(Deserialize)]
struct Fields {
    event: Option<Value>,
    after: Option<Value>,
}

impl SocketIoPacket {
    /// Reads a text packet; `None` when it is none, or one with binary attachments.
    pub fn parse(text: &str) -> Option<Self> {
        let mut characters = text.chars();
        let kind = characters.next()?;
        let (namespace, rest) = namespace(characters.as_str());
        match kind {
            '0' if namespace != "/" => Some(Self::Elsewhere(namespace.to_owned())),
            '0' => auth(rest).map(Self::Connect),
            '1' => Some(Self::Disconnect),
            '2' => event(rest),
            // The server never asks for an acknowledgement.
            '3' => Some(Self::Other),
            _ => None,
        }
    }
}

/// `/name,` before the rest; the default namespace is left out.
fn namespace(text: &str) -> (&str, &str) {
    if text.starts_with('/') {
        text.split_once(',').unwrap_or((text, ""))
    } else {
        ("/", text)
    }
}

fn auth(text: &str) -> Option<Auth> {
    if text.is_empty() {
        return Some(Auth::default());
    }
    let fields: Fields = object(text)?;
    let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
    Some(Auth {
        event: text(fields.event),
        after: text(fields.after),
    })
}

fn event(text: &str) -> Option<SocketIoPacket> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (ack, rest) = text.split_at(digits);
    let ack = if ack.is_empty() {
        None
    } else {
        Some(ack.parse().ok()?)
    };
    let arguments: Vec<Value> = serde_json::from_str(rest).ok()?;
    let mut arguments = arguments.iter().map(Value::as_str);
    if arguments.next()? != Some("watch") {
        return Some(SocketIoPacket::Other);
    }
    // A slug of another type names no event; it is answered as one that does not exist.
    Some(SocketIoPacket::Watch {
        slug: arguments.next().flatten().unwrap_or_default().to_owned(),
        ack,
    })
}

/// A push: `2["count",{…}]`.
pub(super) fn message(payload: &Payload, json: &RawValue) -> Packet {
    packet(&format!("2[\"{}\",{json}]", payload.name()))
}

/// The client has joined under this id.
pub fn connected(id: &str) -> Packet {
    packet(&format!("0{}", json!({ "sid": id })))
}

/// The client is refused: it gets `connect_error` with `message` and `data`.
pub fn refused(message: &str, data: &Value) -> Packet {
    packet(&format!("4{}", json!({ "message": message, "data": data })))
}

/// There is no such namespace.
pub fn elsewhere(namespace: &str) -> Packet {
    packet(&format!(
        "4{namespace},{}",
        json!({ "message": "Invalid namespace" })
    ))
}

/// The server ends the connection; a client does not reconnect by itself after this.
pub fn disconnected() -> Packet {
    packet("1")
}

/// The answer to `watch`: the count of the event that is followed now, or the code of the problem.
pub fn watched(ack: u64, outcome: Result<&RawValue, &str>) -> Packet {
    match outcome {
        Ok(count) => packet(&format!("3{ack}[{{\"ok\":true,\"count\":{count}}}]")),
        Err(code) => packet(&format!("3{ack}[{}]", json!({ "ok": false, "code": code }))),
    }
}

/// A Socket.IO packet inside the engine's.
fn packet(text: &str) -> Packet {
    Packet::new(&format!("4{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn auth(event: Option<&str>, after: Option<&str>) -> SocketIoPacket {
        SocketIoPacket::Connect(Auth {
            event: event.map(str::to_owned),
            after: after.map(str::to_owned),
        })
    }

    #[test]
    fn what_the_client_sends_is_understood() {
        let watch = |slug: &str, ack| SocketIoPacket::Watch {
            slug: slug.to_owned(),
            ack,
        };
        for (text, expected) in [
            ("0", Some(auth(None, None))),
            (
                r#"0{"event":"gala","after":"q7f2k9-1"}"#,
                Some(auth(Some("gala"), Some("q7f2k9-1"))),
            ),
            (
                r#"0{"event":7,"after":null,"more":[]}"#,
                Some(auth(None, None)),
            ),
            ("0[]x", None),
            (r#"0["gala","q7f2k9-1"]"#, None),
            ("0[]", None),
            ("0/admin,", Some(SocketIoPacket::Elsewhere("/admin".into()))),
            (
                r#"0/admin,{"event":"gala"}"#,
                Some(SocketIoPacket::Elsewhere("/admin".into())),
            ),
            ("1", Some(SocketIoPacket::Disconnect)),
            (r#"2["watch","gala"]"#, Some(watch("gala", None))),
            (r#"212["watch","gala"]"#, Some(watch("gala", Some(12)))),
            (r#"20["watch"]"#, Some(watch("", Some(0)))),
            (r#"20["watch",{"a":1}]"#, Some(watch("", Some(0)))),
            (r#"2["hello",1]"#, Some(SocketIoPacket::Other)),
            ("2[7]", Some(SocketIoPacket::Other)),
            ("2[]", None),
            ("2{}", None),
            (r#"299999999999999999999["watch","x"]"#, None),
            (r#"31[{"ok":true}]"#, Some(SocketIoPacket::Other)),
            (r#"51-["x",{"_placeholder":true,"num":0}]"#, None),
            ("", None),
            ("é", None),
        ] {
            assert_eq!(SocketIoPacket::parse(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[0-6]?[0-9/]{0,3},?\\PC{0,40}") {
            let _ = SocketIoPacket::parse(&text);
        }
    }

    #[test]
    fn what_is_sent_is_what_the_client_reads() {
        let count = RawValue::from_string(r#"{"registered":1}"#.to_owned()).unwrap();
        let watching = RawValue::from_string(r#"{"watching":3}"#.to_owned()).unwrap();
        let data = json!({ "code": "event-not-found" });
        for (packet, expected) in [
            (connected("abc"), r#"40{"sid":"abc"}"#),
            (
                refused("no \"such\" event", &data),
                r#"44{"data":{"code":"event-not-found"},"message":"no \"such\" event"}"#,
            ),
            (
                elsewhere("/admin"),
                r#"44/admin,{"message":"Invalid namespace"}"#,
            ),
            (disconnected(), "41"),
            (
                watched(3, Ok(&count)),
                r#"433[{"ok":true,"count":{"registered":1}}]"#,
            ),
            (
                watched(3, Err("event-not-found")),
                r#"433[{"code":"event-not-found","ok":false}]"#,
            ),
            (
                message(&Payload::Watching(3), &watching),
                r#"42["watching",{"watching":3}]"#,
            ),
        ] {
            assert_eq!(std::str::from_utf8(packet.text()).unwrap(), expected);
        }
    }
}
