//! One Socket.IO session: what it receives and sends, over polling or a WebSocket.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rand::distr::{Alphanumeric, SampleString as _};

use crate::context::Shared;
use crate::live::channel::Channel;
use crate::live::presence::Transport;
use crate::live::subscription::{Item, Subscription};
use crate::problem::Problem;
use crate::transport::{meter, request};
use crate::wire::engineio::Packet;
use crate::wire::message::Reason;
use crate::wire::socketio::{self as wire, Auth, SocketIoPacket};

/// Heartbeats of the subscription are not needed, because the engine pings.
const QUIET: Duration = Duration::from_hours(1);
/// Replies that may wait for a client that polls. A client that asks more often without fetching
/// the answers is closed.
const MOST_REPLIES: usize = 8;
/// A Socket.IO id: 20 of 62 characters, as the reference server's.
const ID_LENGTH: usize = 20;

/// Why a client's packet ends its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionEnd {
    /// The client has left.
    Left,
    /// The client has broken the rules of the protocol.
    Broken,
}

/// What to send next.
#[derive(Debug)]
pub(super) enum Next {
    /// A packet.
    Packet(Packet),
    /// Nothing more: the farewell was sent before.
    End(Reason),
}

/// One client's conversation. Nothing queues but its replies: counts are taken from the
/// subscription when they can be sent.
pub(super) struct Conversation {
    context: Shared,
    subscription: Option<Box<Subscription>>,
    replies: VecDeque<Packet>,
    ended: Option<Reason>,
}

impl Conversation {
    pub(super) fn new(context: Shared) -> Self {
        Self {
            context,
            subscription: None,
            replies: VecDeque::new(),
            ended: None,
        }
    }

    /// Whether the client has joined the namespace.
    pub(super) fn has_joined(&self) -> bool {
        self.subscription.is_some() || self.ended.is_some()
    }

    /// Whether the farewell is drawn already.
    pub(super) fn is_ending(&self) -> bool {
        self.subscription
            .as_ref()
            .is_some_and(|subscription| subscription.is_ending())
    }

    /// Sends an Engine.IO packet before everything else.
    pub(super) fn interject(&mut self, packet: Packet) {
        self.replies.push_front(packet);
    }

    /// Handles a packet that the client sent.
    pub(super) fn receive(&mut self, text: &str) -> Result<(), SessionEnd> {
        let packet = SocketIoPacket::parse(text).ok_or(SessionEnd::Broken)?;
        match packet {
            SocketIoPacket::Connect(auth) if !self.has_joined() => self.join(auth),
            SocketIoPacket::Watch { slug, ack } if self.has_joined() => self.watch(&slug, ack),
            SocketIoPacket::Elsewhere(namespace) => self.reply(wire::elsewhere(&namespace)),
            SocketIoPacket::Disconnect => Err(SessionEnd::Left),
            SocketIoPacket::Connect(_) | SocketIoPacket::Watch { .. } | SocketIoPacket::Other => {
                Ok(())
            }
        }
    }

    fn join(&mut self, auth: Auth) -> Result<(), SessionEnd> {
        let slug = auth.event.unwrap_or_default();
        let Some(channel) = request::channel(&self.context, &slug) else {
            let problem = Problem::event_not_found(&slug);
            // The client may try another event on the same connection.
            return self.reply(wire::refused(problem.detail(), &problem.document()));
        };
        let id = Alphanumeric.sample_string(&mut rand::rng(), ID_LENGTH);
        self.subscribe(&channel, auth.after.as_deref());
        self.reply(wire::connected(&id))
    }

    fn watch(&mut self, slug: &str, ack: Option<u64>) -> Result<(), SessionEnd> {
        let channel = request::channel(&self.context, slug);
        let outcome = match &channel {
            Some(channel) => Ok(channel.newest().count.message),
            None => Err(Problem::event_not_found(slug).code().as_str()),
        };
        if let Some(channel) = &channel {
            self.subscribe(channel, None);
        }
        let Some(ack) = ack else { return Ok(()) };
        let outcome = outcome
            .as_ref()
            .map(|count| count.json())
            .map_err(|code| *code);
        self.reply(wire::watched(ack, outcome))
    }

    fn subscribe(&mut self, channel: &Channel, after: Option<&str>) {
        let after = after.and_then(|after| after.parse().ok());
        let subscription = Subscription::open(channel, Transport::SocketIo, after.as_ref(), QUIET);
        self.subscription = Some(Box::new(subscription));
    }

    fn reply(&mut self, packet: Packet) -> Result<(), SessionEnd> {
        if self.replies.len() >= MOST_REPLIES {
            return Err(SessionEnd::Broken);
        }
        self.replies.push_back(packet);
        Ok(())
    }

    /// The next packet: replies first, then what the event has. A conversation without a
    /// subscription wakes nobody; only [`Self::receive`] brings it on.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        loop {
            if let Some(reply) = self.replies.pop_front() {
                return Poll::Ready(Next::Packet(reply));
            }
            if let Some(reason) = self.ended {
                return Poll::Ready(Next::End(reason));
            }
            let Some(subscription) = &mut self.subscription else {
                return Poll::Pending;
            };
            // The first count is as old as the event's last change.
            let first = subscription.is_fresh();
            match ready!(subscription.poll_next(cx)) {
                Some(Item::Message(message)) => {
                    if !first {
                        meter::observe(Transport::SocketIo, &self.context.clock, &message);
                    }
                    return Poll::Ready(Next::Packet(message.socketio().clone()));
                }
                Some(Item::Heartbeat) => {}
                Some(Item::End { reason, retry_ms }) => self.end(reason, retry_ms),
                None => self.ended = Some(Reason::Drain),
            }
        }
    }

    /// Sends the farewell. After a drain the client reconnects by itself. After a packet that says
    /// that the server disconnected it, it does not.
    pub(super) fn end(&mut self, reason: Reason, retry_ms: u64) {
        self.subscription = None;
        self.ended = Some(reason);
        self.replies
            .push_back(Item::bye(reason, retry_ms).socketio().clone());
        match reason {
            Reason::Drain | Reason::Limit => {}
            Reason::Deleted => self.replies.push_back(wire::disconnected()),
        }
    }

    /// Nobody waits for the next packet until somebody asks again.
    pub(super) fn silence(&mut self) {
        if let Some(subscription) = &mut self.subscription {
            subscription.silence();
        }
    }

    /// Whether the client counts as watching.
    pub(super) fn set_present(&mut self, present: bool) {
        if let Some(subscription) = &mut self.subscription {
            subscription.set_present(present);
        }
    }
}
