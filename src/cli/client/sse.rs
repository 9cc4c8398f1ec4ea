//! Server-sent events (WHATWG HTML, section 9.2; docs/protocol.md, section 4).

use std::convert::Infallible;
use std::time::Duration;

use futures_util::StreamExt as _;
use http::header::HeaderName;
use sse_stream::{Sse, SseStream};

use super::request::{self, Http};
use super::session::{Cut, Session};

/// The media type.
const EVENT_STREAM: &str = "text/event-stream";

pub(super) async fn run(session: &mut Session<'_>) -> Result<Infallible, Cut> {
    let mut http = Http::new(session.target, session.meter);
    let cursor = session.cursor();
    let headers: Vec<_> = cursor
        .iter()
        .map(|cursor| (HeaderName::from_static("last-event-id"), cursor.as_str()))
        .collect();
    let response = http
        .get(
            &session.target.path("/stream"),
            EVENT_STREAM,
            &headers,
            Duration::ZERO,
        )
        .await?;
    let response = request::expect(response, EVENT_STREAM).await?;
    session.connected()?;
    let mut blocks = SseStream::new(response.into_body());
    while let Some(block) = Session::alive(session.meter, blocks.next()).await? {
        let Sse {
            event, data, retry, ..
        } = block.map_err(|error| Cut::later(format!("the stream broke off: {error}")))?;
        // A block may consist of nothing else (section 9.2.6).
        if let Some(ms) = retry {
            session.retry = Some(Duration::from_millis(ms));
        }
        if let (Some(event), Some(data)) = (event, data) {
            session.message(&event, &data)?;
        }
    }
    Err(Cut::later("the stream has ended"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use sse_stream::SseByteStream;

    use super::*;

    /// The decoder is a library's: these tests check what this file relies on, with the contract's
    /// bytes.
    #[tokio::test]
    async fn reads_a_stream_that_comes_byte_by_byte() {
        let wire = ": hello\n\nretry: 1500\n\nevent: count\nid: q7f2k9-1\ndata: {\"a\":\ndata: \"ü\"}\n\n:\n\nretry: 900\nevent: bye\r\ndata: {}\r\n\r\n";
        for size in [1, 2, 3, 7, wire.len()] {
            let bytes = stream::iter(
                wire.as_bytes()
                    .chunks(size)
                    .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))),
            );
            let blocks: Vec<Sse> = SseByteStream::new(bytes)
                .map(Result::unwrap)
                .collect()
                .await;
            let read: Vec<_> = blocks
                .iter()
                .map(|block| (block.event.as_deref(), block.data.as_deref(), block.retry))
                .collect();
            assert_eq!(
                read,
                [
                    (None, None, Some(1500)),
                    (Some("count"), Some("{\"a\":\n\"ü\"}"), None),
                    (Some("bye"), Some("{}"), Some(900))
                ]
            );
        }
    }
}
