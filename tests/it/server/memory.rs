//! What an idle watcher costs.

use std::sync::Arc;

use headcount::server::{Config, Tls};
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::client::Resumption;

use super::host::{Host, config};
use super::tls::certificate;
use crate::support::memory::Idle;

/// Handed off; hyper alone takes about 20 KiB.
const PLAIN_MAX: usize = 1536;
/// Handed off: the state of the session, and the 4 KiB into which rustls reads. hyper alone takes about 20 KiB more.
const TLS_MAX: usize = 8 * 1024 + 256;

const REQUEST: &[u8] = b"GET /idle HTTP/1.1\r\nHost: registration.example.org\r\n\
    Connection: keep-alive\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
    Chrome/142.0.0.0 Safari/537.36\r\n\
    Accept: text/event-stream\r\nCache-Control: no-cache\r\n\
    Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\
    Referer: https://registration.example.org/e/spring-gala\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\r\n";

fn check(idle: &Idle, tls: Option<Tls>) {
    idle.check(async move {
        let host = Host::start(Config { tls, ..config() });
        (host.addr, host.finish())
    });
}

/// A client of this server that never resumes a session.
fn client(tls: &Tls, alpn: &[u8]) -> Arc<ClientConfig> {
    let mut client = (*tls.to_itself().unwrap()).clone();
    client.resumption = Resumption::disabled();
    client.alpn_protocols = vec![alpn.to_vec()];
    Arc::new(client)
}

#[test]
fn an_idle_watcher_stays_small() {
    let idle = Idle {
        test: "server::memory::an_idle_watcher_stays_small",
        bytes_max: PLAIN_MAX,
        watchers: 2_500,
        tls: None,
        request: REQUEST,
        answer_end: b"\r\n5\r\nfirst\r\n",
    };
    check(&idle, None);
}

#[test]
fn an_idle_watcher_over_tls_stays_small() {
    let (tls, _) = certificate();
    let idle = Idle {
        test: "server::memory::an_idle_watcher_over_tls_stays_small",
        bytes_max: TLS_MAX,
        watchers: 1_000,
        tls: Some(client(&tls, b"http/1.1")),
        request: REQUEST,
        answer_end: b"\r\n5\r\nfirst\r\n",
    };
    check(&idle, Some(tls));
}
