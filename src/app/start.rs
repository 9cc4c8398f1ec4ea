//! The start: every part in the order in which it needs the others.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_layer::Layer as _;
use warp::http::Method;

use super::background::Background;
use super::canary::{Canary, Received};
use super::config::Config;
use super::metrics::{self, Metrics};
use super::outgoing::Workers;
use super::running::Running;
use super::shared_clock::SharedClock;
use super::tickets::SharedTickets;
use super::webtransport::{self, Bound, Serving};
use super::{StartError, acme, backups};
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
use crate::routes;
use crate::server::{self, Demand};
use crate::stats::add_up;
use crate::stats::sampler::{self, Sampler};
use crate::store::{CreateError, Store, StoreError};
use crate::transport::socketio;
use crate::write_path::queue::{QUEUE, Registrar};
use crate::write_path::{lab, retention, schedule};

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
    let metrics = metrics_listener(&config).await?;
    let pool = config.mail.as_ref().map(Pool::new).transpose();
    let pool = pool.map_err(StartError::Mail)?;
    let store = open(&config).await?;
    let shared_clock = SharedClock::start(&store, &clock).await?;
    let webtransport = webtransport_listener(&config, &clock)?;
    let drawn_password = fill(&store, &config, &clock).await?;

    let mut background = Background::default();
    let metrics_address = metrics.as_ref().map(|metrics| metrics.address);
    if let Some(metrics) = metrics {
        background.spawn("metrics", metrics.serving);
    }
    background.spawn("clock", shared_clock.run());
    let core = Core::start(store, clock, &config, &mut background).await?;
    core.keep_count(&config, &mut background);
    core.keep_safe(&config, &mut background).await;
    let received = Received::default();
    let (store, hub, clock) = (&core.store, &core.hub, &core.clock);
    let audit = metrics::audit(store.clone(), hub.clone(), received.clone());
    background.spawn("audit", audit);
    let mail = config.mail.as_ref().zip(pool);
    let workers = Workers::start(mail, &config.webhooks, store, clock).await?;
    let presence = PresenceReporter::new(store.clone(), hub.clone());
    core.observe(&presence, &mut background);
    let canary = core.canary(&config, address, received);

    let context = core.context(&config, webtransport.as_ref());
    let (stop, stopping) = watch::channel(false);
    let webtransport = Serving::start(webtransport, &context, &config, stopping.clone());
    let server = serve(&config, listener, &context, stopping);
    Ok(Running {
        address,
        drawn_password,
        context,
        metrics: metrics_address,
        stop,
        server: Some(tokio::spawn(server)),
        webtransport,
        canary,
        background,
        workers,
        presence,
        drain: config.drain,
    })
}

/// Comes first: what is counted before it is lost.
async fn metrics_listener(config: &Config) -> Result<Option<Metrics>, StartError> {
    let Some(address) = config.metrics_listen else {
        return Ok(None);
    };
    let listening = metrics::listen(address).await;
    listening.map(Some).map_err(StartError::Metrics)
}

fn webtransport_listener(config: &Config, clock: &Clock) -> Result<Option<Bound>, StartError> {
    let Some(address) = config.webtransport_listen else {
        return Ok(None);
    };
    let bound = webtransport::bind(address, config.tls.as_ref(), &clock.own());
    bound
        .map(Some)
        .map_err(|source| StartError::WebTransport { address, source })
}

/// The database, which knows whether this server sends mail.
async fn open(config: &Config) -> Result<Store, StoreError> {
    let store = Store::open(&config.database, config.notify_database.as_ref()).await?;
    if config.mail.is_some() {
        store.with_mail().await
    } else {
        store.with_mailed_links().await
    }
}

/// Fills a new database: the organiser's password, which is returned if it was drawn, and the event
/// that welcomes.
async fn fill(store: &Store, config: &Config, clock: &Clock) -> Result<Option<String>, StoreError> {
    let given = config.admin_password.as_ref();
    let drawn = session::ensure_password(store, given, clock.now()).await?;
    if config.welcome_event {
        welcome(store, &config.time_zone, clock).await?;
    }
    Ok(drawn)
}

/// What most parts work with.
struct Core {
    store: Store,
    hub: Hub,
    registrar: Registrar,
    clock: Clock,
}

