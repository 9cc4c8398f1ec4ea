//! Events as everybody sees them.

use bytes::Bytes;
use serde::Serialize;
use warp::http::HeaderValue;
use warp::reply::Response;

use super::details::{Item, Reader};
use super::{rate, reply};
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::problem::Problem;

#[derive(Serialize)]
struct List {
    events: Vec<Item>,
}

/// `GET /api/v1/events`
pub(super) async fn list(context: Shared, head: RequestHead) -> Result<Response, Problem> {
    let reader = Reader::of(&context, &head, Permission::Read.everywhere()).await;
    let permit = rate::list(&context, head.peer.ip).await?;
    let (text, tag) = document(&context, reader).await;
    drop(permit);
    if context.hub.is_stale() {
        // No validator, because it may be out of date (docs/protocol.md, section 13).
        return Ok(reply::json_bytes(text));
    }
    Ok(reply::conditional(&head.headers, tag, text))
}

/// The events that `reader` may see, as JSON, and the document's entity tag.
pub(super) async fn document(context: &Context, reader: Reader) -> (Bytes, HeaderValue) {
    let channels = context.hub.channels();
    let mut events = Vec::with_capacity(channels.len());
    for newest in channels.iter().map(|channel| channel.newest()) {
        if reader == Reader::Anybody && !newest.event.is_listed() {
            continue;
        }
        events.push(Item::new(context, &newest.event, newest.headcount(), reader).await);
    }
    let text = reply::text(&List { events });
    let tag = reply::content_etag(&text);
    (text, tag)
}
