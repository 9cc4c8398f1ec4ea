//! The state of one client over all its connections: the cursor, and what each message means.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::count::Count;
use super::item::{End, Item, Seen, Sink};
use super::meter::Meter;
use super::target::Target;
use crate::domain::clock::Timestamp;
use crate::domain::position::Position;

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum Cut {
    /// Reconnect later, after `wait` when the server asked for it.
    Later { why: String, wait: Option<Duration> },
    /// A wrong address, unless it worked before: then it is a passing fault of a deploy or a proxy.
    Hopeless(String),
    /// Do not reconnect.
    Final(End),
}

impl Cut {
    /// The reason, for a person.
    pub(super) fn reason(self) -> String {
        match self {
            Self::Later { why, .. } | Self::Hopeless(why) => why,
            Self::Final(end) => format!("{end:?}"),
        }
    }

    pub(super) fn later(why: impl Into<String>) -> Self {
        Self::Later {
            why: why.into(),
            wait: None,
        }
    }
}

/// What one client remembers over all its connections.
pub(super) struct Session<'a> {
    pub(super) target: &'a Target,
    pub(super) meter: &'a Arc<Meter>,
    /// The wait that the server asked for with `retry:`; it applies to all later cuts (WHATWG HTML,
    /// section 9.2.6).
    pub(super) retry: Option<Duration>,
    /// Whether this connection has received a message; that resets the backoff.
    pub(super) active: bool,
    /// Whether a count was ever seen.
    pub(super) ever: bool,
    cursor: Option<Position>,
    authoritative: bool,
    stale: Option<Timestamp>,
    sink: &'a mut dyn Sink,
}

/// A message with its name. Every message has `data`, except the farewell, whose fields are beside
/// `type`.
#[derive(Deserialize)]
struct Envelope<'a> {
    r#type: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Notice {
    text: String,
}

#[derive(Deserialize)]
struct Stale {
    stale_since: Timestamp,
}

#[derive(Deserialize)]
struct Bye {
    reason: String,
    retry_ms: u64,
}

impl<'a> Session<'a> {
    pub(super) fn new(target: &'a Target, meter: &'a Arc<Meter>, sink: &'a mut dyn Sink) -> Self {
        Self {
            target,
            meter,
            retry: None,
            active: false,
            ever: false,
            cursor: None,
            authoritative: true,
            stale: None,
            sink,
        }
    }

    /// The cursor to resume from.
    pub(super) fn cursor(&self) -> Option<String> {
        self.cursor.as_ref().map(ToString::to_string)
    }

    /// The server has answered on a new connection. Its first count is authoritative even when it
    /// is lower: the database may have been restored.
    pub(super) fn connected(&mut self) -> Result<(), Cut> {
        self.authoritative = true;
        self.give(Item::Connected)
    }

    /// A count that answers a poll; it is authoritative each time. True when it is news.
    pub(super) fn answer(&mut self, json: &str) -> Result<bool, Cut> {
        self.authoritative = true;
        self.count(json)
    }

    /// The server says that the cursor is current.
    pub(super) fn unchanged(&mut self) -> Result<(), Cut> {
        self.active = true;
        self.freshness(None)
    }

    /// A pushed message: its name is that of the SSE event, the `type` of the WebSocket message,
    /// the Socket.IO event. The number of watchers and unknown names, as of a newer server, are
    /// ignored.
    pub(super) fn message(&mut self, name: &str, data: &str) -> Result<(), Cut> {
        self.active = true;
        match name {
            "count" => self.count(data).map(drop),
            "notice" => self.give(Item::Notice(read::<Notice>(data)?.text)),
            "stale" => self.freshness(Some(read::<Stale>(data)?.stale_since)),
            "bye" => {
                let Bye { reason, retry_ms } = read(data)?;
                if reason == "deleted" {
                    return Err(Cut::Final(End::Deleted));
                }
                Err(Cut::Later {
                    why: format!("the server said goodbye ({reason})"),
                    wait: Some(Duration::from_millis(retry_ms)),
                })
            }
            _ => Ok(()),
        }
    }

    /// A pushed message of the WebSocket, or a line of JSON.
    pub(super) fn envelope(&mut self, text: &str) -> Result<(), Cut> {
        let Envelope { r#type, data } = serde_json::from_str(text).map_err(|error| {
            Cut::Hopeless(format!(
                "unexpected response ({error}); is this a Headcount server?"
            ))
        })?;
        self.message(&r#type, data.map_or(text, RawValue::get))
    }

