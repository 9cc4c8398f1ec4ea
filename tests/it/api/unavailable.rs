//! What a server that is busy, stopping or without its database answers.

use headcount::domain::clock::Clock;

use super::super::support::app::{App, Database};
use super::{JSON, refused};

const REGISTER: &str = "/api/v1/events/welcome/registrations";
const ADA: &str = r#"{"name":"Ada","email":"ada@example.org"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_limit_nothing_is_stored_and_probes_are_answered() {
    let app = App::start(Database::Sqlite, &["--max-connections", "1"], Clock::System).await;
    let mut holder = app.wire().await;
    holder
        .send("GET /api/v1/clock HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    assert!(holder.head().await.starts_with("http/1.1 200"));
    let busy = app.call("POST", REGISTER, &[JSON], ADA).await;
    refused(&busy, 503, "busy");
    assert!(busy.header("retry-after").is_some());
    assert_eq!(app.get("/health/live").await.status, 200);
    drop(holder);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_client_gets_a_time_to_retry() {
    let app = App::sqlite().await;
    app.running.context.registrar.close().await;
    let draining = app.call("POST", REGISTER, &[JSON], ADA).await;
    refused(&draining, 503, "draining");
    assert!(draining.header("retry-after").is_some());

    let app = App::sqlite().await;
    app.running.context.store.close().await;
    for answer in [
        app.call("POST", REGISTER, &[JSON], ADA).await,
        app.get("/api/v1/registrations/1-1-1-aaaaaaaaaaaaaaaaaaaaaa")
            .await,
    ] {
        refused(&answer, 503, "database-unreachable");
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(
        app.get("/api/v1/events").await.status,
        200,
        "what is known can be read"
    );
}
