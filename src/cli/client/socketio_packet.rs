//! Engine.IO v4 and Socket.IO v5 packets, as far as a client over WebSocket on the default
//! namespace needs them. Pure.
//!
//! Not `rust_socketio`: it adds OpenSSL and a second WebSocket stack, runs two tasks for each
//! client, and hides its bytes and its reconnecting. Over the WebSocket client that is here
//! already, this file is all that is missing.

use serde_json::value::RawValue;

/// What the server sends.
#[derive(Debug)]
pub(super) enum Packet<'a> {
    /// Engine.IO's handshake. Its heartbeat times are not needed: the idle limit of every transport
    /// covers them.
    Open,
    /// Engine.IO's end.
    Close,
    /// A ping. Without a [`PONG`] the server closes the connection.
    Ping,
    /// The namespace is joined.
    Connected,
    /// The namespace was refused. The JSON object has the problem's code in `data.code`.
    Refused(&'a str),
    /// The server has left the namespace.
    Disconnected,
    /// An event and its first argument.
    Event(String, &'a RawValue),
    /// Anything else: an acknowledgement, a binary event, another namespace, a newer protocol.
    Other,
}

/// Engine.IO's answer to a ping.
pub(super) const PONG: &str = "3";

/// Joins the default namespace with what `io(url, {auth})` would send.
pub(super) fn connect(event: &str, after: Option<&str>) -> String {
    let auth = match after {
        Some(after) => serde_json::json!({ "event": event, "after": after }),
        None => serde_json::json!({ "event": event }),
    };
    format!("40{auth}")
}

impl<'a> Packet<'a> {
    /// Reads one text message.
    pub(super) fn parse(text: &'a str) -> Self {
        let Some(engine) = text.chars().next() else {
            return Self::Other;
        };
        let rest = &text[engine.len_utf8()..];
        match engine {
            '0' => Self::Open,
            '1' => Self::Close,
            '2' => Self::Ping,
            '4' => Self::message(rest),
            _ => Self::Other,
        }
    }

    fn message(text: &'a str) -> Self {
        let Some(kind) = text.chars().next() else {
            return Self::Other;
        };
        let rest = &text[kind.len_utf8()..];
        if rest.starts_with('/') {
            return Self::Other;
        }
        match kind {
            '0' => Self::Connected,
            '1' => Self::Disconnected,
            '4' => Self::Refused(rest),
            // An event that wants an acknowledgement has a number before its arguments.
            '2' => match serde_json::from_str::<Vec<&RawValue>>(
                rest.trim_start_matches(|c: char| c.is_ascii_digit()),
            )
            .as_deref()
            {
                Ok([name, data, ..]) => serde_json::from_str(name.get())
                    .map_or(Self::Other, |name| Self::Event(name, data)),
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_a_server_sends() {
        for (wire, read) in [
            (
                r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":4096}"#,
                "Open",
            ),
            ("1", "Close"),
            ("2", "Ping"),
            (r#"40{"sid":"y"}"#, "Connected"),
            ("41", "Disconnected"),
            (
                r#"44{"message":"x","data":{"code":"event-not-found"}}"#,
                r#"Refused("{\"message\":\"x\",\"data\":{\"code\":\"event-not-found\"}}")"#,
            ),
            (
                r#"42["count",{"registered":1}]"#,
                r#"Event("count", RawValue({"registered":1}))"#,
            ),
            (
                r#"4212["notice",{"text":"[1,\"2\"]"},3]"#,
                r#"Event("notice", RawValue({"text":"[1,\"2\"]"}))"#,
            ),
            (r#"42/admin,["count",{}]"#, "Other"),
            (r#"42["count"]"#, "Other"),
            ("42[1,2]", "Other"),
            (r#"431[{"ok":true}]"#, "Other"),
            ("", "Other"),
            ("4", "Other"),
            ("6", "Other"),
        ] {
            assert_eq!(format!("{:?}", Packet::parse(wire)), read, "{wire}");
        }
    }

    #[test]
    fn joins_with_the_cursor() {
        assert_eq!(connect("a", None), r#"40{"event":"a"}"#);
        assert_eq!(
            connect("a", Some("q7f2k9-1")),
            r#"40{"after":"q7f2k9-1","event":"a"}"#
        );
    }

    proptest! {
        #[test]
        fn nothing_on_the_wire_makes_it_panic(text in "[0-6]{0,3}\\PC{0,20}") {
            let _ = Packet::parse(&text);
        }
    }
}
