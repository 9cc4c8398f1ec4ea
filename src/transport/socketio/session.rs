//! One session: who carries it, and the poll that may wait for its next packet.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::conversation::{Conversation, Next, SessionEnd};
use super::deadlines::{Deadlines, Due};
use crate::transport::refusal;
use crate::wire::engineio::{self, EngineIoPacket, Packet};
use crate::wire::message::Reason;

/// A client that has not polled for this long does not count as watching. Its next poll counts
/// again.
const AWAY_AFTER: Duration = Duration::from_secs(5);

/// A session, from its opening to its end. Without a poll under way it has no task and wakes
/// nobody.
pub(super) struct Session {
    pub(super) sid: String,
    /// The client's address, for its limit.
    pub(super) owner: IpAddr,
    // Held for a few instructions, over no await.
    state: Mutex<State>,
}

struct State {
    carrier: Carrier,
    deadlines: Deadlines,
    /// A poll is under way.
    polling: bool,
    /// The poll's task.
    waker: Option<Waker>,
    /// When the last poll ended.
    polled_at: Instant,
}

enum Carrier {
    Polling(Conversation),
    /// A WebSocket is being tried. Polls end at once meanwhile.
    Probed(Conversation),
    WebSocket,
    /// With the packet that the last poll gets.
    Closed(Packet),
}

/// What a poll returns.
pub(super) struct Found {
    pub(super) packets: Vec<Packet>,
    /// The session ends with them.
    pub(super) last: bool,
}

impl Session {
    /// A session that is carried by polls.
    pub(super) fn polling(sid: String, owner: IpAddr, conversation: Conversation) -> Self {
        Self::new(sid, owner, Carrier::Polling(conversation))
    }

    /// A session whose WebSocket has its conversation.
    pub(super) fn websocket(sid: String, owner: IpAddr) -> Self {
        Self::new(sid, owner, Carrier::WebSocket)
    }

