//! The composition root: puts the parts together in the order in which they start, and takes them apart in reverse.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tower_layer::Layer as _;

use crate::context::{Context, Settings, Shared};
use crate::domain::clock::Clock;
use crate::domain::event::{Capacity, NewEvent, Slug};
use crate::http::session;
use crate::live::cluster;
use crate::live::hub::Hub;
use crate::live::presence_report::Watching;
use crate::register::queue::{QUEUE, Registrar};
use crate::register::schedule;
use crate::routes;
use crate::server::{self, Drained};
use crate::store::{CreateError, Store, StoreError};
use crate::transport::socketio;

pub mod canary;
pub mod config;
pub mod logging;
pub mod metrics;
pub mod runtime;
mod start_lines;

use canary::{Canary, Received};
use config::Config;

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
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The metrics' address.
    #[error("--metrics-listen: {0}")]
    Metrics(String),
}

/// Serves until SIGTERM or SIGINT, then drains.
pub async fn run(config: Config) -> Result<(), StartError> {
    let address = config.listen;
    let listener =
        server::bind(address).map_err(|source| StartError::Listen { address, source })?;
    let running = start(config.clone(), listener, Clock::System).await?;
    start_lines::print(&config, &running);
    stop_signal().await;
    tracing::info!("stopping: no new connections, streams say goodbye");
    running.stop().await;
    Ok(())
}

/// SIGTERM or SIGINT.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    // Installing a handler fails only for signals that cannot be handled; these two can.
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be handled");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// A running server. Tests hold it in process; the program holds one.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The organiser's password, if this start has drawn it.
    pub drawn_password: Option<String>,
    /// The parts, for tests that look inside.
    pub context: Shared,
    stop: watch::Sender<bool>,
    server: JoinHandle<Drained>,
    canary: JoinSet<()>,
    background: JoinSet<()>,
    watching: Watching,
    drain: Duration,
}

/// Starts everything on a bound listener.
pub async fn start(
    config: Config,
    listener: TcpListener,
    clock: Clock,
) -> Result<Running, StartError> {
    let address = listener.local_addr().map_err(|source| StartError::Listen {
        address: config.listen,
        source,
    })?;
    let tls = config.tls.clone();
    if let Some(address) = config.metrics_listen {
        metrics::start(address).map_err(StartError::Metrics)?;
    }
    let store = Store::open(&config.database, config.notify_database.as_ref()).await?;
    let drawn_password = session::ensure_password(&store, config.admin_password.as_ref()).await?;
    if config.welcome_event {
        welcome(&store, &clock).await?;
    }
    let hub = Hub::new(config.publish_interval);
    for event in store.events().await? {
        hub.publish(event);
    }
    let (broadcaster, broadcasting) = cluster::broadcasting(store.clone(), config.publish_interval);
    let registrar = Registrar::new(
        store.clone(),
        hub.clone(),
        clock.clone(),
        broadcaster,
        QUEUE,
    );

    let mut background = JoinSet::new();
    background.spawn(broadcasting);
    background.spawn(cluster::follow(store.clone(), hub.clone(), clock.clone()));
    background.spawn(schedule::run(registrar.clone(), hub.clone(), clock.clone()));
    let received = Received::default();
    background.spawn(metrics::audit(store.clone(), hub.clone(), received.clone()));
    let watching = Watching::new(store.clone(), hub.clone());
    background.spawn(watching.clone().run());

    let mut canary = JoinSet::new();
    if config.metrics_listen.is_some() {
        let (hub, clock, tls) = (hub.clone(), clock.clone(), tls.clone());
        canary.spawn(
            Canary {
                address,
                tls,
                hub,
                clock,
                received,
            }
            .run(),
        );
    }

    let settings = Settings {
        heartbeat: config.heartbeat,
        public_url: config.public_url.clone(),
        admin_token: config.admin_token.clone(),
        register_rate_per_ip: config.register_rate_per_ip,
    };
    let context = Context::new(store, hub, registrar, clock, settings);
    let sessions = socketio::Limits {
        total: config.max_connections,
        per_address: config.max_connections_per_ip,
    };
    let routes = warp::service(routes::all(&context));
    let service = socketio::layer(context.clone(), sessions).layer(routes);
    let (stop, stopping) = watch::channel(false);
    let server_config = server::Config {
        max_connections: config.max_connections,
        max_connections_per_address: config.max_connections_per_ip,
        trusted_proxies: config.trusted_proxies.clone(),
        tls,
        drain: config.drain,
        handoff: config.handoff,
        ..server::Config::default()
    };
    let server = tokio::spawn(server::serve(listener, service, server_config, stopping));
    Ok(Running {
        address,
        drawn_password,
        context,
        stop,
        server,
        canary,
        background,
        watching,
        drain: config.drain,
    })
}

/// An empty database gets one event, so that the first start shows a working page.
async fn welcome(store: &Store, clock: &Clock) -> Result<(), StoreError> {
    if !store.events().await?.is_empty() {
        return Ok(());
    }
    let event = NewEvent {
        // A constant of the right form.
        slug: Slug::parse("welcome").expect("a valid slug"),
        title: "Welcome · 欢迎".into(),
        description: "Open this page twice, register in one, and watch the other.\n把此页打开两次，在其中一页报名，看看另一页。".into(),
        capacity: Capacity::limited(100).expect("within the limits"),
        waitlist: false,
        opens_at: None,
        closes_at: None,
    };
    match store.create(event, "schedule", clock.now()).await {
        // Another node that started at the same moment was faster.
        Ok(_) | Err(CreateError::SlugTaken) => Ok(()),
        Err(CreateError::Store(error)) => Err(error),
    }
}

impl Running {
    /// The drain (docs/protocol.md, section 12): readiness turns 503, no new connections, streams say goodbye spread over the
    /// window, what was admitted is committed and answered.
    pub async fn stop(mut self) {
        self.context.readiness.drain();
        // Nobody sits behind it: it need not wait for its farewell.
        self.canary.shutdown().await;
        // Receivers are gone only when the server has ended by itself.
        let _ = self.stop.send(true);
        self.context.hub.drain(self.drain);
        match self.server.await {
            Ok(Drained { open, cut }) => tracing::info!(open, cut, "all connections are closed"),
            Err(error) => tracing::error!(%error, "the server has panicked"),
        }
        self.context.registrar.close().await;
        self.background.shutdown().await;
        self.watching.leave().await;
        self.context.store.close().await;
    }
}
