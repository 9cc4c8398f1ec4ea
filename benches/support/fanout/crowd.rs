//! Ten thousand watchers in one loop, which only reads sockets and the clock. It is the same for
//! every server.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// Connections on their way at once: a crowd that comes at the same moment.
const IN_FLIGHT: usize = 256;
/// Whatever takes longer is broken.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);
/// A WebSocket ping without payload, and a client's answer to it (RFC 6455, section 5.5).
const PING: &[u8] = &[0x89, 0x00];
const PONG: &[u8] = &[0x8a, 0x80, 0, 0, 0, 0];

/// How the watchers connect, and how they recognise the end of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// Server-sent events.
    Sse,
    /// WebSocket.
    WebSocket,
    /// Server-sent events over HTTP/2, without TLS; this and the next two are read by
    /// [`super::streams`].
    Http2,
    /// Server-sent events over TLS and HTTP/1.1.
    Tls,
    /// Server-sent events over TLS and HTTP/2.
    TlsHttp2,
}

/// The watchers of one server.
pub(crate) trait Audience {
    /// Connects `count` more watchers and waits for their first counts. Returns how long that took.
    fn join(&mut self, address: SocketAddr, count: usize) -> Duration;

    /// Reads until every watcher has the change that was requested at `begun`. Returns how long
    /// each waited, in the order of arrival.
    fn receive(&mut self, begun: Instant) -> Vec<(Transport, Duration)>;
}

impl Transport {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sse => "SSE",
            Self::WebSocket => "WebSocket",
            Self::Http2 => "HTTP/2",
            Self::Tls => "TLS",
            Self::TlsHttp2 => "TLS-HTTP/2",
        }
    }

    /// A request as a browser sends it.
    fn request(self, number: usize) -> String {
        let (path, upgrade) = match self {
            Self::Sse | Self::Http2 | Self::Tls | Self::TlsHttp2 => (
                "stream",
                "Accept: text/event-stream\r\nCache-Control: no-cache\r\nConnection: keep-alive",
            ),
            Self::WebSocket => (
                "ws",
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://registration.example.org",
            ),
        };
        format!(
            "GET /api/v1/events/gala/{path} HTTP/1.1\r\nHost: registration.example.org\r\n{upgrade}\r\n\
             User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/142.0.0.0 Safari/537.36\r\n\
             Referer: https://registration.example.org/e/gala\r\n\
             Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\
             Cookie: n={number}\r\n\r\n"
        )
    }

    /// The last bytes of a message: of a chunk with a block, or of a WebSocket frame.
    fn tail(self) -> &'static [u8] {
        match self {
            Self::Sse | Self::Http2 | Self::Tls | Self::TlsHttp2 => b"}\n\n\r\n",
            Self::WebSocket => b"}}",
        }
    }
}

struct Watcher {
    stream: TcpStream,
    transport: Transport,
    asked: bool,
    /// The last round it has received.
    round: u32,
}

/// The watchers of one server.
pub(crate) struct Crowd<F> {
    transport: F,
    poll: Poll,
    events: Events,
    watchers: Vec<Watcher>,
    round: u32,
}

impl<F: Fn(usize) -> Transport> Audience for Crowd<F> {
    fn join(&mut self, address: SocketAddr, count: usize) -> Duration {
        let begun = Instant::now();
        let all = self.watchers.len() + count;
        self.round += 1;
        let mut arrived = 0;
        let mut in_flight = 0;
        while arrived < count {
            while self.watchers.len() < all && in_flight < IN_FLIGHT {
                let number = self.watchers.len();
                let mut stream = TcpStream::connect(address).expect("a socket");
                self.poll
                    .registry()
                    .register(
                        &mut stream,
                        Token(number),
                        Interest::READABLE | Interest::WRITABLE,
                    )
                    .expect("epoll takes it");
                self.watchers.push(Watcher {
                    stream,
                    transport: (self.transport)(number),
                    asked: false,
                    round: self.round - 1,
                });
                in_flight += 1;
            }
            let came = self.turn(|_| ());
            arrived += came;
            in_flight -= came;
        }
        begun.elapsed()
    }

    fn receive(&mut self, begun: Instant) -> Vec<(Transport, Duration)> {
        self.round += 1;
        let mut delays = Vec::with_capacity(self.watchers.len());
        while delays.len() < self.watchers.len() {
            self.turn(|transport| delays.push((transport, begun.elapsed())));
        }
        delays
    }
}

impl<F> Crowd<F> {
    /// `transport` is the transport of each watcher, by its number.
    pub(crate) fn new(transport: F) -> Self {
        Self {
            transport,
            poll: Poll::new().expect("epoll"),
            events: Events::with_capacity(1024),
            watchers: Vec::new(),
            round: 0,
        }
    }

    /// Reads for ever.
    pub(crate) fn endure(&mut self) -> ! {
        loop {
            self.round += 1;
            self.turn(|_| ());
        }
    }

    /// Handles the sockets that are ready. Returns how many watchers got this round's message.
    fn turn(&mut self, mut came: impl FnMut(Transport)) -> usize {
        let mut number = 0;
        self.poll
            .poll(&mut self.events, Some(TIMEOUT))
            .expect("epoll waits");
        assert!(!self.events.is_empty(), "the server goes on");
        let mut buffer = [0; 4096];
        for event in &self.events {
            let at = event.token().0;
            let watcher = &mut self.watchers[at];
            if !watcher.asked && event.is_writable() {
                watcher
                    .stream
                    .write_all(watcher.transport.request(at).as_bytes())
                    .expect("a request fits into the socket");
                watcher.asked = true;
            }
            if !event.is_readable() {
                continue;
            }
            let read = match watcher.stream.read(&mut buffer) {
                Ok(0) => panic!("the server closed a watcher"),
                Ok(read) => &buffer[..read],
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => panic!("a watcher's socket: {error}"),
            };
            if watcher.transport == Transport::WebSocket && read.starts_with(PING) {
                watcher
                    .stream
                    .write_all(PONG)
                    .expect("a pong fits into the socket");
            }
            if read.ends_with(watcher.transport.tail()) && watcher.round != self.round {
                watcher.round = self.round;
                came(watcher.transport);
                number += 1;
            }
        }
        number
    }
}
