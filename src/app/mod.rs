//! The composition root: puts the parts together in the order in which they start (`start.rs`), and
//! takes them apart in reverse (`running.rs`).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use listenfd::ListenFd;
use tokio::net::TcpListener;

use crate::domain::clock::Clock;
use crate::server;
use crate::store::StoreError;

pub mod acme;
mod background;
mod backups;
pub mod canary;
pub mod config;
pub mod logging;
pub mod metrics;
mod metrics_listener;
mod options;
pub mod otlp;
mod outgoing;
pub mod reread;
mod running;
pub mod runtime;
mod shared_clock;
mod signals;
mod start;
mod start_lines;
mod supervisor;
pub mod tickets;
mod webtransport;

pub use running::Running;
pub use start::start;

use config::Config;
use reread::Reread;
use signals::Signals;
use supervisor::Supervisor;

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is in use or not this machine's.
    #[error("{address} cannot be listened on: {source}")]
    Listen {
        /// `--listen`.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The address of WebTransport is in use or not this machine's.
    #[error("--webtransport-listen: {address} cannot be listened on: {source}")]
    WebTransport {
        /// `--webtransport-listen`.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The metrics' address.
    #[error("--metrics-listen: {0}")]
    Metrics(String),
    /// The mail server.
    #[error("--smtp-url: {0}")]
    Mail(String),
}

/// The exit code after a part of the server has ended by a defect (`EX_SOFTWARE` in sysexits.h). A
/// supervisor that restarts on failure starts the server again.
pub const FAILED: u8 = 70;

/// Why the server stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// A signal asked for it.
    Asked,
    /// A part of it ended by a defect.
    Failed,
}

/// Serves until a signal or a defect, then drains. SIGHUP takes what `reread` finds.
pub async fn run(
    config: Config,
    handed_over: ListenFd,
    reread: Reread<'_>,
) -> Result<Stopped, StartError> {
    let signals = Signals::listen();
    let address = config.listen;
    let listener =
        listener(address, handed_over).map_err(|source| StartError::Listen { address, source })?;
    let mut running = start(config.clone(), listener, Clock::System.correctable()).await?;
    start_lines::print(&config, &running);
    let supervisor = Supervisor::of_this_process().map(Arc::new);
    let tell = |state| {
        if let Some(supervisor) = &supervisor {
            supervisor.notify(state);
        }
    };
    if let Some(watchdog) = supervisor.clone().and_then(Supervisor::watchdog) {
        running.background.spawn("watchdog", watchdog);
    }
    tell(supervisor::READY);
    let stopped = running
        .until(signals.stop(|| reread::apply(reread, config.tls.as_ref())))
        .await;
    tell(supervisor::STOPPING);
    tracing::info!("stopping: no new connections, streams say goodbye");
    running.stop().await;
    Ok(stopped)
}

/// The socket that the supervisor has bound (`sd_listen_fds(3)`): visitors wait in its backlog while
/// the service restarts. Without one the server binds `address` itself.
fn listener(address: SocketAddr, mut handed_over: ListenFd) -> io::Result<TcpListener> {
    if handed_over.len() > 1 {
        tracing::warn!("only the first of the sockets that systemd has bound is used");
    }
    match handed_over.take_tcp_listener(0) {
        Ok(Some(bound)) => {
            bound.set_nonblocking(true)?;
            TcpListener::from_std(bound)
        }
        Ok(None) => server::bind(address),
        Err(error) => Err(error),
    }
}
