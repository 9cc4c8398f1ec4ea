//! The comparison and its lab.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::StreamExt as _;
use headcount::domain::clock::Clock;

use super::super::support::app::Database;
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_compare_page_has_a_lab_of_its_own() {
    let app = App::sqlite().await;
    app.register("welcome", "Ada", "ada@example.org").await;
    for language in ["en", "zh-CN"] {
        let mut browser = Browser {
            language,
            ..Browser::new(&app)
        };
        let page = browser.get("/e/welcome/compare").await;
        assert_eq!(
            (page.status, page.registered()),
            (200, "1"),
            "{}",
            page.body
        );
        // Only this page may use the frame.
        assert_eq!(
            page.header("content-security-policy"),
            format!("{POLICY}; frame-src 'self'")
        );
        assert_eq!(page.body.matches("data-lane=").count(), 8);
        balanced(&page.body);
        assert!(
            page.body.contains("action=\"/compare/lab\"") && !page.body.contains("data-register="),
            "a real event gets no made-up people"
        );
        assert!(
            !page.body.contains(">transport-") && !page.body.contains("Unknown localization"),
            "every word is there: {}",
            page.body
        );
    }
    let mut browser = Browser::new(&app);
    browser.get("/e/lab/compare").await.is_page(404, "no-store");
    assert_eq!(browser.get("/compare/lab").await.location(), "/");
    assert_eq!(
        browser
            .send(
                "POST",
                "/compare/lab",
                "",
                &[("origin", "https://evil.example")]
            )
            .await
            .status,
        403
    );
    assert_eq!(
        app.get("/api/v1/events/lab").await.status,
        404,
        "another site makes nothing"
    );
    for _ in 0..2 {
        let made = browser.post("/compare/lab", "").await;
        assert_eq!(
            (made.status, made.location()),
            (303, "/e/lab/compare"),
            "{}",
            made.body
        );
    }
    let lab = browser.get("/e/lab/compare").await;
    assert!(
        lab.status == 200
            && lab.body.contains("data-register=\"50\"")
            && !lab.body.contains("action=\"/compare/lab\"")
    );
    // Anybody who knows the address can open it, but no list shows it.
    assert_eq!(
        app.get("/api/v1/events/lab").await.json()["capacity"],
        1_000
    );
    assert!(app.get("/api/v1/events").await.body.contains("\"lab\""));
    let list = browser.get("/").await.body;
    assert!(
        list.contains("/e/welcome") && !list.contains("/e/lab"),
        "{list}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_the_lab_counts_as_registering() {
    let app = App::start(
        Database::Sqlite,
        &["--register-rate-per-ip", "2"],
        Clock::System,
    )
    .await;
    let mut browser = Browser::new(&app);
    for status in [303, 303, 429] {
        assert_eq!(browser.post("/compare/lab", "").await.status, status);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_a_lab_offers_none() {
    let app = App::start(Database::Sqlite, &["--no-lab"], Clock::System).await;
    let mut browser = Browser::new(&app);
    assert_eq!(browser.post("/compare/lab", "").await.status, 404);
    assert_eq!(app.get("/api/v1/events/lab").await.status, 404);
    let page = browser.get("/e/welcome/compare").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("/compare/lab"), "{}", page.body);
    balanced(&page.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_that_the_organiser_deletes_stays_away() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        let mut browser = Browser::new(&app);
        assert_eq!(browser.post("/compare/lab", "").await.status, 303);
        let path = "/api/v1/events/lab?confirm=lab";
        let deleted = app.organise("DELETE", path, &serde_json::Value::Null).await;
        assert_eq!(deleted.status, 204, "{}", deleted.body);
        for _ in 0..2 {
            assert_eq!(browser.post("/compare/lab", "").await.status, 404);
        }
        app.event("lab", 5).await;
        assert_eq!(browser.post("/compare/lab", "").await.status, 303);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_lab_is_emptied_and_an_old_one_dropped() {
    let now = Arc::new(AtomicI64::new(1_795_251_600_000));
    let app = App::start(Database::Sqlite, &[], Clock::Manual(now.clone())).await;
    let mut browser = Browser::new(&app);
    assert_eq!(browser.post("/compare/lab", "").await.status, 303);
    let people = (0..1_000).map(|n| {
        let app = &app;
        async move {
            let email = format!("p{n}@example.org");
            assert_eq!(app.register("lab", "Ada", &email).await.status, 201);
        }
    });
    futures_util::stream::iter(people)
        .buffer_unordered(32)
        .collect::<Vec<_>>()
        .await;
    until(async || {
        let lab = app.get("/api/v1/events/lab").await.json();
        lab["round"] == 2 && lab["registered"] == 0
    })
    .await;
    assert_eq!(
        app.register("lab", "Eve", "eve@example.org").await.status,
        201
    );
    now.fetch_add(3_600_000, Ordering::SeqCst);
    until(async || app.get("/api/v1/events/lab").await.status == 404).await;
    assert_eq!(
        browser.post("/compare/lab", "").await.status,
        303,
        "and can be opened again"
    );
    app.stop().await;
}

/// Waits for what the server does by itself.
async fn until(happened: impl AsyncFn() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !happened().await {
        assert!(std::time::Instant::now() < deadline, "it does not happen");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
