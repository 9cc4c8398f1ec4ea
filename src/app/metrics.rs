//! Prometheus metrics on a listener of their own, and the audit that the published counts are true.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use futures_util::future::BoxFuture;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use super::canary::{self, Received};
use super::{backups, metrics_listener, shared_clock};
use crate::domain::position::Revision;
use crate::live::channel::Channel;
use crate::live::hub::Hub;
use crate::outbox::housekeeping;
use crate::store::Store;
use crate::transport::webtransport;

/// How often the published counts are compared with the sums of the rows.
const AUDIT: Duration = Duration::from_secs(15);
/// How long after its commit a count may be published on a busy machine.
const PUBLISHED_WITHIN: Duration = Duration::from_millis(500);

/// Seconds, from well below a commit to longer than anybody waits.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// Commands in a batch.
const BATCH: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// A listener of the metrics.
pub(super) struct Metrics {
    /// Where it listens; never with port 0.
    pub(super) address: SocketAddr,
    /// The task that serves them.
    pub(super) serving: BoxFuture<'static, ()>,
}

/// Listens on `address`.
pub(super) async fn listen(address: SocketAddr) -> Result<Metrics, String> {
    let metrics = record().map_err(|error| error.to_string())?;
    let failed = |error: std::io::Error| format!("{address}: {error}");
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    Ok(Metrics {
        address: listener.local_addr().map_err(failed)?,
        serving: Box::pin(metrics_listener::serve(listener, metrics)),
    })
}

/// Records metrics from now on. One process has one recorder: a test that starts several servers
/// shares it.
fn record() -> Result<PrometheusHandle, BuildError> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(recorder) = RECORDER.get() {
        return Ok(recorder.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full("headcount_batch_size".into()), &BATCH)?
        .install_recorder()?;
    describe();
    begin();
    Ok(RECORDER.get_or_init(|| recorder).clone())
}

fn describe() {
    metrics::describe_gauge!("headcount_watchers", "Open live views, by transport.");
    metrics::describe_counter!(
        "headcount_registrations_total",
        "Requests to register or cancel, by outcome."
    );
    metrics::describe_histogram!(
        "headcount_batch_size",
        "Commands decided in one transaction."
    );
    metrics::describe_histogram!(
        "headcount_commit_seconds",
        metrics::Unit::Seconds,
        "Time of one transaction, durable commit included."
    );
    metrics::describe_histogram!(
        "headcount_commit_to_write_seconds",
        metrics::Unit::Seconds,
        "From a change's commit to its hand-over to a socket, by transport."
    );
    metrics::describe_histogram!(
        canary::COMMIT_TO_RECEIPT,
        metrics::Unit::Seconds,
        "From a change's commit, on any node, to its receipt by this node's own watcher."
    );
    metrics::describe_gauge!(
        canary::UP,
        "1 while this node's own watcher follows a stream."
    );
    metrics::describe_gauge!(
        "headcount_drift",
        "Published count less the sum of the parties; must be 0."
    );
    metrics::describe_gauge!("headcount_registered", "People confirmed, by event.");
    metrics::describe_gauge!("headcount_capacity", "Capacity, by event; -1 for no limit.");
    metrics::describe_gauge!("headcount_waiting", "People on the waiting list, by event.");
    metrics::describe_gauge!("headcount_database_up", "1 while the database answers.");
    metrics::describe_gauge!(
        shared_clock::AHEAD,
        "How far this node's clock is ahead of the database server's."
    );
    metrics::describe_counter!(backups::TOTAL, "Regular backups (--backup-to), by outcome.");
    describe_connections();
    describe_outbox();
}

fn describe_outbox() {
    metrics::describe_gauge!(housekeeping::WAITING, "Mails that wait, by channel.");
    metrics::describe_gauge!(
        housekeeping::OLDEST,
        metrics::Unit::Seconds,
        "Age of the oldest that waits, by channel."
    );
    metrics::describe_counter!(
        housekeeping::TOTAL,
        "Attempts to deliver, by channel and outcome."
    );
}

fn describe_connections() {
    metrics::describe_gauge!(
        "headcount_connections_open",
        "Open connections, refusals included."
    );
    metrics::describe_gauge!(
        "headcount_connections_pushing",
        "Open streams that have left the HTTP library."
    );
    metrics::describe_counter!(
        "headcount_connections_accepted_total",
        "Connections accepted."
    );
    metrics::describe_counter!(
        "headcount_connections_handed_off_total",
        "Streams whose socket was taken from the HTTP library."
    );
    metrics::describe_counter!(
        "headcount_connections_refused_total",
        "Connections over a limit, by limit."
    );
    metrics::describe_counter!(
        "headcount_connections_unheard_total",
        "Connections closed without an answer: too many refusals at once."
    );
    metrics::describe_counter!(
        "headcount_connections_expired_total",
        "Connections closed by a deadline, by deadline."
    );
    metrics::describe_counter!(
        "headcount_connections_cut_total",
        "Connections still open at the end of a drain."
    );
    metrics::describe_gauge!(
        webtransport::OPEN,
        "Open connections of WebTransport, refusals included."
    );
    metrics::describe_counter!(
        webtransport::REFUSED,
        "Connections of WebTransport over a limit, by limit."
    );
    metrics::describe_counter!(
        "headcount_tls_handshakes_failed_total",
        "TLS handshakes that failed."
    );
}

