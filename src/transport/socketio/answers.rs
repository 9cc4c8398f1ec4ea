//! The answers of the engine's HTTP half.

use bytes::Bytes;
use http_body_util::Full;
use warp::http::{HeaderValue, Response, StatusCode, header};

use crate::problem::Problem;
use crate::transport::headers;

/// A whole answer.
pub(super) type Answer = Response<Full<Bytes>>;

/// The headers of every answer.
pub(super) fn finish(mut answer: Answer) -> Answer {
    let head = answer.headers_mut();
    headers::secure(head);
    headers::open(head);
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

pub(super) fn text(body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    let plain = HeaderValue::from_static("text/plain; charset=UTF-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}

/// The engine's own errors: the code and the sentence of the reference server.
pub(super) type EngineError = (u8, &'static str);

pub(super) const UNKNOWN_TRANSPORT: EngineError = (0, "Transport unknown");
pub(super) const UNKNOWN_SESSION: EngineError = (1, "Session ID unknown");
pub(super) const BAD_METHOD: EngineError = (2, "Bad handshake method");
pub(super) const BAD_REQUEST: EngineError = (3, "Bad request");
pub(super) const UNKNOWN_VERSION: EngineError = (5, "Unsupported protocol version");

pub(super) fn refuse((code, message): EngineError) -> Answer {
    let document = format!("{{\"code\":{code},\"message\":\"{message}\"}}");
    let mut answer = Response::new(Full::from(document));
    *answer.status_mut() = StatusCode::BAD_REQUEST;
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(header::CONTENT_TYPE, json);
    answer
}

pub(super) fn problem_answer(problem: Problem) -> Answer {
    let document = problem.document().to_string();
    let (parts, _) = problem.into_response().into_parts();
    Response::from_parts(parts, Full::from(document))
}

/// 412 with its problem, or 304 without a body.
pub(super) fn unmet_answer(unmet: warp::reply::Response) -> Answer {
    let problem = unmet.extensions().get::<Problem>().cloned();
    problem.map_or_else(
        || Response::from_parts(unmet.into_parts().0, Full::default()),
        problem_answer,
    )
}

/// A client that sends headers of its own asks before it posts its packets.
pub(super) fn preflight() -> Answer {
    let (mut parts, _) = headers::preflight().into_parts();
    for (name, value) in [
        (header::ALLOW, "GET, POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"),
    ] {
        parts.headers.insert(name, HeaderValue::from_static(value));
    }
    Response::from_parts(parts, Full::default())
}
