//! The organiser's API.

use serde_json::{Value, json};

use super::super::support::app::{Answer, App};
use super::super::support::sse::Stream;
use super::{JSON, bearer, fields, refused};

async fn organise_with(
    app: &App,
    method: &str,
    path: &str,
    header: (&str, &str),
    body: &Value,
) -> Answer {
    app.call(
        method,
        path,
        &[JSON, ("authorization", &bearer()), header],
        &body.to_string(),
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_created_event_is_listed() {
    let app = App::sqlite().await;
    let new = json!({ "slug": "gala", "title": " Gala ", "capacity": null, "description": "a\r\nb", "opens_at": "2030-01-01T01:00:00+01:00" });
    let answer = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let event = answer.json();
    assert_eq!(answer.header("location"), Some("/api/v1/events/gala"));
    assert_eq!(
        answer.header("etag"),
        Some(format!("{:?}", event["position"].as_str().unwrap()).as_str())
    );
    assert_eq!(
        (
            &event["title"],
            &event["description"],
            &event["capacity"],
            &event["remaining"]
        ),
        (&json!("Gala"), &json!("a\nb"), &Value::Null, &Value::Null)
    );
    assert_eq!(
        (&event["state"], &event["opens_at"], &event["waitlist"]),
        (
            &json!("scheduled"),
            &json!("2030-01-01T00:00:00.000Z"),
            &json!(false)
        )
    );
    let list = app.get("/api/v1/events").await.json();
    let mut public = event;
    let online_url = public.as_object_mut().unwrap().remove("online_url");
    assert_eq!(
        online_url,
        Some(Value::Null),
        "only the organiser's answer has it"
    );
    assert_eq!(list["events"].as_array().unwrap().last(), Some(&public));
    refused(
        &app.organise("POST", "/api/v1/events", &new).await,
        409,
        "slug-taken",
    );
    assert_eq!(
        fields(&app.organise("POST", "/api/v1/events", &json!({})).await),
        ["slug", "title", "capacity"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patch_distinguishes_absent_from_null_and_obeys_if_match() {
    let app = App::sqlite().await;
    let new = json!({ "slug": "gala", "title": "Gala", "capacity": 5, "opens_at": "2020-01-01T00:00:00Z", "closes_at": "2999-01-01T00:00:00Z" });
    let first = app.organise("POST", "/api/v1/events", &new).await;
    let etag = first.header("etag").unwrap().to_owned();

    let path = "/api/v1/events/gala";
    let changed = organise_with(
        &app,
        "PATCH",
        path,
        ("if-match", &format!("\"other\", {etag}")),
        &json!({ "opens_at": null, "title": "Ball" }),
    )
    .await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let event = changed.json();
    assert_eq!(
        (&event["title"], &event["opens_at"], &event["capacity"]),
        (&json!("Ball"), &Value::Null, &json!(5))
    );
    assert_eq!(event["closes_at"], "2999-01-01T00:00:00.000Z");

    for stale in [etag.as_str(), "\"garbage\"", "garbage", "W/\"q7f2k9-1\""] {
        refused(
            &organise_with(
                &app,
                "PATCH",
                path,
                ("if-match", stale),
                &json!({ "title": "X" }),
            )
            .await,
            412,
            "changed-meanwhile",
        );
    }
    assert_eq!(
        organise_with(
            &app,
            "PATCH",
            path,
            ("if-match", "*"),
            &json!({ "capacity": null })
        )
        .await
        .json()["capacity"],
        Value::Null
    );
    let before = app.get(path).await.json();
    assert_eq!(
        app.organise("PATCH", path, &json!({})).await.json()["revision"],
        before["revision"],
        "nothing was changed"
    );
    assert_eq!(
        fields(
            &app.organise(
                "PATCH",
                path,
                &json!({ "slug": "ball", "capacity": 1_000_001, "waitlist": null })
            )
            .await
        ),
        ["slug", "capacity", "waitlist"]
    );
    assert_eq!(
        fields(
            &app.organise(
                "PATCH",
                path,
                &json!({ "opens_at": "2999-01-02T00:00:00Z" })
            )
            .await
        ),
        ["closes_at"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raised_capacity_promotes_in_order() {
    let app = App::sqlite().await;
    app.organise(
        "POST",
        "/api/v1/events",
        &json!({ "slug": "gala", "title": "Gala", "capacity": 1, "waitlist": true }),
    )
    .await;
    for n in 1..=4 {
        assert_eq!(
            app.register("gala", "Ada", &format!("ada-{n}@example.org"))
                .await
                .status,
            201
        );
    }
    assert_eq!(
        app.organise("PATCH", "/api/v1/events/gala", &json!({ "capacity": 3 }))
            .await
            .json()["waiting"],
        1
    );
    let rows = app
        .organise("GET", "/api/v1/events/gala/registrations", &Value::Null)
        .await
        .json();
    let statuses: Vec<_> = rows["registrations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["status"].clone(), row["waiting_position"].clone()))
        .collect();
    let confirmed = (json!("confirmed"), Value::Null);
    assert_eq!(
        statuses,
        [
            confirmed.clone(),
            confirmed.clone(),
            confirmed,
            (json!("waiting"), json!(1))
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_needs_confirmation_and_can_be_undone() {
    let app = App::sqlite().await;
    app.event("gala", 5).await;
    app.register("gala", "Ada", "ada@example.org").await;
    let (reset, undo) = (
        "/api/v1/events/gala/reset",
        "/api/v1/events/gala/reset/undo",
    );
    refused(
        &app.organise("POST", undo, &Value::Null).await,
        409,
        "not-empty",
    );
    for wrong in [
        json!({}),
        json!({ "confirm": "Gala" }),
        json!({ "confirm": true }),
        json!({ "confirm": "" }),
    ] {
        assert_eq!(
            fields(&app.organise("POST", reset, &wrong).await),
            ["confirm"]
        );
    }
    assert_eq!(
        fields(
            &app.organise("POST", reset, &json!({ "capacity": -1 }))
                .await
        ),
        ["confirm", "capacity"]
    );
    let fresh = app
        .organise("POST", reset, &json!({ "confirm": "gala", "capacity": 9 }))
        .await
        .json();
    assert_eq!(
        (&fresh["round"], &fresh["registered"], &fresh["capacity"]),
        (&json!(2), &json!(0), &json!(9))
    );
    let back = app.organise("POST", undo, &Value::Null).await;
    assert_eq!(
        (
            back.status,
            &back.json()["round"],
            &back.json()["registered"],
            &back.json()["capacity"]
        ),
        (200, &json!(1), &json!(1), &json!(5))
    );

    app.organise(
        "POST",
        reset,
        &json!({ "confirm": "gala", "capacity": null }),
    )
    .await;
    assert_eq!(
        app.register("gala", "Ada", "ada@example.org").await.status,
        201,
        "a new round knows nobody"
    );
    refused(
        &app.organise("POST", undo, &Value::Null).await,
        409,
        "not-empty",
    );
    let old = app
        .organise(
            "GET",
            "/api/v1/events/gala/registrations?round=1",
            &Value::Null,
        )
        .await
        .json();
    assert_eq!(old["registrations"][0]["round"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_an_event_with_registrations_needs_its_slug() {
    let app = App::sqlite().await;
    app.event("empty", 5).await;
    app.event("gala", 5).await;
    let token = app.register("gala", "Ada", "ada@example.org").await.json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        app.organise("DELETE", "/api/v1/events/empty", &Value::Null)
            .await
            .status,
        204
    );
    for path in [
        "/api/v1/events/gala",
        "/api/v1/events/gala?confirm=",
        "/api/v1/events/gala?confirm=welcome",
    ] {
        refused(
            &app.organise("DELETE", path, &Value::Null).await,
            409,
            "not-empty",
        );
    }
    let deleted = app
        .organise("DELETE", "/api/v1/events/gala?confirm=gala", &Value::Null)
        .await;
    assert_eq!((deleted.status, deleted.body.as_str()), (204, ""));
    for path in ["/api/v1/events/gala", "/api/v1/events/empty"] {
        refused(&app.get(path).await, 404, "event-not-found");
    }
    refused(
        &app.get(&format!("/api/v1/registrations/{token}")).await,
        404,
        "registration-not-found",
    );
    refused(
        &app.register("gala", "Ada", "ada@example.org").await,
        404,
        "event-not-found",
    );
    // The slug is free again, and the new event is another one.
    app.event("gala", 1).await;
    assert_eq!(
        app.register("gala", "Ada", "ada@example.org").await.json()["number"],
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_watcher_receives_an_announcement() {
    let app = App::sqlite().await;
    let mut stream = Stream::open(&app, "/api/v1/events/welcome/stream", "").await;
    stream.next("count").await;
    let path = "/api/v1/events/welcome/announcements";
    let announced = app
        .organise("POST", path, &json!({ "text": " Doors open at 19:00 " }))
        .await;
    assert_eq!(
        (announced.status, &announced.json()["text"]),
        (201, &json!("Doors open at 19:00")),
        "{}",
        announced.body
    );
    assert_eq!(stream.next("notice").await.json(), announced.json());
    assert!(announced.json()["ends_at"].as_str() > announced.json()["at"].as_str());
    for wrong in [
        json!({}),
        json!({ "text": "" }),
        json!({ "text": "two\nlines" }),
        json!({ "text": "x".repeat(501) }),
        json!({ "text": 7 }),
    ] {
        assert_eq!(fields(&app.organise("POST", path, &wrong).await), ["text"]);
    }
}
