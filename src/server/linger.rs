//! A refusal before the whole request has arrived.
//!
//! The application may answer before it has read a body. Closing the connection then resets it: a
//! client that is still sending gets a broken pipe and never sees the answer. So the writing side
//! is closed first, and what still comes is read and dropped for a while (RFC 9112, section 9.6).

use std::fmt;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::handoff::Link;

/// The most bytes that are read and dropped for one connection. A photograph that somebody chose by
/// mistake fits.
const MOST: usize = 16 * 1024 * 1024;
/// The size of the buffer, which is on the stack.
const PIECE: usize = 16 * 1024;

/// A request's body, which reports to the connection when it has been read to its end.
pub struct RequestBody {
    incoming: Incoming,
    /// Of a connection that can do nothing else before the body is over. HTTP/2 resets the one
    /// stream instead (RFC 9113, section 8.1).
    unread: Option<Arc<Link>>,
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.incoming.fmt(f)
    }
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, link: &Arc<Link>) -> Self {
        let waits = !incoming.is_end_stream() && !link.http2.load(Ordering::Relaxed);
        link.unread.store(waits, Ordering::Relaxed);
        Self {
            incoming,
            unread: waits.then(|| Arc::clone(link)),
        }
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.incoming).poll_frame(cx));
        if (frame.is_none() || this.incoming.is_end_stream())
            && let Some(link) = this.unread.take()
        {
            link.unread.store(false, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// Reads on until the client has closed its side, at most for a time and [`MOST`] bytes.
pub(super) struct Linger {
    over: Pin<Box<Sleep>>,
    left: usize,
}

impl Linger {
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            over: Box::pin(sleep(longest)),
            left: MOST,
        }
    }

    /// Ready when the connection is to be closed.
    pub(super) fn poll(
        &mut self,
        socket: &mut (impl AsyncRead + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if self.over.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut space = [MaybeUninit::uninit(); PIECE];
        loop {
            let mut piece = ReadBuf::uninit(&mut space);
            let read = ready!(Pin::new(&mut *socket).poll_read(cx, &mut piece));
            let length = piece.filled().len();
            self.left = self.left.saturating_sub(length);
            if read.is_err() || length == 0 || self.left == 0 {
                return Poll::Ready(());
            }
        }
    }
}
