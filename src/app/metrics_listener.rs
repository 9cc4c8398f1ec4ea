//! The listener of the metrics: plain HTTP/1.1, for Prometheus on the inside.
//!
//! It is a background task like the others: if it ends, the program stops. So a supervisor notices
//! a node without metrics.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Connections at once: a few scrapers, and people who look. More wait in the kernel's backlog.
const CONNECTIONS: usize = 16;
/// A connection without a request for this long is closed: four times Prometheus' default scrape
/// interval.
const IDLE: Duration = Duration::from_mins(1);
/// How often histograms are folded up, so that they do not grow between scrapes.
const UPKEEP: Duration = Duration::from_secs(5);
/// After an error that is not the listener's: out of file descriptors.
const BACKOFF: Duration = Duration::from_secs(1);
/// Prometheus' text format.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Answers every request with all metrics. Ends when the listener does not listen any more.
pub(super) async fn serve(listener: TcpListener, metrics: PrometheusHandle) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut upkeep = interval(UPKEEP);
    upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            _ = upkeep.tick() => {
                metrics.run_upkeep();
                continue;
            }
        };
        match accepted {
            Ok((stream, permit)) => drop(tokio::spawn(answer(stream, permit, metrics.clone()))),
            Err(error) if crate::server::is_deaf(&error) => {
                tracing::error!(%error, "the metrics' listener does not listen any more");
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection for the metrics; trying again");
                sleep(BACKOFF).await;
            }
        }
    }
}

/// The next connection, once there is a permit for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, Option<OwnedSemaphorePermit>)> {
    // Always `Some`: the semaphore is never closed.
    let permit = Arc::clone(permits).acquire_owned().await.ok();
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

async fn answer(
    stream: TcpStream,
    _permit: Option<OwnedSemaphorePermit>,
    metrics: PrometheusHandle,
) {
    let scrape = service_fn(move |_: Request<Incoming>| {
        let metrics = metrics.clone();
        async move {
            let mut response = Response::new(Full::new(Bytes::from(metrics.render())));
            response.headers_mut().insert(CONTENT_TYPE, TEXT);
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(IDLE);
    let connection = builder.serve_connection(TokioIo::new(stream), scrape);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection for the metrics failed");
    }
}
