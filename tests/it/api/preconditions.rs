//! Preconditions hold for every method (RFC 9110, section 13): a false one is 412, and nothing is
//! done.

use serde_json::{Value, json};

use super::super::server::wire::Wire;
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

/// The head of a WebSocket's handshake.
async fn handshake(app: &App, path: &str, condition: (&str, &str)) -> String {
    let mut wire = Wire::connect(app.address()).await;
    let (name, value) = condition;
    wire.send(format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         {name}: {value}\r\n\r\n"
    ))
    .await;
    wire.head().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_has_preconditions_like_every_other_address() {
    let app = App::sqlite().await;
    app.event("gala", 9).await;
    let engine = "/socket.io/?EIO=4&transport=polling";
    let open = app.get(engine).await.body;
    let sid = open.split("\"sid\":\"").nth(1).expect("a session");
    let session = format!("{engine}&sid={}", &sid[..20]);
    let plain = ("content-type", "text/plain");
    for (condition, read, write) in [
        (("if-match", "\"nonsense\""), 412, 412),
        (("if-match", "W/\"nonsense\", \"x-1\""), 412, 412),
        (("if-none-match", "*"), 304, 412),
        (("if-match", "*"), 200, 200),
        (("if-none-match", "\"nonsense\""), 200, 200),
    ] {
        for path in [
            "/api/v1/events/gala/ws",
            "/socket.io/?EIO=4&transport=websocket",
        ] {
            let expected = if read == 200 { 101 } else { read };
            let head = handshake(&app, path, condition).await;
            let expected = format!("http/1.1 {expected} ");
            assert!(head.starts_with(&expected), "{path} {condition:?}: {head}");
        }
        let opened = app.call("GET", engine, &[condition], "").await;
        assert_eq!(opened.status, read, "{condition:?}: {}", opened.body);
        assert!(opened.header("cache-control").is_some(), "{}", opened.head);
        let posted = app.call("POST", &session, &[plain, condition], "3").await;
        assert_eq!(posted.status, write, "{condition:?}: {}", posted.body);
        // Whatever is wrong with a request is said first.
        let unknown = format!("{engine}&sid=unknown");
        let unknown = app.call("POST", &unknown, &[plain, condition], "3").await;
        assert_eq!(unknown.status, 400, "{condition:?}: {}", unknown.body);
        let no_handshake = app
            .call("GET", "/api/v1/events/gala/ws", &[condition], "")
            .await;
        assert_eq!(no_handshake.status, 426, "{condition:?}");
    }
    app.stop().await;
}

/// Every form and call that can be sent without knowing anything of the event's state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_of_any_address_ignores_a_false_precondition() {
    let app = App::sqlite().await;
    app.event("gala", 9).await;
    let mine = app.register("gala", "Ada", "ada@example.org").await.json();
    let token = mine["token"].as_str().expect("a token").to_owned();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let cancel = format!("/r/{token}/cancel");
    let password = format!(
        "password={}",
        super::super::support::app::PASSWORD.replace(' ', "+")
    );
    for condition in [("if-match", "\"nonsense\""), ("if-none-match", "*")] {
        for (path, body) in [
            ("/e/gala/register", "name=Bob&email=bob%40example.org&key=k"),
            (cancel.as_str(), ""),
            ("/compare/lab", ""),
            ("/admin/login", password.as_str()),
        ] {
            let answer = app.call("POST", path, &[form, condition], body).await;
            assert_eq!(answer.status, 412, "{path} {condition:?}: {}", answer.body);
        }
    }
    let count = app.get("/api/v1/events/gala").await.json();
    assert_eq!(count["registered"], 1);
    assert_eq!(app.get("/api/v1/events/lab").await.status, 404);
    app.stop().await;
}
