//! The private page shows the present state of a registration, whether the visitor, an organiser or
//! a reset changed it.

use headcount::domain::clock::Clock;
use serde_json::json;

use super::super::support::app::Database;
use super::*;

/// Only people who have a place read this.
const ENTRANCE: &str = "Show this page at the entrance";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_page_shows_what_an_organiser_did() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        app.event("gala", 5).await;
        let mine = app.register("gala", "Ada", "ada@example.org").await.json();
        let private = format!("/r/{}", mine["token"].as_str().unwrap());
        let mut browser = Browser::new(&app);
        let says = async |browser: &mut Browser<'_>, status: u16, words: &str| {
            let page = browser.get(&private).await;
            page.is_page(status, "no-store");
            assert!(page.body.contains(words), "{words} in {}", page.body);
            assert_eq!(
                page.body
                    .contains(&format!("{ENTRANCE} if you are asked.</p><p class")),
                words == ENTRANCE
            );
            page
        };
        says(&mut browser, 200, ENTRANCE).await;

        let reset = app
            .organise(
                "POST",
                "/api/v1/events/gala/reset",
                &json!({ "confirm": "gala" }),
            )
            .await;
        assert_eq!(reset.status, 200);
        let archived = says(
            &mut browser,
            200,
            "data-registration-status>This registration is from an earlier round",
        )
        .await;
        assert!(archived.body.contains("href=\"/e/gala#register-heading\""));

        let undone = app
            .organise("POST", "/api/v1/events/gala/reset/undo", &json!({}))
            .await;
        assert_eq!(undone.status, 200);
        says(&mut browser, 200, ENTRANCE).await;

        let deleted = app
            .call(
                "DELETE",
                "/api/v1/events/gala?confirm=gala",
                &[("authorization", &format!("Bearer {TOKEN}"))],
                "",
            )
            .await;
        assert_eq!(deleted.status, 204);
        says(&mut browser, 404, "This event has been deleted").await;
        // These links were never valid.
        for unknown in [
            "/r/1-1-1-aaaaaaaaaaaaaaaaaaaaaa",
            "/r/999999-1-1-aaaaaaaaaaaaaaaaaaaaaa",
            "/r/gala",
        ] {
            let page = browser.get(unknown).await;
            page.is_page(404, "no-store");
            assert!(
                page.body
                    .contains("The private link is incomplete or wrong"),
                "{unknown}: {}",
                page.body
            );
        }
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_sent_again_after_cancelling_leads_to_the_cancelled_registration() {
    let app = App::sqlite().await;
    let mut browser = Browser::new(&app);
    let key = browser.get("/e/welcome").await.value("idempotency_key");
    let form = format!("name=Ada&email=ada%40example.org&website=&idempotency_key={key}");
    let private = browser
        .post("/e/welcome/register", &form)
        .await
        .location()
        .to_owned();
    browser.post(&format!("{private}/cancel"), "").await;

    let again = browser.post("/e/welcome/register", &form).await;
    assert_eq!(again.location(), private);
    let page = browser.get(&private).await;
    assert!(page.body.contains(">This registration is cancelled</h1>"));
    // It links to a page with a new key.
    assert!(page.body.contains("href=\"/e/welcome#register-heading\""));
    assert_ne!(
        browser.get("/e/welcome").await.value("idempotency_key"),
        key
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_field_that_autofill_has_filled_locks_nobody_out() {
    let app = App::sqlite().await;
    let mut browser = Browser::new(&app);
    let refused = browser
        .post(
            "/e/welcome/register",
            "name=Ada&email=ada%40example.org&website=https%3A%2F%2Fada.example",
        )
        .await;
    refused.is_page(422, "no-store");
    assert!(refused.body.contains("please send the form once more"));
    assert_eq!(refused.value("website"), "");
    let again = format!(
        "name={}&email={}&website=&idempotency_key={}",
        refused.value("name"),
        refused.value("email"),
        refused.value("idempotency_key")
    );
    assert_eq!(
        browser.post("/e/welcome/register", &again).await.status,
        303
    );
    app.stop().await;
}
