//! Refusals before any route. Each is rendered once: refusing must cost less than serving.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use http_body_util::Full;

use super::head;
use crate::problem::Problem;
use crate::transport::headers;

/// Too many requests are in flight, or too many answers wait to be read. Nothing was done.
pub(super) static REQUESTS: LazyLock<Refusal> =
    LazyLock::new(|| Refusal::new(Problem::requests_in_flight()));
/// The request was carried out, but its answer is not kept.
pub(super) static UNREAD: LazyLock<Refusal> =
    LazyLock::new(|| Refusal::new(Problem::unread_answers()));

/// A problem document with its head.
pub(super) struct Refusal {
    status: http::StatusCode,
    headers: HeaderMap,
    document: Bytes,
}

impl Refusal {
    fn new(problem: Problem) -> Self {
        let document = problem.document().to_string().into();
        let (mut parts, _) = problem.into_response().into_parts();
        headers::secure(&mut parts.headers);
        Self {
            status: parts.status,
            headers: parts.headers,
            document,
        }
    }

    pub(super) fn answer(&self, method: &Method) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.document.clone()));
        *response.status_mut() = self.status;
        response.headers_mut().clone_from(&self.headers);
        if *method == Method::HEAD {
            head::without_body(&mut response);
        }
        response
    }
}
