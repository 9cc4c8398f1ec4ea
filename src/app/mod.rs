//! The composition root: puts the parts together in the order in which they start, and takes them
//! apart in reverse.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower_layer::Layer as _;
use warp::http::Method;

use crate::context::{Context, Settings, Shared};
use crate::domain::clock::Clock;
use crate::domain::event::{Capacity, NewEvent, Slug};
use crate::domain::occasion::Occasion;
use crate::domain::zone::Zone;
use crate::http::{session, urls};
use crate::live::hub::Hub;
use crate::live::presence_report::PresenceReporter;
use crate::live::{broadcast, cluster};
use crate::outbox::mail::Pool;
use crate::outbox::reminders;
use crate::register::queue::{QUEUE, Registrar};
use crate::register::{lab, retention, schedule};
use crate::routes;
use crate::server::{self, Demand, Drained};
use crate::stats::add_up;
use crate::stats::sampler::{self, Sampler};
use crate::store::{CreateError, Store, StoreError};
use crate::transport::socketio;

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
pub mod runtime;
mod start_lines;
mod supervisor;
pub mod tickets;
mod webtransport;

use background::{Background, Ended};
use canary::{Canary, Received};
use config::Config;
use outgoing::Workers;
use reread::Reread;
use supervisor::Supervisor;
use tickets::SharedTickets;
use webtransport::Serving;

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
    let mut running = start(config.clone(), listener, Clock::System).await?;
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

/// The signals that this process handles. They count from `listen` on.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Self {
        // Installing a handler fails only for signals that cannot be handled; these three can.
        Self {
            terminate: signal(SignalKind::terminate()).expect("SIGTERM can be handled"),
            interrupt: signal(SignalKind::interrupt()).expect("SIGINT can be handled"),
            hangup: signal(SignalKind::hangup()).expect("SIGHUP can be handled"),
        }
    }

    /// Waits for SIGTERM or SIGINT, and calls `on_hangup` at each SIGHUP. That of a terminal which is
    /// closed asks to stop: it must not cut visitors off.
    async fn stop(mut self, on_hangup: impl Fn()) {
        let has_terminal = std::io::stdin().is_terminal();
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {}
            }
            if has_terminal {
                return;
            }
            on_hangup();
        }
    }
}

/// A running server. Tests hold it in process; the program holds one.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The organiser's password, if this start has generated it.
    pub drawn_password: Option<String>,
    /// The parts, for tests that look inside.
    pub context: Shared,
    stop: watch::Sender<bool>,
    /// `None` once it has ended.
    server: Option<JoinHandle<Drained>>,
    webtransport: Serving,
    canary: Background,
    background: Background,
    workers: Workers,
    presence: PresenceReporter,
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
    // Before anything is counted.
    let metrics = match config.metrics_listen {
        Some(address) => Some(
            metrics::listen(address)
                .await
                .map_err(StartError::Metrics)?,
        ),
        None => None,
    };
    let bound = config.webtransport_listen.map(|address| {
        webtransport::bind(address, tls.as_ref(), &clock)
            .map_err(|source| StartError::WebTransport { address, source })
    });
    let bound = bound.transpose()?;
    let pool = config.mail.as_ref().map(Pool::new).transpose();
    let pool = pool.map_err(StartError::Mail)?;
    let store = Store::open(&config.database, config.notify_database.as_ref()).await?;
    let store = if config.mail.is_some() {
        store.with_mail().await?
    } else {
        store.with_mailed_links().await?
    };
    let drawn_password = session::ensure_password(&store, config.admin_password.as_ref()).await?;
    if config.welcome_event {
        welcome(&store, &config.time_zone, &clock).await?;
    }
    let hub = Hub::new(config.publish_interval);
    for event in store.events().await? {
        hub.publish(event);
    }
    let (broadcaster, broadcasting) =
        broadcast::broadcasting(store.clone(), config.publish_interval);
    let registrar = Registrar::new(
        store.clone(),
        hub.clone(),
        clock.clone(),
        broadcaster,
        QUEUE,
    );

    let mut background = Background::default();
    if let Some(metrics) = metrics {
        background.spawn("metrics", metrics);
    }
    background.spawn("broadcaster", broadcasting);
    let follower = cluster::follow(store.clone(), hub.clone(), clock.clone());
    background.spawn("follower", follower);
    let schedule = schedule::run(registrar.clone(), hub.clone(), clock.clone());
    background.spawn("schedule", schedule);
    let retention = retention::run(registrar.clone(), store.clone(), hub.clone(), clock.clone());
    background.spawn("retention", retention);
    if config.lab {
        background.spawn(
            "lab",
            lab::run(registrar.clone(), hub.clone(), clock.clone()),
        );
    }
    let received = Received::default();
    let audit = metrics::audit(store.clone(), hub.clone(), received.clone());
    background.spawn("audit", audit);
    if let Some(plan) = config.backups.clone() {
        let task = backups::run(plan, config.database.clone(), clock.clone());
        background.spawn("backups", task);
    }
    if let Some((settings, tls)) = config.acme.clone().zip(tls.clone()) {
        background.spawn("acme", acme::run(settings, tls, clock.clone()));
    }
    if let Some(tls) = &tls {
        let mut tickets = SharedTickets::new(tls.tickets(), store.clone(), clock.clone());
        // Before the first handshake.
        tickets.refresh().await;
        background.spawn("tickets", tickets.run());
    }
    let workers = Workers::start(
        config.mail.as_ref().zip(pool),
        &config.webhooks,
        &store,
        &clock,
    )
    .await?;
    if config.mail.is_some() {
        let reminders = reminders::run(store.clone(), hub.clone(), clock.clone());
        background.spawn("reminders", reminders);
    }
    let presence = PresenceReporter::new(store.clone(), hub.clone());
    background.spawn("presence", presence.clone().run());
    background.spawn("series", add_up::run(store.clone(), hub.clone()));
    let sampler = Sampler::new(store.clone(), presence.clone());
    background.spawn("sampler", sampler::run(sampler, hub.clone(), clock.clone()));

    let mut canary = Background::default();
    if config.metrics_listen.is_some() {
        let (hub, clock, tls) = (hub.clone(), clock.clone(), tls.clone());
        canary.spawn(
            "canary",
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
        mail: config.mail.as_ref().map(|mail| mail.budget),
        webhooks: config.webhooks.clone(),
        time_zone: config.time_zone.clone(),
        admin_token: config.admin_token.clone(),
        register_rate_per_ip: config.register_rate_per_ip,
        lab: config.lab,
        webtransport: bound.as_ref().map(|bound| bound.published.clone()),
    };
    let context = Context::new(store, hub, registrar, clock, settings);
    let sessions = socketio::Limits {
        total: config.max_connections,
        per_address: config.max_connections_per_ip,
    };
    let routes = warp::service(routes::all(&context));
    let service = socketio::layer(context.clone(), sessions).layer(routes);
    let (stop, stopping) = watch::channel(false);
    let webtransport = Serving::start(bound, &context, &config, stopping.clone());
    let server_config = server::Config {
        max_connections: config.max_connections,
        max_connections_per_address: config.max_connections_per_ip,
        trusted_proxies: config.trusted_proxies.clone(),
        demand,
        route: |path| urls::find(path).map(|url| url.pattern),
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
        server: Some(server),
        webtransport,
        canary,
        background,
        workers,
        presence,
        drain: config.drain,
    })
}

