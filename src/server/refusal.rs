//! Refusals before any route. Each is rendered once, but for its trace id: a refusal must cost less
//! than an answer.

use std::error::Error;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use http_body_util::Full;

use super::handoff::Link;
use super::head;
use crate::problem::Problem;
use crate::trace::{self, Trace};
use crate::transport::headers;

/// Refusals of one HTTP/2 connection that its client may leave unread. A client that reads has fewer
/// at any moment, unless it sends that many requests at once.
const MAX_UNREAD: usize = 8;

/// Too many requests are in flight, or too many answers wait to be read. Nothing was done.
pub(super) static REQUESTS: LazyLock<Refusal> =
    LazyLock::new(|| Refusal::new(Problem::requests_in_flight()));
/// The request was carried out, but its answer is not kept.
pub(super) static UNREAD: LazyLock<Refusal> =
    LazyLock::new(|| Refusal::new(Problem::unread_answers()));

/// A refusal that its client has not read.
pub(super) struct Unread(Arc<Link>);

impl Unread {
    /// `None` when the connection has too many.
    pub(super) fn count(link: &Arc<Link>) -> Option<Self> {
        let unread = Self(Arc::clone(link));
        (link.refusals.fetch_add(1, Ordering::Relaxed) < MAX_UNREAD).then_some(unread)
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        self.0.refusals.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a request has no answer.
pub(super) enum NoAnswer<E> {
    /// The application failed.
    Application(E),
    /// The stream is reset with `REFUSED_STREAM`: nothing was done, and the client may send the
    /// request again (RFC 9113, section 8.7). It costs no memory, whether the client reads or not.
    Refused,
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<NoAnswer<E>> for Box<dyn Error + Send + Sync> {
    fn from(reason: NoAnswer<E>) -> Self {
        match reason {
            NoAnswer::Application(error) => error.into(),
            // hyper resets the stream with the reason of an error of h2.
            NoAnswer::Refused => h2::Error::from(h2::Reason::REFUSED_STREAM).into(),
        }
    }
}

/// A problem document with its head.
pub(super) struct Refusal {
    status: http::StatusCode,
    headers: HeaderMap,
    /// The document before and behind the digits of its trace.
    document: (String, String),
}

impl Refusal {
    fn new(problem: Problem) -> Self {
        let any = Trace::draw();
        let document = any.enter(|| problem.document().to_string());
        // The document of a request in a trace has the trace's id.
        let digits = any.id().to_string();
        let (before, behind) = document.split_once(&digits).expect("a trace id");
        let document = (before.to_owned(), behind.to_owned());
        let (mut parts, _) = problem.into_response().into_parts();
        headers::secure(&mut parts.headers);
        Self {
            status: parts.status,
            headers: parts.headers,
            document,
        }
    }

    pub(super) fn answer(&self, method: &Method) -> Response<Full<Bytes>> {
        // Every request that is answered here has a trace.
        let id = trace::id().unwrap_or_else(|| Trace::draw().id());
        let (before, behind) = &self.document;
        let document = format!("{before}{id}{behind}");
        let mut response = Response::new(Full::from(document));
        *response.status_mut() = self.status;
        response.headers_mut().clone_from(&self.headers);
        if *method == Method::HEAD {
            head::without_body(&mut response);
        }
        response
    }
}
