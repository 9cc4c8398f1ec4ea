//! The owner of a handed-off socket: writes shared bytes, and notices when the client closes.
//!
//! ```text
//! Writing ──(chunks ended: last chunk written, FIN sent)──▶ Lingering ──▶ closed
//!    └─(client closed or half-closed, sends too much, stalled, I/O error)──▶ closed
//! ```
//!
//! The next chunk is requested only when the kernel has the whole one before. So nothing queues
//! here, no frame is torn, and a stream that conflates yields its newest value after a stall.

use std::future::Future;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::connection::Server;
use super::handoff::Answer;
use super::limits::{ConnectionPermit, RequestPermit};
use super::meters::{Expired, expired};
use super::stream::Stream;
use crate::transport::live::Chunks;
use crate::wire::chunk::LAST_CHUNK;

/// How many bytes a client may send after its request before it is cut. It received `Connection:
/// close`, so it should send no further request.
const MAX_RECEIVED: usize = 64 * 1024;

/// Writes one endless answer to its end. The fields that a delivery reads stand together.
#[repr(C)]
pub(super) struct Push {
    socket: Stream,
    /// None once they have ended.
    chunks: Option<Chunks>,
    /// What the kernel has not taken of the present chunk.
    rest: Bytes,
    /// Exists only while something is late, so that an idle watcher has no timer.
    timer: Option<Pin<Box<Sleep>>>,
    lingering: bool,
    /// A write is pending.
    is_late: bool,
    received: usize,
    server: Arc<Server>,
    // After the socket: its permit is free when it is closed.
    _permit: ConnectionPermit,
    _request_permit: Option<RequestPermit>,
}

impl Push {
    pub(super) fn new(
        socket: Stream,
        permit: ConnectionPermit,
        answer: Answer,
        server: Arc<Server>,
    ) -> Self {
        server.meters.handed_off();
        Self {
            socket,
            chunks: Some(answer.chunks),
            rest: Bytes::new(),
            received: 0,
            lingering: false,
            is_late: false,
            timer: None,
            server,
            _permit: permit,
            _request_permit: answer.permit,
        }
    }

    /// Ready when the client has closed or has sent too much. A half-close counts as closing too,
    /// as in hyper. A client that waits for an endless answer has no reason for one, and a dead
    /// proxy looks the same.
    fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [MaybeUninit::uninit(); 512];
        loop {
            let mut received = ReadBuf::uninit(&mut space);
            match Pin::new(&mut self.socket).poll_read(cx, &mut received) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(()))
                    if !received.filled().is_empty() && self.received < MAX_RECEIVED =>
                {
                    self.received += received.filled().len();
                }
                Poll::Ready(_) => return Poll::Ready(()),
            }
        }
    }

    /// Ready when the kernel has `rest`, or with an error when the client is gone or takes nothing.
    fn poll_write_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        match self.poll_write_out(cx) {
            Poll::Ready(Ok(())) => {
                self.timer = None;
                if std::mem::take(&mut self.is_late) {
                    self.socket.watch_progress(false);
                }
                // An update's allocation must not live as long as its slowest idle watcher.
                self.rest = Bytes::new();
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(_)) => Poll::Ready(Err(())),
            Poll::Pending => {
                if !std::mem::replace(&mut self.is_late, true) {
                    self.socket.watch_progress(true);
                }
                let stall = self.server.config.deadlines.stall;
                let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(stall)));
                ready!(timer.as_mut().poll(cx));
                expired(Expired::Stall);
                self.socket.abandon();
                Poll::Ready(Err(()))
            }
        }
    }

    /// Each step that the client takes begins the stall deadline anew.
    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.socket).poll_write(cx, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.advance(written);
            self.timer = None;
        }
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    /// The next bytes to write; none at the end.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let Some(chunks) = &mut self.chunks else {
            return Poll::Ready(None);
        };
        chunks.as_mut().poll_next(cx).map(|chunk| {
            Some(chunk.map_or_else(
                || {
                    // Frees what the application keeps for this watcher now, before the linger.
                    self.chunks = None;
                    Bytes::from_static(LAST_CHUNK)
                },
                |chunk| chunk.framed().clone(),
            ))
        })
    }
}

impl Future for Push {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.poll_closed(cx).is_ready() {
            return Poll::Ready(());
        }
        while !this.lingering {
            match this.poll_write_rest(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(())) => return Poll::Ready(()),
                Poll::Ready(Ok(())) => {}
            }
            match this.poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(bytes)) => this.rest = bytes,
                Poll::Ready(None) => {
                    // Closing at once could reset the connection and destroy what the client has not
                    // read yet (RFC 9112, section 9.6).
                    this.lingering = true;
                    this.timer = Some(Box::pin(sleep(this.server.config.deadlines.linger)));
                }
            }
        }
        // TLS's farewell and FIN. Nothing waits for them: the timer is running.
        let _ = Pin::new(&mut this.socket).poll_shutdown(cx);
        match &mut this.timer {
            Some(timer) => timer.as_mut().poll(cx),
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Push {
    fn drop(&mut self) {
        if self.is_late {
            self.socket.watch_progress(false);
        }
        self.server.meters.push_ended();
    }
}
