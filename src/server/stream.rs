//! What a client reads and writes: a TCP connection, plain or with TLS.
//!
//! TLS ends with `close_notify` (RFC 8446, section 6.1), whatever held the stream last.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Plain or TLS; one type, so that hyper is compiled once.
pub(super) enum Stream {
    /// TCP.
    Plain(TcpStream),
    /// TLS; boxed, for its size would be every connection's.
    Tls(Box<TlsStream<TcpStream>>),
}

/// How long the kernel may need for what it holds of a slow reader's answer, some 64 KiB at most.
#[cfg(target_os = "linux")]
const LAST_BYTES: Duration = Duration::from_mins(2);

impl Stream {
    /// Turns the kernel's own deadline (`TCP_USER_TIMEOUT`) off while the program's runs, and on again.
    /// The kernel counts a window that reopens in small steps as closed, and would cut a client that
    /// reads slowly.
    pub(super) fn watch_progress(&self, watches: bool) {
        #[cfg(target_os = "linux")]
        {
            let limit = (!watches).then_some(LAST_BYTES);
            // Fails only when the connection is gone.
            let _ = SockRef::from(self.tcp()).set_tcp_user_timeout(limit);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = watches;
    }

    /// Closing will reset the connection. Otherwise the kernel would keep for minutes what a client
    /// that has stopped reading has not taken, beyond every limit on connections.
    pub(super) fn abandon(&self) {
        // Fails only when the connection is gone.
        let _ = SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO));
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Self::Tls(tls) = self {
            close_notify(tls);
        }
    }
}

/// Tells the client that nothing was cut off, as far as the kernel takes it at once. Does nothing
/// after an orderly shutdown: rustls sends the alert once.
fn close_notify(stream: &mut TlsStream<TcpStream>) {
    let (tcp, session) = stream.get_mut();
    session.send_close_notify();
    let mut records = Vec::new();
    while session.wants_write() && session.write_tls(&mut records).is_ok() {}
    // A client that reads nothing gets no farewell.
    let _ = tcp.try_write(&records);
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Self::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(tcp) => tcp.is_write_vectored(),
            Self::Tls(tls) => tls.is_write_vectored(),
        }
    }

    /// Ready when the kernel has everything; TLS keeps records that the kernel has not taken.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
