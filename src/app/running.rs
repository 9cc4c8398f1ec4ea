//! A running server, and how it stops.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Stopped;
use super::background::{Background, Ended};
use super::outgoing::Workers;
use super::webtransport::Serving;
use crate::context::Shared;
use crate::live::presence_report::PresenceReporter;
use crate::server::Drained;

/// A running server. Tests hold it in process; the program holds one.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The organiser's password, if this start has generated it.
    pub drawn_password: Option<String>,
    /// The parts, for tests that look inside.
    pub context: Shared,
    /// Where the metrics are, with `--metrics-listen`.
    pub metrics: Option<SocketAddr>,
    pub(super) stop: watch::Sender<bool>,
    /// `None` once it has ended.
    pub(super) server: Option<JoinHandle<Drained>>,
    pub(super) webtransport: Serving,
    pub(super) canary: Background,
    pub(super) background: Background,
    pub(super) workers: Workers,
    pub(super) presence: PresenceReporter,
    pub(super) drain: Duration,
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

    use super::super::config::Config;
    use super::super::start;
    use super::*;
    use crate::cli::ServeArgs;
    use crate::domain::clock::Clock;
    use crate::server;

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
