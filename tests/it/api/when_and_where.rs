//! When and where an event takes place: settings, who sees them, and what is refused.

use headcount::domain::clock::Clock;
use serde_json::{Value, json};

use super::super::support::app::{App, Database};
use super::super::support::sse::Stream;
use super::{bearer, fields};

const MEETING: &str = "https://meet.example.org/room?pwd=s3cret";

fn dinner() -> Value {
    json!({
        "slug": "dinner", "title": "Dinner", "capacity": 1, "waitlist": true,
        "starts_at": "2026-12-12T19:00:00+01:00", "ends_at": "2026-12-12T21:00:00Z",
        "time_zone": "Europe/Berlin", "location": "Town hall, Main Street 1",
        "online_url": MEETING, "contact": "ada@example.org",
    })
}

async fn on_both(test: impl AsyncFn(App)) {
    for database in [Database::Sqlite, Database::Postgres] {
        let flags = ["--time-zone", "Asia/Shanghai"];
        test(App::start(database, &flags, Clock::System).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_says_when_and_where_it_is() {
    on_both(async |app| {
        let created = app.organise("POST", "/api/v1/events", &dinner()).await;
        assert_eq!(created.status, 201, "{}", created.body);
        let created = created.json();
        assert_eq!(
            (&created["starts_at"], &created["ends_at"]),
            (
                &json!("2026-12-12T18:00:00.000Z"),
                &json!("2026-12-12T21:00:00.000Z")
            )
        );
        assert_eq!(created["online_url"], MEETING);
        let details = app.get("/api/v1/events/dinner/details").await.json();
        for name in [
            "starts_at",
            "ends_at",
            "time_zone",
            "location",
            "contact",
            "edits",
        ] {
            assert_eq!(details[name], created[name], "{name}");
        }
        let list = app.get("/api/v1/events").await.json();
        assert!(list["events"].as_array().unwrap().contains(&details));
        let count = app.get("/api/v1/events/dinner").await.json();
        for name in [
            "starts_at",
            "time_zone",
            "location",
            "online_url",
            "contact",
        ] {
            assert_eq!(count.get(name), None, "{name} is no part of the count");
        }

        let plain = json!({ "slug": "plain", "title": "Plain", "capacity": 1 });
        let plain = app.organise("POST", "/api/v1/events", &plain).await.json();
        assert_eq!(plain["time_zone"], "Asia/Shanghai", "the server's");
        assert_eq!(
            [&plain["starts_at"], &plain["ends_at"], &plain["online_url"]],
            [&Value::Null; 3]
        );
        assert_eq!([&plain["location"], &plain["contact"]], [&json!(""); 2]);
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_edit_is_stored_counted_pushed_and_audited() {
    on_both(async |app| {
        app.organise("POST", "/api/v1/events", &dinner()).await;
        let mut stream = Stream::open(&app, "/api/v1/events/dinner/stream", "").await;
        stream.next("count").await;
        for (edits, (name, value)) in (1..).zip([
            ("starts_at", json!("2026-12-12T17:00:00.000Z")),
            ("ends_at", json!("2026-12-12T22:00:00.000Z")),
            ("ends_at", Value::Null),
            ("time_zone", json!("America/New_York")),
            ("time_zone", json!("Asia/Shanghai")),
            ("location", json!("Library")),
            ("online_url", Value::Null),
            ("contact", json!("")),
            ("starts_at", Value::Null),
        ]) {
            let edit =
                json!({ name: if value == "Asia/Shanghai" { Value::Null } else { value.clone() } });
            let edited = app.organise("PATCH", "/api/v1/events/dinner", &edit).await;
            assert_eq!(edited.status, 200, "{}", edited.body);
            let edited = edited.json();
            assert_eq!(
                (&edited[name], &edited["edits"]),
                (&value, &json!(edits)),
                "{edit}"
            );
            stream.next("details").await;
            let audit = app
                .organise("GET", "/api/v1/events/dinner/audit?limit=1", &Value::Null)
                .await;
            assert_eq!(audit.json()["entries"][0]["after"][name], value);
            let same = app
                .organise("PATCH", "/api/v1/events/dinner", &edit)
                .await
                .json();
            assert_eq!(same, edited, "nothing changed");
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contradictions_and_unknown_zones_are_refused_by_field() {
    let app = App::sqlite().await;
    app.organise("POST", "/api/v1/events", &dinner()).await;
    let early = json!({ "ends_at": "2026-12-12T18:00:00Z" });
    let long = "x".repeat(201);
    let far = format!("https://example.org/{}", "x".repeat(500));
    for (edit, field) in [
        (early.clone(), "ends_at"),
        (json!({ "starts_at": null }), "ends_at"),
        (json!({ "starts_at": "2026-12-13T18:00:00Z" }), "ends_at"),
        (json!({ "starts_at": "tomorrow" }), "starts_at"),
        (json!({ "time_zone": "Mars/Olympus" }), "time_zone"),
        (json!({ "time_zone": "" }), "time_zone"),
        (json!({ "time_zone": 1 }), "time_zone"),
        (json!({ "location": long }), "location"),
        (json!({ "location": "a\nb" }), "location"),
        (json!({ "contact": long }), "contact"),
        (json!({ "contact": ["a"] }), "contact"),
        (json!({ "online_url": far }), "online_url"),
        (json!({ "online_url": "javascript:alert(1)" }), "online_url"),
        (
            json!({ "online_url": "https://bank.example@evil.example/" }),
            "online_url",
        ),
    ] {
        let refused = app.organise("PATCH", "/api/v1/events/dinner", &edit).await;
        assert_eq!(fields(&refused), [field], "{edit}");
        let mut new = dinner();
        new["slug"] = json!("other");
        for (name, value) in edit.as_object().unwrap() {
            new[name] = value.clone();
        }
        let refused = app.organise("POST", "/api/v1/events", &new).await;
        assert_eq!(fields(&refused), [field], "{edit}");
    }
    let bare = json!({ "slug": "bare", "title": "B", "capacity": 1 });
    app.organise("POST", "/api/v1/events", &bare).await;
    let refused = app.organise("PATCH", "/api/v1/events/bare", &early).await;
    assert_eq!(fields(&refused), ["ends_at"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_online_address_is_for_people_with_a_place_and_the_organiser() {
    let app = App::sqlite().await;
    app.organise("POST", "/api/v1/events", &dinner()).await;
    let ada = app
        .register("dinner", "Ada", "ada@example.org")
        .await
        .json();
    let bob = app
        .register("dinner", "Bob", "bob@example.org")
        .await
        .json();
    let own = |registration: &Value| {
        format!(
            "/api/v1/registrations/{}",
            registration["token"].as_str().unwrap()
        )
    };
    assert_eq!(
        (&ada["online_url"], &bob["online_url"]),
        (&json!(MEETING), &Value::Null)
    );
    assert_eq!(app.get(&own(&ada)).await.json()["online_url"], MEETING);
    assert_eq!(app.get(&own(&bob)).await.json()["online_url"], Value::Null);

    for path in ["/api/v1/events", "/api/v1/events/dinner/details"] {
        let public = app.get(path).await;
        assert!(!public.body.contains("online_url") && !public.body.contains("s3cret"));
        let organiser = app.organise("GET", path, &Value::Null).await;
        assert!(organiser.body.contains("s3cret"), "{}", organiser.body);
        assert_eq!(organiser.header("cache-control"), Some("private, no-cache"));
        assert_ne!(organiser.header("etag"), public.header("etag"));
        let wrong = app
            .call("GET", path, &[("authorization", "Bearer wrong")], "")
            .await;
        assert_eq!((wrong.status, wrong.body), (200, public.body), "{path}");
    }
    // The list's tag is a precondition of creating an event.
    for headers in [vec![], vec![("authorization", bearer())]] {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let list = app.call("GET", "/api/v1/events", &headers, "").await;
        let slug = format!("after-{}", headers.len());
        let created = app
            .call(
                "POST",
                "/api/v1/events",
                &[
                    ("authorization", &bearer()),
                    ("content-type", "application/json"),
                    ("if-match", list.header("etag").unwrap()),
                ],
                &json!({ "slug": slug, "title": "A", "capacity": 1 }).to_string(),
            )
            .await;
        assert_eq!(created.status, 201, "{}", created.body);
    }

    app.call("DELETE", &own(&ada), &[], "").await;
    assert_eq!(app.get(&own(&ada)).await.json()["online_url"], Value::Null);
    assert_eq!(app.get(&own(&bob)).await.json()["online_url"], MEETING);
    let reset = json!({ "confirm": "dinner" });
    app.organise("POST", "/api/v1/events/dinner/reset", &reset)
        .await;
    assert_eq!(
        app.get(&own(&bob)).await.json()["online_url"],
        Value::Null,
        "a round that is over"
    );
}
