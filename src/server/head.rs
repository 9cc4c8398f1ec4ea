//! Checks a request's head before any route sees it, and brings it into one form for all routes.
//!
//! Routes see an origin-form target, whose path begins with one slash and spells letters as
//! letters, and at most one valid `Host`. An absolute-form target and HTTP/2's `:authority` become
//! that `Host` (RFC 9112, section 3.2.2; RFC 9113, section 8.3.1). So links are the same in
//! whichever form a client asks, and no target can lead a browser to another host.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::uri::{Parts, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body_util::Full;
use serde_json::{Map, Value, json};

use super::host::{is_host, is_unreserved};
use crate::problem::{CONTENT_TYPE as PROBLEM, Code, Problem, note_trace};
use crate::transport::headers;

/// The methods of all routes, for `OPTIONS *` and for CONNECT.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE, OPTIONS");

/// A request that no route sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rejected {
    /// 400, with the reason.
    Bad(&'static str),
    /// 405: this is no proxy.
    Connect,
    /// 505: the request line names another major version of HTTP.
    Version,
    /// 204 to `OPTIONS *`, which asks for the server as a whole (RFC 9110, section 9.3.7).
    Server,
}

/// Checks a request's head and brings it into the form that routes expect.
pub(super) fn normalise<B>(request: &mut Request<B>) -> Result<(), Rejected> {
    transfer_encoding(request.headers())?;
    let host = host(request)?;
    let target = target(request.method(), request.uri())?;
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host);
    }
    if let Some(target) = target {
        *request.uri_mut() = target;
    }
    Ok(())
}

/// Only `chunked` alone is understood (RFC 9112, section 6.1). The HTTP library checks the last
/// coding only, and would pass on a body that is still compressed.
fn transfer_encoding(headers: &HeaderMap) -> Result<(), Rejected> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let chunked = match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(one), None) => one.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    };
    if chunked {
        Ok(())
    } else {
        Err(Rejected::Bad(
            "the only Transfer-Encoding is a single chunked (RFC 9112, section 6.1)",
        ))
    }
}

/// The host that the request is for, where `Host` does not say it already.
fn host<B>(request: &Request<B>) -> Result<Option<HeaderValue>, Rejected> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (named, more) = (hosts.next(), hosts.next());
    let required = request.version() == Version::HTTP_11;
    // Servers could disagree on the host of such a request (RFC 9112, section 3.2).
    if more.is_some() || (required && named.is_none()) {
        return Err(Rejected::Bad(
            "the request must have exactly one Host field (RFC 9112, section 3.2)",
        ));
    }
    if named.is_some_and(|host| !is_host(host.as_bytes())) {
        return Err(Rejected::Bad(
            "Host must be a host name or an address of at most 255 characters, and maybe a port \
             (RFC 9110, section 7.2)",
        ));
    }
    let Some(authority) = request.uri().authority() else {
        return Ok(None);
    };
    if !is_host(authority.as_str().as_bytes()) {
        return Err(Rejected::Bad(
            "the target must name a host of at most 255 characters, without a user",
        ));
    }
    // RFC 9113, section 8.3.1. In HTTP/1.1 the target wins (RFC 9112, section 3.2.2).
    let contradicts = |host: &HeaderValue| {
        !host
            .as_bytes()
            .eq_ignore_ascii_case(authority.as_str().as_bytes())
    };
    if request.version() == Version::HTTP_2 && named.is_some_and(contradicts) {
        return Err(Rejected::Bad("Host and :authority must be the same"));
    }
    Ok(HeaderValue::from_str(authority.as_str()).ok())
}

