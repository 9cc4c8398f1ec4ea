//! Follows one event at any Headcount server, over any transport, with one cursor
//! (docs/protocol.md, section 1).
//!
//! Owns the loop that reconnects ([`follow`]), what every transport yields ([`item::Item`]), and
//! one small client for each. Every client opens its own socket, as a browser would, and counts its
//! requests and bytes ([`meter::Meter`]). It prints nothing and holds no backlog: each item goes to
//! an [`item::Sink`] at once, and a slow sink makes the server skip revisions.

pub(super) mod address;
pub(super) mod api;
pub(super) mod count;
pub(super) mod item;
pub(super) mod meter;
pub(super) mod target;
pub(super) mod tls;

mod backoff;
mod follow;
mod frame;
mod frame_parser;
mod line;
mod long_poll;
mod ndjson;
mod poll;
mod request;
mod session;
mod socketio;
mod socketio_packet;
mod sse;
mod websocket;
mod webtransport;

pub(super) use follow::follow;
pub(super) use request::retry_after;

use clap::ValueEnum;

/// A transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
#[expect(
    clippy::enum_variant_names,
    reason = "WebTransport is the name of a protocol"
)]
pub(super) enum Transport {
    /// Server-sent events.
    Sse,
    /// NDJSON.
    Ndjson,
    /// WebSocket.
    #[value(name = "ws", alias = "websocket")]
    WebSocket,
    /// WebTransport over HTTP/3.
    #[value(name = "wt", alias = "webtransport")]
    WebTransport,
    /// Requests that the server answers when something changes.
    LongPoll,
    /// Requests at a fixed interval.
    Poll,
    /// Socket.IO over WebSocket.
    #[value(name = "socketio", alias = "socket.io")]
    SocketIo,
    /// The endless HTML document of an iframe.
    #[value(alias = "iframe")]
    Frame,
}
