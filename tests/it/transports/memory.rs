//! What an idle WebSocket costs, and an idle session of WebTransport.

use super::aioquic::Aioquic;
use super::gala;
use super::webtransport::{WT, address, with_webtransport};
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
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let each = runtime.block_on(async {
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
