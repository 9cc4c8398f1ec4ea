//! The canary: this node's own watcher. It follows the public stream of the busiest event through
//! the node's own listener, as a browser does. So it measures what a person sees: the time from a
//! change's commit, on any node, until its bytes arrive over a real socket. The audit compares what
//! it received with the sum of the parties ([`super::metrics::audit`]).
//!
//! It runs where metrics are exported and costs one connection. It does not count as a watcher
//! ([`exclude`](crate::live::presence::Presence::exclude)).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Request, StatusCode, header};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use sse_stream::{Sse, SseStream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::domain::clock::{Clock, Timestamp};
use crate::domain::event::{EventId, Slug};
use crate::domain::position::Revision;
use crate::live::channel::Channel;
use crate::live::hub::Hub;
use crate::live::presence::Transport;
use crate::server::Tls;

/// From a change's commit to its receipt, the histogram's name.
pub const COMMIT_TO_RECEIPT: &str = "headcount_commit_to_receipt_seconds";
/// Whether the canary follows a stream, the gauge's name.
pub const UP: &str = "headcount_canary_up";

/// How often it checks which event is the busiest.
const CHECK_INTERVAL: Duration = Duration::from_secs(15);
/// How long connecting through the node's own listener may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// From a lost or refused stream to the next attempt.
const PAUSE: Duration = Duration::from_secs(2);

/// A boxed socket, plain or TLS.
trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Socket for S {}

/// The count that the canary received last.
#[derive(Debug, Clone, Default)]
pub struct Received(Arc<Mutex<Option<(EventId, Count)>>>);

impl Received {
    /// The number that the canary received for that event and revision, if it was the last.
    pub fn registered(&self, event: EventId, revision: Revision) -> Option<u32> {
        self.get()
            .filter(|(of, count)| *of == event && count.revision == revision)
            .map(|(_, count)| count.registered)
    }

    // Held for a copy only, never over an await.
    fn get(&self) -> Option<(EventId, Count)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, received: Option<(EventId, Count)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = received;
        metrics::gauge!(UP).set(if received.is_some() { 1.0 } else { 0.0 });
    }
}

/// The fields of a count that are used here.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Count {
    revision: Revision,
    registered: u32,
    at: Timestamp,
}

/// This node's own watcher.
#[derive(Debug)]
pub struct Canary {
    /// Where the node listens.
    pub address: SocketAddr,
    /// Whether the listener uses TLS, and with which certificate.
    pub tls: Option<Tls>,
    /// All events, and how busy they are.
    pub hub: Hub,
    /// The node's clock: commits carry its moments.
    pub clock: Clock,
    /// Where it stores what it received.
    pub received: Received,
}

impl Canary {
    /// Follows one event after the other. Runs until it is dropped; its connection ends with it.
    pub async fn run(self) {
        let mut busiest = Busiest::default();
        let mut followed = None;
        loop {
            followed = busiest.pick(&self.hub, followed);
            let Some(channel) = followed.and_then(|event| self.hub.channel_by_id(event)) else {
                sleep(CHECK_INTERVAL).await;
                continue;
            };
            let ended = self.follow(&channel, &mut busiest).await;
            self.received.set(None);
            if let Err(error) = ended {
                tracing::debug!(
                    %error, event = %channel.newest().event.slug,
                    "the canary's stream ended; opening it again"
                );
                sleep(PAUSE).await;
            }
        }
    }

    /// Follows an event until another one is busier, or the stream ends.
    async fn follow(&self, channel: &Arc<Channel>, busiest: &mut Busiest) -> io::Result<()> {
        let event = channel.newest().event;
        // It ends with the connection.
        let mut connection = JoinSet::new();
        let opened = timeout(CONNECT_TIMEOUT, self.open(&event.slug, &mut connection)).await;
        let mut blocks = SseStream::new(opened.map_err(|_| io::ErrorKind::TimedOut)??);
        let _aside = channel.presence.exclude(Transport::Sse);
        let mut checks = interval(CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        checks.reset();
        let mut behind = None;
        loop {
            let block = tokio::select! {
                block = blocks.next() => block,
                _ = checks.tick() => {
                    if busiest.pick(&self.hub, Some(event.id)) != Some(event.id) {
                        return Ok(());
                    }
                    // The decoder does not show heartbeats. A stream that is behind for a whole
                    // interval is dead.
                    let seen = self.received.get().map_or(0, |(_, count)| count.revision);
                    let is_behind = seen != channel.newest().event.revision;
                    let was_behind = std::mem::replace(&mut behind, is_behind.then_some(seen));
                    if behind.is_some() && behind == was_behind {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    continue;
                }
            };
            let Sse {
                event: name, data, ..
            } = block
                .ok_or(io::ErrorKind::UnexpectedEof)?
                .map_err(io::Error::other)?;
            match (name.as_deref(), data) {
                (Some("count"), Some(data)) => self.take(event.id, &data)?,
                (Some("bye"), data) => return Err(io::Error::other(data.unwrap_or_default())),
                _ => {}
            }
        }
    }

    /// The first count of a connection is as old as the event's last change. From then on each
    /// newer one is measured.
    fn take(&self, event: EventId, data: &str) -> io::Result<()> {
        let count: Count = serde_json::from_str(data)?;
        let before = self
            .received
            .get()
            .filter(|(of, _)| *of == event)
            .map(|(_, count)| count.revision);
        if before.is_some_and(|before| count.revision > before) {
            let took = self.clock.now().since(count.at);
            metrics::histogram!(COMMIT_TO_RECEIPT).record(took.as_secs_f64());
            self.hub.delivery().record(took);
        }
        self.received.set(Some((event, count)));
        Ok(())
    }

    /// Asks for the stream through the node's own listener.
    async fn open(
        &self,
        slug: &Slug,
        connection: &mut JoinSet<()>,
    ) -> io::Result<hyper::body::Incoming> {
        let stream = TcpStream::connect(reachable(self.address)).await?;
        let socket: Box<dyn Socket> = match &self.tls {
            None => Box::new(stream),
            Some(tls) => {
                // The name does not matter: the certificate must be the node's own.
                let name = ServerName::IpAddress(self.address.ip().into());
                Box::new(
                    TlsConnector::from(tls.to_itself().map_err(io::Error::other)?)
                        .connect(name, stream)
                        .await?,
                )
            }
        };
        let (mut sender, io) =
            hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(TokioIo::new(socket))
                .await
                .map_err(io::Error::other)?;
        connection.spawn(async move {
            // The stream reports why it ended.
            let _ = io.await;
        });
        let request = Request::get(format!("/api/v1/events/{slug}/stream"))
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, "text/event-stream")
            .header(
                header::USER_AGENT,
                concat!("headcount-canary/", env!("CARGO_PKG_VERSION")),
            )
            .body(Empty::new())
            .map_err(io::Error::other)?;
        let response = sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        if response.status() != StatusCode::OK {
            return Err(io::Error::other(response.status().to_string()));
        }
        Ok(response.into_body())
    }
}

/// An address that stands for all is asked on loopback; `[::]` takes IPv4 as well.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    address
}

