//! Server-sent events (WHATWG HTML, section 9.2; docs/protocol.md, section 4).

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};

use futures_util::stream::Stream;
use warp::http::HeaderMap;
use warp::reply::Response;

use super::live::Live;
use super::request::Request;
use super::{headers, meter, refusal};
use crate::context::Shared;
use crate::live::channel::Channel;
use crate::live::permit::Permit;
use crate::live::presence::Transport;
use crate::live::subscription::{Item, Subscription};
use crate::wire::chunk::Chunk;
use crate::wire::message::Message;
use crate::wire::sse;

/// The media type; its charset is always UTF-8 (section 9.2.5).
pub const CONTENT_TYPE: &str = "text/event-stream";
/// How long a client waits before it reconnects after a cut, in milliseconds, drawn for each. Sent
/// at the beginning, because a crashed server cannot spread the reconnects.
pub const RETRY_MS: std::ops::Range<u64> = 1_000..3_000;

static HEARTBEAT: LazyLock<Chunk> = LazyLock::new(|| Chunk::new(sse::HEARTBEAT));

/// The endless answer, for as long as `permit` lasts.
pub(super) fn answer(
    context: Shared,
    channel: &Channel,
    request: &Request,
    permit: Option<Permit>,
) -> Response {
    if let Some(reason) = refusal::reason(request.head.admission) {
        return refuse(&refusal::bye(reason));
    }
    let after = request.last_event_id().and_then(Result::ok);
    let subscription = Subscription::open(
        channel,
        Transport::Sse,
        after.as_ref(),
        context.settings.heartbeat,
    )
    .with(permit);
    endless(Events {
        context,
        subscription,
        retry: Retry::new(),
    })
}

/// A response that goes on with `chunks`.
pub(super) fn endless(chunks: impl Stream<Item = Chunk> + Send + 'static) -> Response {
    let mut response = empty();
    response.extensions_mut().insert(Live::new(chunks));
    response
}

/// Sends a farewell at once, with status 200 and a clean end: a browser's `EventSource` gives up
/// for good on anything else.
pub(super) fn refuse(bye: &Message) -> Response {
    let mut response = empty();
    *response.body_mut() = bye.sse().data().into();
    response
}

fn empty() -> Response {
    let mut response = Response::default();
    let head: &mut HeaderMap = response.headers_mut();
    headers::unbuffered(head, CONTENT_TYPE);
    response
}

/// A stream's `retry` line, until it is sent. It belongs to the first block that has an event: some
/// clients report a block without data as an empty message.
#[derive(Debug)]
pub(super) struct Retry {
    pending: bool,
}

impl Retry {
    pub(super) fn new() -> Self {
        Self { pending: true }
    }

    /// `block`, with the `retry` as its first line if that was not sent yet.
    pub(super) fn before(&mut self, block: Chunk) -> Chunk {
        if !std::mem::take(&mut self.pending) {
            return block;
        }
        let mut bytes = sse::retry(rand::random_range(RETRY_MS)).into_bytes();
        bytes.extend_from_slice(&block.data());
        Chunk::new(&bytes)
    }
}

/// Holds only the subscription: an item is taken when the connection can write it. Written by hand,
/// because an `async` block would move the subscription in and out for each item.
struct Events {
    context: Shared,
    subscription: Subscription,
    retry: Retry,
}

impl Stream for Events {
    type Item = Chunk;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        let this = self.get_mut();
        let first = this.subscription.is_fresh();
        let Some(item) = ready!(this.subscription.poll_next(cx)) else {
            return Poll::Ready(None);
        };
        // The first count is as old as the event's last change.
        if !first && let Item::Message(message) = &item {
            meter::observe(Transport::Sse, &this.context.clock, message);
        }
        Poll::Ready(Some(render(item, &mut this.retry)))
    }
}

/// An item's block.
pub(super) fn render(item: Item, retry: &mut Retry) -> Chunk {
    match item {
        Item::Message(message) => retry.before(message.sse().clone()),
        Item::Heartbeat => HEARTBEAT.clone(),
        // A farewell has a `retry` of its own.
        Item::End { reason, retry_ms } => Item::bye(reason, retry_ms).sse().clone(),
    }
}
