//! Interval polling: one state for each request, and 304 while the client has it (RFC 9110, section
//! 13).
//!
//! Answers from the hub, never from the database: a poll costs a look-up and a shared rendering.

use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::Response;

use crate::live::channel::Newest;
use crate::negotiation::etag::{self, KnownPositions};

/// The answer to a client that has `known`. While the database is unreachable the answer is the
/// whole state without a tag. It may not be the newest, and a 304 could not say so.
pub(super) fn answer(newest: &Newest, known: Option<&KnownPositions>) -> Response {
    let position = newest.position();
    if newest.stale_since.is_none() && known.is_some_and(|known| known.has(&position)) {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        cached(&mut response);
        response
            .headers_mut()
            .insert(header::ETAG, etag::of(&position));
        return response;
    }
    whole(newest)
}

/// The answer with the whole state.
pub(super) fn whole(newest: &Newest) -> Response {
    let mut response = Response::new(newest.count.message.json_bytes().clone().into());
    cached(&mut response);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if newest.stale_since.is_none() {
        response
            .headers_mut()
            .insert(header::ETAG, etag::of(&newest.position()));
    }
    response
}

/// Caches may keep it but must ask each time.
fn cached(response: &mut Response) {
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
}