    /// True when it is news.
    pub(super) fn count(&mut self, json: &str) -> Result<bool, Cut> {
        let at = Instant::now();
        let count: Count = read(json)?;
        self.active = true;
        self.freshness(count.stale_since)?;
        let news = match &self.cursor {
            Some(known) if known.epoch == count.position.epoch => {
                if self.authoritative {
                    count.revision() != known.revision
                } else {
                    count.revision() > known.revision
                }
            }
            _ => true,
        };
        self.authoritative = false;
        if news {
            self.ever = true;
            self.cursor = Some(count.position.clone());
            // Line ends can only be between JSON tokens. Without them the object is one line, for
            // programs that read lines.
            let json = if json.contains(['\n', '\r']) {
                json.replace(['\n', '\r'], " ")
            } else {
                json.to_owned()
            };
            self.give(Item::Seen(Box::new(Seen { at, json, count })))?;
        }
        Ok(news)
    }

    /// Waits for the next message of a stream, for as long as any byte comes in: a heartbeat
    /// counts, also one that the decoder swallows. Gives up a socket whose other end is silent
    /// (sleep, a lost network).
    pub(super) async fn alive<F: Future>(meter: &Meter, next: F) -> Result<F::Output, Cut> {
        /// Two and a half times the slowest sign of life, the WebSocket's ping.
        const SILENCE: Duration = Duration::from_secs(65);
        let mut next = pin!(next);
        loop {
            let before = meter.received_bytes();
            match timeout(SILENCE, &mut next).await {
                Ok(output) => return Ok(output),
                Err(_) if meter.received_bytes() != before => {}
                Err(_) => return Err(Cut::later("the connection is silent")),
            }
        }
    }

    fn freshness(&mut self, since: Option<Timestamp>) -> Result<(), Cut> {
        match (since, std::mem::replace(&mut self.stale, since)) {
            (Some(since), None) => self.give(Item::Stale(since)),
            (None, Some(_)) => self.give(Item::Fresh),
            _ => Ok(()),
        }
    }

    pub(super) fn give(&mut self, item: Item) -> Result<(), Cut> {
        if self.sink.take(item).is_break() {
            Err(Cut::Final(End::Stopped))
        } else {
            Ok(())
        }
    }
}

fn read<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, Cut> {
    serde_json::from_str(json).map_err(|error| {
        Cut::Hopeless(format!(
            "unexpected response ({error}); is this a Headcount server?"
        ))
    })
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::super::count::example;
    use super::super::target;
    use super::*;

    /// Plays `script` to a session and lists its items.
    fn play(script: impl FnOnce(&mut Session<'_>)) -> Vec<String> {
        let mut out = Vec::new();
        let mut sink = |item: Item| {
            out.push(match item {
                Item::Seen(seen) => format!("{}", seen.count.revision()),
                other => format!("{other:?}")
                    .split(['(', ' '])
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            });
            ControlFlow::Continue(())
        };
        let (target, meter) = (target::example(), Arc::new(Meter::default()));
        script(&mut Session::new(&target, &meter, &mut sink));
        out
    }

    #[test]
    fn shows_a_revision_once_and_never_an_older_one() {
        let seen = play(|session| {
            for revision in [3, 3, 5, 4, 6] {
                session.message("count", &example(revision, 1).1).unwrap();
            }
        });
        assert_eq!(seen, ["3", "5", "6"]);
    }

    #[test]
    fn believes_the_first_count_of_a_connection_even_when_it_is_lower() {
        let seen = play(|session| {
            session.message("count", &example(9, 1).1).unwrap();
            session.connected().unwrap();
            session.message("count", &example(7, 1).1).unwrap();
            session
                .message("count", &example(7, 1).1.replace("q7f2k9", "zzzzzz"))
                .unwrap();
        });
        assert_eq!(seen, ["9", "Connected", "7", "7"]);
    }

    #[test]
    fn says_once_that_the_count_is_stale_and_once_that_it_is_not() {
        let stale = r#"{"stale_since":"2026-11-21T09:00:01.000Z"}"#;
        let seen = play(|session| {
            session.message("count", &example(1, 1).1).unwrap();
            session.message("stale", stale).unwrap();
            session.message("stale", stale).unwrap();
            session.message("count", &example(1, 1).1).unwrap();
            session.unchanged().unwrap();
        });
        assert_eq!(seen, ["1", "Stale", "Fresh"]);
    }

    #[test]
    fn a_goodbye_says_when_to_come_back_or_that_all_is_over() {
        play(|session| {
            let cut = session.message("bye", r#"{"reason":"drain","retry_ms":1200}"#);
            assert!(
                matches!(cut, Err(Cut::Later { wait: Some(wait), .. }) if wait == Duration::from_millis(1200))
            );
            let cut = session.message("bye", r#"{"reason":"deleted","retry_ms":1}"#);
            assert!(matches!(cut, Err(Cut::Final(End::Deleted))));
            session.message("a newer server's", "?").unwrap();
        });
    }
}
