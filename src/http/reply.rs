//! Builds answers: JSON, validators, problems.

use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::Response;

use crate::domain::position::Position;
use crate::negotiation::etag::{self, Tag, Tags};
use crate::problem::Problem;
use crate::wire::digits::hex;

/// The size of most documents, in bytes.
const TYPICAL: usize = 1024;

/// The number of header fields that most answers have, to allocate room for them at once.
const FIELDS: usize = 6;

/// The one place where a handler's problem becomes an answer.
pub(crate) fn answer(result: Result<Response, Problem>) -> Response {
    result.unwrap_or_else(Problem::into_response)
}

/// A JSON document. It is not cached unless a validator is added.
pub(crate) fn json(value: &impl Serialize) -> Response {
    json_bytes(text(value))
}

/// A document's text.
pub(crate) fn text(value: &impl Serialize) -> Bytes {
    let mut text = Vec::with_capacity(TYPICAL);
    // Plain structs of numbers and strings: serialising them to memory cannot fail.
    serde_json::to_writer(&mut text, value).expect("an answer is representable as JSON");
    text.into()
}

/// The same, of text that was rendered before.
pub(crate) fn json_bytes(text: Bytes) -> Response {
    let mut response = Response::new(text.into());
    response.headers_mut().reserve(FIELDS);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

/// Adds a strong validator, so that the answer may be cached and revalidated.
pub(crate) fn with_etag(mut response: Response, etag: HeaderValue) -> Response {
    response.headers_mut().insert(header::ETAG, etag);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A strong validator of bytes that have no position.
pub(crate) fn content_etag(bytes: &[u8]) -> HeaderValue {
    let digest = digest(bytes);
    // Hexadecimal digits in quotes.
    HeaderValue::try_from(format!("\"{digest}\"")).expect("a plain ETag")
}

/// Tells one content from another: 128 bits in hexadecimal digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..16])
}

/// `If-Match`: the positions one of which the event must stand at; `None` when any will do. Only
/// strong tags match (RFC 9110, section 13.1.1).
pub(crate) fn if_match(headers: &HeaderMap) -> Option<Vec<Position>> {
    match etag::tags(headers, header::IF_MATCH)? {
        Tags::Any => None,
        Tags::These(tags) => {
            let strong = tags.iter().filter(|tag| !tag.weak);
            Some(strong.filter_map(Tag::position).collect())
        }
    }
}

/// Whether `If-Match` names `etag`; strong comparison (RFC 9110, section 13.1.1).
pub(crate) fn strong_match(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    match etag::tags(headers, header::IF_MATCH) {
        None => false,
        Some(Tags::Any) => true,
        Some(Tags::These(tags)) => tags
            .iter()
            .any(|tag| !tag.weak && Some(tag.opaque) == opaque(etag)),
    }
}

/// Whether `If-None-Match` names `etag`, so that the answer is 304; weak comparison (RFC 9110,
/// section 13.1.2).
pub(crate) fn none_match(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    match etag::tags(headers, header::IF_NONE_MATCH) {
        None => false,
        Some(Tags::Any) => true,
        Some(Tags::These(tags)) => tags.iter().any(|tag| Some(tag.opaque) == opaque(etag)),
    }
}

/// The text between the quotes of a strong tag; this server has no weak ones.
fn opaque(etag: &HeaderValue) -> Option<&[u8]> {
    etag.as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// A JSON document with revalidation: 304 when the client has it.
pub(crate) fn conditional(headers: &HeaderMap, etag: HeaderValue, text: Bytes) -> Response {
    if none_match(headers, &etag) {
        with_etag(empty(StatusCode::NOT_MODIFIED), etag)
    } else {
        with_etag(json_bytes(text), etag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (header::IF_MATCH, value.parse().unwrap()))
            .chain(
                values
                    .iter()
                    .map(|value| (header::IF_NONE_MATCH, value.parse().unwrap())),
            )
            .collect()
    }

    fn expected(values: &[&str]) -> Option<Vec<String>> {
        if_match(&headers(values))
            .map(|positions| positions.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn if_match_is_a_list_of_strong_tags() {
        assert_eq!(if_match(&HeaderMap::new()), None);
        assert_eq!(expected(&["*"]), None);
        assert_eq!(expected(&["\"q7f2k9-1\""]), Some(vec!["q7f2k9-1".into()]));
        assert_eq!(
            expected(&[" \"q7f2k9-1\" ,\"x\",, \"q7f2k9-3\"", "\"abcdef-4\""]),
            Some(vec![
                "q7f2k9-1".into(),
                "q7f2k9-3".into(),
                "abcdef-4".into()
            ])
        );
        // Nothing that could match: refused, never ignored.
        for none in [
            "",
            "W/\"q7f2k9-1\"",
            "q7f2k9-1",
            "\"q7f2k9-1",
            "\"*\"",
            "W/*",
        ] {
            assert_eq!(expected(&[none]), Some(vec![]), "{none}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let etag = HeaderValue::from_static("\"q7f2k9-1\"");
        for same in ["\"q7f2k9-1\"", "W/\"q7f2k9-1\"", "\"a\", \"q7f2k9-1\"", "*"] {
            assert!(none_match(&headers(&[same]), &etag), "{same}");
        }
        assert!(!none_match(&headers(&["\"q7f2k9-2\""]), &etag));
        assert!(!none_match(&HeaderMap::new(), &etag));
    }
}
