//! One open WebSocket: both directions on one task.
//!
//! The task asks for a message only when the kernel has all of the one before. So nothing queues
//! for a slow reader, and the next message it gets is the newest. The deadlines share the
//! subscription's alarm: an idle watcher has no timer. A change, a due ping and the client's
//! messages wake its task.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::closing::{Ending, close, ending};
use super::socket::Socket;
use crate::domain::clock::Clock;
use crate::live::presence::Transport;
use crate::live::subscription::{Item, Subscription};
use crate::transport::{meter, refusal};
use crate::wire::message::Reason;
use crate::wire::websocket::{ClientMessage, bye, ping, pong};

/// The server's pings: often enough for a proxy that cuts after 30 seconds of silence.
pub const PING_EVERY: Duration = Duration::from_secs(25);
/// A client that has not answered a ping by then is gone.
pub const PONG_WITHIN: Duration = Duration::from_secs(10);
/// A client that has not taken a message by then is gone.
pub const STALL: Duration = Duration::from_secs(30);
/// Heartbeats of the subscription are not needed, because the server pings.
pub(super) const QUIET: Duration = Duration::from_hours(1);

/// One client's session.
pub(super) struct Session<S> {
    socket: Socket<S>,
    subscription: Subscription,
    clock: Clock,
    /// The answer to the client's newest ping; while it waits nothing more is read.
    reply: Option<Bytes>,
    ping_at: Instant,
    pong_by: Option<Instant>,
    written_by: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) fn new(io: S, subscription: Subscription, clock: Clock) -> Self {
        // Spread, so that clients which connected in one burst are not pinged in one.
        let ping_at = Instant::now() + PING_EVERY.mul_f64(rand::random_range(0.5..1.0));
        Self {
            socket: Socket::new(io),
            subscription,
            clock,
            reply: None,
            ping_at,
            pong_by: None,
            written_by: None,
        }
    }

    /// Follows the subscription until either side ends it. The caller boxes it: the task's future
    /// would hold it twice.
    pub(super) async fn run(mut self: Box<Self>) {
        let ending = poll_fn(|cx| self.poll(cx)).await;
        // Not counted any more while the closing handshake lasts.
        let Self {
            socket,
            subscription,
            ..
        } = *self;
        drop(subscription);
        Box::pin(close(socket, ending)).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        // Once a read is pending, the next bytes wake the task, and this poll need not read again.
        let mut silent = false;
        if let Err(ending) = self.check_deadlines() {
            return Poll::Ready(ending);
        }
        loop {
            let may_write = match self.socket.poll_written(cx) {
                Poll::Ready(Ok(())) => {
                    self.written_by = None;
                    true
                }
                Poll::Ready(Err(error)) => return Poll::Ready(ending(&error)),
                Poll::Pending => false,
            };
            // A client that sends pings without reading the answers is not read from.
            if self.reply.is_none() && !silent {
                match self.socket.poll_read(cx) {
                    Poll::Pending => silent = true,
                    Poll::Ready(received) => match received
                        .map_err(|error| ending(&error))
                        .and_then(|message| self.receive(message))
                    {
                        Ok(()) => continue,
                        Err(ending) => return Poll::Ready(ending),
                    },
                }
            }
            let next = if may_write {
                self.poll_next(cx)
            } else {
                Poll::Pending
            };
            match next {
                Poll::Ready(Ok(frame)) => self.write(frame),
                Poll::Ready(Err(ending)) => return Poll::Ready(ending),
                Poll::Pending => {
                    let due = [self.pong_by, self.written_by]
                        .into_iter()
                        .flatten()
                        .fold(self.ping_at, Instant::min);
                    ready!(self.subscription.poll_alarm(cx, due));
                    if let Err(ending) = self.check_deadlines() {
                        return Poll::Ready(ending);
                    }
                }
            }
        }
    }

    /// Pings where that is due; an error when the client does not answer, or takes nothing.
    fn check_deadlines(&mut self) -> Result<(), Ending> {
        let now = Instant::now();
        if [self.pong_by, self.written_by]
            .into_iter()
            .flatten()
            .any(|by| by <= now)
        {
            return Err(Ending::Gone);
        }
        if self.ping_at <= now {
            self.ping_at = now + PING_EVERY;
            // A message that is stuck has its own deadline, and a second ping must not extend the
            // first one's.
            if !self.socket.is_writing() && self.pong_by.is_none() {
                self.write(ping());
                self.pong_by = Some(now + PONG_WITHIN);
            }
        }
        Ok(())
    }

    fn write(&mut self, frame: Bytes) {
        self.socket.write(frame);
        self.written_by = Some(Instant::now() + STALL);
    }

    /// The next frame to write.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, Ending>> {
        if let Some(reply) = self.reply.take() {
            return Poll::Ready(Ok(reply));
        }
        loop {
            // The first count is as old as the event's last change.
            let first = self.subscription.is_fresh();
            return Poll::Ready(match ready!(self.subscription.poll_next(cx)) {
                Some(Item::Message(message)) => {
                    if !first {
                        meter::observe(Transport::WebSocket, &self.clock, &message);
                    }
                    Ok(message.websocket().clone())
                }
                Some(Item::Heartbeat) => continue,
                Some(Item::End { reason, retry_ms }) => {
                    Err(Ending::Bye(reason, bye(reason, retry_ms)))
                }
                None => Err(Ending::Gone),
            });
        }
    }

    fn receive(&mut self, message: Message) -> Result<(), Ending> {
        match message {
            Message::Text(text) => match ClientMessage::parse(text.as_str()) {
                Some(ClientMessage::Ping { id }) => self.reply = Some(pong(&id, self.clock.now())),
                None => return Err(Ending::Close(CloseCode::Policy, "not understood")),
            },
            Message::Pong(_) => self.pong_by = None,
            // tungstenite has its answer ready, and writes it before the next frame.
            Message::Ping(_) | Message::Frame(_) => {}
            Message::Binary(_) => return Err(Ending::Close(CloseCode::Unsupported, "text only")),
            Message::Close(_) => return Err(Ending::Closed),
        }
        Ok(())
    }
}

/// Sends the farewell at once.
pub(super) async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(io: S, reason: Reason) {
    close(
        Socket::new(io),
        Ending::Bye(reason, bye(reason, refusal::retry_ms(reason))),
    )
    .await;
}
