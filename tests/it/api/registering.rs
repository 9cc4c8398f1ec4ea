//! Registering, the private link, and retries.

use serde_json::{Value, json};

use super::super::support::app::App;
use super::{JSON, fields, form, refused, register_with_key};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_has_everything_that_a_visitor_needs() {
    let app = App::sqlite().await;
    app.event("gala", 2).await;
    let answer = app.register("gala", "  Ada  ", "Ada@Example.org").await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let body = answer.json();
    let token = body["token"].as_str().unwrap();
    let base = format!("http://{}", app.address());
    assert_eq!(
        body["links"],
        json!({ "self": format!("{base}/api/v1/registrations/{token}"), "page": format!("{base}/r/{token}") })
    );
    assert_eq!(
        answer.header("location").unwrap(),
        format!("{base}/api/v1/registrations/{token}").to_lowercase()
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(
        (&body["name"], &body["event"], &body["number"]),
        (&json!("Ada"), &json!("gala"), &json!(1))
    );
    assert_eq!(
        (&body["status"], &body["waiting_position"]),
        (&json!("confirmed"), &Value::Null)
    );
    assert_eq!(answer.header("idempotency-replayed"), None);

    let own = app.get(&format!("/api/v1/registrations/{token}")).await;
    assert_eq!((own.status, own.json()), (200, body));
}

/// HTTP/1.0 needs no `Host` (RFC 9112, section 3.2), so links have nothing to begin with.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_are_relative_without_a_host() {
    let app = App::sqlite().await;
    app.event("gala", 2).await;
    let body = r#"{"name":"Ada","email":"ada@example.org"}"#;
    let head =
        "POST /api/v1/events/gala/registrations HTTP/1.0\r\nContent-Type: application/json\r\n";
    let request = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let (head, text) = app
        .wire()
        .await
        .try_exchange(request.as_bytes())
        .await
        .expect("an answer");
    let body: Value = serde_json::from_str(&text).unwrap();
    let token = body["token"].as_str().unwrap();
    assert_eq!(
        body["links"],
        json!({ "self": format!("/api/v1/registrations/{token}"), "page": format!("/r/{token}") })
    );
    let location = format!("location: /api/v1/registrations/{token}").to_lowercase();
    assert!(
        head.contains(" 201 ") && head.lines().any(|line| line == location),
        "{head}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_does_the_same_as_json() {
    let app = App::sqlite().await;
    app.event("gala", 5).await;
    let path = "/api/v1/events/gala/registrations";
    let first = form(
        &app,
        path,
        &[],
        "name=%E6%9D%8E+%E5%B0%8F%E9%BE%99&email=li%40example.org&idempotency_key=k1&website=",
    )
    .await;
    assert_eq!(
        (first.status, &first.json()["name"]),
        (201, &json!("李 小龙")),
        "{}",
        first.body
    );
    let again = form(
        &app,
        path,
        &[],
        "name=%E6%9D%8E+%E5%B0%8F%E9%BE%99&email=li%40example.org&idempotency_key=k1&website=",
    )
    .await;
    assert_eq!(
        (again.header("idempotency-replayed"), again.json()),
        (Some("true"), first.json())
    );
    // The same key by header and JSON is the same attempt.
    let json = register_with_key(
        &app,
        "gala",
        "k1",
        &json!({ "name": "李 小龙", "email": "li@example.org" }),
    )
    .await;
    assert_eq!(json.json(), first.json());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_gets_the_registration_as_it_is_now() {
    let app = App::sqlite().await;
    let new = json!({ "slug": "gala", "title": "Gala", "capacity": 1, "waitlist": true });
    assert_eq!(
        app.organise("POST", "/api/v1/events", &new).await.status,
        201
    );
    app.register("gala", "First", "first@example.org").await;
    let before = app
        .register("gala", "Before", "before@example.org")
        .await
        .json();
    let body = json!({ "name": "Ada", "email": "ada@example.org" });
    let first = register_with_key(&app, "gala", "attempt-1", &body).await;
    let token = first.json()["token"].as_str().unwrap().to_owned();
    let own = format!("/api/v1/registrations/{token}");
    assert_eq!(
        (&first.json()["status"], &first.json()["waiting_position"]),
        (&json!("waiting"), &json!(2))
    );

    // Moved up, promoted, cancelled: the repeated request says what the private link says.
    let ahead = format!(
        "/api/v1/registrations/{}",
        before["token"].as_str().unwrap()
    );
    assert_eq!(app.call("DELETE", &ahead, &[], "").await.status, 200);
    for (status, position) in [
        ("waiting", json!(1)),
        ("confirmed", Value::Null),
        ("cancelled", Value::Null),
    ] {
        let changed = match status {
            "confirmed" => {
                app.organise("PATCH", "/api/v1/events/gala", &json!({ "capacity": 2 }))
                    .await
                    .status
            }
            "cancelled" => app.call("DELETE", &own, &[], "").await.status,
            _ => 200,
        };
        assert_eq!(changed, 200);
        let again = register_with_key(&app, "gala", "attempt-1", &body).await;
        assert_eq!(
            (again.status, again.header("idempotency-replayed")),
            (201, Some("true"))
        );
        assert_eq!(
            (&again.json()["status"], &again.json()["waiting_position"]),
            (&json!(status), &position)
        );
        assert_eq!(again.json(), app.get(&own).await.json());
    }

    let other = register_with_key(
        &app,
        "gala",
        "attempt-1",
        &json!({ "name": "Eve", "email": "ada@example.org" }),
    )
    .await;
    refused(&other, 422, "idempotency-mismatch");
    assert_eq!(app.get("/api/v1/events/gala").await.json()["registered"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invalid_idempotency_keys_are_bad_requests() {
    let app = App::sqlite().await;
    let body = json!({ "name": "Ada", "email": "ada@example.org" });
    for key in [String::new(), "x".repeat(256)] {
        refused(
            &register_with_key(&app, "welcome", &key, &body).await,
            400,
            "bad-request",
        );
    }
    assert_eq!(
        register_with_key(&app, "welcome", &"x".repeat(255), &body)
            .await
            .status,
        201
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_twice_frees_one_place() {
    let app = App::sqlite().await;
    app.event("gala", 1).await;
    let mine = app.register("gala", "Ada", "ada@example.org").await.json();
    refused(
        &app.register("gala", "Eve", "eve@example.org").await,
        409,
        "event-full",
    );
    let path = format!("/api/v1/registrations/{}", mine["token"].as_str().unwrap());
    let first = app.call("DELETE", &path, &[], "").await;
    assert_eq!(
        (first.status, &first.json()["status"]),
        (200, &json!("cancelled")),
        "{}",
        first.body
    );
    assert_ne!(
        first.json()["position"],
        mine["position"],
        "the position of the cancelling, so that no older count is shown after it"
    );
    let second = app.call("DELETE", &path, &[], "").await;
    assert_eq!((second.status, second.json()), (200, first.json()));
    assert_eq!(app.get(&path).await.json(), first.json());
    assert_eq!(
        app.register("gala", "Eve", "eve@example.org").await.status,
        201
    );
}

// Guessed and forged links get the same answer, and no writer starts for an event that does not
// exist.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_links_open_nothing() {
    let app = App::sqlite().await;
    let token = app
        .register("welcome", "Ada", "ada@example.org")
        .await
        .json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let (locator, secret) = token.rsplit_once('-').unwrap();
    let flipped: String = secret
        .chars()
        .map(|c| if c == 'a' { 'b' } else { 'a' })
        .collect();
    for forged in [
        format!("{locator}-{flipped}"),
        format!("1-1-99-{secret}"),
        format!("999-1-1-{secret}"),
        "x".into(),
        format!("{token}x"),
        "%00".into(),
    ] {
        for method in ["GET", "DELETE"] {
            refused(
                &app.call(method, &format!("/api/v1/registrations/{forged}"), &[], "")
                    .await,
                404,
                "registration-not-found",
            );
        }
    }
    assert_eq!(
        app.get("/api/v1/events/welcome").await.json()["registered"],
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_invalid_fields_are_reported_at_once() {
    let app = App::sqlite().await;
    let path = "/api/v1/events/welcome/registrations";
    let send = async |body: Value| app.call("POST", path, &[JSON], &body.to_string()).await;
    assert_eq!(fields(&send(json!({})).await), ["name", "email"]);
    assert_eq!(
        fields(&send(json!({ "name": 7, "email": ["a@b.c"] })).await),
        ["name", "email"]
    );
    assert_eq!(
        fields(&send(json!({ "name": "a\u{202e}b", "email": "nobody" })).await),
        ["name", "email"]
    );
    assert_eq!(
        fields(
            &send(json!({ "name": "x".repeat(201), "email": format!("{}@b.c", "a".repeat(251)) }))
                .await
        ),
        ["name", "email"]
    );
    // A bot fills in every field that it finds.
    assert_eq!(fields(&send(json!({ "name": "Bot", "email": "bot@example.org", "website": "http://spam.example" })).await), ["website"]);
    // Fields of a later version do no harm.
    assert_eq!(
        send(json!({ "name": "Ada", "email": "ada@example.org", "phone": { "home": 1 } }))
            .await
            .status,
        201
    );
    refused(
        &send(json!({ "name": "Ada", "email": "ADA@example.org" })).await,
        409,
        "already-registered",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_not_open_says_when() {
    let app = App::sqlite().await;
    let new = json!({ "slug": "later", "title": "Later", "capacity": 1, "opens_at": "2999-01-01T00:00:00Z" });
    assert_eq!(
        app.organise("POST", "/api/v1/events", &new).await.status,
        201
    );
    let early = app.register("later", "Ada", "ada@example.org").await;
    refused(&early, 409, "event-not-open");
    assert_eq!(early.json()["opens_at"], "2999-01-01T00:00:00.000Z");
    assert_eq!(
        app.organise("PATCH", "/api/v1/events/later", &json!({ "closed": true }))
            .await
            .status,
        200
    );
    refused(
        &app.register("later", "Ada", "ada@example.org").await,
        409,
        "event-closed",
    );
    refused(
        &app.register("nowhere", "Ada", "ada@example.org").await,
        404,
        "event-not-found",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_over_its_rate_gets_429() {
    use headcount::domain::clock::Clock;
    let app = App::start(
        super::super::support::app::Database::Sqlite,
        &["--register-rate-per-ip", "3"],
        Clock::System,
    )
    .await;
    for n in 0..3 {
        assert_eq!(
            app.register("welcome", "Ada", &format!("ada-{n}@example.org"))
                .await
                .status,
            201
        );
    }
    let held = app.register("welcome", "Ada", "ada-4@example.org").await;
    refused(&held, 429, "too-many-requests");
    let wait: u32 = held
        .header("retry-after")
        .expect("Retry-After")
        .parse()
        .unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(
        app.get("/api/v1/events/welcome").await.json()["registered"],
        3
    );
}
