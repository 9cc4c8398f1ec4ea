//! Headers that every answer gets, from any handler.

use http_body::Body as _;
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use warp::path::FullPath;
use warp::reply::Response;

use super::urls;
use crate::transport;
use crate::transport::live::Live;

/// Completes an answer: security headers, caching, CORS, HEAD. Headers that the handler has set stay.
/// To a request with credentials it adds `private`, unless the handler chose `public`, `private` or
/// `no-store`.
pub fn finish(
    method: &Method,
    path: &FullPath,
    has_credentials: bool,
    mut response: Response,
) -> Response {
    let headers = response.headers_mut();
    transport::headers::secure(headers);
    if has_credentials {
        keep_private(headers);
    }
    let reads = *method == Method::GET || *method == Method::HEAD;
    if reads && urls::find(path.as_str()).is_some_and(|url| url.open) {
        transport::headers::open(headers);
    }
    if *method == Method::HEAD {
        headless(response)
    } else {
        response
    }
}

/// An organiser's answer may show a draft, or an address that others must not see (RFC 9111, section
/// 5.2.2.7). Assets are the same for everybody.
fn keep_private(headers: &mut HeaderMap) {
    let given = headers.get(header::CACHE_CONTROL);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let decided = |directive: &str| matches!(directive.trim(), "public" | "private" | "no-store");
    if given.split(',').any(decided) {
        return;
    }
    let private = if given.is_empty() {
        HeaderValue::from_static("private")
    } else {
        // The handler's directives are a header value already.
        HeaderValue::try_from(format!("private, {given}")).expect("a list of directives")
    };
    headers.insert(header::CACHE_CONTROL, private);
}

/// The same answer without its body, with the length it would have (RFC 9110, section 9.3.2). hyper
/// would send the body over HTTP/2.
fn headless(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let endless = parts.extensions.remove::<Live>().is_some();
    // 204 and 304 have no length of their own (RFC 9110, section 8.6).
    let empty = parts.status == StatusCode::NO_CONTENT || parts.status == StatusCode::NOT_MODIFIED;
    if let Some(length) = body.size_hint().exact()
        && !endless
        && !empty
    {
        parts
            .headers
            .entry(header::CONTENT_LENGTH)
            .or_insert(HeaderValue::from(length));
    }
    Response::from_parts(parts, Response::default().into_body())
}