/// Which event has changed most since the last check.
#[derive(Debug, Default)]
struct Busiest {
    revisions: HashMap<EventId, Revision>,
}

impl Busiest {
    /// `followed` stays unless another event has changed more. Among equals the one with more
    /// watchers comes first, then the one that changed last.
    fn pick(&mut self, hub: &Hub, followed: Option<EventId>) -> Option<EventId> {
        let channels = hub.channels();
        let busy = |channel: &Arc<Channel>| {
            let event = channel.newest().event;
            let grown = self
                .revisions
                .get(&event.id)
                .map_or(0, |before| event.revision.saturating_sub(*before));
            (
                grown,
                followed == Some(event.id),
                channel.presence.open(),
                event.at,
            )
        };
        let busiest = channels
            .iter()
            // It is a client like any other, and knows no drafts.
            .filter(|channel| !channel.newest().event.is_draft())
            .max_by_key(|channel| busy(channel))
            .map(|channel| channel.newest().event.id);
        self.revisions = channels
            .iter()
            .map(|channel| channel.newest().event)
            .map(|event| (event.id, event.revision))
            .collect();
        busiest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{Capacity, Event, NewEvent};
    use crate::domain::position::Epoch;

    fn event(id: EventId, revision: Revision, at: i64) -> Event {
        let slug = Slug::parse(&format!("event-{id}")).unwrap();
        let new = NewEvent::new(slug, "Gala", Capacity::UNLIMITED);
        Event {
            id,
            revision,
            ..new.open(Epoch::draw(), Timestamp::from_millis(at))
        }
    }

    #[tokio::test]
    async fn the_event_that_changes_most_is_followed_and_kept_among_equals() {
        let (hub, mut busiest) = (Hub::new(Duration::ZERO), Busiest::default());
        assert_eq!(busiest.pick(&hub, None), None);
        let (one, two) = (event(1, 1, 10), event(2, 1, 20));
        hub.publish(one.clone());
        hub.publish(two.clone());
        assert_eq!(
            busiest.pick(&hub, None),
            Some(2),
            "the last to have changed"
        );
        let watcher = hub.channel_by_id(1).unwrap().presence.enter(Transport::Sse);
        assert_eq!(busiest.pick(&hub, None), Some(1), "the one that is watched");
        assert_eq!(
            busiest.pick(&hub, Some(2)),
            Some(2),
            "the one that is followed"
        );
        drop(watcher);
        hub.publish(Event {
            revision: 5,
            ..one.clone()
        });
        hub.publish(Event { revision: 3, ..two });
        assert_eq!(busiest.pick(&hub, Some(2)), Some(1));
        assert_eq!(busiest.pick(&hub, Some(1)), Some(1));
        hub.remove(1);
        assert_eq!(busiest.pick(&hub, Some(1)), Some(2));
    }

    #[tokio::test]
    async fn an_excluded_watcher_is_not_counted() {
        let hub = Hub::new(Duration::ZERO);
        hub.publish(event(1, 1, 10));
        let watchers = Arc::clone(&hub.channel_by_id(1).unwrap().presence);
        let (person, own) = (
            watchers.enter(Transport::Sse),
            watchers.enter(Transport::Sse),
        );
        let excluded = watchers.exclude(Transport::Sse);
        assert_eq!(
            (watchers.open(), hub.watchers()),
            (1, HashMap::from([(1, 1)]))
        );
        drop(person);
        assert_eq!((watchers.open(), hub.watchers()), (0, HashMap::new()));
        // Either end of the stream may be the first to notice.
        drop(own);
        assert_eq!(watchers.open(), 0);
        drop(excluded);
        assert_eq!(watchers.open(), 0);
    }
}
