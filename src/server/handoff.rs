//! An endless answer leaves hyper: hyper reads the request and writes the head, then the socket
//! goes to a [`Push`] that writes ready-made chunks. A watcher costs about 1 KiB instead of 20,
//! because hyper keeps two buffers and a large future for a request that never comes. With TLS it is
//! the state of the session more.
//!
//! How, without `unsafe` and without hyper's help; each step is one poll of the connection's task:
//!
//! 1. [`super::service`] answers with [`Parked`] as the body when the connection is HTTP/1.1
//!    and the request a GET without a body. It announces `Connection: close`: a pipelined second
//!    request will not be answered (RFC 9112, section 9.6).
//! 2. hyper encodes the head and polls the body, which notes `parked` and stays pending. hyper
//!    flushes. It calls `poll_flush` of the socket only when its own buffer is empty, so
//!    [`SocketGuard`] notes `written` there. Then the kernel has every byte of the head, and of the
//!    answers pipelined before it, also over TLS. A full socket only delays this step.
//! 3. [`super::connection`] sees [`Link::is_ready`] and drops the hyper connection. The drop of its
//!    `SocketGuard` leaves the socket in the link. What hyper had read beyond the request is
//!    dropped with its buffer.
//! 4. The same task continues as [`Push`], with the permit and the chunks.
//!
//! If hyper fails before step 3 (the client is gone), socket, permit and chunks are dropped with
//! the link. Everything else, HTTP/2, HTTP/1.0 and a GET with a body, keeps the ordinary body
//! ([`super::body::Streaming`]) with the same bytes after decoding.
//!
//! This relies on two behaviours of hyper 1: the order of head and body in step 2, and its flush.
//! The raw-byte tests in `tests/it/server` check both; `Config::handoff` turns the hand-off off.
//!
//! [`Push`]: super::push::Push
//! [`Parked`]: super::body::Kind::Parked
//! [`SocketGuard`]: super::socket::SocketGuard

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::limits::{ConnectionPermit, RequestPermit};
use super::stream::Stream;
use super::version::Claimed;
use crate::transport::live::Chunks;

/// What the socket, the answers and the driver of one connection share. All of them run in the
/// connection's one task, so no ordering is needed beyond that of the cells. HTTP/2 runs its
/// streams in tasks of their own, and uses the counters only.
#[derive(Default)]
pub(super) struct Link {
    parked: AtomicBool,
    written: AtomicBool,
    blocked: AtomicBool,
    unblocked: AtomicWaker,
    answer: Mutex<Option<Answer>>,
    returned: Mutex<Option<(Stream, ConnectionPermit)>>,
    upgraded: Mutex<Option<RequestPermit>>,
    claimed: Mutex<Claimed>,
    /// Requests that have reached the application, ever.
    pub(super) requests: AtomicUsize,
    /// Of those, the ones whose answer is not complete.
    pub(super) unanswered: AtomicUsize,
    /// Of those, the ones whose answer may stay open as long as the client does.
    pub(super) streams: AtomicUsize,
    /// Refusals that the client has not read.
    pub(super) refusals: AtomicUsize,
    /// Bytes of answers that the client has not taken.
    pub(super) unsent: Arc<AtomicUsize>,
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
    /// The client's permit, when a trusted proxy holds the connection.
    pub(super) permit: Option<RequestPermit>,
}

impl Link {
    /// Stores `answer` for the connection's task.
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

    /// Stores the socket for the connection's task.
    pub(super) fn put_back(&self, socket: Stream, permit: ConnectionPermit) {
        put(&self.returned, (socket, permit));
    }

    /// What was stored, after hyper has been dropped.
    pub(super) fn take(&self) -> Option<(Stream, ConnectionPermit, Answer)> {
        let (socket, permit) = take(&self.returned)?;
        Some((socket, permit, take(&self.answer)?))
    }

    /// Keeps `permit` as long as the socket: its request has become the connection's new protocol.
    pub(super) fn keep_across_upgrade(&self, permit: Option<RequestPermit>) {
        *self.upgraded.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }

    /// Notes the version that the first request line names.
    pub(super) fn claim(&self, claimed: Claimed) {
        *self.claimed.lock().unwrap_or_else(PoisonError::into_inner) = claimed;
    }

    /// The version that the first request line names.
    pub(super) fn claimed(&self) -> Claimed {
        *self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ready when nothing waits for the client to read. An answer that asks before its next chunk
    /// never queues a stale one.
    pub(super) fn poll_unblocked(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.blocked.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        self.unblocked.register(cx.waker());
        Poll::Pending
    }

    /// Notes how a write to the socket went.
    pub(super) fn note_write<T>(&self, outcome: &Poll<io::Result<T>>) {
        if outcome.is_pending() {
            self.blocked.store(true, Ordering::Relaxed);
        }
    }

    /// Notes how a flush of the socket went.
    pub(super) fn note_flush(&self, outcome: &Poll<io::Result<()>>) {
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
