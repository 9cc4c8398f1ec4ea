//! The kinds of response body.

use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http_body::{Frame, SizeHint};
use http_body_util::Full;

use super::handoff::Link;
use super::limits::RequestPermit;
use super::load::UnsentBytes;
use super::refusal::Unread;
use super::stall::Progress;
use crate::context::in_flight::InFlight;
use crate::transport::live::Chunks;

type BoxError = Box<dyn Error + Send + Sync>;

/// The most that hyper gets of a finite answer at once. What the client has not taken yet stays
/// here, where it is counted.
const PIECE: usize = 16 * 1024;

/// An answer of up to this many bytes goes to hyper in one frame: unread, it takes less memory than
/// the stream does.
const TINY: usize = 16;

/// A response's body. It counts as unanswered until it is dropped.
pub(super) struct Body<B> {
    kind: Kind<B>,
    /// HTTP/2: reports to the stream's task whether the client reads.
    progress: Option<Arc<Progress>>,
    _guards: RequestGuards,
}

/// What a request holds until its answer is complete or dropped.
pub(super) struct RequestGuards {
    _unanswered: Unanswered,
    stream: Option<OpenStream>,
    in_flight: Option<InFlight>,
    refusal: Option<Unread>,
    permit: Option<RequestPermit>,
}

impl RequestGuards {
    /// The guards of a request. `stream` counts it among the streams of its connection, `in_flight`
    /// among the requests of its address. `permit` is the client's, if a trusted proxy holds
    /// the connection or another stream has the connection's permit.
    pub(super) fn new(
        unanswered: Unanswered,
        stream: Option<OpenStream>,
        in_flight: Option<InFlight>,
        permit: Option<RequestPermit>,
    ) -> Self {
        Self {
            _unanswered: unanswered,
            stream,
            in_flight,
            refusal: None,
            permit,
        }
    }

    /// The permit of the refusal that answers the request.
    pub(super) fn of_refusal(mut self, refusal: Unread) -> Self {
        self.refusal = Some(refusal);
        self
    }

    /// The request's slot among those in flight.
    pub(super) fn in_flight(&self) -> Option<&InFlight> {
        self.in_flight.as_ref()
    }

    /// The answer is a stream. If the limits of streams count it, it is in flight no longer.
    pub(super) fn becomes_stream(&mut self) {
        if let (Some(_), Some(in_flight)) = (&self.stream, self.in_flight.take()) {
            in_flight.release();
        }
    }

    /// The client's permit, for the next holder of the socket.
    pub(super) fn take_permit(&mut self) -> Option<RequestPermit> {
        self.permit.take()
    }
}

pub(super) enum Kind<B> {
    /// A body of the application.
    Ordinary(Paced<B>),
    /// A body of the server.
    Own(Paced<Full<Bytes>>),
    /// An endless answer through hyper.
    Streaming(Streaming),
    /// An endless answer that leaves hyper once its head is written.
    Parked(Arc<Link>),
}

impl<B> Body<B> {
    pub(super) fn new(kind: Kind<B>, guards: RequestGuards) -> Self {
        Self {
            kind,
            progress: Progress::of_this_stream(),
            _guards: guards,
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
        let this = self.get_mut();
        if let Some(progress) = &this.progress {
            progress.asked();
        }
        let frame = match &mut this.kind {
            Kind::Ordinary(body) => body.poll_frame(cx, this.progress.is_some()),
            Kind::Own(body) => body.poll_frame(cx, this.progress.is_some()),
            Kind::Streaming(streaming) => streaming.poll_frame(cx),
            Kind::Parked(link) => {
                link.head_is_encoded();
                Poll::Pending
            }
        };
        if let (Some(progress), Poll::Ready(Some(Ok(_)))) = (&this.progress, &frame) {
            progress.given();
        }
        frame
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
    /// The request, and whether others of its connection are unanswered.
    pub(super) fn new(link: &Arc<Link>) -> (Self, bool) {
        link.requests.fetch_add(1, Ordering::Relaxed);
        let others = link.unanswered.fetch_add(1, Ordering::Relaxed) > 0;
        (Self(Arc::clone(link)), others)
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        self.0.unanswered.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts an answer that may stay open among the streams of its HTTP/2 connection.
pub(super) struct OpenStream(Arc<Link>);

impl OpenStream {
    /// The stream, and whether others are open on its connection already.
    pub(super) fn new(link: &Arc<Link>) -> (Self, bool) {
        let others = link.streams.fetch_add(1, Ordering::Relaxed) > 0;
        (Self(Arc::clone(link)), others)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A finite answer, given to hyper piece by piece.
///
/// hyper takes the next piece when it has room, so the rest of a large answer waits here. Pieces
/// are copies: a slice would keep the whole answer's memory while hyper holds the slice.
pub(super) struct Paced<B> {
    body: B,
    /// The part of the present frame that hyper has not taken.
    rest: Bytes,
    tiny: bool,
    _unsent: Option<UnsentBytes>,
}

impl<B> Paced<B> {
    pub(super) fn new(body: B, unsent: Option<UnsentBytes>) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            tiny: true,
            _unsent: unsent,
        }
    }
}

impl<B> Paced<B>
where
    B: http_body::Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        http2: bool,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                Some(Ok(frame)) => frame,
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(other) => return Poll::Ready(Some(Ok(other))),
            }
        }
        Poll::Ready(Some(Ok(Frame::data(self.piece(http2)))))
    }

