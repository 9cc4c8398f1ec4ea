//! An endless answer leaves hyper: hyper reads the request and writes the head, then the socket goes to a [`Push`] that writes ready-made
//! chunks. A watcher costs about 1 KiB instead of 20: hyper keeps two buffers and a large future for a request that will
//! never come.
//!
//! How, without `unsafe` and without hyper's help; each step is one poll of the connection's task:
//!
//! 1. [`super::service`] answers with [`Parked`] as the body when the connection is plain HTTP/1.1 and the request a GET without a body,
//!    and announces `Connection: close`: a pipelined second request will not be answered (RFC 9112, section 9.6).
//! 2. hyper encodes the head and polls the body, which notes `parked` and stays pending. hyper flushes; it calls `poll_flush` of the socket only when
//!    its own buffer is empty, so [`Lent`] notes `written` there: every byte of the head, and of the answers pipelined before it, is with the kernel.
//!    A full socket merely delays this step.
//! 3. [`super::connection`] sees [`Link::is_ready`], drops the hyper connection, and with it `Lent`, whose `Drop` leaves the socket in the link.
//!    What hyper had read beyond the request is dropped with its buffer.
//! 4. The same task goes on as [`Push`], with the permit and the chunks.
//!
//! If hyper fails before step 3 (the client is gone), socket, permit and chunks are dropped with the link. Everything else, HTTP/2, TLS, HTTP/1.0 and a
//! GET with a body, keeps the ordinary body ([`super::body::Streaming`]) with the same bytes after decoding.
//!
//! This leans on two habits of hyper 1: the body is polled after the head is encoded, and the flush described. The raw-byte tests in
//! `tests/it/server` hold both; `Config::handoff` turns the whole matter off.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::limits::{Permit, RequestPermit};
use super::linger::Linger;
use crate::transport::live::Chunks;

/// Head and body of up to so many bytes are written in one piece: for a short answer copying costs less than the kernel's way of taking two. A
/// registration's has some 700. (hyper would do the same, but with every body, and keep the memory of the largest.)
const SHORT: usize = 2 * 1024;

/// What the socket, the answers and the driver of one connection tell each other. All of them run in the connection's one task (HTTP/2 apart,
/// which uses the counters only), so no ordering is needed beyond that of the cells.
#[derive(Default)]
pub(super) struct Link {
    parked: AtomicBool,
    written: AtomicBool,
    blocked: AtomicBool,
    unblocked: AtomicWaker,
    answer: Mutex<Option<Answer>>,
    returned: Mutex<Option<(TcpStream, Permit)>>,
    upgraded: Mutex<Option<RequestPermit>>,
    /// Requests that have reached the application, ever.
    pub(super) requests: AtomicUsize,
    /// Of those, the ones whose answer is not complete.
    pub(super) unanswered: AtomicUsize,
    /// The present request has a body that the application has not read to its end.
    pub(super) unread: AtomicBool,
    /// The connection speaks HTTP/1.1, as far as is known.
    pub(super) http11: AtomicBool,
    /// The connection speaks HTTP/2.
    pub(super) http2: AtomicBool,
}

/// An endless answer without its head.
pub(super) struct Answer {
    pub(super) chunks: Chunks,
    /// The client's place, when a trusted proxy holds the connection.
    pub(super) permit: Option<RequestPermit>,
}

impl Link {
    /// Leaves `answer` for the driver.
    pub(super) fn park(&self, answer: Answer) {
        put(&self.answer, answer);
    }

    /// The body has been asked for its first piece: the head is in hyper's buffer.
    pub(super) fn head_is_encoded(&self) {
        self.parked.store(true, Ordering::Relaxed);
    }

    /// The head is with the kernel.
    pub(super) fn is_ready(&self) -> bool {
        self.written.load(Ordering::Relaxed)
    }

    /// What was left behind, after hyper has been dropped.
    pub(super) fn take(&self) -> Option<(TcpStream, Permit, Answer)> {
        let (socket, permit) = take(&self.returned)?;
        Some((socket, permit, take(&self.answer)?))
    }

