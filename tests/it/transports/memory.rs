//! What an idle WebSocket costs.

use super::gala;
use crate::support::memory::Idle;

const WEBSOCKET: Idle = Idle {
    test: "transports::memory::an_idle_websocket_stays_small",
    // warp's own takes 134 KiB.
    bytes_max: 4 * 1024,
    watchers: 2_000,
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
