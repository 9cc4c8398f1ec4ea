//! Faults of the database, for all nodes at once.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::row;
use super::stage::Stage;
use crate::support::postgres::{Cluster, shared};
use crate::support::proxy::Line;

const AWAY: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_stopped_at_once_and_started_later() {
    let server = Cluster::start_new();
    let stage = Stage::set(&server.new_database().await, server.address()).await;
    let fault = Instant::now();
    server.stop();
    let stale = stage.await_stale(&[0, 1], fault).await;
    // Long enough for the pools to find every connection dead.
    sleep(AWAY.saturating_sub(fault.elapsed())).await;
    server.start();
    let recovered = stage.is_right_again(&[0, 1], Instant::now()).await;
    let tally = stage.end(&[0, 1]).await;
    assert!(tally.unavailable > 0, "{}", tally.tell());
    row(
        "Postgres stopped (`immediate`) for 4 s",
        &format!("`stale` after {:.1} s", stale.as_secs_f64()),
        &tally.tell(),
        recovered,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_restarted() {
    let server = Cluster::start_new();
    let stage = Stage::set(&server.new_database().await, server.address()).await;
    let fault = Instant::now();
    server.drain();
    server.start();
    let recovered = stage.is_right_again(&[0, 1], Instant::now()).await;
    let stales = stage.stales(fault);
    let tally = stage.end(&[0, 1]).await;
    row(
        "Postgres restarted",
        &format!("`stale` {stales:?} times at the nodes"),
        &tally.tell(),
        recovered,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_is_terminated() {
    let stage = Stage::set(&shared().new_database().await, shared().address()).await;
    let fault = Instant::now();
    stage
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \
        current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    let recovered = stage.is_right_again(&[0, 1], Instant::now()).await;
    let stales = stage.stales(fault);
    let tally = stage.end(&[0, 1]).await;
    row(
        "all connections terminated (`pg_terminate_backend`)",
        &format!("`stale` {stales:?} times at the nodes"),
        &tally.tell(),
        recovered,
    );
}

/// The server dies, its replica takes over, and the address points to it. Commits waited for the
/// replica, so nothing acknowledged is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_takes_over() {
    let server = Cluster::start_new();
    let url = server.new_database().await;
    let replica = server.start_replica().await;
    let mut stage = Stage::set(&url, server.address()).await;
    let fault = Instant::now();
    server.stop();
    let stale = stage.await_stale(&[0, 1], fault).await;
    replica.promote().await;
    stage.url = url.replacen(
        &server.address().to_string(),
        &replica.address().to_string(),
        1,
    );
    for node in &stage.nodes {
        node.line.lead_to(replica.address());
    }
    let recovered = stage.is_right_again(&[0, 1], Instant::now()).await;
    let tally = stage.end(&[0, 1]).await;
    row(
        "failover to a synchronous replica",
        &format!("`stale` after {:.1} s", stale.as_secs_f64()),
        &tally.tell(),
        recovered,
    );
}

/// The lines are slow, not broken: no watcher receives `stale`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_network_is_slow() {
    let stage = Stage::set(&shared().new_database().await, shared().address()).await;
    let fault = Instant::now();
    for node in &stage.nodes {
        node.line.set(Line::Slow(Duration::from_millis(40)));
    }
    let recovered = stage.is_right_again(&[0, 1], fault).await;
    sleep(AWAY).await;
    let stales = stage.stales(fault);
    let tally = stage.end(&[0, 1]).await;
    row(
        "40 ms more on every packet, both ways",
        &format!("`stale` {stales:?} times at the nodes"),
        &tally.tell(),
        recovered,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lines_are_cut_again_and_again() {
    let stage = Stage::set(&shared().new_database().await, shared().address()).await;
    let fault = Instant::now();
    for _ in 0..20 {
        for node in &stage.nodes {
            node.line.cut();
        }
        sleep(Duration::from_millis(100)).await;
    }
    let recovered = stage.is_right_again(&[0, 1], Instant::now()).await;
    let stales = stage.stales(fault);
    let tally = stage.end(&[0, 1]).await;
    row(
        "every connection cut, ten times a second for 2 s",
        &format!("`stale` {stales:?} times at the nodes"),
        &tally.tell(),
        recovered,
    );
}