    /// The next piece. In HTTP/2 the last byte of an answer is a piece of its own. hyper drops an
    /// answer with its last piece, as soon as the client has room for one byte of it. With a piece
    /// of one byte the client then had room for everything, and the stall deadline applies until
    /// then.
    fn piece(&mut self, http2: bool) -> Bytes {
        let left = self.rest.len();
        self.tiny &= left <= TINY;
        let length = if http2 && !self.tiny && left > 1 {
            left - 1
        } else {
            left
        };
        if length > PIECE {
            let piece = Bytes::copy_from_slice(&self.rest[..PIECE]);
            self.rest.advance(PIECE);
            return piece;
        }
        let piece = self.rest.split_to(length);
        if self.rest.len() == 1 {
            self.rest = Bytes::copy_from_slice(&self.rest);
        }
        piece
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + left);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + left);
        }
        hint
    }
}

/// Chunks as an ordinary body.
pub(super) struct Streaming {
    chunks: Chunks,
    /// HTTP/1: the connection is this answer's alone, so it waits while the client does not read
    /// and then sends the newest. HTTP/2 paces each stream by its own window, and hyper asks only
    /// when there is room.
    paced_by: Option<Arc<Link>>,
}

impl Streaming {
    pub(super) fn new(chunks: Chunks, paced_by: Option<Arc<Link>>) -> Self {
        Self { chunks, paced_by }
    }

    /// While the client reads nothing, the socket's guard has the deadline.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(link) = &self.paced_by {
            ready!(link.poll_unblocked(cx));
        }
        self.chunks
            .as_mut()
            .poll_next(cx)
            .map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk.data()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(length: usize, http2: bool) -> Vec<usize> {
        let whole: Bytes = (0..length)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        let mut paced = Paced::new(Full::new(whole.clone()), None);
        let mut read = Vec::new();
        let mut pieces = Vec::new();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        while !paced.is_end_stream() {
            assert_eq!(
                paced.size_hint().exact(),
                Some((length - read.len()) as u64)
            );
            let Poll::Ready(Some(Ok(frame))) = paced.poll_frame(&mut cx, http2) else {
                panic!("a full body is ready");
            };
            let data = frame.into_data().expect("data");
            read.extend_from_slice(&data);
            pieces.push(data.len());
        }
        assert_eq!(read, whole);
        pieces
    }

    #[test]
    fn an_answer_goes_in_pieces_and_http_2_gets_the_last_byte_alone() {
        assert_eq!(pieces(700, false), [700]);
        assert_eq!(pieces(PIECE + 5, false), [PIECE, 5]);
        assert_eq!(pieces(1, true), [1]);
        assert_eq!(pieces(TINY, true), [TINY]);
        assert_eq!(pieces(TINY + 1, true), [TINY, 1]);
        assert_eq!(pieces(700, true), [699, 1]);
        assert_eq!(pieces(2 * PIECE + 1, true), [PIECE, PIECE, 1]);
    }

    #[test]
    fn an_empty_answer_ends_at_once() {
        assert!(Paced::new(Full::<Bytes>::default(), None).is_end_stream());
    }
}
