//! Compression of whole documents and assets (RFC 9110, section 8.4.1.3).
//!
//! Never used for streams, whose pushes must leave at once, nor for pages with a secret. An attacker
//! who puts text into such a page and sees its length could guess the secret (BREACH, CVE-2013-3587).

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use warp::http::{HeaderValue, header};
use warp::reply::Response;

/// The bytes as one gzip member (RFC 1952).
pub(super) fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail.
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("memory takes every byte")
        .into()
}

/// A response with a body that [`gzip`] made.
pub(super) fn response(compressed: Bytes) -> Response {
    let mut response = Response::new(compressed.into());
    response
        .headers_mut()
        .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}
