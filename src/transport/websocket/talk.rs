//! What is said on an open WebSocket, in both directions on one task.
//!
//! A message is asked for only when the one before is wholly with the kernel, so nothing queues for a slow reader and the next
//! it gets is the newest.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::domain::clock::Clock;
use crate::live::subscription::{Item, Subscription};
use crate::live::watchers::Transport;
use crate::transport::{meter, refusal};
use crate::wire::message::Reason;
use crate::wire::websocket::{Incoming, bye, pong};

/// The server's pings: often enough for a proxy that cuts after 30 seconds of silence.
pub const PING_EVERY: Duration = Duration::from_secs(25);
/// A client that has not answered a ping by then is gone.
pub const PONG_WITHIN: Duration = Duration::from_secs(10);
/// A client that has not taken a message by then is gone.
pub const STALL: Duration = Duration::from_secs(30);
/// The subscription's heartbeats: the pings do their work.
pub(super) const QUIET: Duration = Duration::from_hours(1);
/// How long the client may take for its half of the closing handshake.
const CLOSING: Duration = Duration::from_secs(1);

/// Why the talk is over.
enum Over {
    /// The client is gone, or as good as.
    Gone,
    /// The client has said goodbye.
    Closed,
    /// To be told.
    Close(CloseCode, &'static str),
    /// To be told, with a farewell before.
    Bye(Reason, u64),
}

/// What came of listening.
enum Heard {
    Text(String),
    Pong,
    /// The message that was being written is with the kernel.
    Written,
}

/// Follows the subscription until either side has had enough.
pub(super) async fn talk<S: AsyncRead + AsyncWrite + Unpin>(socket: WebSocketStream<S>, mut subscription: Subscription, clock: &Clock) {
    let mut talk = Talk::new(socket);
    let mut first = true;
    let over = loop {
        let next = tokio::select! {
            heard = talk.hear() => heard.and_then(|heard| talk.on(heard, clock)),
            item = subscription.next(), if !talk.writing => {
                let told = match item {
                    Some(Item::Message(message)) => {
                        if !first {
                            meter::observe(Transport::WebSocket, clock, &message);
                        }
                        talk.say(message.websocket().clone())
                    }
                    Some(Item::Heartbeat) => Ok(()),
                    Some(Item::End { reason, retry_ms }) => Err(Over::Bye(reason, retry_ms)),
                    None => Err(Over::Gone),
                };
                first = false;
                told
            }
        };
        if let Err(over) = next {
            break over;
        }
    };
    // Not counted any more while the closing handshake lasts.
    drop(subscription);
    talk.close(over).await;
}

/// Says goodbye at once.
pub(super) async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(socket: WebSocketStream<S>, reason: Reason) {
    Talk::new(socket).close(Over::Bye(reason, refusal::retry_ms(reason))).await;
}

struct Talk<S> {
    socket: WebSocketStream<S>,
    /// A message is on its way to the kernel.
    writing: bool,
    /// The answer to the client's newest ping; while it waits nothing more is read.
    reply: Option<String>,
    ping_at: Instant,
    pong_by: Option<Instant>,
    written_by: Option<Instant>,
    /// Fires at the earliest of the three or before; armed again only when it has fired, so that a message costs no timer.
    alarm: Pin<Box<Sleep>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    fn new(socket: WebSocketStream<S>) -> Self {
        // Spread: those who came in one burst are not pinged in one.
        let ping_at = Instant::now() + PING_EVERY.mul_f64(rand::random_range(0.5..1.0));
        Self { socket, writing: false, reply: None, ping_at, pong_by: None, written_by: None, alarm: Box::pin(sleep_until(ping_at)) }
    }

    fn say(&mut self, text: Bytes) -> Result<(), Over> {
        // Every message is rendered from strings.
        let text = text.try_into().expect("a message is UTF-8");
        self.write(Message::Text(text))
    }

    fn write(&mut self, message: Message) -> Result<(), Over> {
        self.socket.start_send_unpin(message).map_err(|_| Over::Gone)?;
        self.writing = true;
        self.written_by = Some(Instant::now() + STALL);
        Ok(())
    }

    /// Writes on, listens, and looks at the time. Cancel-safe: the socket keeps what is half written or half read.
    async fn hear(&mut self) -> Result<Heard, Over> {
        poll_fn(|cx| self.poll_hear(cx)).await
    }

    fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<Result<Heard, Over>> {
        if self.due() < self.alarm.deadline() {
            let due = self.due();
            self.alarm.as_mut().reset(due);
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            self.ring()?;
        }
        if self.writing
            && let Poll::Ready(flushed) = self.socket.poll_flush_unpin(cx)
        {
            self.writing = false;
            self.written_by = None;
            return Poll::Ready(flushed.map(|()| Heard::Written).map_err(|_| Over::Gone));
        }
        // Who sends pings without reading the answers is not listened to.
        while self.reply.is_none() {
            let heard = match std::task::ready!(self.socket.poll_next_unpin(cx)) {
                Some(Ok(Message::Text(text))) => Ok(Heard::Text(text.as_str().to_owned())),
                Some(Ok(Message::Pong(_))) => Ok(Heard::Pong),
                // tungstenite queues the answer and writes it with the next read.
                Some(Ok(Message::Ping(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Binary(_))) => Err(Over::Close(CloseCode::Unsupported, "text only")),
                Some(Ok(Message::Close(_))) => Err(Over::Closed),
                Some(Err(Error::Capacity(_))) => Err(Over::Close(CloseCode::Size, "at most 4 KiB")),
                Some(Err(Error::Utf8(_))) => Err(Over::Close(CloseCode::Invalid, "not UTF-8")),
                Some(Err(Error::Protocol(_))) => Err(Over::Close(CloseCode::Protocol, "not RFC 6455")),
                Some(Err(_)) | None => Err(Over::Gone),
            };
            return Poll::Ready(heard);
        }
        Poll::Pending
    }

    fn on(&mut self, heard: Heard, clock: &Clock) -> Result<(), Over> {
        match heard {
            Heard::Text(text) => match Incoming::parse(&text) {
                Some(Incoming::Ping { id }) => self.reply = Some(pong(&id, clock.now())),
                None => return Err(Over::Close(CloseCode::Policy, "not understood")),
            },
            Heard::Pong => self.pong_by = None,
            Heard::Written => {}
        }
        if self.writing {
            return Ok(());
        }
        self.reply.take().map_or(Ok(()), |reply| self.say(reply.into()))
    }

    /// Pings where that is due, and gives up on who does not answer or take anything.
    fn ring(&mut self) -> Result<(), Over> {
        let now = Instant::now();
        if [self.pong_by, self.written_by].into_iter().flatten().any(|by| by <= now) {
            return Err(Over::Gone);
        }
        if self.ping_at <= now {
            self.ping_at = now + PING_EVERY;
            // A message that is stuck has its own deadline, and a second ping does not put off the first one's.
            if !self.writing && self.pong_by.is_none() {
                self.write(Message::Ping(Bytes::new()))?;
                self.pong_by = Some(now + PONG_WITHIN);
            }
        }
        let due = self.due();
        self.alarm.as_mut().reset(due);
        Ok(())
    }

    /// When the alarm is next due.
    fn due(&self) -> Instant {
        [self.pong_by, self.written_by].into_iter().flatten().fold(self.ping_at, Instant::min)
    }

    /// The closing handshake (RFC 6455, section 7), within a bound.
    async fn close(mut self, over: Over) {
        let frame = match &over {
            Over::Gone => return,
            Over::Closed => None,
            Over::Close(code, why) => Some((*code, *why)),
            // A deleted event has come to its end: there is nothing to come back for.
            Over::Bye(Reason::Deleted, _) => Some((CloseCode::Normal, "deleted")),
            Over::Bye(Reason::Drain, _) => Some((CloseCode::Away, "drain")),
            Over::Bye(Reason::Limit, _) => Some((CloseCode::Again, "limit")),
        };
        let farewell = async {
            if let Over::Bye(reason, retry_ms) = over {
                self.socket.send(Message::Text(bye(reason, retry_ms).into())).await?;
            }
            if let Some((code, reason)) = frame {
                self.socket.close(Some(CloseFrame { code, reason: reason.into() })).await?;
            }
            // The client's half, or ours where it began.
            while let Some(message) = self.socket.next().await {
                message?;
            }
            Ok::<_, Error>(())
        };
        if let Ok(Err(_)) = timeout(CLOSING, farewell).await {
            // After a violation the rest is no WebSocket. It is read all the same: a socket that is closed with unread data
            // resets the connection, and the close frame may be lost on its way.
            let mut rest = [0; 512];
            let drain = async { while matches!(self.socket.get_mut().read(&mut rest).await, Ok(1..)) {} };
            // Either way the socket closes now.
            let _ = timeout(CLOSING, drain).await;
        }
    }
}
