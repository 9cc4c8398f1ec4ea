//! hyper's part of a connection, in either version of HTTP, with all its bounds.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use pin_project_lite::pin_project;

use super::application::Application;
use super::config::Config;
use super::service::Exchange;
use super::socket::SocketGuard;
use super::stall::StreamExecutor;
use super::stream::Stream;

/// The largest request head, on both versions. Browsers send about 1 KiB, cookies included. Also
/// the most that hyper buffers of an answer.
const MAX_HEAD: usize = 16 * 1024;
/// Requests open at once on one HTTP/2 connection, as RFC 9113, section 6.5.2, advises at least.
const MAX_STREAMS: u32 = 100;
/// The bodies that this server takes fit in one window.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// hyper's settings, the same for all connections.
pub(super) struct Builders {
    one: http1::Builder,
    two: http2::Builder<StreamExecutor>,
}

impl Builders {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            one: one(config),
            two: two(config),
        }
    }

    /// Serves requests on `socket`.
    pub(super) fn serve<S: Application>(
        &self,
        mut socket: SocketGuard,
        exchange: Exchange<S>,
        http2: bool,
    ) -> Http<S> {
        if http2 {
            socket.speaks_http2();
            let connection = self.two.serve_connection(TokioIo::new(socket), exchange);
            Http::Two { connection }
        } else {
            let connection = self.one.serve_connection(TokioIo::new(socket), exchange);
            let connection = connection.with_upgrades();
            Http::One { connection }
        }
    }
}

fn one(config: &Config) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(config.deadlines.idle)
        .max_buf_size(MAX_HEAD);
    builder
}

fn two(config: &Config) -> http2::Builder<StreamExecutor> {
    let mut builder = http2::Builder::new(StreamExecutor {
        stall: config.deadlines.stall,
    });
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(MAX_HEAD)
        // Rapid reset (CVE-2023-44487): hyper's own present bounds, said here so that an upgrade
        // can't lift them.
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(1024)
        // A client that has vanished without a FIN answers no ping.
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    builder
}

pin_project! {
    /// hyper's connection in either version. hyper-util's own choice between them cannot be bound
    /// by ALPN.
    #[project = HttpProjection]
    pub(super) enum Http<S: Application> {
        One { #[pin] connection: http1::UpgradeableConnection<TokioIo<SocketGuard>, Exchange<S>> },
        Two { #[pin] connection: http2::Connection<TokioIo<SocketGuard>, Exchange<S>, StreamExecutor> },
    }
}

impl<S: Application> Http<S> {
    /// Ready when the connection has ended, well or not.
    pub(super) fn poll_end(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project() {
            HttpProjection::One { connection } => connection.poll(cx).map(drop),
            HttpProjection::Two { connection } => connection.poll(cx).map(drop),
        }
    }

    pub(super) fn graceful_shutdown(self: Pin<&mut Self>) {
        match self.project() {
            HttpProjection::One { connection } => connection.graceful_shutdown(),
            HttpProjection::Two { connection } => connection.graceful_shutdown(),
        }
    }
}

/// Whether the handshake has settled on HTTP/2. Over TLS ALPN decides, and its absence means
/// HTTP/1.1 (RFC 9113, section 3.2); without TLS the client's first bytes do.
pub(super) fn agreed_version(socket: &Stream) -> Option<bool> {
    match socket {
        Stream::Plain(_) => None,
        Stream::Tls(tls) => Some(tls.get_ref().1.alpn_protocol() == Some(&b"h2"[..])),
    }
}
