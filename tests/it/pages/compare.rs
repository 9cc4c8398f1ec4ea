//! The comparison and its lab.

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
        // The frame is this page's alone.
        assert_eq!(
            page.header("content-security-policy"),
            format!("{POLICY}; frame-src 'self'")
        );
        assert_eq!(page.body.matches("data-lane=").count(), 6);
        balanced(&page.body);
        assert!(
            page.body.contains("action=\"/compare/lab\"") && !page.body.contains("data-register="),
            "a real event gets no made-up people"
        );
        assert!(
            !page.body.contains("technique-") && !page.body.contains("Unknown localization"),
            "every word is there: {}",
            page.body
        );
    }
    let mut browser = Browser::new(&app);
    browser.get("/e/lab/compare").await.is_page(404, "no-store");
    browser.get("/compare/lab").await.is_page(405, "no-store");
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
    // Open to everybody who looks for it, but not on offer.
    assert!(app.get("/api/v1/events/lab").await.json()["capacity"].is_null());
    assert!(app.get("/api/v1/events").await.body.contains("\"lab\""));
    let list = browser.get("/").await.body;
    assert!(
        list.contains("/e/welcome") && !list.contains("/e/lab"),
        "{list}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn making_the_lab_counts_as_registering() {
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
