//! The bytes of WebTransport over HTTP/3 (draft-ietf-webtrans-http3; RFC 9114, RFC 9297, RFC 9204;
//! docs/protocol.md, section 5).

use std::borrow::Cow;

use bytes::Bytes;
use wtransport::VarInt;
use wtransport::proto::bytes::BytesWriter as _;
use wtransport::proto::frame::{Frame, FrameKind};
use wtransport::proto::headers::Headers;
use wtransport::proto::settings::{SettingId, Settings};
use wtransport::proto::stream_header::StreamHeader;

use super::message::Payload;

/// The type of a stream with SETTINGS (RFC 9114, section 6.2.1).
pub const CONTROL_STREAM: u64 = 0x00;
/// The type of a unidirectional stream of a session.
const WEBTRANSPORT_STREAM: u32 = 0x54;
/// Ends a session with a code and a reason.
const CLOSE_SESSION: u32 = 0x2843;

/// The kinds of frames that a server tells apart (RFC 9114, section 7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The head of a request.
    Headers,
    /// The first frame of a control stream.
    Settings,
    /// DATA, or a frame that HTTP/3 forbids at the beginning of a request.
    Misplaced,
    /// The beginning of a session's bidirectional stream; no length follows.
    WebTransport,
    /// A frame that this server does not know; it is skipped (section 9).
    Unknown,
}

impl Kind {
    /// The kind of a frame's type.
    pub fn of(kind: u64) -> Self {
        match kind {
            0x01 => Self::Headers,
            0x04 => Self::Settings,
            0x41 => Self::WebTransport,
            // DATA, CANCEL_PUSH, PUSH_PROMISE, GOAWAY, MAX_PUSH_ID, and HTTP/2's (section 7.2.8).
            0x00 | 0x02 | 0x03 | 0x05..=0x09 | 0x0d => Self::Misplaced,
            _ => Self::Unknown,
        }
    }
}

/// The beginning of the server's control stream: its type and SETTINGS.
pub fn control_stream() -> Vec<u8> {
    let settings = Settings::builder()
        // No dynamic table: nothing that a client sends is kept.
        .qpack_max_table_capacity(VarInt::from_u32(0))
        .qpack_blocked_streams(VarInt::from_u32(0))
        .enable_connect_protocol()
        .enable_webtransport()
        .enable_h3_datagrams()
        .webtransport_max_sessions(VarInt::from_u32(1))
        .build();
    let mut bytes = Vec::new();
    // Writing to memory cannot fail, here and below.
    let header = StreamHeader::new_control().write(&mut bytes);
    header.expect("a buffer that grows");
    write(&settings.generate_frame(), &mut bytes);
    bytes
}

/// Whether the payload of SETTINGS allows datagrams; `None` when it breaks the grammar.
pub fn allows_datagrams(payload: &[u8]) -> Option<bool> {
    let frame = Frame::new_settings(Cow::Borrowed(payload));
    let settings = Settings::with_frame(&frame).ok()?;
    Some(settings.get(SettingId::H3Datagram) == Some(VarInt::from_u32(1)))
}

/// The fields of a request's head; `None` when it is not QPACK without a dynamic table.
pub fn fields(block: &[u8]) -> Option<Headers> {
    if !has_short_integers(block) {
        return None;
    }
    let frame = Frame::new_headers(Cow::Borrowed(block));
    Headers::with_frame(&frame).ok()
}

/// The head of a response.
pub fn head(fields: &[(&str, &str)]) -> Vec<u8> {
    let headers: Headers = fields.iter().copied().collect();
    let mut bytes = Vec::new();
    write(&headers.generate_frame(), &mut bytes);
    bytes
}

/// A piece of a response's body.
pub fn data(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&Frame::new_data(Cow::Borrowed(body)), &mut bytes);
    bytes
}

/// The beginning of a unidirectional stream of the session.
pub fn stream_header(session: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(&mut bytes, u64::from(WEBTRANSPORT_STREAM));
    put(&mut bytes, session);
    bytes
}

/// Ends the session: a capsule in a DATA frame of its CONNECT stream.
pub fn close_session(code: u32, reason: &str) -> Vec<u8> {
    let mut capsule = Vec::new();
    put(&mut capsule, u64::from(CLOSE_SESSION));
    put(&mut capsule, 4 + reason.len() as u64);
    capsule.extend_from_slice(&code.to_be_bytes());
    capsule.extend_from_slice(reason.as_bytes());
    data(&capsule)
}

/// A count as a datagram of the session whose quarter stream id is 0; `None` for other pushes.
pub(super) fn datagram(payload: &Payload, json: &str) -> Option<Bytes> {
    matches!(payload, Payload::Count(_)).then(|| [&[0], json.as_bytes()].concat().into())
}

/// The same datagram for another session (RFC 9297, section 2.1: a quarter of its stream's id).
pub fn datagram_of(session: u64, first: &Bytes) -> Bytes {
    if session == 0 {
        return first.clone();
    }
    let mut bytes = Vec::with_capacity(first.len() + 7);
    put(&mut bytes, session / 4);
    bytes.extend_from_slice(&first[1..]);
    bytes.into()
}

