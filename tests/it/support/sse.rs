//! Reads server-sent events as the standard says (WHATWG HTML, section 9.2.6), and hides nothing.

use serde_json::Value;

use super::app::App;
use super::wire::Wire;

/// One event.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: String,
    pub(crate) retry: Option<u64>,
    /// Nothing but a comment.
    pub(crate) comment: bool,
}

impl Event {
    /// The data as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data)
            .unwrap_or_else(|error| panic!("no JSON ({error}) in {self:?}"))
    }

    /// Reads one block, without or with the empty line that ends it.
    pub(crate) fn parse(block: &str) -> Self {
        let (mut event, mut data) = (Self::default(), Vec::new());
        for line in block.trim_end_matches('\n').lines() {
            match line.split_once(':') {
                Some(("", _)) => {}
                Some((field, value)) => {
                    let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
                    match field {
                        "event" => event.name = value,
                        "id" => event.id = Some(value),
                        "data" => data.push(value),
                        "retry" => event.retry = Some(value.parse().expect("milliseconds")),
                        other => panic!("no field of the standard: {other:?}"),
                    }
                }
                None => panic!("a torn line: {line:?}"),
            }
        }
        event.data = data.join("\n");
        event.comment = event == Self::default();
        event
    }
}

/// An open stream.
pub(crate) struct Stream {
    wire: Wire,
    pub(crate) head: String,
    text: String,
}

impl Stream {
    /// Opens `path` with further header lines.
    pub(crate) async fn open(app: &App, path: &str, headers: &str) -> Self {
        Self::open_at(app.address(), path, headers).await
    }

    /// Opens `path` at an address.
    pub(crate) async fn open_at(address: std::net::SocketAddr, path: &str, headers: &str) -> Self {
        let mut wire = Wire::connect(address).await;
        wire.send(format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\n{headers}\r\n"
        ))
        .await;
        let head = wire.head().await;
        Self {
            wire,
            head,
            text: String::new(),
        }
    }

    /// The next block; none at the clean end.
    pub(crate) async fn block(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                return Some(Event::parse(&block));
            }
            self.text.push_str(&self.wire.chunk().await?);
        }
    }

    /// The next event with this name, skipping all others.
    pub(crate) async fn next(&mut self, name: &str) -> Event {
        loop {
            let event = self
                .block()
                .await
                .unwrap_or_else(|| panic!("the stream ended before {name:?}"));
            if event.name == name {
                return event;
            }
        }
    }

    /// The first count that satisfies `wanted`.
    pub(crate) async fn count(&mut self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let count = self.next("count").await.json();
            if wanted(&count) {
                return count;
            }
        }
    }
}
