//! NDJSON (a JSON document on each line), for `fetch()` and scripts (docs/protocol.md, section 4).

use std::sync::LazyLock;

use futures_util::stream::poll_fn;
use warp::reply::Response;

use super::request::Request;
use super::{headers, live, meter, refusal};
use crate::context::Shared;
use crate::live::channel::Channel;
use crate::live::permit::Permit;
use crate::live::presence::Transport;
use crate::live::subscription::{Item, Subscription};
use crate::wire::chunk::Chunk;
use crate::wire::ndjson;

/// The media type. It is always UTF-8 (RFC 8259, section 8.1).
pub const CONTENT_TYPE: &str = "application/x-ndjson";

static HEARTBEAT: LazyLock<Chunk> = LazyLock::new(|| Chunk::new(ndjson::HEARTBEAT));

/// The endless answer, for as long as `permit` lasts.
pub(super) fn answer(
    context: Shared,
    channel: &Channel,
    request: &Request,
    permit: Option<Permit>,
) -> Response {
    let mut response = Response::default();
    headers::unbuffered(response.headers_mut(), CONTENT_TYPE);
    if let Some(reason) = refusal::reason(request.head.admission) {
        *response.body_mut() = refusal::bye(reason).ndjson().data().into();
        return response;
    }
    let mut subscription = Subscription::open(
        channel,
        Transport::Ndjson,
        request.last_event_id().and_then(Result::ok).as_ref(),
        context.settings.heartbeat,
    )
    .with(permit);
    let lines = poll_fn(move |cx| {
        let first = subscription.is_fresh();
        subscription.poll_next(cx).map(|item| {
            let item = item?;
            // The first count is as old as the event's last change.
            if !first && let Item::Message(message) = &item {
                meter::observe(Transport::Ndjson, &context.clock, message);
            }
            Some(render(item))
        })
    });
    response.extensions_mut().insert(live::Live::new(lines));
    response
}

/// An item's line.
fn render(item: Item) -> Chunk {
    match item {
        Item::Message(message) => message.ndjson().clone(),
        Item::Heartbeat => HEARTBEAT.clone(),
        Item::End { reason, retry_ms } => Item::bye(reason, retry_ms).ndjson().clone(),
    }
}
