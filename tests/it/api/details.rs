//! `GET …/details`, announcements that last, and the push that says that something has changed.

use headcount::domain::clock::Clock;
use serde_json::{Value, json};

use super::super::support::app::{App, Database};
use super::super::support::sse::Stream;

const DETAILS: &str = "/api/v1/events/welcome/details";
const ANNOUNCEMENTS: &str = "/api/v1/events/welcome/announcements";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn details_are_an_item_of_the_list_with_a_validator() {
    let app = App::sqlite().await;
    app.organise("POST", ANNOUNCEMENTS, &json!({ "text": "Doors open" }))
        .await;
    let details = app.get(DETAILS).await;
    let list = app.get("/api/v1/events").await.json();
    assert_eq!(
        (details.status, details.json()),
        (200, list["events"][0].clone())
    );
    assert_eq!(details.header("access-control-allow-origin"), Some("*"));
    let etag = details.header("etag").expect("an ETag").to_owned();
    let same = app
        .call("GET", DETAILS, &[("if-none-match", &etag)], "")
        .await;
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    let changed = app
        .organise(
            "PATCH",
            "/api/v1/events/welcome",
            &json!({ "title": "Gala" }),
        )
        .await;
    assert_eq!(changed.status, 200);
    let fresh = app
        .call("GET", DETAILS, &[("if-none-match", &etag)], "")
        .await;
    assert_eq!(
        (fresh.status, &fresh.json()["title"]),
        (200, &json!("Gala"))
    );
    assert_eq!(app.get("/api/v1/events/nothing/details").await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_receive_details_only_when_they_change() {
    let app = App::sqlite().await;
    let mut stream = Stream::open(&app, "/api/v1/events/welcome/stream", "").await;
    stream.next("count").await;
    for edit in [
        json!({ "title": "Gala" }),
        json!({ "description": "Bring a torch" }),
        json!({ "closes_at": "2999-01-01T00:00:00Z" }),
        json!({ "waitlist": true }),
    ] {
        let edited = app.organise("PATCH", "/api/v1/events/welcome", &edit).await;
        assert_eq!(edited.status, 200);
        let details = stream.next("details").await.json();
        assert_eq!(details, json!({ "at": edited.json()["at"] }), "{edit}");
    }
    // A registration does not change the details, so the next push of that kind is the
    // withdrawal's.
    app.register("welcome", "Ada", "ada@example.org").await;
    let announced = app
        .organise("POST", ANNOUNCEMENTS, &json!({ "text": "Doors open" }))
        .await
        .json();
    assert_eq!(stream.next("notice").await.json(), announced);
    let withdrawn = app.organise("DELETE", ANNOUNCEMENTS, &Value::Null).await;
    assert_eq!(withdrawn.status, 204);
    assert!(stream.next("details").await.json()["at"].as_str() >= announced["at"].as_str());
    assert_eq!(app.get(DETAILS).await.json()["announcement"], Value::Null);
    // A second withdrawal changes nothing.
    let withdrawn = app.organise("DELETE", ANNOUNCEMENTS, &Value::Null).await;
    assert_eq!(withdrawn.status, 204);
    let audit = app
        .organise("GET", "/api/v1/events/welcome/audit?limit=2", &Value::Null)
        .await
        .json();
    assert_eq!(
        (
            &audit["entries"][0]["action"],
            &audit["entries"][1]["action"]
        ),
        (&json!("withdraw"), &json!("announce"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announcement_is_shown_until_its_end() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        let made = app
            .organise(
                "POST",
                ANNOUNCEMENTS,
                &json!({ "text": "Doors open", "ends_at": "2999-01-01T00:00:00Z" }),
            )
            .await;
        assert_eq!(
            (made.status, &made.json()["ends_at"]),
            (201, &json!("2999-01-01T00:00:00.000Z"))
        );
        assert_eq!(app.get(DETAILS).await.json()["announcement"], made.json());
        // A new announcement replaces it before its end.
        let short = app
            .organise("POST", ANNOUNCEMENTS, &json!({ "text": "Soon" }))
            .await
            .json();
        assert_eq!(app.get(DETAILS).await.json()["announcement"], short);
        for wrong in [json!("2020-01-01T00:00:00Z"), json!("soon"), json!(7)] {
            let refused = app
                .organise(
                    "POST",
                    ANNOUNCEMENTS,
                    &json!({ "text": "x", "ends_at": wrong }),
                )
                .await;
            assert_eq!(
                (refused.status, &refused.json()["errors"][0]["field"]),
                (422, &json!("ends_at"))
            );
        }
        app.stop().await;
    }
}
