//! The accept loop: from a bound listener to requests, and back to nothing at the drain.
//!
//! Owns sockets, TLS, limits, deadlines and how an endless answer leaves. It promises that every connection is counted from its
//! `accept` until its socket is closed, whoever holds the socket by then (hyper, a [`handoff`], an upgraded protocol), that each
//! state a client can leave it in has a deadline, and that [`serve`] returns within the drain's time. It knows no route, and a
//! route knows of it only three values in the request's extensions or the response's:
//!
//! - [`Peer`](crate::context::Peer), in every request: who is asking, trusted proxies taken into account.
//! - [`Admission`](crate::context::Admission), in every request: over a limit, draining or neither. Limits are applied after the head has been read, so that the
//!   route can refuse in its client's language (a stream by `bye`, a WebSocket by 1013, anything else by 503).
//! - [`Live`](crate::transport::live::Live), in a response with an empty body: the chunks of an endless answer.
//!
//! By itself it answers only a request that does not say for which host it is.
//!
//! Specifications: RFC 9110, RFC 9112 (HTTP/1.1), RFC 9113 (HTTP/2); hyper speaks them.

mod accept;
mod application;
mod body;
mod config;
mod connection;
mod drain;
mod files;
mod handoff;
mod limits;
mod linger;
mod meters;
mod proxy;
mod push;
mod service;
mod tls;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use accept::bind;
pub use application::Application;
pub use config::{Config, Deadlines};
pub use drain::Drained;
pub use files::raise_open_files;
pub use linger::RequestBody;
pub use tls::{Tls, TlsError};

use connection::Server;

/// Serves `app` on `listener` until `stop` holds `true` or has lost its sender, then drains.
///
/// The drain closes the listener, asks every connection to finish the request it is in, and waits for all sockets to
/// close, at most for [`Config::drain`]. Endless answers are not ended here: the application ends them by publishing its farewell
/// when it sends `stop`. What is still open at the deadline is cut and counted in the answer.
///
/// Must be called inside a tokio runtime with I/O and time enabled. Sockets that a protocol upgrade took over are counted, but can be cut
/// only by whoever holds them: shut the runtime down after this returns.
pub async fn serve<S: Application>(
    listener: TcpListener,
    app: S,
    config: Config,
    stop: watch::Receiver<bool>,
) -> Drained {
    files::prepare(&config);
    // Accepting ends after the time for proxies.
    let drain = config.drain.saturating_sub(config.settle());
    let server = Arc::new(Server::new(config));
    accept::run(listener, &server, app, stop).await;
    drain::run(&server, drain).await
}