fn write(frame: &Frame<'_>, bytes: &mut Vec<u8>) {
    debug_assert!(!matches!(frame.kind(), FrameKind::WebTransport));
    frame.write(bytes).expect("a buffer that grows");
}

fn put(bytes: &mut Vec<u8>, number: u64) {
    // Identifiers of streams and lengths have at most 62 bits (RFC 9000, section 16).
    let number = VarInt::try_from(number).expect("at most 62 bits");
    bytes.put_varint(number).expect("a buffer that grows");
}

/// Whether each integer of a field section has at most this many bytes beyond its prefix: two are
/// enough for any head that is accepted. The decoder's arithmetic overflows from ten on.
const LONGEST_INTEGER: usize = 3;

/// Walks a field section (RFC 9204, section 4.5) without decoding its strings.
fn has_short_integers(mut rest: &[u8]) -> bool {
    fn integer(rest: &mut &[u8], prefix: u32) -> Option<usize> {
        let (first, after) = rest.split_first()?;
        *rest = after;
        let mask = (1_usize << prefix) - 1;
        let mut value = usize::from(*first) & mask;
        if value < mask {
            return Some(value);
        }
        for n in 0..LONGEST_INTEGER {
            let (byte, after) = rest.split_first()?;
            *rest = after;
            value += usize::from(byte & 0x7f) << (7 * n);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
    fn string(rest: &mut &[u8], prefix: u32) -> Option<()> {
        let length = integer(rest, prefix)?;
        *rest = rest.get(length..)?;
        Some(())
    }
    let mut walk = || {
        integer(&mut rest, 8)?;
        integer(&mut rest, 7)?;
        while let Some(first) = rest.first() {
            match first {
                0x80.. => {
                    integer(&mut rest, 6)?;
                }
                0x40..0x80 => {
                    integer(&mut rest, 4)?;
                    string(&mut rest, 7)?;
                }
                0x20..0x40 => {
                    string(&mut rest, 3)?;
                    string(&mut rest, 7)?;
                }
                // These refer to the dynamic table.
                0..0x20 => return None,
            }
        }
        Some(())
    };
    walk().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::message::Message;

    #[test]
    fn a_close_is_a_capsule_with_code_and_reason() {
        assert_eq!(
            close_session(1001, "drain"),
            [&[0x00, 12, 0x68, 0x43, 9, 0, 0, 3, 0xe9][..], b"drain"].concat()
        );
    }

    #[test]
    fn a_stream_names_its_session() {
        assert_eq!(stream_header(0), [0x40, 0x54, 0]);
        assert_eq!(stream_header(64), [0x40, 0x54, 0x40, 64]);
        let first = Bytes::from_static(b"\0{}");
        assert_eq!(datagram_of(0, &first), first);
        assert_eq!(datagram_of(8, &first), b"\x02{}".as_slice());
    }

    #[test]
    fn only_counts_are_datagrams() {
        let at = crate::domain::clock::Timestamp::from_millis(0);
        assert!(Message::new(Payload::Watching(7)).datagram().is_none());
        assert!(Message::new(Payload::Details { at }).datagram().is_none());
    }

    #[test]
    fn a_head_comes_back_as_it_was() {
        let head = head(&[(":status", "404"), ("content-type", "x/y")]);
        // The frame's type and length.
        let fields = fields(&head[2..]).expect("QPACK");
        assert_eq!(fields.get(":status"), Some("404"));
        assert_eq!(fields.get("content-type"), Some("x/y"));
    }

    #[test]
    fn settings_say_whether_datagrams_are_taken() {
        assert_eq!(allows_datagrams(&[0x33, 1]), Some(true));
        assert_eq!(allows_datagrams(&[0x33, 0]), Some(false));
        assert_eq!(allows_datagrams(&[]), Some(false));
        assert_eq!(allows_datagrams(&[0x33]), None);
    }

    #[test]
    fn hostile_heads_are_refused_and_never_overflow() {
        for block in [
            &[][..],
            &[0],
            // An integer without an end, as a length and as an index.
            &[
                0, 0, 0x27, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
            ],
            &[
                0, 0, 0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1,
            ],
            // A string beyond the end.
            &[0, 0, 0x21, b'a', 5, b'b'],
            // The dynamic table.
            &[0, 0, 0x10],
            &[0, 0, 0x80],
            // No such entry of the static table.
            &[0, 0, 0xff, 0x7f],
            // Not UTF-8.
            &[0, 0, 0x21, 0xff, 1, b'b'],
        ] {
            assert!(fields(block).is_none(), "{block:?}");
        }
        proptest::proptest!(|(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64))| {
            let _ = fields(&[&[0, 0][..], &bytes].concat());
        });
    }

    #[test]
    fn frames_are_told_apart() {
        assert_eq!(Kind::of(1), Kind::Headers);
        assert_eq!(Kind::of(0), Kind::Misplaced);
        assert_eq!(Kind::of(0x21), Kind::Unknown);
        assert_eq!(Kind::of(0x41), Kind::WebTransport);
    }
}