/// The target in origin-form; `None` when it is already.
fn target(method: &Method, uri: &Uri) -> Result<Option<Uri>, Rejected> {
    if *method == Method::CONNECT {
        return Err(Rejected::Connect);
    }
    let path = uri.path();
    if path == "*" {
        return Err(if *method == Method::OPTIONS {
            Rejected::Server
        } else {
            Rejected::Bad("only OPTIONS has the target * (RFC 9112, section 3.2.4)")
        });
    }
    if !path.starts_with('/') {
        return Err(Rejected::Bad(
            "the target must be a path that begins with a slash (RFC 9112, section 3.2)",
        ));
    }
    if !matches!(uri.scheme_str(), None | Some("http" | "https")) {
        return Err(Rejected::Bad("the target's scheme must be http or https"));
    }
    // Browsers read `//host` and `/\host` as another host, if they come back in a `Location`.
    if path.starts_with("//") || path.contains('\\') {
        return Err(Rejected::Bad(
            "the path must begin with one slash and have no backslash (RFC 3986, section 3.3)",
        ));
    }
    let plain = decode_unreserved(path);
    if uri.scheme().is_none() && uri.authority().is_none() && matches!(plain, Cow::Borrowed(_)) {
        return Ok(None);
    }
    let text = match uri.query() {
        Some(query) => format!("{plain}?{query}"),
        None => plain.into_owned(),
    };
    let origin = PathAndQuery::try_from(text).map(|path| {
        let mut parts = Parts::default();
        parts.path_and_query = Some(path);
        Uri::from_parts(parts)
    });
    match origin {
        Ok(Ok(uri)) => Ok(Some(uri)),
        Ok(Err(_)) | Err(_) => Err(Rejected::Bad("the target is no URI (RFC 3986)")),
    }
}

