//! The dashboard, the live monitor and the public chart, without scripts.

use serde_json::json;

use super::*;

/// What a page's chart says it ends with.
fn registered(page: &Page) -> String {
    let (_, rest) = page.body.split_once("Chart: ").expect("a chart");
    rest.split_once(" registered").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_has_a_chart_a_table_and_no_estimate_below_ten_people() {
    let app = App::sqlite().await;
    app.event("gala", 100).await;
    let mut browser = Browser::new(&app);
    browser.sign_in().await;
    let none = "No estimate: it needs";
    for people in 0..=12 {
        if people > 0 {
            let email = format!("p{people}@example.org");
            assert_eq!(app.register("gala", "P", &email).await.status, 201);
        }
        if ![0, 9, 12].contains(&people) {
            continue;
        }
        for span in ["all", "day", "hour"] {
            let page = browser
                .get(&format!("/admin/events/gala?span={span}"))
                .await;
            page.is_page(200, "no-store");
            assert_eq!(registered(&page), people.to_string(), "{span}");
            assert!(page.body.contains("class=\"chart-registered\" d=\"M"));
            assert!(
                page.body.contains(&format!("<td>{people}</td>")),
                "the table"
            );
            assert_eq!(page.body.contains(none), people < 10, "{span}, {people}");
        }
    }
    let page = browser.get("/admin/events/gala").await;
    assert!(page.body.contains("An estimate: the rate will change."));
    for text in ["Watching now", "New in the last 5 minutes"] {
        assert!(page.body.contains(text), "{text}");
    }
    assert!(!page.body.contains("Delivery, median"), "nobody measures");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_counted_by_reason_and_another_event_stands_beside() {
    let app = App::sqlite().await;
    app.event("tiny", 1).await;
    for email in [
        "a@example.org",
        "b@example.org",
        "c@example.org",
        "a@example.org",
    ] {
        app.register("tiny", "P", email).await;
    }
    let mut browser = Browser::new(&app);
    browser.sign_in().await;
    let page = browser.get("/admin/events/tiny?beside=welcome").await;
    page.is_page(200, "no-store");
    assert!(
        page.body.contains("<b>3</b> Not enough places"),
        "all were too late: {}",
        page.body
    );
    for chart in ["data-grows=\"chart-tiny\"", "data-grows=\"chart-welcome\""] {
        assert!(page.body.contains(chart), "{chart}");
    }
    for alone in ["beside=tiny", "beside=gone", "beside="] {
        let page = browser.get(&format!("/admin/events/tiny?{alone}")).await;
        assert_eq!(
            page.body.matches("data-grows=\"chart-").count(),
            1,
            "{alone}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_live_monitor_has_the_same_for_organisers_only() {
    let app = App::sqlite().await;
    app.register("welcome", "Ada", "ada@example.org").await;
    let mut browser = Browser::new(&app);
    let path = "/admin/events/welcome/live";
    let anonymous = browser.get(path).await;
    assert_eq!(anonymous.location(), signs_in_for(path));
    browser.sign_in().await;
    let page = browser.get(path).await;
    page.is_page(200, "no-store");
    assert_eq!(registered(&page), "1");
    for control in ["<form", "<button", "<select", "class=\"spans\""] {
        assert!(!page.body.contains(control), "{control}");
    }
    assert_eq!(browser.get("/admin/events/gone/live").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_sees_the_chart_of_an_event_that_allows_it() {
    let app = App::sqlite().await;
    app.register("welcome", "Ada", "ada@example.org").await;
    let mut browser = Browser::new(&app);
    let (path, link) = ("/e/welcome/chart", "href=\"/e/welcome/chart\"");
    assert_eq!(browser.get(path).await.status, 404);
    assert!(!browser.get("/e/welcome").await.body.contains(link));
    let public = json!({ "public_chart": true });
    app.organise("PATCH", "/api/v1/events/welcome", &public)
        .await;
    let page = browser.get(path).await;
    page.is_page(200, "no-cache");
    assert_eq!(registered(&page), "1");
    assert!(!page.body.contains("Watching now"), "for organisers only");
    assert!(browser.get("/e/welcome").await.body.contains(link));
}
