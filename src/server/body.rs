//! The kinds of response body.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::Full;
use tokio::time::{Sleep, sleep};

use super::handoff::Link;
use super::limits::RequestPermit;
use super::meters::{Expired, expired};
use crate::transport::live::Chunks;

type BoxError = Box<dyn Error + Send + Sync>;

/// A response's body, which counts as unanswered until it is dropped.
pub(super) struct Body<B> {
    kind: Kind<B>,
    _unanswered: Unanswered,
    /// The client's place, when a trusted proxy holds the connection.
    _permit: Option<RequestPermit>,
}

pub(super) enum Kind<B> {
    /// The application's own.
    Ordinary(B),
    /// The server's.
    Own(Full<Bytes>),
    /// An endless answer through hyper.
    Streaming(Streaming),
    /// An endless answer that leaves hyper once its head is written.
    Parked(Arc<Link>),
}

impl<B> Body<B> {
    pub(super) fn new(
        kind: Kind<B>,
        unanswered: Unanswered,
        permit: Option<RequestPermit>,
    ) -> Self {
        Self {
            kind,
            _unanswered: unanswered,
            _permit: permit,
        }
    }
}

impl<B> http_body::Body for Body<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().kind {
            Kind::Ordinary(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Kind::Own(body) => Pin::new(body)
                .poll_frame(cx)
                .map_err(|never| match never {}),
            Kind::Streaming(streaming) => streaming.poll_frame(cx),
            Kind::Parked(link) => {
                link.head_is_encoded();
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Ordinary(body) => body.is_end_stream(),
            Kind::Own(body) => body.is_end_stream(),
            Kind::Streaming(_) | Kind::Parked(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Ordinary(body) => body.size_hint(),
            Kind::Own(body) => body.size_hint(),
            Kind::Streaming(_) | Kind::Parked(_) => SizeHint::default(),
        }
    }
}

/// Counts a request until its answer is complete or dropped.
pub(super) struct Unanswered(Arc<Link>);

impl Unanswered {
    pub(super) fn new(link: &Arc<Link>) -> Self {
        link.requests.fetch_add(1, Ordering::Relaxed);
        link.unanswered.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(link))
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.unanswered.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Chunks as an ordinary body.
pub(super) struct Streaming {
    chunks: Chunks,
    /// HTTP/1: the connection is this answer's alone, so it waits while the client does not read and then sends the newest. HTTP/2
    /// paces each stream by its own window, and hyper asks only when there is room.
    paced_by: Option<Arc<Link>>,
    stall: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Streaming {
    pub(super) fn new(chunks: Chunks, paced_by: Option<Arc<Link>>, stall: Duration) -> Self {
        Self {
            chunks,
            paced_by,
            stall,
            timer: None,
        }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self
            .paced_by
            .as_ref()
            .is_some_and(|link| link.poll_unblocked(cx).is_pending())
        {
            let stall = self.stall;
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(stall)));
            return timer.as_mut().poll(cx).map(|()| {
                expired(Expired::Stall);
                Some(Err("the client has stopped reading".into()))
            });
        }
        self.timer = None;
        self.chunks
            .as_mut()
            .poll_next(cx)
            .map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk.data()))))
    }
}