/// Spells letters, digits and `-._~` as themselves: `%65` is `e` (RFC 3986, section 6.2.2.2).
fn decode_unreserved(path: &str) -> Cow<'_, str> {
    let mut decoded = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let byte = rest
            .get(at + 1..at + 3)
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .filter(|byte| is_unreserved(*byte));
        decoded.push_str(&rest[..at]);
        if let Some(byte) = byte {
            decoded.push(char::from(byte));
            rest = &rest[at + 3..];
        } else {
            decoded.push('%');
            rest = &rest[at + 1..];
        }
    }
    if decoded.len() + rest.len() == path.len() {
        return Cow::Borrowed(path);
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The answer to such a request.
pub(super) fn answer(rejected: Rejected, method: &Method) -> Response<Full<Bytes>> {
    let (mut response, closes) = match rejected {
        Rejected::Bad(detail) => (problem(Problem::new(Code::BadRequest, detail)), true),
        Rejected::Connect => {
            let refusal = Problem::new(Code::MethodNotAllowed, "this server is no proxy");
            (problem(refusal.header(ALLOW, METHODS)), true)
        }
        Rejected::Version => (version_not_supported(), true),
        Rejected::Server => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NO_CONTENT;
            response.headers_mut().insert(ALLOW, METHODS);
            (response, false)
        }
    };
    if closes {
        // A proxy may have seen the end of such a request elsewhere.
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    headers::secure(response.headers_mut());
    if *method == Method::HEAD {
        without_body(&mut response);
    }
    response
}

/// A problem as a body of the server's own.
pub(super) fn problem(problem: Problem) -> Response<Full<Bytes>> {
    let document = problem.document().to_string();
    let (parts, _) = problem.into_response().into_parts();
    Response::from_parts(parts, Full::from(document))
}

/// HTTP/2 would send the body of an answer to HEAD (RFC 9110, section 9.3.2).
pub(super) fn without_body(response: &mut Response<Full<Bytes>>) {
    use http_body::Body as _;
    if let Some(length) = response
        .body()
        .size_hint()
        .exact()
        .filter(|length| *length > 0)
    {
        let length = HeaderValue::from(length);
        response.headers_mut().insert(CONTENT_LENGTH, length);
    }
    *response.body_mut() = Full::default();
}

/// A problem without a code: the status is enough (RFC 9457, section 4.2.1).
fn version_not_supported() -> Response<Full<Bytes>> {
    let status = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
    let mut document = Map::new();
    document.insert("type".into(), json!("about:blank"));
    document.insert("title".into(), json!(status.canonical_reason()));
    document.insert("status".into(), json!(status.as_u16()));
    let detail = "this connection speaks HTTP/1.1 and HTTP/1.0";
    document.insert("detail".into(), json!(detail));
    note_trace(&mut document);
    let document = Value::Object(document);
    let mut response = Response::new(Full::from(document.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, target: &str, version: Version, host: &str) -> Request<()> {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .version(version);
        request.header(HOST, host).body(()).unwrap()
    }

    #[test]
    fn every_form_of_a_target_becomes_the_same_request() {
        for (target, version, host) in [
            ("/e/welcome?lang=en", Version::HTTP_11, "example.org"),
            ("/%65/w%65lcome?lang=en", Version::HTTP_11, "example.org"),
            (
                "http://example.org/e/welcome?lang=en",
                Version::HTTP_11,
                "other.example",
            ),
            (
                "https://example.org/e/welcome?lang=en",
                Version::HTTP_2,
                "EXAMPLE.ORG",
            ),
        ] {
            let mut request = request("GET", target, version, host);
            assert_eq!(normalise(&mut request), Ok(()), "{target}");
            assert_eq!(request.uri(), "/e/welcome?lang=en", "{target}");
            assert_eq!(request.headers()[HOST], "example.org", "{target}");
        }
    }

    #[test]
    fn only_letters_that_need_no_code_are_decoded() {
        for (path, plain) in [
            ("/e/%77elcome", "/e/welcome"),
            ("/%7Ea%2d%5f%2E", "/~a-_."),
            ("/a%2fb%20%c3%a9%25", "/a%2fb%20%c3%a9%25"),
            ("/%5Cevil", "/%5Cevil"),
            ("/%", "/%"),
            ("/%6", "/%6"),
            ("/%+1%é1", "/%+1%é1"),
            ("/%2%65", "/%2e"),
        ] {
            assert_eq!(decode_unreserved(path), plain);
        }
    }

    #[test]
    fn a_target_that_is_no_path_of_this_host_is_rejected() {
        for (method, target, status) in [
            ("GET", "abc", 400),
            ("HEAD", "localhost", 400),
            ("GET", "a:1", 400),
            ("CONNECT", "a:1", 405),
            ("OPTIONS", "*", 204),
            ("GET", "*", 400),
            ("GET", "//evil.example", 400),
            ("GET", "/\\evil.example", 400),
            ("GET", "/e\\..\\x", 400),
            ("GET", "ftp://example.org/x", 400),
            ("GET", "http://u@example.org/x", 400),
            ("GET", "http://example.org//evil", 400),
            ("GET", "http://a%0d%0ab/x", 400),
            ("GET", "http://a%2fb/x", 400),
            ("GET", "http://a..b/x", 400),
            ("GET", "http://../x", 400),
        ] {
            let Ok(uri) = target.parse::<Uri>() else {
                // hyper has answered 400 already.
                continue;
            };
            let mut request = request("GET", "/", Version::HTTP_11, "example.org");
            *request.method_mut() = method.parse().unwrap();
            *request.uri_mut() = uri;
            let rejected = normalise(&mut request).unwrap_err();
            let answer = answer(rejected, request.method());
            assert_eq!(answer.status(), status, "{method} {target}");
        }
    }

    #[test]
    fn a_transfer_encoding_is_a_single_chunked() {
        for (codings, accepted) in [
            (&["chunked"][..], true),
            (&["Chunked"], true),
            (&[], true),
            (&["gzip, chunked"], false),
            (&["gzip", "chunked"], false),
            (&["chunked", "chunked"], false),
            (&["identity"], false),
            (&[""], false),
        ] {
            let mut request = request("POST", "/", Version::HTTP_11, "example.org");
            for coding in codings {
                request
                    .headers_mut()
                    .append(TRANSFER_ENCODING, HeaderValue::from_static(coding));
            }
            assert_eq!(normalise(&mut request).is_ok(), accepted, "{codings:?}");
        }
    }

    #[test]
    fn in_http_2_host_must_not_contradict_the_authority() {
        let mut contradicting = request("GET", "https://a.example/", Version::HTTP_2, "b.example");
        assert!(normalise(&mut contradicting).is_err());
    }
}