/// What a request asks of the server. Socket.IO has limits of its own for what it holds.
fn demand(method: &Method, path: &str) -> Demand {
    if path.starts_with(urls::HEALTH) {
        Demand::Probe
    } else if method == Method::GET && urls::find(path).is_some_and(|url| url.live) {
        Demand::Live
    } else {
        Demand::Ordinary
    }
}

/// An empty database gets one event, so that the first start shows a working page.
async fn welcome(store: &Store, time_zone: &Zone, clock: &Clock) -> Result<(), StoreError> {
    if !store.events().await?.is_empty() {
        return Ok(());
    }
    // Constants within the limits.
    let slug = Slug::parse("welcome").expect("a valid slug");
    let capacity = Capacity::limited(100).expect("within the limits");
    let event = NewEvent {
        description: "Open this page twice, register in one, and watch the other.\n\
            把此页打开两次，在其中一页报名，看看另一页。"
            .into(),
        occasion: Occasion {
            time_zone: time_zone.clone(),
            ..Occasion::default()
        },
        ..NewEvent::new(slug, "Welcome · 欢迎", capacity)
    };
    match store.create(event, "schedule", clock.now()).await {
        // Another node that started at the same moment created it first.
        Ok(_) | Err(CreateError::SlugTaken) => Ok(()),
        Err(CreateError::Store(error)) => Err(error),
    }
}

impl Running {
    /// Waits for `signal`, or until a part of the server ends by a defect.
    pub async fn until(&mut self, signal: impl Future<Output = ()>) -> Stopped {
        let Ended { task, panicked } = tokio::select! {
            biased;
            () = signal => return Stopped::Asked,
            ended = self.background.ended() => ended,
            ended = self.workers.ended() => ended,
            ended = self.canary.ended() => ended,
            ended = server_ended(&mut self.server) => ended,
            ended = self.webtransport.ended() => ended,
        };
        tracing::error!(
            task,
            panicked,
            "a background task ended; stopping, so that a supervisor starts the server again"
        );
        Stopped::Failed
    }

    /// The drain (docs/protocol.md, section 12): readiness turns 503, no new connections, streams
    /// say goodbye spread over the window. What was admitted is committed and answered.
    pub async fn stop(mut self) {
        self.context.readiness.drain();
        self.workers.ask_to_stop();
        // No person watches it, so it needs no farewell.
        self.canary.shutdown().await;
        // Receivers are gone only when the server has ended by itself.
        let _ = self.stop.send(true);
        self.context.hub.drain(self.drain);
        if let Some(server) = self.server.take() {
            match server.await {
                Ok(Drained { open, cut }) => {
                    tracing::info!(open, cut, "all connections are closed");
                }
                Err(error) => tracing::error!(%error, "the server panicked"),
            }
        }
        self.webtransport.finish().await;
        self.context.registrar.close().await;
        self.context.lost_links.finish().await;
        self.workers.finish().await;
        self.background.shutdown().await;
        self.presence.leave().await;
        self.context.store.close().await;
    }
}

/// Waits until the server ends by itself, which it should not.
async fn server_ended(server: &mut Option<JoinHandle<Drained>>) -> Ended {
    let outcome = match server {
        Some(server) => server.await,
        None => std::future::pending().await,
    };
    *server = None;
    Ended {
        task: "server",
        panicked: outcome.is_err(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::ServeArgs;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        serve: ServeArgs,
    }

    #[tokio::test]
    async fn a_background_task_that_ends_stops_the_server_with_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let line = [
            "headcount",
            "--listen",
            "127.0.0.1:0",
            "--database-url",
            &url,
        ];
        let config = Config::read(&Line::parse_from(line).serve).unwrap();
        let listener = server::bind(config.listen).unwrap();
        let mut running = start(config, listener, Clock::System).await.unwrap();
        let asked = running.until(std::future::ready(())).await;
        assert_eq!(asked, Stopped::Asked);
        running
            .background
            .spawn("faulty", async { panic!("a defect") });
        let failed = running.until(std::future::pending()).await;
        assert_eq!(failed, Stopped::Failed);
        running.stop().await;
    }
}
