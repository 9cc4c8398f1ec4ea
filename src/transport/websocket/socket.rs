//! A WebSocket that costs little while idle: it writes ready-made frames, and tungstenite reads the
//! client's.
//!
//! Outgoing messages are shared bytes; writing copies and allocates nothing. tungstenite's state
//! machine reads the client's frames (masks, fragments, UTF-8, close). It writes the answers that
//! RFC 6455 asks for. The two writers never interleave. [`Polled`] lets tungstenite write only
//! between our frames, and our next frame begins only when tungstenite has nothing left to write.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::{
    CloseFrame, Role, WebSocketConfig, WebSocketContext,
};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::LARGEST_MESSAGE;
use crate::wire::websocket_lengths::Lengths;

/// The read buffer of each connection: a pong fits. A longer message gets room once its header is
/// read.
const READ_BUFFER: usize = 64;

/// The error kind for bytes that break RFC 6455.
pub(in crate::transport) const NOT_WEBSOCKET: ErrorKind = ErrorKind::InvalidData;

/// The socket of one finished handshake.
pub(in crate::transport) struct Socket<S> {
    io: S,
    reader: WebSocketContext,
    /// What the kernel has not taken of the frame that is being written.
    rest: Bytes,
    /// `rest` has been written, and may still be inside TLS.
    unflushed: bool,
    /// tungstenite may have something to write.
    answering: bool,
    /// The client has broken the rules: tungstenite cannot read what follows.
    broken: bool,
    lengths: Lengths,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(in crate::transport) fn new(io: S) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            // tungstenite writes only the answers that the standard asks for: one pong or close at
            // a time.
            .write_buffer_size(0)
            .max_write_buffer_size(LARGEST_MESSAGE)
            .max_message_size(Some(LARGEST_MESSAGE))
            .max_frame_size(Some(LARGEST_MESSAGE));
        Self {
            io,
            reader: WebSocketContext::new(Role::Server, Some(config)),
            rest: Bytes::new(),
            unflushed: false,
            answering: false,
            broken: false,
            lengths: Lengths::default(),
        }
    }

    /// Begins a frame; only when [`Self::poll_written`] is ready.
    pub(in crate::transport) fn write(&mut self, frame: Bytes) {
        debug_assert!(
            self.rest.is_empty(),
            "frames are written one after the other"
        );
        self.rest = frame;
        self.unflushed = true;
    }

    /// Whether a frame of ours is being written.
    pub(in crate::transport) fn is_writing(&self) -> bool {
        self.unflushed
    }

    /// Ready when everything that was begun is with the kernel, tungstenite's answers included.
    pub(in crate::transport) fn poll_written(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        while !self.rest.is_empty() {
            match ready!(Pin::new(&mut self.io).poll_write(cx, &self.rest))? {
                0 => return Poll::Ready(Err(io::Error::from(ErrorKind::WriteZero).into())),
                written => self.rest.advance(written),
            }
        }
        if self.unflushed {
            // A message's allocation must not live as long as its slowest idle watcher.
            self.rest = Bytes::new();
            ready!(Pin::new(&mut self.io).poll_flush(cx))?;
            self.unflushed = false;
        }
        if self.answering {
            ready!(self.polled(cx, |reader, io| reader.flush(io)))?;
            self.answering = false;
        }
        Poll::Ready(Ok(()))
    }

    /// The next message of the client; nothing after an error.
    pub(in crate::transport) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Message, Error>> {
        if self.broken {
            return Poll::Ready(Err(io::Error::from(NOT_WEBSOCKET).into()));
        }
        let read = self.polled(cx, |reader, io| reader.read(io));
        self.broken = matches!(read, Poll::Ready(Err(_)));
        self.answering |= matches!(read, Poll::Ready(Ok(Message::Ping(_) | Message::Close(_))));
        read
    }

    /// Sends the close frame and reads the client's. Always ends with an error: after a proper
    /// handshake `ConnectionClosed`.
    pub(in crate::transport) async fn close(
        &mut self,
        frame: Option<CloseFrame>,
    ) -> Result<(), Error> {
        poll_fn(|cx| self.poll_written(cx)).await?;
        if frame.is_some() {
            // The first call takes the frame even if the socket does not; the others go on writing
            // it.
            let mut frame = Some(frame);
            let mut said =
                |reader: &mut WebSocketContext, io: &mut Polled<'_, '_, S>| match frame.take() {
                    Some(frame) => reader.close(io, frame),
                    None => reader.flush(io),
                };
            poll_fn(|cx| self.polled(cx, &mut said)).await?;
        }
        loop {
            poll_fn(|cx| self.poll_read(cx)).await?;
        }
    }

    /// Shuts down writing: the client sees the end of the connection at once, and TLS
    /// ends with `close_notify`.
    pub(in crate::transport) async fn shut_down(&mut self) {
        // A client that is gone needs no end.
        let _ = self.io.shutdown().await;
    }

    /// Reads and drops what the client sends after a protocol violation. Closing a socket with
    /// unread data resets the connection, and the close frame may be lost.
    pub(in crate::transport) async fn read_rest(&mut self) {
        let mut rest = [0; 512];
        while matches!(self.io.read(&mut rest).await, Ok(1..)) {}
    }

    fn polled<T>(
        &mut self,
        cx: &mut Context<'_>,
        act: impl FnOnce(&mut WebSocketContext, &mut Polled<'_, '_, S>) -> Result<T, Error>,
    ) -> Poll<Result<T, Error>> {
        let mut io = Polled {
            io: &mut self.io,
            cx,
            may_write: !self.unflushed,
            lengths: &mut self.lengths,
        };
        match act(&mut self.reader, &mut io) {
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
            outcome => Poll::Ready(outcome),
        }
    }
}

/// The socket as tungstenite wants it, for one poll. Where it would block, it leaves the task's
/// waker.
struct Polled<'a, 'b, S> {
    io: &'a mut S,
    cx: &'a mut Context<'b>,
    may_write: bool,
    lengths: &'a mut Lengths,
}

fn blocking<T>(outcome: Poll<io::Result<T>>) -> io::Result<T> {
    match outcome {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(ErrorKind::WouldBlock.into()),
    }
}

impl<S: AsyncRead + Unpin> Read for Polled<'_, '_, S> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let mut space = ReadBuf::new(space);
        blocking(Pin::new(&mut *self.io).poll_read(self.cx, &mut space))?;
        if self.lengths.check(space.filled()).is_err() {
            return Err(NOT_WEBSOCKET.into());
        }
        Ok(space.filled().len())
    }
}

impl<S: AsyncWrite + Unpin> Write for Polled<'_, '_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.may_write {
            // Our own frame leaves the waker; tungstenite tries again after it.
            return Err(ErrorKind::WouldBlock.into());
        }
        blocking(Pin::new(&mut *self.io).poll_write(self.cx, bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        blocking(Pin::new(&mut *self.io).poll_flush(self.cx))
    }
}
