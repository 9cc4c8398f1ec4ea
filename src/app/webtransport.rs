//! Starts the listener of WebTransport, with the operator's certificate or with its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::background::Ended;
use super::config::Config;
use crate::context::Shared;
use crate::context::webtransport::WebTransport;
use crate::domain::clock::Clock;
use crate::server::Tls;
use crate::transport::webtransport::certificates::Certificates;
use crate::transport::webtransport::{self, Limits, Listener};

/// Connections over a limit that may be open at once, to refuse them with a farewell; as many as
/// over TCP.
const REFUSALS: usize = 512;

/// A bound listener, and what pages and the API say of it.
pub(super) struct Bound {
    listener: Listener,
    pub(super) published: WebTransport,
}

/// Listens on `address`.
pub(super) fn bind(
    address: SocketAddr,
    tls: Option<&Tls>,
    clock: &Clock,
) -> Result<Bound, std::io::Error> {
    if let Some(tls) = tls {
        let listener = webtransport::bind(address, Arc::new(tls.clone()))?;
        let published = WebTransport::with_certificate(listener.address);
        return Ok(Bound {
            listener,
            published,
        });
    }
    let certificates = Certificates::new(clock.clone()).map_err(std::io::Error::other)?;
    let certificates = Arc::new(certificates);
    let listener = webtransport::bind(address, certificates.clone())?;
    let published = WebTransport::with_hashes(listener.address, move || certificates.hashes());
    Ok(Bound {
        listener,
        published,
    })
}

/// The task that serves, if there is a listener.
#[derive(Debug, Default)]
pub(super) struct Serving(Option<JoinHandle<()>>);

impl Serving {
    /// Serves until `stop` holds `true`, and drains.
    pub(super) fn start(
        bound: Option<Bound>,
        context: &Shared,
        config: &Config,
        mut stop: watch::Receiver<bool>,
    ) -> Self {
        let Some(Bound { listener, .. }) = bound else {
            return Self(None);
        };
        let limits = Limits {
            total: config.max_connections,
            per_address: config.max_connections_per_ip,
            refusals: REFUSALS,
        };
        let stopped = async move {
            // Without its sender the server has ended.
            let _ = stop.wait_for(|stopped| *stopped).await;
        };
        let (context, drain): (_, Duration) = (context.clone(), config.drain);
        let serve = webtransport::serve(listener, context, limits, stopped, drain);
        Self(Some(tokio::spawn(serve)))
    }

    /// Waits until it ends by itself, which it should not.
    pub(super) async fn ended(&mut self) -> Ended {
        let outcome = match &mut self.0 {
            Some(task) => task.await,
            None => std::future::pending().await,
        };
        self.0 = None;
        Ended {
            task: "webtransport",
            panicked: outcome.is_err(),
        }
    }

    /// Waits for the end of its drain.
    pub(super) async fn finish(&mut self) {
        if let Some(task) = self.0.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "WebTransport panicked");
        }
    }
}
