//! What every handler may use, put together once by the composition root (`app`).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub mod attempt_limiter;
pub mod blocking;
pub mod head;
pub mod in_flight;
pub mod long_body_limiter;
pub mod password_queue;
pub mod readiness;
pub mod render_queue;
pub mod subscriber;
pub mod surge_detector;
pub mod throttle;
pub mod webtransport;

use tokio::sync::OnceCell;

use crate::domain::clock::Clock;
use crate::domain::zone::Zone;
use crate::live::hub::Hub;
use crate::outbox::links::LostLinks;
use crate::outbox::webhook::Guard;
use crate::store::Store;
use crate::store::outbox::Budget;
use crate::write_path::queue::Registrar;
use long_body_limiter::LongBodyLimiter;
use readiness::Readiness;
use surge_detector::SurgeDetector;
use throttle::Throttle;
use webtransport::WebTransport;

/// The parts of the running program, as handlers use them.
#[derive(Debug)]
pub struct Context {
    /// The database, for reading; every change of an event goes through `registrar`.
    pub store: Store,
    /// The newest state of every event.
    pub hub: Hub,
    /// Submits changes.
    pub registrar: Registrar,
    /// The source of the present time.
    pub clock: Clock,
    /// What the operator chose.
    pub settings: Settings,
    /// The rate limits.
    pub throttle: Throttle,
    /// Room for bodies with long answers.
    pub long_bodies: LongBodyLimiter,
    /// Whether registrations look like a program's.
    pub surges: SurgeDetector,
    /// The key of the bot check, once it was read.
    pub proof_key: OnceCell<Hidden>,
    /// Mails links to those who lost them.
    pub lost_links: LostLinks,
    /// Whether a load balancer should send new visitors here.
    pub readiness: Readiness,
}

impl Context {
    /// Puts the parts together. Nothing is throttled, and the process is not draining.
    pub fn new(
        store: Store,
        hub: Hub,
        registrar: Registrar,
        clock: Clock,
        settings: Settings,
    ) -> Shared {
        let throttle = Throttle::new(settings.register_rate_per_ip);
        let lost_links = LostLinks::new(store.clone(), clock.clone());
        Arc::new(Self {
            lost_links,
            store,
            hub,
            registrar,
            clock,
            settings,
            throttle,
            long_bodies: LongBodyLimiter::default(),
            surges: SurgeDetector::default(),
            proof_key: OnceCell::new(),
            readiness: Readiness::default(),
        })
    }

    /// The database, read for this client: long reads are shared between addresses.
    pub fn store_for(&self, peer: Peer) -> Store {
        self.store.for_reader(subscriber::subscriber(peer.ip))
    }
}

/// Handlers share one context.
pub type Shared = Arc<Context>;

impl Settings {
    /// Whether a cookie for this client needs `Secure`: the client uses TLS now, or the public URL
    /// is https.
    pub fn has_secure_cookies(&self, peer: Peer) -> bool {
        let public = self.public_url.as_deref().unwrap_or_default();
        peer.secure || public.starts_with("https://")
    }
}

/// The settings that handlers use.
#[derive(Debug, Clone)]
pub struct Settings {
    /// A comment or ping at least this often on every stream.
    pub heartbeat: Duration,
    /// `scheme://host[:port]` without a trailing slash; `None`: taken from each request.
    pub public_url: Option<String>,
    /// How many mails an hour; `None`: no mail, and nothing about it anywhere.
    pub mail: Option<Budget>,
    /// Which addresses webhooks may lead to.
    pub webhooks: Guard,
    /// The time zone of new events.
    pub time_zone: Zone,
    /// The bearer token of the organiser's API; `None`: no bearer access.
    pub admin_token: Option<Hidden>,
    /// Registrations a minute from one address before it is asked to slow down; 0 is off.
    pub register_rate_per_ip: u32,
    /// Whether visitors may open the lab (`--no-lab`: no).
    pub lab: bool,
    /// Where WebTransport is served; `None`: nowhere.
    pub webtransport: Option<WebTransport>,
}

/// A secret of the configuration; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// Hides `secret`.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

/// Who is at the other end; the server puts it into the extensions of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client's address, behind trusted proxies the one they forward.
    pub ip: IpAddr,
    /// Whether the client speaks TLS, to this server or to a trusted proxy (`X-Forwarded-Proto`).
    pub secure: bool,
}

/// Whether a connection is within the limits. The server puts it into the extensions of every
/// request, and the routes refuse in the transport's own way (docs/protocol.md, section 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Within the limits.
    Admitted,
    /// Refuse it: too many connections.
    OverLimit,
    /// Refuse it: the server stops.
    Draining,
}