/// Counters that a failure would otherwise create. A series whose first value is 1 has not risen,
/// so its alert stays silent.
fn begin() {
    for outcome in [
        "confirmed",
        "waiting",
        "replayed",
        "refused",
        "cancelled",
        "erased",
        "failed",
    ] {
        metrics::counter!("headcount_registrations_total", "outcome" => outcome).increment(0);
    }
    housekeeping::begin();
    for outcome in [backups::WRITTEN, backups::FAILED] {
        metrics::counter!(backups::TOTAL, "outcome" => outcome).increment(0);
    }
    for deadline in ["handshake", "first_request", "idle", "refusal", "stall"] {
        metrics::counter!("headcount_connections_expired_total", "deadline" => deadline)
            .increment(0);
    }
}

/// The events that have metrics.
#[derive(Default)]
struct Series(BTreeSet<String>);

impl Series {
    /// A deleted event has no registrations and no drift. The exporter cannot remove a series; it
    /// would keep the last value.
    fn only(&mut self, present: BTreeSet<String>) {
        for gone in self.0.difference(&present) {
            for gauge in [
                "headcount_registered",
                "headcount_capacity",
                "headcount_waiting",
                "headcount_drift",
            ] {
                metrics::gauge!(gauge, "event" => gone.clone()).set(0.0);
            }
        }
        self.0 = present;
    }
}

/// Compares published counts with the sums of the rows at intervals. Runs until it is dropped.
///
/// For the canary's event it compares the number that the canary received.
pub async fn audit(store: Store, hub: Hub, received: Received) {
    let mut ticks = tokio::time::interval(AUDIT);
    let mut series = Series::default();
    loop {
        ticks.tick().await;
        metrics::gauge!("headcount_database_up").set(if hub.is_stale() { 0.0 } else { 1.0 });
        let channels = hub.channels();
        series.only(
            channels
                .iter()
                .map(|channel| channel.newest().event.slug.to_string())
                .collect(),
        );
        for channel in channels {
            let event = channel.newest().event;
            let slug = event.slug.to_string();
            metrics::gauge!("headcount_registered", "event" => slug.clone())
                .set(f64::from(event.registered));
            metrics::gauge!("headcount_capacity", "event" => slug.clone())
                .set(event.capacity.get().map_or(-1.0, f64::from));
            metrics::gauge!("headcount_waiting", "event" => slug.clone())
                .set(f64::from(event.waiting));
            match store.recount(event.id).await {
                Ok(Some((counted, _))) if channel.newest().event.revision == event.revision => {
                    // A count that is still on its way is late, not wrong: then compare the
                    // published one.
                    let published = received
                        .registered(event.id, event.revision)
                        .unwrap_or(event.registered);
                    let drift = f64::from(published) - f64::from(counted);
                    if drift != 0.0 && changes(&channel, event.revision).await {
                        continue; // committed while it was counted, published just now
                    }
                    metrics::gauge!("headcount_drift", "event" => slug.clone()).set(drift);
                    if drift != 0.0 {
                        tracing::error!(
                            event = slug,
                            published,
                            counted,
                            "the published count differs from the database's"
                        );
                    }
                }
                // It changed while it was counted: the next round compares it.
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, event = slug, "cannot count; trying again later");
                }
            }
        }
    }
}

/// Whether another revision than `known` is published soon: what is committed is published next.
async fn changes(channel: &Channel, known: Revision) -> bool {
    tokio::time::sleep(PUBLISHED_WITHIN).await;
    channel.newest().event.revision != known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_event_does_not_go_on_with_its_last_values() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let mut series = Series::default();
            series.only(["gala".to_owned(), "ball".to_owned()].into());
            for event in ["gala", "ball"] {
                metrics::gauge!("headcount_drift", "event" => event).set(2.0);
            }
            series.only(["ball".to_owned()].into());
        });
        let scrape = handle.render();
        assert!(
            scrape.contains("headcount_drift{event=\"gala\"} 0\n")
                && scrape.contains("headcount_drift{event=\"ball\"} 2\n"),
            "{scrape}"
        );
        assert!(
            !scrape.contains("headcount_registered{event=\"ball\"}"),
            "{scrape}"
        );
    }
}
