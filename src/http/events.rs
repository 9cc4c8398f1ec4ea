//! Events as everybody sees them.

use serde::Serialize;
use warp::reply::Response;

use super::details::Item;
use super::incoming::Incoming;
use super::reply;
use crate::context::Shared;
use crate::problem::Problem;

#[derive(Serialize)]
struct List {
    events: Vec<Item>,
}

/// `GET /api/v1/events`
pub(super) async fn list(context: Shared, incoming: Incoming) -> Result<Response, Problem> {
    let newest: Vec<_> = context
        .hub
        .channels()
        .iter()
        .map(|channel| channel.newest())
        .collect();
    let mut events = Vec::with_capacity(newest.len());
    for newest in &newest {
        events.push(Item::new(&context, &newest.event, newest.headcount()).await);
    }
    let list = List { events };
    if context.hub.is_stale() {
        // Nobody should keep what may be outdated (docs/protocol.md, section 13.2).
        return Ok(reply::json(&list));
    }
    // Plain structs of numbers and strings: serialising them to memory cannot fail.
    let text = serde_json::to_vec(&list).expect("a list is representable as JSON");
    let etag = reply::content_etag(&text);
    Ok(reply::conditional(&incoming.headers, etag, text.into()))
}
