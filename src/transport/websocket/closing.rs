//! The end of a WebSocket (RFC 6455, section 7).

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::socket::{NOT_WEBSOCKET, Socket};
use crate::wire::message::Reason;

/// How long the client may take for its half of the closing handshake.
const CLOSING: Duration = Duration::from_secs(1);

/// Why a WebSocket ends.
#[derive(Debug)]
pub(in crate::transport) enum Ending {
    /// The client is gone, or as good as.
    Gone,
    /// The client has said goodbye.
    Closed,
    /// The client learns why.
    Close(CloseCode, &'static str),
    /// The client learns why, after a farewell; that may be empty if it was written before.
    Bye(Reason, Bytes),
}

/// What an error on the socket means.
pub(in crate::transport) fn ending(error: &Error) -> Ending {
    match error {
        Error::Capacity(_) => Ending::Close(CloseCode::Size, "at most 4 KiB"),
        Error::Utf8(_) => Ending::Close(CloseCode::Invalid, "not UTF-8"),
        Error::Protocol(_) => Ending::Close(CloseCode::Protocol, "not RFC 6455"),
        Error::Io(error) if error.kind() == NOT_WEBSOCKET => {
            Ending::Close(CloseCode::Protocol, "not RFC 6455")
        }
        _ => Ending::Gone,
    }
}

/// The closing handshake, within a bound.
pub(in crate::transport) async fn close<S>(mut socket: Socket<S>, ending: Ending)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = match &ending {
        Ending::Gone => return,
        Ending::Closed => None,
        Ending::Close(code, why) => Some((*code, *why)),
        // A deleted event has come to its end: there is nothing to reconnect for.
        Ending::Bye(Reason::Deleted, _) => Some((CloseCode::Normal, "deleted")),
        Ending::Bye(Reason::Drain, _) => Some((CloseCode::Away, "drain")),
        Ending::Bye(Reason::Limit, _) => Some((CloseCode::Again, "limit")),
    };
    let farewell = async {
        // What was begun is finished first.
        poll_fn(|cx| socket.poll_written(cx)).await?;
        if let Ending::Bye(_, farewell) = ending {
            socket.write(farewell);
        }
        socket
            .close(frame.map(|(code, reason)| CloseFrame {
                code,
                reason: reason.into(),
            }))
            .await
    };
    let outcome = timeout(CLOSING, farewell).await;
    // The client waits for this side to close first (section 7.1.1).
    let _ = timeout(CLOSING, socket.shut_down()).await;
    // The end of a proper handshake is an error to tungstenite.
    if let Ok(Err(error)) = outcome
        && !matches!(error, Error::ConnectionClosed | Error::AlreadyClosed)
    {
        // Either way the socket closes now.
        let _ = timeout(CLOSING, socket.read_rest()).await;
    }
}
