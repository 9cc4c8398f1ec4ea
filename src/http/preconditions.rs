//! Preconditions of every method (RFC 9110, section 13): a request that names an old state changes
//! nothing.
//!
//! Handlers that write check here after all other checks, and before they change anything (section
//! 13.2.1). Everything below an event, such as its reset, has the event's own position. Reading
//! changes nothing, so its answer is made first and compared afterwards, in one place for every
//! address.

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::Response;

use super::{read, reply};
use crate::domain::event::Event;
use crate::domain::position::Position;
use crate::negotiation::etag;
use crate::negotiation::prefer::PREFERENCE_APPLIED;
use crate::problem::Problem;

/// Whether a request has a precondition. Most have none and need no look-up.
pub(super) fn any(headers: &HeaderMap) -> bool {
    headers.contains_key(header::IF_MATCH) || headers.contains_key(header::IF_NONE_MATCH)
}

/// Fails unless one of these positions is the present one, or the request has no such precondition.
pub(super) fn require(headers: &HeaderMap, present: &[Position]) -> Result<(), Problem> {
    match expected(headers, present)? {
        Some(expected) if !present.iter().any(|position| expected.contains(position)) => {
            Err(Problem::precondition_failed())
        }
        Some(_) | None => Ok(()),
    }
}

/// The same for an event, whose command compares the positions once more under the event's lock.
pub(super) fn of_event(
    headers: &HeaderMap,
    event: &Event,
) -> Result<Option<Vec<Position>>, Problem> {
    expected(headers, &[event.position()])
}

/// The same for a resource without a position; it may have a tag.
pub(super) fn require_tag(headers: &HeaderMap, tag: Option<&HeaderValue>) -> Result<(), Problem> {
    if !matches(headers, tag) {
        return Err(Problem::precondition_failed());
    }
    let known = match tag {
        Some(tag) => reply::none_match(headers, tag),
        None => etag::knows_untagged(headers),
    };
    if known {
        Err(Problem::precondition_failed())
    } else {
        Ok(())
    }
}

/// `If-Match`, unless `If-None-Match` names the present state (section 13.2.2).
pub(super) fn expected(
    headers: &HeaderMap,
    present: &[Position],
) -> Result<Option<Vec<Position>>, Problem> {
    let known = present
        .iter()
        .any(|position| reply::none_match(headers, &etag::of(position)));
    if known {
        return Err(Problem::precondition_failed());
    }
    Ok(reply::if_match(headers))
}

/// Whether `If-Match` allows what stands at `tag`; a list of tags allows nothing without one.
fn matches(headers: &HeaderMap, tag: Option<&HeaderValue>) -> bool {
    match tag {
        Some(tag) if headers.contains_key(header::IF_MATCH) => reply::strong_match(headers, tag),
        Some(_) => true,
        None => etag::allows_untagged(headers),
    }
}

/// Reads of `routes` with a precondition: 412 instead of an answer whose tag `If-Match` does not
/// name, 304 instead of one that `If-None-Match` names. Requests without a precondition do not
/// match.
pub fn reads(routes: BoxedFilter<(Response,)>) -> BoxedFilter<(Response,)> {
    let conditional = warp::header::value("if-match")
        .or(warp::header::value("if-none-match"))
        .unify()
        .boxed();
    read()
        .and(conditional)
        .and(warp::header::headers_cloned())
        .and(routes)
        .map(|_, headers: HeaderMap, response: Response| answered(&headers, response))
        .boxed()
}

/// In the order of section 13.2.2. An error has no representation to compare with.
fn answered(headers: &HeaderMap, response: Response) -> Response {
    let status = response.status();
    let tag = response.headers().get(header::ETAG);
    let exists = status.is_success() || status == StatusCode::NOT_MODIFIED;
    if exists && !matches(headers, tag) {
        return Problem::precondition_failed().into_response();
    }
    let known = match tag {
        Some(tag) => reply::none_match(headers, tag),
        None => etag::knows_untagged(headers),
    };
    // The answer to a long poll that waited is the change: its client named the state before.
    let waited = response.headers().contains_key(PREFERENCE_APPLIED);
    if status.is_success() && known && !waited {
        not_modified(response)
    } else {
        response
    }
}

/// The same answer as a 304: headers for caches stay, headers about the body go (section 15.4.5).
fn not_modified(response: Response) -> Response {
    let (parts, _) = response.into_parts();
    let mut unchanged = reply::empty(StatusCode::NOT_MODIFIED);
    *unchanged.headers_mut() = parts.headers;
    for name in [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_DISPOSITION,
        header::CONTENT_LANGUAGE,
    ] {
        unchanged.headers_mut().remove(name);
    }
    unchanged
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRESENT: &str = "q7f2k9-7";

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_write_is_refused_unless_it_names_the_present_state() {
        let position: Position = PRESENT.parse().unwrap();
        let tag = etag::of(&position);
        for (name, value, holds) in [
            (header::IF_MATCH, "\"q7f2k9-7\"", true),
            (header::IF_MATCH, "*", true),
            (header::IF_MATCH, "\"x\", \"q7f2k9-7\"", true),
            (header::IF_MATCH, "\"q7f2k9-6\"", false),
            (header::IF_MATCH, "W/\"q7f2k9-7\"", false),
            (header::IF_MATCH, "nonsense", false),
            (header::IF_NONE_MATCH, "*", false),
            (header::IF_NONE_MATCH, "\"q7f2k9-7\"", false),
            (header::IF_NONE_MATCH, "W/\"q7f2k9-7\"", false),
            (header::IF_NONE_MATCH, "\"q7f2k9-6\"", true),
        ] {
            let headers = headers(name, value);
            assert_eq!(
                require(&headers, std::slice::from_ref(&position)).is_ok(),
                holds,
                "{value}"
            );
            assert_eq!(require_tag(&headers, Some(&tag)).is_ok(), holds, "{value}");
        }
        assert!(require(&HeaderMap::new(), &[position]).is_ok());
    }

    #[test]
    fn what_has_no_state_of_its_own_matches_only_anything() {
        for (name, value, holds) in [
            (header::IF_MATCH, "*", true),
            (header::IF_MATCH, "\"q7f2k9-7\"", false),
            (header::IF_NONE_MATCH, "*", false),
            (header::IF_NONE_MATCH, "\"q7f2k9-7\"", true),
        ] {
            assert_eq!(
                require_tag(&headers(name, value), None).is_ok(),
                holds,
                "{value}"
            );
        }
    }
}
