//! Server-sent events (WHATWG HTML, section 9.2).

use std::fmt::Write as _;

use super::message::Payload;
use crate::domain::change::Change;
use crate::domain::position::Position;

/// A comment: keeps the connection alive and says nothing (section 9.2.7).
pub const HEARTBEAT: &[u8] = b":\n\n";

/// The line that says how long the client waits before it reconnects, in milliseconds; the first of
/// a block. Never 0: a browser would spin.
pub fn retry(ms: u64) -> String {
    format!("retry: {}\n", ms.max(1))
}

/// One block. Every line end inside `data` (LF, CRLF or lone CR) begins a new `data` line, because
/// section 9.2.6 ends a line at each of the three. So no value can break out of its frame.
pub fn block(event: &str, id: Option<&Position>, data: &str) -> String {
    let mut out = String::with_capacity(data.len() + 64);
    // Writing to a string cannot fail.
    let _ = writeln!(out, "event: {event}");
    if let Some(id) = id {
        let _ = writeln!(out, "id: {id}");
    }
    let mut rest = data;
    loop {
        let end = rest.find(['\n', '\r']);
        let line = &rest[..end.unwrap_or(rest.len())];
        let _ = writeln!(out, "data: {line}");
        let Some(end) = end else { break };
        rest = rest[end..].strip_prefix("\r\n").unwrap_or(&rest[end + 1..]);
    }
    out.push('\n');
    out
}

/// A push; only a count carries an id, and a farewell carries its own `retry` in the same block.
pub(super) fn message(payload: &Payload, json: &str) -> Vec<u8> {
    let (id, retry_ms) = match payload {
        Payload::Count(headcount) => (Some(&headcount.position), None),
        Payload::Bye { retry_ms, .. } => (None, Some(*retry_ms)),
        Payload::Watching(_)
        | Payload::Notice { .. }
        | Payload::Details { .. }
        | Payload::Stale(_) => (None, None),
    };
    (retry_ms.map(retry).unwrap_or_default() + &block(payload.name(), id, json)).into_bytes()
}

/// A line of the change log.
#[expect(clippy::missing_panics_doc, reason = "never panics, see below")]
pub fn change(change: &Change) -> Vec<u8> {
    // Plain structs of numbers and strings: serialising them to memory cannot fail.
    let json = serde_json::to_string(change).expect("a change is representable as JSON");
    block("change", Some(&change.headcount.position), &json).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads blocks as the standard says, section 9.2.6.
    fn parse(text: &str) -> Vec<(String, Option<String>, String)> {
        let normalised = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut blocks = Vec::new();
        for block in normalised.split("\n\n").filter(|block| !block.is_empty()) {
            let (mut event, mut id, mut data) = (String::from("message"), None, Vec::new());
            for line in block.lines() {
                match line.split_once(": ") {
                    Some(("event", value)) => event = value.to_owned(),
                    Some(("id", value)) => id = Some(value.to_owned()),
                    Some(("data", value)) => data.push(value.to_owned()),
                    _ if line == "data:" || line == "data: " => data.push(String::new()),
                    other => panic!("unexpected line {line:?} {other:?}"),
                }
            }
            blocks.push((event, id, data.join("\n")));
        }
        blocks
    }

    proptest! {
        #[test]
        fn no_value_breaks_its_frame(data in "[a:\\r\\n ]{0,40}") {
            let read = parse(&block("count", None, &data));
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(&read[0].2, &data.replace("\r\n", "\n").replace('\r', "\n"));
        }
    }

    #[test]
    fn every_line_end_begins_a_new_data_line() {
        assert_eq!(
            block("notice", None, "a\nb\r\nc\rd"),
            "event: notice\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
        );
        assert_eq!(block("notice", None, ""), "event: notice\ndata: \n\n");
        assert_eq!(
            block("notice", None, "a\r"),
            "event: notice\ndata: a\ndata: \n\n"
        );
    }

    #[test]
    fn zero_is_never_asked_for() {
        assert_eq!(retry(0), "retry: 1\n");
    }
}
