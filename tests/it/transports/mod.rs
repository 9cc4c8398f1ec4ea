//! Every transport from outside: the promised bytes, and one script that all of them pass.

#[cfg(target_os = "linux")]
mod abandoned;
mod aioquic;
mod frames;
mod lines;
mod memory;
mod meter;
mod polls;
#[cfg(target_os = "linux")]
mod sessions;
mod socketio;
mod story;
mod streams;
mod vary;
mod websocket_rules;
mod websockets;
mod webtransport;
mod webtransport_limits;

use std::time::Duration;

use super::support::app::App;

/// How soon a change must reach an idle watcher (docs/protocol.md, section 13), with room for a
/// busy machine.
const SOON: Duration = Duration::from_secs(10);

/// A server with one event, and the event's present position.
async fn gala(flags: &[&str]) -> (App, String) {
    let app = App::start(
        super::support::app::Database::Sqlite,
        flags,
        headcount::domain::clock::Clock::System,
    )
    .await;
    app.event("gala", 100).await;
    let position = position(&app).await;
    (app, position)
}

async fn position(app: &App) -> String {
    app.get("/api/v1/events/gala").await.json()["position"]
        .as_str()
        .expect("a position")
        .to_owned()
}

/// Polls until a condition holds.
async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON * 3, wait)
        .await
        .expect("the condition comes true");
}

/// Registers number `n`.
async fn join(app: &App, n: usize) -> String {
    let answer = app
        .register(
            "gala",
            &format!("Visitor {n}"),
            &format!("visitor-{n}@example.org"),
        )
        .await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["position"]
        .as_str()
        .expect("a position")
        .to_owned()
}
