//! The server: accepts connections on a bound listener, hands requests to the application, and
//! drains.
//!
//! Owns sockets, TLS, limits, deadlines and the hand-off of endless answers. It promises that
//!
//! - every connection is counted from its `accept` until its socket closes, whatever holds the
//!   socket by then (hyper, a [`handoff`], an upgraded protocol);
//! - every state in which a client can leave the server waiting has a deadline;
//! - what waits for a client that does not read is bounded;
//! - a request whose head breaks HTTP's rules ([`head`]) never reaches a route;
//! - [`serve`] returns within [`Config::drain`] after it was asked to stop.
//!
//! It knows no route. A route knows only three values of the server:
//!
//! - [`Peer`](crate::context::Peer), in every request: who asks, trusted proxies considered.
//! - [`Admission`](crate::context::Admission), in every request: over a limit, draining or neither.
//!   Limits apply after the head has been read, so that the route can refuse in its transport's own
//!   way. A stream gets `bye`, a WebSocket 1013, anything else 503.
//! - [`Live`](crate::transport::live::Live), in a response with an empty body: the chunks of an
//!   endless answer.
//!
//! Specifications: RFC 9110, RFC 9112 (HTTP/1.1), RFC 9113 (HTTP/2); hyper speaks them.

mod accept;
mod application;
mod body;
mod config;
mod connection;
mod drain;
mod handoff;
mod head;
mod host;
mod limits;
mod linger;
mod load;
mod meters;
mod protocol;
mod proxy;
mod push;
mod refusal;
mod rlimit;
mod service;
mod socket;
mod stall;
mod stream;
mod tickets;
mod tls;
mod version;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use accept::{bind, is_deaf};
pub use application::Application;
pub use config::{Config, Deadlines, Demand, MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS};
pub use drain::Drained;
pub use linger::RequestBody;
pub use rlimit::{open_files_needed, raise_open_files};
pub use tickets::Tickets;
pub use tls::{Tls, TlsError};

use connection::Server;

/// Serves `app` on `listener` until `stop` holds `true` or has lost its sender, then drains.
///
/// The drain closes the listener (for trusted proxies a little later) and asks every connection to
/// finish its request. Then it waits until all sockets are closed, at most for [`Config::drain`].
/// It does not end endless answers: the application publishes a farewell when it sends `stop`. What
/// is still open at the deadline is cut and counted in the result.
///
/// Must be called inside a tokio runtime with I/O and time enabled. Sockets that a protocol upgrade
/// took over are counted, but only their owner can close them: shut the runtime down after this
/// returns.
pub async fn serve<S: Application>(
    listener: TcpListener,
    app: S,
    config: Config,
    stop: watch::Receiver<bool>,
) -> Drained {
    rlimit::warn_if_low(&config);
    // `accept::run` has used this much of the drain for trusted proxies.
    let drain = config.drain.saturating_sub(config.settle());
    let server = Arc::new(Server::new(config));
    accept::run(listener, &server, app, stop).await;
    drain::run(&server, drain).await
}
