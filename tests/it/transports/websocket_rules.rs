//! RFC 6455's rules for what a client sends, as the Autobahn suite tries them: frame by frame.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::gala;
use super::websockets::raise;
use crate::support::app::App;

/// The connection ends with the close frame. A server that waited for the client would take a
/// second longer.
const AT_ONCE: Duration = Duration::from_millis(700);

const FIN: u8 = 0x80;
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// A masked frame; the mask is zero, so that the payload is readable.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short payload");
    match length {
        0..=125 => long_frame(first, &[0x80 | length], payload),
        _ => long_frame(first, &[0xfe, 0, length], payload),
    }
}

/// A frame whose length is written as given.
fn long_frame(first: u8, length: &[u8], payload: &[u8]) -> Vec<u8> {
    [&[first], length, &[0; 4], payload].concat()
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes()[..], reason].concat())
}

/// Sends bytes, reads to the end, and returns the payload of the server's close frame.
async fn closes_with(app: &App, bytes: &[u8]) -> Vec<u8> {
    let mut stream = raise(app, "?after=none").await;
    let began = Instant::now();
    stream.write_all(bytes).await.expect("the server reads");
    let closing = last_frame(&mut stream, CLOSE).await;
    let mut rest = Vec::new();
    // The connection may end or be reset, but it must happen at once.
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty(), "after the close frame: {rest:?}");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    closing
}

/// The payload of the next frame with that opcode. The server's frames have no mask.
async fn last_frame(stream: &mut TcpStream, opcode: u8) -> Vec<u8> {
    loop {
        let first = stream.read_u8().await.expect("a frame");
        let mut length = usize::from(stream.read_u8().await.expect("a length"));
        if length == 126 {
            length = usize::from(stream.read_u16().await.expect("a length"));
        }
        let mut payload = vec![0; length];
        stream.read_exact(&mut payload).await.expect("a payload");
        if first == FIN | opcode {
            return payload;
        }
    }
}

#[tokio::test]
async fn a_broken_rule_closes_with_its_code_and_at_once() {
    let (app, _) = gala(&[]).await;
    let ping = br#"{"type":"ping"}"#;
    let cases: Vec<(&str, Vec<u8>, u16)> = vec![
        ("unmasked", b"\x81\x02hi".to_vec(), 1002),
        ("RSV1", frame(FIN | 0x40 | TEXT, ping), 1002),
        ("RSV2", frame(FIN | 0x20 | TEXT, ping), 1002),
        ("RSV3 in a ping", frame(FIN | 0x10 | PING, b""), 1002),
        ("opcode 3", frame(FIN | 0x3, b""), 1002),
        ("opcode 7", frame(FIN | 0x7, b"x"), 1002),
        ("opcode 11", frame(FIN | 0xb, b""), 1002),
        ("opcode 15", frame(FIN | 0xf, b"x"), 1002),
        ("a ping of 126 bytes", frame(FIN | PING, &[b'x'; 126]), 1002),
        ("a ping in fragments", frame(PING, b"x"), 1002),
        ("a pong in fragments", frame(PONG, b"x"), 1002),
        (
            "a continuation of nothing",
            frame(FIN | CONTINUATION, ping),
            1002,
        ),
        (
            "a text inside a text",
            [frame(TEXT, b"a"), frame(FIN | TEXT, b"b")].concat(),
            1002,
        ),
        (
            "a length of 15 in 16 bits",
            long_frame(FIN | TEXT, &[0xfe, 0, 15], ping),
            1002,
        ),
        (
            "a length of 15 in 64 bits",
            long_frame(FIN | TEXT, &[0xff, 0, 0, 0, 0, 0, 0, 0, 15], ping),
            1002,
        ),
        (
            "a ping's length in 16 bits",
            long_frame(FIN | PING, &[0xfe, 0, 1], b"x"),
            1002,
        ),
        ("no UTF-8", frame(FIN | TEXT, b"\xff"), 1007),
        (
            "no UTF-8 in fragments",
            [frame(TEXT, b"\xc3"), frame(FIN, b"(")].concat(),
            1007,
        ),
        ("a close of one byte", frame(FIN | CLOSE, &[3]), 1002),
        (
            "a close with 124 letters",
            frame(FIN | CLOSE, &[&[3, 232][..], &[b'x'; 124]].concat()),
            1002,
        ),
        ("a close without UTF-8", close(1000, b"\xff"), 1007),
        ("close 0", close(0, b""), 1002),
        ("close 999", close(999, b""), 1002),
        ("close 1004", close(1004, b""), 1002),
        ("close 1005", close(1005, b""), 1002),
        ("close 1006", close(1006, b""), 1002),
        ("close 1016", close(1016, b""), 1002),
        ("close 2999", close(2999, b""), 1002),
        ("close 5000", close(5000, b""), 1002),
        ("close 65535", close(65_535, b""), 1002),
        ("close 1000", close(1000, b"done"), 1000),
        ("close 1013", close(1013, b""), 1013),
        ("close 3000", close(3000, b""), 3000),
        ("close 4999", close(4999, b""), 4999),
        ("a list", frame(FIN | TEXT, br#"["ping",1]"#), 1008),
        (
            "a text in fragments",
            [frame(TEXT, b"["), frame(FIN, b"]")].concat(),
            1008,
        ),
    ];
    for (name, bytes, code) in cases {
        let closing = closes_with_answer(&app, name, &bytes, code).await;
        assert_eq!(
            closing.get(..2),
            Some(&code.to_be_bytes()[..]),
            "{name}: {closing:?}"
        );
    }
    assert_eq!(closes_with(&app, &frame(FIN | CLOSE, b"")).await, b"");
    app.stop().await;
}

/// A client answers the server's own close before the server ends the connection; to a violation
/// there is nothing to answer.
async fn closes_with_answer(app: &App, name: &str, bytes: &[u8], code: u16) -> Vec<u8> {
    if code != 1008 {
        return closes_with(app, bytes).await;
    }
    let mut stream = raise(app, "?after=none").await;
    stream.write_all(bytes).await.expect(name);
    let closing = last_frame(&mut stream, CLOSE).await;
    stream.write_all(&close(code, b"")).await.expect(name);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.expect("a clean end");
    assert!(rest.is_empty(), "{name}: {rest:?}");
    closing
}

#[tokio::test]
async fn pings_and_fragments_are_answered() {
    let (app, _) = gala(&[]).await;
    let mut stream = raise(&app, "?after=none").await;
    for payload in [&b""[..], b"hello", &[0xfe; 125]] {
        stream
            .write_all(&frame(FIN | PING, payload))
            .await
            .expect("an open socket");
        assert_eq!(last_frame(&mut stream, PONG).await, payload);
    }
    let parts = [
        frame(FIN | PONG, b"nobody asked"),
        frame(TEXT, br#"{"type":"#),
        frame(FIN | PING, b"between"),
        frame(CONTINUATION, br#""ping","id":""#),
        frame(CONTINUATION, b"\xc3"),
        frame(FIN | CONTINUATION, b"\xa9\"}"),
    ];
    // Byte by byte: no frame may depend on how the network cuts it.
    for byte in parts.concat() {
        stream.write_all(&[byte]).await.expect("an open socket");
        stream.flush().await.expect("an open socket");
    }
    assert_eq!(last_frame(&mut stream, PONG).await, b"between");
    let pong = String::from_utf8(last_frame(&mut stream, TEXT).await).expect("UTF-8");
    assert!(pong.starts_with(r#"{"type":"pong","id":"é","#), "{pong}");
    app.stop().await;
}
