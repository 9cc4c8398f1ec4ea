//! Values for the tests beside the pages.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use tower_service::Service as _;
use warp::filters::BoxedFilter;
use warp::http::header::HeaderName;
use warp::http::{HeaderMap, Method, Request};
use warp::reply::Response;

use super::visit::Visit;
use crate::context::Settings;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Capacity, Event, NewEvent, Slug};
use crate::domain::position::Position;

/// 97 of 100 at `q7f2k9-128`, with a title and a description that attack the page.
pub(super) fn event() -> Event {
    let position: Position = "q7f2k9-128".parse().unwrap();
    let new = NewEvent {
        description: "<img src=x onerror=alert(2)>".to_owned(),
        closes_at: Some(Timestamp::from_millis(1_795_251_600_123)),
        ..NewEvent::new(
            Slug::parse("spring-gala").unwrap(),
            "</title><script>alert(1)</script>\"'&",
            Capacity::limited(100).unwrap(),
        )
    };
    Event {
        id: 7,
        revision: position.revision,
        registered: 97,
        last_number: 98,
        ..new.open(position.epoch, Timestamp::from_millis(1_795_000_000_000))
    }
}

/// The choices of a server that was started without flags.
pub(crate) fn settings() -> Settings {
    Settings {
        heartbeat: Duration::from_secs(15),
        public_url: None,
        mail: None,
        webhooks: crate::outbox::webhook::Guard::default(),
        time_zone: crate::domain::zone::Zone::default(),
        admin_token: None,
        register_rate_per_ip: 0,
        lab: true,
        webtransport: None,
    }
}

/// A visit with these headers.
pub(super) fn visit(headers: &[(&'static str, &str)]) -> Visit {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    Visit::of_headers(&headers)
}

/// A form's own answer, at this query.
pub(super) fn answered(query: &str) -> Visit {
    let mut visit = visit(&[]);
    visit.head.method = Method::POST;
    query.clone_into(&mut visit.query);
    visit
}

/// The answer of `routes` to a request without a body.
pub(crate) async fn ask(
    routes: BoxedFilter<(Response,)>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> warp::http::Response<String> {
    let request = headers.iter().fold(
        Request::builder().method(method).uri(path),
        |request, (name, value)| request.header(*name, *value),
    );
    let response = warp::service(routes)
        .call(request.body(Full::<Bytes>::default()).unwrap())
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    warp::http::Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap())
}
