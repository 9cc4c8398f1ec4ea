//! A connection's socket as hyper borrows it.
//!
//! Keeps two promises. The connection's permit is released when the socket closes. A client that
//! takes nothing is closed within the stall deadline.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::config::Deadlines;
use super::handoff::Link;
use super::limits::ConnectionPermit;
use super::linger::Linger;
use super::meters::{Expired, expired};
use super::stream::Stream;
use super::version::{PREFACE, RequestLine};

/// Head and body of up to this many bytes are written in one piece: for a short answer a copy costs
/// less than a vectored write. A registration's has some 700. (hyper would do the same, but with
/// every body, and keep the memory of the largest.)
const SHORT: usize = 2 * 1024;

/// The socket, together with the connection's permit.
pub(super) struct SocketGuard {
    socket: Option<(Stream, ConnectionPermit)>,
    link: Arc<Link>,
    deadlines: Deadlines,
    /// Bytes that were read before hyper started.
    begun: Vec<u8>,
    /// The first request line, until it has passed.
    line: Option<RequestLine>,
    /// Runs while the client reads nothing.
    stalled: Option<Pin<Box<Sleep>>>,
    /// A write has blocked.
    is_slow: bool,
    linger: Option<Linger>,
}

impl SocketGuard {
    pub(super) fn new(
        socket: Stream,
        permit: ConnectionPermit,
        link: Arc<Link>,
        deadlines: Deadlines,
    ) -> Self {
        Self {
            socket: Some((socket, permit)),
            link,
            deadlines,
            begun: Vec::new(),
            line: Some(RequestLine::default()),
            stalled: None,
            is_slow: false,
            linger: None,
        }
    }

    /// Whether the client begins with HTTP/2's preface. Reads no more than that is long.
    pub(super) async fn begins_http2(&mut self) -> io::Result<bool> {
        let mut space = [0; PREFACE.len()];
        while self.begun.len() < PREFACE.len() && PREFACE.starts_with(&self.begun) {
            let mut next = ReadBuf::new(&mut space[self.begun.len()..]);
            poll_fn(|cx| self.socket().poll_read(cx, &mut next)).await?;
            if next.filled().is_empty() {
                return Ok(false);
            }
            self.begun.extend_from_slice(next.filled());
        }
        Ok(self.begun == PREFACE)
    }

    /// Does not parse a first request line: HTTP/2 has none.
    pub(super) fn speaks_http2(&mut self) {
        self.line = None;
    }

    fn socket(&mut self) -> Pin<&mut Stream> {
        // Only `Drop` takes the socket out.
        let (socket, _) = self.socket.as_mut().expect("the socket is here");
        Pin::new(socket)
    }

    /// Turns a write that waits for too long into an error. hyper polls again whenever the task is
    /// woken, by the timer as well.
    fn bound<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        if !std::mem::replace(&mut self.is_slow, true) {
            self.socket().watch_progress(true);
        }
        let deadline = self.deadlines.stall;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(deadline)));
        ready!(stalled.as_mut().poll(cx));
        expired(Expired::Stall);
        self.socket().abandon();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl fmt::Debug for SocketGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocketGuard")
    }
}

impl Drop for SocketGuard {
    fn drop(&mut self) {
        let Some((socket, permit)) = self.socket.take() else {
            return;
        };
        if self.is_slow {
            socket.watch_progress(false);
        }
        if self.link.is_ready() {
            self.link.put_back(socket, permit);
        }
    }
}

impl AsyncRead for SocketGuard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if this.begun.is_empty() {
            ready!(this.socket().poll_read(cx, buf))?;
        } else {
            let length = this.begun.len().min(buf.remaining());
            buf.put_slice(&this.begun[..length]);
            this.begun.drain(..length);
        }
        if let Some(line) = &mut this.line {
            line.pass(&mut buf.filled_mut()[before..]);
            if line.is_over() {
                this.link.claim(line.claimed());
                this.line = None;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SocketGuard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.socket().poll_write(cx, buf);
        self.link.note_write(&outcome);
        self.bound(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = bufs.iter().map(|part| part.len()).sum();
        if length <= SHORT {
            let mut whole = [0; SHORT];
            let mut at = 0;
            for part in bufs {
                whole[at..at + part.len()].copy_from_slice(part);
                at += part.len();
            }
            return self.poll_write(cx, &whole[..length]);
        }
        let outcome = self.socket().poll_write_vectored(cx, bufs);
        self.link.note_write(&outcome);
        self.bound(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        let socket = self.socket.as_ref();
        socket.is_some_and(|(socket, _)| socket.is_write_vectored())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.socket().poll_flush(cx);
        self.link.note_flush(&outcome);
        self.bound(cx, outcome)
    }

    /// hyper's last call: the writing side ends. If a request's body was never read, the rest of it
    /// is read and dropped for a while.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            let outcome = self.socket().poll_shutdown(cx);
            ready!(self.bound(cx, outcome))?;
            if !self.link.unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let longest = self.deadlines.unread;
        let mut linger = self.linger.take().unwrap_or_else(|| Linger::new(longest));
        let outcome = linger.poll(&mut *self, cx);
        self.linger = Some(linger);
        outcome.map(Ok)
    }
}
