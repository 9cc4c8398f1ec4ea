//! Headers that several answers share: security, reading by any origin, unbuffered streams.

use warp::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use warp::reply::Response;

/// What a page of another origin may read of an answer besides the safelisted headers (Fetch,
/// section 3.2).
pub const EXPOSED: &str = "ETag, Retry-After, Preference-Applied, Location";
/// What a page of another origin may send. Not `Content-Type`: a preflight that allows it also
/// allows a JSON `POST`, whose method needs no permission (Fetch, section 3.2.2). Writing across
/// origins is not allowed.
pub const ALLOWED: &str = "Prefer, If-None-Match, Last-Event-ID, Cache-Control";
/// How long a browser may remember the answer to a preflight; Chromium caps it at two hours.
const PREFLIGHT_MAX_AGE_S: u32 = 7_200;
/// Tells nginx, and proxies that copied it, not to buffer this answer.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// For answers that are not pages: nothing in them may be loaded, run or framed.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Adds the security headers that every answer carries; those that the handler has set stay.
pub fn secure(headers: &mut HeaderMap) {
    let mut default = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Private links must not leak. Not `no-referrer`: it makes browsers send `Origin: null` with
    // the site's own forms.
    default(header::REFERRER_POLICY, "same-origin");
    default(header::CONTENT_SECURITY_POLICY, POLICY);
}

/// Opens an answer to readers of any origin, without credentials.
pub fn open(headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
}

/// The answer to a preflight for reading (Fetch, section 3.2.3).
pub fn preflight() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    open(headers);
    headers.insert(
        header::ALLOW,
        HeaderValue::from_static("GET, HEAD, OPTIONS"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, OPTIONS"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(ALLOWED),
    );
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from(PREFLIGHT_MAX_AGE_S),
    );
    response
}

/// Marks an endless answer of `content_type`: never stored, never compressed (`no-transform`, RFC
/// 9111, section 5.2.2.6), never held back.
pub fn unbuffered(headers: &mut HeaderMap, content_type: &'static str) {
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-transform"),
    );
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
}