impl Core {
    /// The newest state of every event, and who may change it.
    async fn start(
        store: Store,
        clock: Clock,
        config: &Config,
        background: &mut Background,
    ) -> Result<Self, StoreError> {
        let hub = Hub::new(config.publish_interval);
        for event in store.events().await? {
            hub.publish(event);
        }
        let (broadcaster, broadcasting) =
            broadcast::broadcasting(store.clone(), config.publish_interval);
        background.spawn("broadcaster", broadcasting);
        let registrar = Registrar::new(
            store.clone(),
            hub.clone(),
            clock.clone(),
            broadcaster,
            QUEUE,
        );
        Ok(Self {
            store,
            hub,
            registrar,
            clock,
        })
    }

    /// What changes events without a request: other nodes and the time.
    fn keep_count(&self, config: &Config, background: &mut Background) {
        let (store, hub, clock) = (&self.store, &self.hub, &self.clock);
        let registrar = &self.registrar;
        let follower = cluster::follow(store.clone(), hub.clone(), clock.clone());
        background.spawn("follower", follower);
        let schedule = schedule::run(registrar.clone(), hub.clone(), clock.clone());
        background.spawn("schedule", schedule);
        let retention =
            retention::run(registrar.clone(), store.clone(), hub.clone(), clock.clone());
        background.spawn("retention", retention);
        if config.lab {
            let lab = lab::run(registrar.clone(), hub.clone(), clock.clone());
            background.spawn("lab", lab);
        }
        if config.mail.is_some() {
            let reminders = reminders::run(store.clone(), hub.clone(), clock.clone());
            background.spawn("reminders", reminders);
        }
    }

    /// Backups, the certificate, and the keys of session tickets.
    async fn keep_safe(&self, config: &Config, background: &mut Background) {
        let clock = &self.clock;
        if let Some(plan) = config.backups.clone() {
            let task = backups::run(plan, config.database.clone(), clock.clone());
            background.spawn("backups", task);
        }
        let Some(tls) = &config.tls else {
            return;
        };
        if let Some(settings) = config.acme.clone() {
            background.spawn("acme", acme::run(settings, tls.clone(), clock.own()));
        }
        let mut tickets = SharedTickets::new(tls.tickets(), self.store.clone(), clock.clone());
        // Before the first handshake.
        tickets.refresh().await;
        background.spawn("tickets", tickets.run());
    }

    /// How many watch, and how counts develop.
    fn observe(&self, presence: &PresenceReporter, background: &mut Background) {
        let (store, hub) = (&self.store, &self.hub);
        background.spawn("presence", presence.clone().run());
        background.spawn("series", add_up::run(store.clone(), hub.clone()));
        let sampler = Sampler::new(store.clone(), presence.clone());
        let sampler = sampler::run(sampler, hub.clone(), self.clock.clone());
        background.spawn("sampler", sampler);
    }

    /// The server's own watcher, which measures what a watcher sees; with `--metrics-listen` only.
    fn canary(&self, config: &Config, address: SocketAddr, received: Received) -> Background {
        let mut background = Background::default();
        if config.metrics_listen.is_some() {
            let canary = Canary {
                address,
                tls: config.tls.clone(),
                hub: self.hub.clone(),
                clock: self.clock.clone(),
                received,
            };
            background.spawn("canary", canary.run());
        }
        background
    }

    /// What handlers share.
    fn context(self, config: &Config, webtransport: Option<&Bound>) -> Shared {
        let settings = Settings {
            heartbeat: config.heartbeat,
            public_url: config.public_url.clone(),
            mail: config.mail.as_ref().map(|mail| mail.budget),
            webhooks: config.webhooks.clone(),
            time_zone: config.time_zone.clone(),
            admin_token: config.admin_token.clone(),
            register_rate_per_ip: config.register_rate_per_ip,
            lab: config.lab,
            webtransport: webtransport.map(|bound| bound.published.clone()),
        };
        Context::new(self.store, self.hub, self.registrar, self.clock, settings)
    }
}

/// Serves on `listener` until `stopping` holds `true`.
fn serve(
    config: &Config,
    listener: TcpListener,
    context: &Shared,
    stopping: watch::Receiver<bool>,
) -> impl Future<Output = server::Drained> + use<> {
    let sessions = socketio::Limits {
        total: config.max_connections,
        per_address: config.max_connections_per_ip,
    };
    let routes = warp::service(routes::all(context));
    let service = socketio::layer(Shared::clone(context), sessions).layer(routes);
    let config = server::Config {
        max_connections: config.max_connections,
        max_connections_per_address: config.max_connections_per_ip,
        trusted_proxies: config.trusted_proxies.clone(),
        demand,
        route: |path| urls::find(path).map(|url| url.pattern),
        tls: config.tls.clone(),
        drain: config.drain,
        handoff: config.handoff,
        ..server::Config::default()
    };
    server::serve(listener, service, config, stopping)
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
