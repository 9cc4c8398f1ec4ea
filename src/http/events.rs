//! Events as everybody sees them.

use serde::Serialize;
use warp::reply::Response;

use super::incoming::Incoming;
use super::reply;
use crate::context::Shared;
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::headcount::Headcount;
use crate::problem::Problem;

/// An event: its count, and what it is about.
#[derive(Debug, Serialize)]
pub struct Item<'a> {
    #[serde(flatten)]
    count: Headcount,
    title: &'a str,
    description: &'a str,
    opens_at: Option<Timestamp>,
    closes_at: Option<Timestamp>,
    waitlist: bool,
}

impl<'a> Item<'a> {
    /// An event with its count.
    pub fn new(event: &'a Event, count: Headcount) -> Self {
        Self {
            count,
            title: &event.title,
            description: &event.description,
            opens_at: event.opens_at,
            closes_at: event.closes_at,
            waitlist: event.waitlist,
        }
    }
}

#[derive(Serialize)]
struct List<'a> {
    events: Vec<Item<'a>>,
}

/// `GET /api/v1/events`
pub(super) async fn list(context: Shared, incoming: Incoming) -> Result<Response, Problem> {
    let newest: Vec<_> = context
        .hub
        .channels()
        .iter()
        .map(|channel| channel.newest())
        .collect();
    let list = List {
        events: newest
            .iter()
            .map(|newest| Item::new(&newest.event, newest.headcount()))
            .collect(),
    };
    if context.hub.is_stale() {
        // Nobody should keep what may be outdated (docs/protocol.md, section 13.2).
        return Ok(reply::json(&list));
    }
    // Plain structs of numbers and strings: serialising them to memory cannot fail.
    let text = serde_json::to_vec(&list).expect("a list is representable as JSON");
    let etag = reply::content_etag(&text);
    Ok(reply::conditional(&incoming.headers, etag, text.into()))
}
