//! What an operator may set, and the deadlines that only tests shorten.

use std::time::Duration;

use http::Method;
use ipnet::IpNet;

use super::tls::Tls;

/// `--max-connections`.
pub const MAX_CONNECTIONS: usize = 60_000;
/// `--max-connections-per-ip`: a hall of 2,000 phones behind one address, each with a stream and
/// some requests.
pub const MAX_CONNECTIONS_PER_ADDRESS: usize = 16_000;

/// How to serve. Every field has a default that suits a public server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Connections open at once. Default [`MAX_CONNECTIONS`].
    pub max_connections: usize,
    /// Connections open at once from one address. An IPv6 address counts as its /64, the smallest
    /// network a site gets (RFC 6177). Requests through a trusted proxy are counted by the client's
    /// address. Default [`MAX_CONNECTIONS_PER_ADDRESS`].
    pub max_connections_per_address: usize,
    /// Connections over a limit that may be open at once, to refuse them in their own protocol. The
    /// next one is closed without an answer. Default 512.
    pub max_refusals: usize,
    /// Networks whose `X-Forwarded-For` and `X-Forwarded-Proto` count. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// Requests in flight at once, besides one for each connection: only HTTP/2 has more. A request
    /// for a live view is one until its answer is a stream, which counts as a connection. A probe is
    /// none. Default 4,096: eight busy addresses.
    pub max_requests: usize,
    /// The same from one address. Default 512: 25 phones of a hall that load a page with 20 files in
    /// the same instant. Each is in flight for milliseconds.
    pub max_requests_per_address: usize,
    /// What a request with this method and path asks of the server. Default: any is
    /// [`Demand::Live`].
    pub demand: fn(&Method, &str) -> Demand,
    /// The template of a path's address, which names a request's span. Default none.
    pub route: fn(&str) -> Option<&'static str>,
    /// A certificate: then every connection is TLS. Default none.
    pub tls: Option<Tls>,
    /// How long a drain may take. Default 10 s.
    pub drain: Duration,
    /// Whether the socket of an endless answer leaves hyper after its head ([`super::handoff`]).
    /// Without the hand-off, the same bytes need about 20 KiB more for each watcher. Default on.
    pub handoff: bool,
    /// Deadlines.
    pub deadlines: Deadlines,
}

/// What a request asks of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Its answer may stay open as long as its client does. On an HTTP/2 connection each such answer
    /// beyond the first counts as a connection. The application refuses it in its transport's way.
    Live,
    /// The operator's probe, which is always answered.
    Probe,
    /// Anything else.
    Ordinary,
}

impl Config {
    /// How long a drain waits for trusted proxies to notice; nothing without them.
    pub(super) fn settle(&self) -> Duration {
        if self.trusted_proxies.is_empty() {
            Duration::ZERO
        } else {
            self.deadlines.settle.min(self.drain / 3)
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_connections: MAX_CONNECTIONS,
            max_connections_per_address: MAX_CONNECTIONS_PER_ADDRESS,
            max_refusals: 512,
            trusted_proxies: Vec::new(),
            max_requests: 4_096,
            max_requests_per_address: 512,
            demand: |_, _| Demand::Live,
            route: |_| None,
            tls: None,
            drain: Duration::from_secs(10),
            handoff: true,
            deadlines: Deadlines::default(),
        }
    }
}

/// How long a client may leave the server waiting.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// From `accept` to the end of the TLS handshake. Default 10 s.
    pub handshake: Duration,
    /// From there until the first request has reached the application. hyper has no deadline for a
    /// silent client or for an HTTP/2 client without requests. Default 10 s.
    pub first_request: Duration,
    /// HTTP/1: from one answer to the next request's complete head. Default 15 s: pollers keep
    /// their connection.
    pub idle: Duration,
    /// HTTP/2: without an open request. Default 60 s.
    pub idle_http2: Duration,
    /// A client that takes nothing of an answer for this long is closed. In HTTP/2 only the one
    /// stream is reset. Each step that the client takes begins it anew, however long the whole answer
    /// takes. The kernel shows steps of 8 to 64 KiB, depending on the client's window, so a phone
    /// needs about 2 KB/s in the worst case. A slower line is better served by a new request than by
    /// an answer of many minutes. Default 30 s.
    pub stall: Duration,
    /// The whole life of a connection over a limit. Default 5 s.
    pub refusal: Duration,
    /// After the last byte of a handed-off answer, how long the client may take to close its side.
    /// An earlier close could reset the connection and destroy what the client has yet to read (RFC
    /// 9112, section 9.6). Default 1 s.
    pub linger: Duration,
    /// After an answer to a request whose body has not been read, how long the server reads and
    /// drops the rest; at most 16 MiB. Closing at once would reset the connection, and a client
    /// that sends everything first would never see the answer. Default 5 s.
    pub unread: Duration,
    /// At a drain: how long a trusted proxy may connect, and its idle connections stay open, until
    /// it has noticed. A request that meets the close of its connection can be sent again only if
    /// it is known to be safe. Registering is not. At most a third of the drain. Default 3 s: three
    /// checks of `/health/ready`.
    pub settle: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            first_request: Duration::from_secs(10),
            idle: Duration::from_secs(15),
            idle_http2: Duration::from_mins(1),
            stall: Duration::from_secs(30),
            refusal: Duration::from_secs(5),
            linger: Duration::from_secs(1),
            unread: Duration::from_secs(5),
            settle: Duration::from_secs(3),
        }
    }
}
