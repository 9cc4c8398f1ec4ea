//! What is said on an open Socket.IO connection: one task follows one event for one client.

use std::sync::Arc;
use std::time::Duration;

use engineioxide::{DisconnectReason, Socket, Str, TransportType};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Client;
use super::outbox::Outbox;
use crate::context::{Context, Shared};
use crate::live::channel::Channel;
use crate::live::subscription::{Item, Subscription};
use crate::live::watchers::Transport;
use crate::problem::Problem;
use crate::transport::{meter, refusal, request};
use crate::wire::message::Reason;
use crate::wire::socketio::{self as wire, Auth, Incoming};

/// How long a client may take to join the namespace.
const JOIN_WITHIN: Duration = Duration::from_secs(10);
/// The subscription's heartbeats: the engine's pings do their work.
const QUIET: Duration = Duration::from_hours(1);
/// How long a client may take to fetch its farewell.
const FETCH_WITHIN: Duration = Duration::from_secs(2);
/// A Socket.IO id: 20 of 62 characters, as the reference server's.
const ID_LENGTH: usize = 20;

/// From the opening of the engine's connection to its end.
pub(super) async fn talk(
    context: Shared,
    socket: Arc<Socket<Client>>,
    mut inbox: mpsc::Receiver<Str>,
) {
    let mut talk = Talk {
        context: &context,
        socket: &socket,
        outbox: Outbox::new(&socket),
    };
    if let Ok(Some(subscription)) = timeout(JOIN_WITHIN, talk.join(&mut inbox)).await
        && let Some(reason) = talk.follow(subscription, &mut inbox).await
    {
        talk.leave(reason).await;
    }
    socket.close(DisconnectReason::TransportClose);
}

struct Talk<'a> {
    context: &'a Context,
    socket: &'a Socket<Client>,
    outbox: Outbox<'a>,
}

impl Talk<'_> {
    fn subscribe(&self, slug: &str, after: Option<&str>) -> Option<Subscription> {
        let channel = request::channel(self.context, slug)?;
        let after = after.and_then(|after| after.parse().ok());
        Some(Subscription::open(
            &channel,
            Transport::SocketIo,
            after.as_ref(),
            QUIET,
        ))
    }

    /// Waits for the client to join the namespace with an event that exists; `None` when it is gone or talks nonsense.
    async fn join(&mut self, inbox: &mut mpsc::Receiver<Str>) -> Option<Subscription> {
        loop {
            match Incoming::parse(&inbox.recv().await?)? {
                Incoming::Connect(Auth { event, after }) => {
                    let slug = event.unwrap_or_default();
                    if let Some(subscription) = self.subscribe(&slug, after.as_deref()) {
                        self.say(&wire::connected(&id()))?;
                        return Some(subscription);
                    }
                    let problem = Problem::event_not_found(&slug);
                    // The client may try another event on the same connection.
                    self.say(&wire::refused(problem.detail(), &problem.document()))?;
                }
                Incoming::Elsewhere(namespace) => self.say(&wire::elsewhere(&namespace))?,
                Incoming::Disconnect => return None,
                Incoming::Watch { .. } | Incoming::Other => {}
            }
        }
    }

    /// Follows an event, then maybe another, to the farewell; `None` when the client is gone first.
    async fn follow(
        &mut self,
        mut subscription: Subscription,
        inbox: &mut mpsc::Receiver<Str>,
    ) -> Option<Reason> {
        loop {
            // The first count is as old as the event's last change.
            let first = subscription.is_fresh();
            tokio::select! {
                packet = inbox.recv() => match Incoming::parse(&packet?)? {
                    Incoming::Watch { slug, ack } => {
                        let channel = request::channel(self.context, &slug);
                        if let Some(ack) = ack {
                            self.say(&watched(ack, &slug, channel.as_deref()))?;
                        }
                        if let Some(channel) = channel {
                            subscription = Subscription::open(&channel, Transport::SocketIo, None, QUIET);
                        }
                    }
                    Incoming::Elsewhere(namespace) => self.say(&wire::elsewhere(&namespace))?,
                    Incoming::Disconnect => return None,
                    Incoming::Connect(_) | Incoming::Other => {}
                },
                item = next(&mut self.outbox, &mut subscription) => match item? {
                    Item::Message(message) => {
                        if !first {
                            meter::observe(Transport::SocketIo, &self.context.clock, &message);
                        }
                        self.say(message.socketio())?;
                        // Who polls needs a new connection for what comes after this, and a server that stops takes none.
                        if subscription.is_ending() && self.socket.transport_type() == TransportType::Polling {
                            self.say(refusal::bye(Reason::Drain).socketio())?;
                            return Some(Reason::Drain);
                        }
                    }
                    Item::Heartbeat => {}
                    Item::End { reason, retry_ms } => {
                        self.say(Item::bye(reason, retry_ms).socketio())?;
                        return Some(reason);
                    }
                },
            }
        }
    }

    /// Puts a packet into the outbox; `None` when there is no place or nobody.
    fn say(&mut self, packet: &str) -> Option<()> {
        self.outbox.put(packet)
    }

    /// Lets the client fetch its farewell. A server that stops just closes: the client then comes back by itself. After a
    /// packet that says it is over, it does not.
    async fn leave(&mut self, reason: Reason) {
        match reason {
            Reason::Drain | Reason::Limit => {}
            Reason::Deleted => drop(self.say(&wire::disconnected())),
        }
        // Whether it has or not, the connection closes now.
        let _ = timeout(FETCH_WITHIN, self.outbox.fetched(0)).await;
    }
}

/// The next item, once the client has fetched all but the newest of what it was told: the engine's queue would keep the oldest and
/// refuse the newest.
async fn next(outbox: &mut Outbox<'_>, subscription: &mut Subscription) -> Option<Item> {
    outbox.fetched(1).await;
    subscription.next().await
}

/// The answer to `watch`.
fn watched(ack: u64, slug: &str, channel: Option<&Channel>) -> Str {
    match channel {
        Some(channel) => wire::watched(ack, Ok(channel.newest().count.message.json())),
        None => wire::watched(ack, Err(Problem::event_not_found(slug).code().as_str())),
    }
}

fn id() -> String {
    use rand::distr::{Alphanumeric, SampleString as _};
    Alphanumeric.sample_string(&mut rand::rng(), ID_LENGTH)
}
