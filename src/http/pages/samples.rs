//! Values for the tests beside the pages.

use warp::http::HeaderMap;
use warp::http::header::HeaderName;

use super::visit::Visit;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Capacity, Event, NewEvent, Slug};
use crate::domain::position::Position;

/// 97 of 100 at `q7f2k9-128`, with a title and a description that attack the page.
pub(super) fn event() -> Event {
    let position: Position = "q7f2k9-128".parse().unwrap();
    let new = NewEvent {
        slug: Slug::parse("spring-gala").unwrap(),
        title: "</title><script>alert(1)</script>\"'&".to_owned(),
        description: "<img src=x onerror=alert(2)>".to_owned(),
        capacity: Capacity::limited(100).unwrap(),
        waitlist: false,
        opens_at: None,
        closes_at: Some(Timestamp::from_millis(1_795_251_600_123)),
    };
    Event { id: 7, revision: position.revision, registered: 97, last_number: 98, ..new.open(position.epoch, Timestamp::from_millis(1_795_000_000_000)) }
}

/// A visit with these headers.
pub(super) fn visit(headers: &[(&'static str, &str)]) -> Visit {
    let headers: HeaderMap = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
    Visit::of_headers(&headers)
}
