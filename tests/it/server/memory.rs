//! What an idle watcher costs.

use super::host::{Host, config};
use crate::support::memory::Idle;

const WATCHER: Idle = Idle {
    test: "server::memory::an_idle_watcher_stays_small",
    // Handed off; hyper alone takes about 20 KiB.
    bytes_max: 1536,
    watchers: 2_500,
    request: b"GET /idle HTTP/1.1\r\nHost: registration.example.org\r\n\
        Connection: keep-alive\r\n\
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
        Chrome/142.0.0.0 Safari/537.36\r\n\
        Accept: text/event-stream\r\nCache-Control: no-cache\r\n\
        Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\
        Referer: https://registration.example.org/e/spring-gala\r\n\
        Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\r\n",
    answer_end: b"\r\n5\r\nfirst\r\n",
};

#[test]
fn an_idle_watcher_stays_small() {
    WATCHER.check(async {
        let host = Host::start(config());
        (host.addr, host.finish())
    });
}
