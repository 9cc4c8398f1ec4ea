//! Preconditions hold for every method (RFC 9110, section 13): a false one is 412, and nothing is
//! done.

use serde_json::{Value, json};

use super::super::support::app::{Answer, App};
use super::{JSON, bearer, refused};

async fn ask(app: &App, method: &str, path: &str, condition: (&str, &str), body: &Value) -> Answer {
    let bearer = bearer();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    app.call(
        method,
        path,
        &[JSON, ("authorization", &bearer), condition],
        &body,
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_false_precondition_does_nothing() {
    let app = App::sqlite().await;
    app.event("gala", 9).await;
    let mine = app.register("gala", "Ada", "ada@example.org").await.json();
    let stale = app
        .get("/api/v1/events/gala")
        .await
        .header("etag")
        .expect("a tag")
        .to_owned();
    app.register("gala", "Eve", "eve@example.org").await;
    let event = "/api/v1/events/gala";
    let own = format!("/api/v1/registrations/{}", mine["token"].as_str().unwrap());
    let row = format!("{event}/registrations/{}", mine["id"].as_str().unwrap());
    let registrations = format!("{event}/registrations");
    let announcements = format!("{event}/announcements");
    let person = json!({ "name": "Bob", "email": "bob@example.org" });
    let reset = json!({ "confirm": "gala" });
    let new = json!({ "slug": "new", "title": "New", "capacity": 1 });
    let before = app.get(event).await.body;
    let writes = [
        ("PATCH", event.to_owned(), json!({ "capacity": 3 })),
        ("DELETE", format!("{event}?confirm=gala"), Value::Null),
        ("POST", format!("{event}/reset"), reset),
        ("POST", registrations.clone(), person),
        ("DELETE", own.clone(), Value::Null),
        ("DELETE", row.clone(), Value::Null),
        ("POST", announcements, json!({ "text": "Hello" })),
        ("POST", "/api/v1/events".to_owned(), new),
    ];
    for condition in [
        ("if-match", stale.as_str()),
        ("if-match", "\"nonsense\""),
        ("if-match", "W/\"nonsense\""),
        ("if-none-match", "*"),
    ] {
        for (method, path, body) in &writes {
            // A registration has a state of its own, which has not changed since.
            if (*path == own || *path == row) && condition.1 == stale {
                continue;
            }
            let answer = ask(&app, method, path, condition, body).await;
            assert_eq!(
                answer.status, 412,
                "{method} {path} {condition:?}: {}",
                answer.body
            );
            refused(&answer, 412, "changed-meanwhile");
        }
    }
    for path in [
        event,
        &own,
        &registrations,
        "/api/v1/events",
        "/api/v1/clock",
        "/",
        "/e/gala",
    ] {
        let answer = ask(
            &app,
            "GET",
            path,
            ("if-match", "\"nonsense\""),
            &Value::Null,
        )
        .await;
        assert_eq!(answer.status, 412, "GET {path}: {}", answer.body);
        let any = ask(&app, "GET", path, ("if-match", "*"), &Value::Null).await;
        assert_eq!(any.status, 200, "GET {path}: {}", any.body);
    }
    assert_eq!(app.get(event).await.body, before, "nothing was done");
    assert_eq!(app.get("/api/v1/events/new").await.status, 404);
    app.stop().await;
}

/// `*` matches any representation, so a read of what exists is 304 without a body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_read_of_what_exists_is_304_for_a_client_that_has_anything() {
    let app = App::sqlite().await;
    app.event("gala", 9).await;
    let mine = app.register("gala", "Ada", "ada@example.org").await.json();
    let token = mine["token"].as_str().expect("a token");
    let path = |pattern: &str| pattern.replace("{slug}", "gala").replace("{token}", token);
    let reads = headcount::http::urls::ALL
        .iter()
        .filter(|url| url.methods.contains(&http::Method::GET))
        .map(|url| path(url.pattern))
        .chain(["/assets/js/site.js".to_owned()]);
    let mut compared = 0;
    for path in reads {
        for method in ["GET", "HEAD"] {
            // HEAD returns the head without beginning a stream.
            let plain = ask(&app, "HEAD", &path, ("accept", "*/*"), &Value::Null).await;
            let any = ask(&app, method, &path, ("if-none-match", "*"), &Value::Null).await;
            let exists = plain.status == 200;
            let expected = if exists { 304 } else { plain.status };
            assert_eq!(any.status, expected, "{method} {path}: {}", any.head);
            assert!(
                !exists || any.body.is_empty(),
                "{method} {path}: {}",
                any.body
            );
            assert_eq!(any.header("etag"), plain.header("etag"), "{method} {path}");
            compared += usize::from(exists);
            let other = ask(
                &app,
                "HEAD",
                &path,
                ("if-none-match", "\"x\""),
                &Value::Null,
            )
            .await;
            assert_eq!(other.status, plain.status, "{method} {path}");
        }
    }
    assert!(compared > 40, "{compared} reads were compared");
    // A missing page is 404, and a list of tags with `*` matches nothing.
    let missing = ask(&app, "GET", "/e/none", ("if-none-match", "*"), &Value::Null).await;
    assert_eq!(missing.status, 404);
    let stale = ("if-none-match", "*, \"x\"");
    let list = ask(&app, "GET", "/api/v1/events", stale, &Value::Null).await;
    assert_eq!(list.status, 200, "a star stands alone in its field");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_true_precondition_lets_a_request_through() {
    let app = App::sqlite().await;
    app.event("gala", 9).await;
    let event = "/api/v1/events/gala";
    let now = async || {
        app.get(event)
            .await
            .header("etag")
            .expect("a tag")
            .to_owned()
    };
    let person = |name: &str| json!({ "name": name, "email": format!("{name}@example.org") });
    let registrations = format!("{event}/registrations");
    let undo = format!("{event}/reset/undo");
    for (method, path, body, status) in [
        ("PATCH", event.to_owned(), json!({ "capacity": 3 }), 200),
        ("POST", registrations.clone(), person("ada"), 201),
        (
            "POST",
            format!("{event}/announcements"),
            json!({ "text": "Hello" }),
            201,
        ),
        (
            "POST",
            format!("{event}/reset"),
            json!({ "confirm": "gala" }),
            200,
        ),
        ("POST", undo.clone(), Value::Null, 200),
        ("GET", event.to_owned(), Value::Null, 200),
        ("DELETE", format!("{event}?confirm=gala"), Value::Null, 204),
    ] {
        let answer = ask(&app, method, &path, ("if-match", &now().await), &body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    }
    app.event("gala", 9).await;
    // Errors that do not depend on the precondition come first (section 13.2.1).
    let stale = ("if-match", "\"nonsense\"");
    refused(
        &ask(&app, "POST", &undo, stale, &Value::Null).await,
        412,
        "changed-meanwhile",
    );
    let missing = ask(&app, "DELETE", "/api/v1/events/none", stale, &Value::Null).await;
    refused(&missing, 404, "event-not-found");
    let anonymous = app.call("DELETE", event, &[stale], "").await;
    refused(&anonymous, 401, "unauthorized");
    let invalid = ask(&app, "POST", &registrations, stale, &json!({})).await;
    refused(&invalid, 422, "validation-failed");
    app.stop().await;
}
