//! Drafts, unlisted events, the archive and duplicates.

use serde_json::{Value, json};

use super::super::support::app::App;
use super::super::support::sse::Stream;
use super::access::{account, token};
use super::{bearer, fields, refused};

async fn app_with(visibility: &str) -> App {
    let app = App::sqlite().await;
    let new = json!({
        "slug": "gala", "title": "Gala", "capacity": 9, "visibility": visibility,
        "starts_at": "2031-01-02T10:00:00Z", "public_chart": true, "proof_of_work": "off",
    });
    let made = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.json()["visibility"], visibility);
    app
}

async fn edit(app: &App, settings: Value) -> super::Answer {
    app.organise("PATCH", "/api/v1/events/gala", &settings)
        .await
}

/// Whether the list of events names the gala, for everybody and for organisers.
async fn is_listed(app: &App) -> [bool; 2] {
    let names = |list: Value| {
        let events = list["events"].as_array().unwrap();
        events.iter().any(|event| event["event"] == "gala")
    };
    let path = "/api/v1/events";
    let organiser = app.organise("GET", path, &Value::Null).await;
    [names(app.get(path).await.json()), names(organiser.json())]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_no_event_to_everybody_but_organisers() {
    let app = app_with("draft").await;
    let event = "/api/v1/events/gala";
    for below in [
        "",
        "/details",
        "/stream",
        "/changes",
        "/challenge",
        "/frame",
        "?wait=1",
    ] {
        refused(
            &app.get(&format!("{event}{below}")).await,
            404,
            "event-not-found",
        );
    }
    let handshake = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for token in [None, Some(bearer())] {
        let token = token.as_deref().map(|token| ("authorization", token));
        let headers: Vec<_> = handshake.into_iter().chain(token).collect();
        let answer = app.call("GET", &format!("{event}/ws"), &headers, "").await;
        assert_eq!(
            answer.status, 404,
            "a page of any site may open it: {}",
            answer.body
        );
    }
    refused(
        &app.get(&format!("{event}/series")).await,
        401,
        "unauthorized",
    );
    for page in [
        "",
        "/wall",
        "/chart",
        "/compare",
        "/poster",
        "/badge.svg",
        "/qr.svg",
        "/qr.png",
        "/event.ics",
    ] {
        assert_eq!(
            app.get(&format!("/e/gala{page}")).await.status,
            404,
            "{page}"
        );
    }
    assert!(!app.get("/").await.body.contains("Gala"));
    assert!(!app.get("/events.ics").await.body.contains("Gala"));
    let ada = app.register("gala", "Ada", "ada@example.org").await;
    refused(&ada, 404, "event-not-found");
    assert_eq!(is_listed(&app).await, [false, true]);

    let token = bearer();
    let known = [("authorization", token.as_str())];
    for below in ["", "/details", "/series", "/changes"] {
        let answer = app
            .call("GET", &format!("{event}{below}"), &known, "")
            .await;
        assert_eq!(answer.status, 200, "{below} {}", answer.body);
    }
    let preview = app.call("GET", "/e/gala", &known, "").await;
    assert_eq!(
        (preview.status, preview.header("cache-control")),
        (200, Some("no-store"))
    );
    assert!(preview.body.contains("This is a draft"), "{}", preview.body);
    let person = json!({ "name": "Ada", "email": null });
    let added = app
        .organise("POST", &format!("{event}/registrations/add"), &person)
        .await;
    assert_eq!(added.status, 201, "{}", added.body);
    let own = format!(
        "/api/v1/registrations/{}",
        added.json()["token"].as_str().unwrap()
    );
    assert_eq!(
        app.get(&own).await.status,
        200,
        "who is registered keeps the private link"
    );

    assert_eq!(
        edit(&app, json!({ "visibility": "public" })).await.status,
        200
    );
    assert_eq!(app.get(event).await.json()["registered"], 1);
    assert_eq!(
        app.register("gala", "Bo", "bo@example.org").await.status,
        201
    );
    assert_eq!(is_listed(&app).await, [true, true]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_when_their_event_becomes_a_draft() {
    let app = app_with("public").await;
    let path = "/api/v1/events/gala/stream";
    let mut visitor = Stream::open(&app, path, "").await;
    visitor.next("count").await;
    assert_eq!(
        edit(&app, json!({ "visibility": "draft" })).await.status,
        200
    );
    assert_eq!(visitor.next("bye").await.json()["reason"], "deleted");
    refused(&app.get(path).await, 404, "event-not-found");
    // Organisers follow the draft, also when it is published.
    let token = format!("authorization: {}\r\n", bearer());
    let mut organiser = Stream::open(&app, path, &token).await;
    organiser.next("count").await;
    edit(&app, json!({ "visibility": "public" })).await;
    organiser.next("details").await;
    assert_eq!(
        app.register("gala", "Ada", "ada@example.org").await.status,
        201
    );
    organiser.count(|count| count["registered"] == 1).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_no_organiser_any_more_follows_no_draft() {
    let app = app_with("draft").await;
    let event = "/api/v1/events/gala";
    let count = app.organise("GET", event, &Value::Null).await.json();
    let position = count["position"].as_str().unwrap().to_owned();
    let ada = account(&app, "ada", "viewer").await;
    let robot = token(&app, "robot", json!({ "scopes": ["read"] })).await;
    let open = async |proof: &(&str, String), path: &str, more: &str| {
        let headers = format!("{}: {}\r\n{more}", proof.0, proof.1);
        Stream::open(&app, &format!("{event}{path}"), &headers).await
    };
    let mut streams = vec![
        open(&ada.proof, "/stream", "").await,
        open(&robot.proof, "/stream", "").await,
        open(&ada.proof, "/changes", "accept: text/event-stream\r\n").await,
        open(&robot.proof, "", "accept: text/event-stream\r\n").await,
    ];
    let mut kept = open(&("authorization", bearer()), "/stream", "").await;
    let own = (robot.proof.0, robot.proof.1.as_str());
    let address = format!("{event}?after={position}&wait=50");
    let poll = app.call("GET", &address, std::slice::from_ref(&own), "");
    let (address, accept) = (
        format!("{event}/stream"),
        ("accept", "application/x-ndjson"),
    );
    let headers = [own, accept];
    let lines = app.call("GET", &address, &headers, "");
    let leave = async {
        for (list, path) in [
            ("accounts", "/api/v1/accounts"),
            ("tokens", "/api/v1/tokens"),
        ] {
            let all = app.organise("GET", path, &Value::Null).await.json();
            for one in all[list].as_array().unwrap() {
                if matches!(one["name"].as_str(), Some("ada" | "robot")) {
                    let path = format!("{path}/{}", one["id"].as_str().unwrap());
                    let gone = app.organise("DELETE", &path, &Value::Null).await;
                    assert!(gone.status < 300, "{} {}", gone.status, gone.body);
                }
            }
        }
    };
    let (poll, lines, ()) = tokio::join!(poll, lines, leave);
    refused(&poll, 404, "event-not-found");
    for stream in &mut streams {
        assert_eq!(stream.next("bye").await.json()["reason"], "deleted");
        assert!(stream.block().await.is_none(), "nothing follows");
    }
    let end = lines.body.trim_end().lines().last().unwrap();
    assert!(end.contains("\"reason\":\"deleted\""), "{end}");
    // Others go on, and once everybody may see the event nobody is asked any more.
    kept.next("count").await;
    let person = json!({ "name": "Bo", "email": null });
    app.organise("POST", &format!("{event}/registrations/add"), &person)
        .await;
    kept.count(|count| count["registered"] == 1).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_published_event_is_followed_without_an_account() {
    let app = app_with("draft").await;
    let robot = token(&app, "robot", json!({ "scopes": ["read"] })).await;
    let headers = format!("{}: {}\r\n", robot.proof.0, robot.proof.1);
    let mut stream = Stream::open(&app, "/api/v1/events/gala/stream", &headers).await;
    stream.next("count").await;
    edit(&app, json!({ "visibility": "public" })).await;
    let tokens = app.organise("GET", "/api/v1/tokens", &Value::Null).await;
    let id = tokens.json()["tokens"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/tokens/{id}");
    app.organise("DELETE", &path, &Value::Null).await;
    // Longer than it takes to ask again.
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    app.register("gala", "Ada", "ada@example.org").await;
    stream.count(|count| count["registered"] == 1).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unlisted_event_works_by_its_link_only() {
    let app = app_with("unlisted").await;
    assert_eq!(is_listed(&app).await, [false, true]);
    assert!(!app.get("/").await.body.contains("Gala"));
    assert!(!app.get("/events.ics").await.body.contains("Gala"));
    let page = app.get("/e/gala").await;
    assert!(page.body.contains("noindex"), "{}", page.body);
    assert_eq!(app.get("/e/gala/event.ics").await.status, 200);
    assert_eq!(
        app.register("gala", "Ada", "ada@example.org").await.status,
        201
    );
    for bad in [json!(null), json!("hidden"), json!(true)] {
        let wrong = edit(&app, json!({ "visibility": bad })).await;
        assert_eq!(fields(&wrong), ["visibility"]);
    }
    let details = app.get("/api/v1/events/gala/details").await.json();
    assert_eq!(details["visibility"], "unlisted");
    let old = app.get("/api/v1/events/welcome/details").await.json();
    assert_eq!(
        (&old["visibility"], &old["archived"]),
        (&json!("public"), &json!(false))
    );
    let count = app.get("/api/v1/events/gala").await.json();
    assert!(count["visibility"].is_null() && count["archived"].is_null());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archived_event_is_closed_and_leaves_the_list() {
    let app = app_with("public").await;
    let archived = edit(&app, json!({ "archived": true })).await.json();
    assert_eq!(
        (&archived["archived"], &archived["state"]),
        (&json!(true), &json!("closed"))
    );
    assert_eq!(is_listed(&app).await, [false, true]);
    assert!(!app.get("/events.ics").await.body.contains("Gala"));
    assert_eq!(app.get("/e/gala").await.status, 200, "its link still works");
    let ada = app.register("gala", "Ada", "ada@example.org").await;
    refused(&ada, 409, "event-closed");
    assert_eq!(
        fields(&edit(&app, json!({ "closed": false })).await),
        ["closed"]
    );
    assert_eq!(
        fields(&edit(&app, json!({ "archived": "no" })).await),
        ["archived"]
    );
    let back = edit(&app, json!({ "archived": false })).await.json();
    assert_eq!(back["state"], "closed", "the organiser opens it");
    let open = edit(&app, json!({ "closed": false })).await.json();
    assert_eq!(open["state"], "open");
    assert_eq!(is_listed(&app).await, [true, true]);
    let audit = app
        .organise("GET", "/api/v1/events/gala/audit", &Value::Null)
        .await
        .json();
    let entries = audit["entries"].as_array().unwrap();
    let put_away = entries
        .iter()
        .find(|entry| entry["after"]["archived"] == true)
        .unwrap();
    assert_eq!(put_away["before"]["archived"], false);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_has_the_settings_and_nobody() {
    let app = app_with("public").await;
    let questions = json!([{ "key": "size", "label": "Size", "kind": "text" }]);
    edit(&app, json!({ "questions": questions, "location": "Hall" })).await;
    assert_eq!(
        app.register("gala", "Ada", "ada@example.org").await.status,
        201
    );
    let path = "/api/v1/events/gala/duplicate";
    let made = app.organise("POST", path, &json!({ "slug": "ball" })).await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, Some("/api/v1/events/ball")),
        "{}",
        made.body
    );
    let ball = made.json();
    for (field, expected) in [
        ("title", json!("Gala")),
        ("capacity", json!(9)),
        ("location", json!("Hall")),
        ("starts_at", json!(null)),
        ("visibility", json!("draft")),
        ("registered", json!(0)),
        ("public_chart", json!(true)),
    ] {
        assert_eq!(ball[field], expected, "{field}");
    }
    assert_eq!(ball["questions"][0]["key"], "size");
    let kept =
        json!({ "slug": "ball-2", "title": "Ball", "keep_times": true, "visibility": "public" });
    let kept = app.organise("POST", path, &kept).await.json();
    assert_eq!(
        (&kept["title"], &kept["starts_at"], &kept["visibility"]),
        (
            &json!("Ball"),
            &json!("2031-01-02T10:00:00.000Z"),
            &json!("public")
        )
    );
    refused(
        &app.organise("POST", path, &json!({ "slug": "ball" })).await,
        409,
        "slug-taken",
    );
    let wrong = json!({ "title": "", "keep_times": 1, "visibility": "x" });
    let wrong = app.organise("POST", path, &wrong).await;
    assert_eq!(
        fields(&wrong),
        ["slug", "title", "keep_times", "visibility"]
    );
    let nobody = app.call("POST", path, &[super::JSON], "{}").await;
    refused(&nobody, 401, "unauthorized");
    let gone = app
        .organise(
            "POST",
            "/api/v1/events/none/duplicate",
            &json!({ "slug": "x" }),
        )
        .await;
    refused(&gone, 404, "event-not-found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_visitors_do_to_their_own_registration_is_logged_by_number() {
    let app = app_with("public").await;
    let made = app.register("gala", "Ada", "ada@example.org").await.json();
    let own = format!("/api/v1/registrations/{}", made["token"].as_str().unwrap());
    let gone = app.call("DELETE", &own, &[], "").await;
    assert!(gone.status < 300, "{}", gone.body);
    let log = app
        .organise("GET", "/api/v1/events/gala/audit", &Value::Null)
        .await;
    let entry = log.json()["entries"][0].clone();
    assert_eq!(
        (&entry["who"], &entry["action"]),
        (&json!("visitor"), &json!("cancel"))
    );
    assert_eq!(entry["after"]["number"], made["number"]);
    assert_eq!(entry["after"]["status"], "cancelled");
    for personal in ["Ada", "ada@example.org"] {
        assert!(!log.body.contains(personal), "{}", log.body);
    }
    app.stop().await;
}
