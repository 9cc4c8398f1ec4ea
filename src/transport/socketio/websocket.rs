//! Socket.IO over a WebSocket: one task for each connection.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::conversation::{Conversation, Next, SessionEnd};
use super::deadlines::{Deadlines, Due};
use super::session::Session;
use super::sessions::{SessionGuard, Sessions};
use crate::transport::websocket::STALL;
use crate::transport::websocket::closing::{Ending, close, ending};
use crate::transport::websocket::socket::Socket;
use crate::wire::engineio::{self, EngineIoPacket, Packet};

/// How long a client may take to try a WebSocket and to move there.
const UPGRADE_WITHIN: Duration = Duration::from_secs(10);
/// The client has left.
const LEFT: Ending = Ending::Close(CloseCode::Normal, "");
/// The client has broken the rules.
const NOT_UNDERSTOOD: Ending = Ending::Close(CloseCode::Policy, "not understood");

/// A new session's connection, from its first packet to its end.
pub(super) async fn open<S>(io: S, first: Packet, conversation: Conversation)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut socket = Socket::new(io);
    socket.write(first.frame().clone());
    Box::pin(follow(socket, conversation, Deadlines::new(Instant::now()))).await;
}

/// A connection that a session of polls may move to.
pub(super) async fn upgrade<S>(io: S, sessions: Arc<Sessions>, session: Arc<Session>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut socket = Socket::new(io);
    let handshake = async {
        expect(&mut socket, EngineIoPacket::Probe).await?;
        if !session.probe() {
            return None;
        }
        socket.write(engineio::PROBED.frame().clone());
        expect(&mut socket, EngineIoPacket::Upgrade).await?;
        session.upgrade()
    };
    if let Ok(Some((conversation, deadlines))) = timeout(UPGRADE_WITHIN, handshake).await {
        let _guard = SessionGuard::new(sessions, session);
        Box::pin(follow(socket, conversation, deadlines)).await;
    } else {
        session.abandon_probe();
        close(socket, Ending::Close(CloseCode::Policy, "not upgraded")).await;
    }
}

/// Writes what is begun, and reads the one packet that may come now.
async fn expect<S>(socket: &mut Socket<S>, packet: EngineIoPacket<'static>) -> Option<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    poll_fn(|cx| socket.poll_written(cx)).await.ok()?;
    loop {
        match poll_fn(|cx| socket.poll_read(cx)).await.ok()? {
            Message::Text(text) => {
                return (EngineIoPacket::parse(text.as_str()) == Some(packet)).then_some(());
            }
            Message::Ping(_) | Message::Pong(_) => {}
            Message::Binary(_) | Message::Close(_) | Message::Frame(_) => return None,
        }
    }
}

async fn follow<S>(socket: Socket<S>, conversation: Conversation, deadlines: Deadlines)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = Connection {
        socket,
        conversation,
        deadlines,
        timer: Box::pin(sleep_until(Instant::now())),
        written_by: None,
    };
    let ending = poll_fn(|cx| connection.poll(cx)).await;
    let Connection {
        socket,
        conversation,
        ..
    } = connection;
    // Not counted any more while the closing handshake lasts.
    drop(conversation);
    close(socket, ending).await;
}

struct Connection<S> {
    socket: Socket<S>,
    conversation: Conversation,
    deadlines: Deadlines,
    timer: Pin<Box<Sleep>>,
    written_by: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        // Once there is nothing left to read, the next packet wakes the task: this poll need not
        // listen again.
        let mut silent = false;
        loop {
            let may_write = match self.socket.poll_written(cx) {
                Poll::Ready(Ok(())) => {
                    self.written_by = None;
                    true
                }
                Poll::Ready(Err(error)) => return Poll::Ready(ending(&error)),
                Poll::Pending => false,
            };
            if !silent {
                match self.socket.poll_read(cx) {
                    Poll::Pending => silent = true,
                    Poll::Ready(received) => {
                        let received = received.map_err(|error| ending(&error));
                        if let Err(ending) = received.and_then(|message| self.receive(message)) {
                            return Poll::Ready(ending);
                        }
                        continue;
                    }
                }
            }
            if may_write && let Poll::Ready(next) = self.conversation.poll_next(cx) {
                match next {
                    Next::Packet(packet) => self.write(packet.frame().clone()),
                    Next::End(reason) => return Poll::Ready(Ending::Bye(reason, Bytes::new())),
                }
                continue;
            }
            if let Err(ending) = ready!(self.poll_time(cx)) {
                return Poll::Ready(ending);
            }
        }
    }

    fn write(&mut self, frame: Bytes) {
        self.socket.write(frame);
        self.written_by = Some(Instant::now() + STALL);
    }

    /// Ready when something was due.
    fn poll_time(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ending>> {
        let has_joined = self.conversation.has_joined();
        let due = self.deadlines.next(has_joined);
        let due = self.written_by.map_or(due, |by| by.min(due));
        if self.timer.deadline() != due {
            self.timer.as_mut().reset(due);
        }
        ready!(self.timer.as_mut().poll(cx));
        let now = Instant::now();
        if self.written_by.is_some_and(|by| by <= now) {
            return Poll::Ready(Err(Ending::Gone));
        }
        match self.deadlines.check(now, has_joined) {
            Due::Nothing => {}
            Due::Ping => self.conversation.interject(engineio::PING.clone()),
            Due::Gone => return Poll::Ready(Err(Ending::Gone)),
        }
        Poll::Ready(Ok(()))
    }

    fn receive(&mut self, message: Message) -> Result<(), Ending> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Ending::Close(CloseCode::Unsupported, "text only")),
            Message::Close(_) => return Err(Ending::Closed),
            // tungstenite has the answer to a ping ready, and writes it before the next frame.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(()),
        };
        match EngineIoPacket::parse(text.as_str()).ok_or(NOT_UNDERSTOOD)? {
            EngineIoPacket::Message(text) => {
                self.conversation.receive(text).map_err(|end| match end {
                    SessionEnd::Left => LEFT,
                    SessionEnd::Broken => NOT_UNDERSTOOD,
                })
            }
            EngineIoPacket::Pong => {
                self.deadlines.pong(Instant::now());
                Ok(())
            }
            EngineIoPacket::Close => Err(LEFT),
            EngineIoPacket::Noop => Ok(()),
            EngineIoPacket::Probe | EngineIoPacket::Upgrade => Err(NOT_UNDERSTOOD),
        }
    }
}