    /// Keeps `permit` as long as the socket: its request has become the connection's new protocol.
    pub(super) fn keep_across_upgrade(&self, permit: Option<RequestPermit>) {
        *self.upgraded.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }

    /// Ready when nothing waits for the client to read; an answer that asks before its next chunk never queues a stale one.
    pub(super) fn poll_unblocked(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.blocked.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        self.unblocked.register(cx.waker());
        Poll::Pending
    }

    fn note_write<T>(&self, outcome: &Poll<io::Result<T>>) {
        if outcome.is_pending() {
            self.blocked.store(true, Ordering::Relaxed);
        }
    }

    fn note_flush(&self, outcome: &Poll<io::Result<()>>) {
        self.note_write(outcome);
        if let Poll::Ready(Ok(())) = outcome {
            if self.parked.load(Ordering::Relaxed) {
                self.written.store(true, Ordering::Relaxed);
            }
            if self.blocked.swap(false, Ordering::Relaxed) {
                self.unblocked.wake();
            }
        }
    }
}

fn put<T>(cell: &Mutex<Option<T>>, value: T) {
    *cell.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
}

fn take<T>(cell: &Mutex<Option<T>>) -> Option<T> {
    cell.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Plain or TLS; one type, so that hyper is compiled once.
pub(super) enum Socket {
    /// TCP.
    Plain(TcpStream),
    /// TLS; boxed, for its size would be every connection's.
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection's socket as hyper borrows it, together with the connection's place among the limits: the place is given
/// back when the socket closes, also after a protocol upgrade.
pub(super) struct Lent {
    socket: Option<(Socket, Permit)>,
    link: Arc<Link>,
    /// How long the rest of an unread body is read at the end.
    unread: Duration,
    linger: Option<Linger>,
}

impl Lent {
    pub(super) fn new(socket: Socket, permit: Permit, link: Arc<Link>, unread: Duration) -> Self {
        Self {
            socket: Some((socket, permit)),
            link,
            unread,
            linger: None,
        }
    }

    fn socket<R>(&mut self, act: impl FnOnce(&mut Socket) -> R) -> R {
        // Only `Drop` takes the socket out.
        let (socket, _) = self.socket.as_mut().expect("the socket is lent");
        act(socket)
    }
}

impl fmt::Debug for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lent")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if !self.link.is_ready() {
            return;
        }
        if let Some((Socket::Plain(socket), permit)) = self.socket.take() {
            put(&self.link.returned, (socket, permit));
        }
    }
}

impl AsyncRead for Lent {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.socket(|socket| match socket {
            Socket::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Socket::Tls(socket) => Pin::new(socket).poll_read(cx, buf),
        })
    }
}

impl AsyncWrite for Lent {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = self.socket(|socket| match socket {
            Socket::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Socket::Tls(socket) => Pin::new(socket).poll_write(cx, buf),
        });
        self.link.note_write(&outcome);
        outcome
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
        let outcome = self.socket(|socket| match socket {
            Socket::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
            Socket::Tls(socket) => Pin::new(socket).poll_write_vectored(cx, bufs),
        });
        self.link.note_write(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        match &self.socket {
            Some((Socket::Plain(socket), _)) => socket.is_write_vectored(),
            Some((Socket::Tls(socket), _)) => socket.is_write_vectored(),
            None => false,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = self.socket(|socket| match socket {
            Socket::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Socket::Tls(socket) => Pin::new(socket).poll_flush(cx),
        });
        self.link.note_flush(&outcome);
        outcome
    }

    /// hyper's last call: the writing side ends, and if a request's body was never read, the client is heard out.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(self.socket(|socket| match socket {
                Socket::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
                Socket::Tls(socket) => Pin::new(socket).poll_shutdown(cx),
            }))?;
            if !self.link.unread.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let longest = self.unread;
        let mut linger = self.linger.take().unwrap_or_else(|| Linger::new(longest));
        let outcome = linger.poll(&mut *self, cx);
        self.linger = Some(linger);
        outcome.map(Ok)
    }
}
