//! Refusals in the form of each transport (docs/protocol.md, section 13).

use std::time::Duration;

use warp::http::{HeaderMap, Method, StatusCode};
use warp::reply::Response;

use crate::context::Admission;
use crate::live::subscription::{Item, RETRY_MS};
use crate::negotiation::etag;
use crate::problem::{Code, Problem};
use crate::wire::message::{Message, Reason};

/// When a client over a limit reconnects, in milliseconds. Later than after a drain: the clients
/// that fill the limit stay connected.
const LIMIT_RETRY_MS: std::ops::Range<u64> = 3_000..9_000;

/// Why a stream must not begin; `None` if it may.
pub(super) fn reason(admission: Admission) -> Option<Reason> {
    match admission {
        Admission::Admitted => None,
        Admission::OverLimit => Some(Reason::Limit),
        Admission::Draining => Some(Reason::Drain),
    }
}

/// A farewell drawn for one client.
pub(super) fn bye(reason: Reason) -> Message {
    Item::bye(reason, retry_ms(reason))
}

/// When one client reconnects, in milliseconds, drawn for each.
pub(super) fn retry_ms(reason: Reason) -> u64 {
    match reason {
        Reason::Limit => rand::random_range(LIMIT_RETRY_MS),
        Reason::Drain | Reason::Deleted => rand::random_range(RETRY_MS),
    }
}

/// The 503 for a limit.
pub(super) fn busy(detail: &'static str) -> Problem {
    Problem::new(Code::Busy, detail).retry_after(Duration::from_millis(retry_ms(Reason::Limit)))
}

/// The answer to a request whose preconditions do not hold for an address without a tag; `None` if
/// they hold. For `GET` a false `If-None-Match` is 304, for other methods 412 (RFC 9110, section
/// 13.2.2). A handshake's answer would be 101, so RFC 9110 lets a server ignore them; here they mean
/// the same at every address.
pub(super) fn precondition(method: &Method, headers: &HeaderMap) -> Option<Response> {
    if !etag::allows_untagged(headers) {
        return Some(Problem::precondition_failed().into_response());
    }
    if !etag::knows_untagged(headers) {
        return None;
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Some(Problem::precondition_failed().into_response());
    }
    let mut unchanged = Response::default();
    *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
    Some(unchanged)
}

/// The refusal of a request that is not a stream. Only for a limit: during a drain such requests
/// are still answered.
pub(super) fn problem(admission: Admission) -> Option<Problem> {
    match admission {
        Admission::OverLimit => {
            let detail = "too many connections are open; nothing is wrong with the request, send \
                it again later";
            Some(busy(detail))
        }
        Admission::Admitted | Admission::Draining => None,
    }
}
