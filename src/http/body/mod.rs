//! Bodies: bounded in size and time, read only when a handler asks, JSON or a form.

use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, header};

use super::urlencoded::{self, Unreadable};
use crate::context::head::RequestHead;
use crate::problem::{Code, Problem};

/// The largest body of a visitor's request: the longest name and address fit, however they are
/// escaped.
pub const MAX: usize = 16 * 1024;
/// The largest body of somebody who registers for an event with questions: all answers of a usual
/// form, at their longest.
pub const ANSWERS_MAX: usize = 128 * 1024;
/// The largest body of an organiser's request: a description of 4,000 characters fits, each of up
/// to 12 bytes (`%F0%9F%8E%89`, `\ud83c\udf89`).
pub const ORGANISER_MAX: usize = 64 * 1024;
/// The largest form of the editor of questions: all that [`ORGANISER_MAX`] holds as JSON,
/// percent-encoded.
pub const QUESTIONS_MAX: usize = 4 * ORGANISER_MAX;
/// The largest file of people to import.
pub const IMPORT_MAX: usize = 2 * 1024 * 1024;
/// A slow uplink sends [`IMPORT_MAX`] in this time. Only an organiser may take it.
const IMPORT_DEADLINE: Duration = Duration::from_mins(1);
/// Any connection can send a body of that size in this time. A slower client keeps the connection
/// open on purpose.
const DEADLINE: Duration = Duration::from_secs(10);

/// A body that has not been read yet.
pub struct Unread(Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send>>);

/// Takes the body without reading it, so that a refusal by the head alone costs nothing.
pub fn body() -> BoxedFilter<(Unread,)> {
    let unread = warp::body::stream().map(|stream| {
        let chunks = futures_util::StreamExt::map(stream, |chunk: Result<_, warp::Error>| {
            chunk.map(|mut chunk: _| take(&mut chunk))
        });
        Unread(Box::pin(chunks))
    });
    unread.boxed()
}

/// A whole chunk; without a copy, because hyper's chunks are `Bytes`.
fn take(chunk: &mut impl bytes::Buf) -> Bytes {
    chunk.copy_to_bytes(chunk.remaining())
}

