//! What an idle WebSocket costs, an idle session of WebTransport, and what its client sends.

use std::future::Future;

use bytes::Bytes;

use super::aioquic::Aioquic;
use super::webtransport::{Session, WT, address, with_webtransport};
use super::{gala, until};
use crate::support::memory::{Idle, allocated, measured, measuring};

const WEBSOCKET: Idle = Idle {
    test: "transports::memory::an_idle_websocket_stays_small",
    // warp's own takes 134 KiB.
    bytes_max: 4 * 1024,
    watchers: 2_000,
    tls: None,
    request: b"GET /api/v1/events/gala/ws HTTP/1.1\r\nHost: registration.example.org\r\n\
        Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Origin: https://registration.example.org\r\n\
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
        Chrome/142.0.0.0 Safari/537.36\r\n\
        Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\r\n",
    // The first count.
    answer_end: b"}}",
};

#[test]
fn an_idle_websocket_stays_small() {
    WEBSOCKET.check(async {
        let (app, _) = gala(&["--drain", "1s"]).await;
        (app.address(), app.stop())
    });
}

/// Bytes of an idle session: quinn's connection, TLS, and our task.
const SESSION_MAX: usize = 64 * 1024;

/// Sessions of the measurement; a fifth as many come before it and fill tables.
const SESSIONS: usize = 60;

/// The clients are in another process: only the server's memory counts.
#[test]
fn an_idle_webtransport_session_stays_small() {
    const LABEL: &str = "bytes a session:";
    const TEST: &str = "transports::memory::an_idle_webtransport_session_stays_small";
    if measuring() {
        let each = alone(async {
            let (app, _) = with_webtransport(&["--drain", "1s"]).await;
            let (port, hash) = address(&app).await;
            let open = async |number: usize| {
                let mut clients = Aioquic::start(port, WT, &hash, &[&number.to_string()]);
                for _ in 0..number {
                    clients.message("count").await;
                }
                clients
            };
            let first = open(SESSIONS / 5).await;
            let before = allocated();
            let rest = open(SESSIONS).await;
            let each = allocated().saturating_sub(before) / SESSIONS;
            drop((first, rest));
            app.stop().await;
            each
        });
        return println!("{LABEL} {each}");
    }
    let each = measured(TEST, LABEL)[0];
    println!("{each} bytes a session allocated");
    assert!(
        (1024..=SESSION_MAX).contains(&each),
        "{each} bytes a session"
    );
}

/// Streams that are never read, and the bytes on each. QUIC packs them anew when they hold 32 KiB of
/// packets.
const UNREAD: (usize, usize) = (4, 20);
/// Packets that arrive with each byte.
const BATCH: usize = 8;
/// A byte holds its packet of a kilobyte, and 80 bytes wait. With their batches they hold 800 KiB.
const HELD_MAX: usize = 256 * 1024;

#[test]
fn a_byte_that_waits_does_not_hold_the_packets_that_came_with_it() {
    const LABEL: &str = "bytes held:";
    const TEST: &str =
        "transports::memory::a_byte_that_waits_does_not_hold_the_packets_that_came_with_it";
    if measuring() {
        let held = alone(async {
            let (app, _) = with_webtransport(&["--drain", "1s"]).await;
            let session = Session::open(&app, WT).await;
            let quic = session.connection();
            let mut streams = Vec::new();
            for _ in 0..UNREAD.0 {
                streams.push(quic.open_uni().await.expect("the server allows 8"));
            }
            let room = quic.datagram_send_buffer_space();
            let before = allocated();
            for _ in 0..UNREAD.1 {
                for stream in &mut streams {
                    // Without a pause, so that all leave together.
                    stream.write_all(b"x").await.expect("within the window");
                    for _ in 0..BATCH {
                        let filler = Bytes::from_static(&[0; 1000]);
                        quic.send_datagram(filler).expect("room");
                    }
                    until(|| quic.datagram_send_buffer_space() == room).await;
                }
            }
            // The server has all of it once it acknowledges the streams' ends.
            for stream in &mut streams {
                stream.finish().expect("still open");
                stream.stopped().await.expect("still open");
            }
            let held = allocated().saturating_sub(before);
            drop(streams);
            app.stop().await;
            held
        });
        return println!("{LABEL} {held}");
    }
    let held = measured(TEST, LABEL)[0];
    println!("{held} bytes held");
    assert!(held <= HELD_MAX, "{held} bytes held");
}

/// On one thread, which hands over at awaits only.
fn alone<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work)
}