    fn new(sid: String, owner: IpAddr, carrier: Carrier) -> Self {
        let now = Instant::now();
        let state = State {
            carrier,
            deadlines: Deadlines::new(now),
            polling: false,
            waker: None,
            polled_at: now,
        };
        Self {
            sid,
            owner,
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a poll. Fails when polls do not carry the session (any more). Also fails when a poll
    /// is open already: two at once end the session, as the protocol asks.
    pub(super) fn begin_poll(&self) -> Result<(), SessionEnd> {
        let mut state = self.lock();
        if std::mem::replace(&mut state.polling, true) {
            state.close(engineio::CLOSE.clone());
            return Err(SessionEnd::Broken);
        }
        match &mut state.carrier {
            Carrier::Polling(conversation) | Carrier::Probed(conversation) => {
                conversation.set_present(true);
                Ok(())
            }
            Carrier::WebSocket | Carrier::Closed(_) => Err(SessionEnd::Broken),
        }
    }

    /// The packets for the poll under way, once there are any.
    pub(super) fn poll_packets(&self, cx: &mut Context<'_>) -> Poll<Found> {
        let mut state = self.lock();
        let state = &mut *state;
        let mut packets = Vec::new();
        let mut last = false;
        match &mut state.carrier {
            Carrier::Polling(conversation) => {
                while let Poll::Ready(next) = conversation.poll_next(cx) {
                    match next {
                        Next::Packet(packet) => packets.push(packet),
                        Next::End(_) => {
                            last = true;
                            break;
                        }
                    }
                    // A client that polls needs a new connection for the next packet, and a server
                    // that stops accepts none.
                    if conversation.is_ending() {
                        conversation.end(Reason::Drain, refusal::retry_ms(Reason::Drain));
                    }
                }
            }
            Carrier::Probed(_) | Carrier::WebSocket => packets.push(engineio::NOOP.clone()),
            Carrier::Closed(packet) => packets.push(packet.clone()),
        }
        if last {
            // Not beside the farewell: socket.io-client handles a close at once and a message later,
            // so it would lose the message. The next poll finds the session closed.
            if packets.is_empty() {
                packets.push(engineio::CLOSE.clone());
            }
            state.close(engineio::CLOSE.clone());
        }
        if packets.is_empty() {
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Found { packets, last })
    }

    /// The poll is answered.
    pub(super) fn end_poll(&self) {
        let mut state = self.lock();
        state.polling = false;
        state.waker = None;
        state.polled_at = Instant::now();
        if let Carrier::Polling(conversation) | Carrier::Probed(conversation) = &mut state.carrier {
            // The task of the request that is answered must not be kept, nor woken.
            conversation.silence();
        }
    }

    /// When [`Self::check`] has something to do.
    pub(super) fn due(&self) -> Instant {
        let state = self.lock();
        state.deadlines.next(state.has_joined())
    }

    /// Pings where that is due; an error when the client is gone. The deadlines of a WebSocket are
    /// its own task's.
    pub(super) fn check(&self, now: Instant) -> Result<(), SessionEnd> {
        let mut state = self.lock();
        let state = &mut *state;
        let has_joined = state.has_joined();
        let conversation = match &mut state.carrier {
            Carrier::Polling(conversation) | Carrier::Probed(conversation) => conversation,
            Carrier::WebSocket => return Ok(()),
            Carrier::Closed(_) => return Err(SessionEnd::Left),
        };
        match state.deadlines.check(now, has_joined) {
            Due::Nothing => {}
            Due::Ping => {
                conversation.interject(engineio::PING.clone());
                state.wake();
                return Ok(());
            }
            Due::Gone => {
                state.close(engineio::CLOSE.clone());
                return Err(SessionEnd::Left);
            }
        }
        if !state.polling && state.polled_at + AWAY_AFTER <= now {
            conversation.set_present(false);
        }
        Ok(())
    }

    /// Takes a packet that was posted; after an error the session has to be closed.
    pub(super) fn receive(&self, packet: &str) -> Result<(), SessionEnd> {
        let mut state = self.lock();
        let state = &mut *state;
        let conversation = match &mut state.carrier {
            Carrier::Polling(conversation) | Carrier::Probed(conversation) => conversation,
            Carrier::WebSocket => return Err(SessionEnd::Broken),
            // Packets after the client's close are ignored.
            Carrier::Closed(_) => return Ok(()),
        };
        match EngineIoPacket::parse(packet).ok_or(SessionEnd::Broken)? {
            EngineIoPacket::Message(text) => match conversation.receive(text) {
                Ok(()) => state.wake(),
                Err(SessionEnd::Left) => state.close(engineio::CLOSE.clone()),
                Err(SessionEnd::Broken) => return Err(SessionEnd::Broken),
            },
            EngineIoPacket::Pong => state.deadlines.pong(Instant::now()),
            // The poll under way ends without a packet, as the reference server's does.
            EngineIoPacket::Close => state.close(engineio::NOOP.clone()),
            EngineIoPacket::Noop => {}
            EngineIoPacket::Probe | EngineIoPacket::Upgrade => return Err(SessionEnd::Broken),
        }
        Ok(())
    }

    /// A WebSocket is tried; `false` when it cannot be.
    pub(super) fn probe(&self) -> bool {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.carrier, Carrier::WebSocket);
        let (after, probed) = match before {
            Carrier::Polling(conversation) => (Carrier::Probed(conversation), true),
            other => (other, false),
        };
        state.carrier = after;
        state.wake();
        probed
    }

    /// The WebSocket that was tried takes over; `None` when the session has ended meanwhile.
    pub(super) fn upgrade(&self) -> Option<(Conversation, Deadlines)> {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.carrier, Carrier::WebSocket);
        match before {
            Carrier::Probed(mut conversation) => {
                conversation.set_present(true);
                state.wake();
                Some((conversation, state.deadlines))
            }
            other => {
                state.carrier = other;
                None
            }
        }
    }

    /// The WebSocket that was tried is gone: the session continues by polling.
    pub(super) fn abandon_probe(&self) {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.carrier, Carrier::WebSocket);
        state.carrier = match before {
            Carrier::Probed(conversation) => Carrier::Polling(conversation),
            other => other,
        };
    }

    /// Ends the session. A poll under way gets a closing packet.
    pub(super) fn close(&self) {
        self.lock().close(engineio::CLOSE.clone());
    }

    /// Whether polls may still ask for it.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.lock().carrier, Carrier::Closed(_))
    }
}

impl State {
    fn has_joined(&self) -> bool {
        match &self.carrier {
            Carrier::Polling(conversation) | Carrier::Probed(conversation) => {
                conversation.has_joined()
            }
            Carrier::WebSocket | Carrier::Closed(_) => true,
        }
    }

    fn close(&mut self, last: Packet) {
        if !matches!(self.carrier, Carrier::Closed(_)) {
            self.carrier = Carrier::Closed(last);
            self.wake();
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A poll under way. If it is dropped without an answer, it closes its session, as the reference
/// server does ("poll connection closed prematurely"). A packet for the client may be lost.
pub(super) struct HeldPoll {
    session: Option<Arc<Session>>,
}

impl HeldPoll {
    pub(super) fn new(session: Arc<Session>) -> Self {
        Self {
            session: Some(session),
        }
    }

    /// The poll is answered.
    pub(super) fn answered(mut self) {
        if let Some(session) = self.session.take() {
            session.end_poll();
        }
    }
}

impl Drop for HeldPoll {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            session.close();
        }
    }
}