/// The media types that a call accepts for its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllowedMedia {
    /// `application/json`.
    Json,
    /// JSON or a form.
    JsonOrForm,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/json`.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// A body that was read.
#[derive(Debug, Clone)]
pub struct Content {
    /// How it is written.
    pub media: Media,
    bytes: Bytes,
}

impl Unread {
    /// Reads a body of at most [`MAX`] bytes, see [`Self::read_up_to`].
    pub async fn read(self, head: &RequestHead, allowed: AllowedMedia) -> Result<Content, Problem> {
        self.read_up_to(MAX, head, allowed).await
    }

    /// Reads a body of at most `most` bytes: 415 by the head alone, 413 as soon as it is known to
    /// be too large.
    pub async fn read_up_to(
        self,
        most: usize,
        head: &RequestHead,
        allowed: AllowedMedia,
    ) -> Result<Content, Problem> {
        let media = media(&head.headers, allowed)?;
        check_length(head, most)?;
        Ok(Content {
            media,
            bytes: self.collect_within(DEADLINE, most).await?,
        })
    }

    /// Reads an organiser's file of at most `most` bytes. Its `Content-Type` must have this
    /// essence.
    pub async fn read_file(
        self,
        most: usize,
        head: &RequestHead,
        essence: &'static str,
    ) -> Result<Bytes, Problem> {
        let said = uncoded(&head.headers)?;
        if !said.eq_ignore_ascii_case(essence) {
            return Err(unsupported(said, essence));
        }
        check_length(head, most)?;
        self.collect_within(IMPORT_DEADLINE, most).await
    }

    async fn collect_within(self, deadline: Duration, most: usize) -> Result<Bytes, Problem> {
        let late = |_| {
            Problem::new(
                Code::BadRequest,
                format!(
                    "the body took longer than {} seconds to arrive",
                    deadline.as_secs()
                ),
            )
        };
        timeout(deadline, self.collect(most)).await.map_err(late)?
    }

    async fn collect(mut self, most: usize) -> Result<Bytes, Problem> {
        let cut = |_| {
            Problem::new(
                Code::BadRequest,
                "the body ended early or broke the rules of its framing",
            )
        };
        let Some(first) = self.0.next().await.transpose().map_err(cut)? else {
            return Ok(Bytes::new());
        };
        if first.len() > most {
            return Err(too_large(most));
        }
        let Some(second) = self.0.next().await.transpose().map_err(cut)? else {
            return Ok(first);
        };
        let mut all = BytesMut::with_capacity(first.len() + second.len());
        all.extend_from_slice(&first);
        let mut next = Some(second);
        while let Some(chunk) = next {
            if all.len() + chunk.len() > most {
                return Err(too_large(most));
            }
            all.extend_from_slice(&chunk);
            next = self.0.next().await.transpose().map_err(cut)?;
        }
        Ok(all.freeze())
    }
}

impl Content {
    /// JSON, for tests.
    #[cfg(test)]
    pub(crate) fn json(text: String) -> Self {
        Self {
            media: Media::Json,
            bytes: text.into(),
        }
    }

    /// Reads the fields. The caller refuses a field of the wrong type, together with all other
    /// mistakes.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        match self.media {
            Media::Json => json(&self.bytes),
            Media::Form => form(&self.bytes),
        }
    }
}

/// A parameter such as `charset` changes nothing: JSON and forms are UTF-8 (RFC 8259, sections 8.1
/// and 11).
fn media(headers: &HeaderMap, allowed: AllowedMedia) -> Result<Media, Problem> {
    let essence = uncoded(headers)?;
    let structured = || {
        essence
            .get(essence.len().saturating_sub(5)..)
            .is_some_and(|end| end.eq_ignore_ascii_case("+json"))
    };
    if essence.eq_ignore_ascii_case("application/json") || structured() {
        return Ok(Media::Json);
    }
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && allowed == AllowedMedia::JsonOrForm
    {
        return Ok(Media::Form);
    }
    Err(unsupported(
        essence,
        match allowed {
            AllowedMedia::Json => "application/json",
            AllowedMedia::JsonOrForm => "application/json, application/x-www-form-urlencoded",
        },
    ))
}

/// 413 by the head alone.
fn check_length(head: &RequestHead, most: usize) -> Result<(), Problem> {
    let said: Option<u64> = head
        .header(header::CONTENT_LENGTH)
        .and_then(|length| length.parse().ok());
    match said {
        Some(said) if said > most as u64 => Err(too_large(most)),
        Some(_) | None => Ok(()),
    }
}

/// The essence of `Content-Type`; empty without one. Fails if the body is compressed.
fn uncoded(headers: &HeaderMap) -> Result<&str, Problem> {
    let coded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if coded {
        return Err(Problem::new(
            Code::UnsupportedMediaType,
            "compressed bodies are not taken",
        )
        .header(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("identity"),
        ));
    }
    let said = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    Ok(said.split(';').next().unwrap_or_default().trim())
}

/// 415 with the types that are accepted.
fn unsupported(essence: &str, list: &'static str) -> Problem {
    let said = if essence.is_empty() {
        "a body without Content-Type"
    } else {
        essence
    };
    // RFC 9110, section 15.5.16: `Accept` lists the accepted types.
    Problem::new(
        Code::UnsupportedMediaType,
        format!("{said} is not taken here; send {list}"),
    )
    .header(header::ACCEPT, HeaderValue::from_static(list))
}

fn too_large(most: usize) -> Problem {
    Problem::new(
        Code::BodyTooLarge,
        format!("the body is larger than {most} bytes"),
    )
}

fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    // RFC 8259, section 8.1: a byte order mark may be ignored.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    // serde would read a list field by field.
    let start = bytes
        .iter()
        .position(|b| !b.is_ascii_whitespace())
        .unwrap_or(0);
    if bytes.get(start).is_some_and(|b| *b == b'[') {
        return Err(Problem::new(
            Code::MalformedBody,
            format!("the JSON must be an object, not a list (byte {start})"),
        )
        .with("byte", json!(start)));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let before: usize = bytes
            .split_inclusive(|b| *b == b'\n')
            .take(line.saturating_sub(1))
            .map(<[u8]>::len)
            .sum();
        let byte = (before + column).min(bytes.len());
        Problem::new(
            Code::MalformedBody,
            format!("the JSON cannot be read: {error} (byte {byte})"),
        )
        .with("line", json!(line))
        .with("column", json!(column))
        .with("byte", json!(byte))
    })
}

fn form<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    urlencoded::read(bytes).map_err(|error| {
        let problem = Problem::new(
            Code::MalformedBody,
            format!("the form cannot be read: {error}"),
        );
        match error {
            Unreadable::NotUtf8(byte) => problem.with("byte", json!(byte)),
            Unreadable::Fields(_) => problem,
        }
    })
}

#[cfg(test)]
mod tests;
