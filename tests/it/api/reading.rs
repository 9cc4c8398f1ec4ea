//! What everybody may read, and the headers of every answer.

use serde_json::json;

use super::super::support::app::{App, call};
use super::{JSON, bearer, refused};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_revalidated_by_its_etag() {
    let app = App::sqlite().await;
    let first = app.get("/api/v1/events").await;
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    let known = call(
        app.address(),
        "GET",
        "/api/v1/events",
        &[("if-none-match", &tag)],
        "",
    )
    .await;
    assert_eq!(
        (known.status, known.body.as_str(), known.header("etag")),
        (304, "", Some(tag.as_str()))
    );
    app.register("welcome", "Ada", "ada@example.org").await;
    let moved = call(
        app.address(),
        "GET",
        "/api/v1/events",
        &[("if-none-match", &tag)],
        "",
    )
    .await;
    assert_eq!(
        (moved.status, &moved.json()["events"][0]["registered"]),
        (200, &json!(1))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_is_get_without_its_body() {
    let app = App::sqlite().await;
    let token = app
        .register("welcome", "Ada", "ada@example.org")
        .await
        .json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = format!("/api/v1/registrations/{token}");
    for path in [
        "/api/v1/events",
        "/api/v1/events/welcome",
        "/api/v1/events/welcome/changes",
        own.as_str(),
        "/api/v1/clock",
        "/api/v1/openapi.json",
        "/health/live",
        "/health/ready",
        "/api/v1/events/welcome/registrations",
        "/api/v1/events/welcome/audit",
        "/",
        "/problems",
        "/nowhere",
    ] {
        let headers = [("authorization", bearer())];
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let (get, head) = (
            call(app.address(), "GET", path, &headers, "").await,
            call(app.address(), "HEAD", path, &headers, "").await,
        );
        assert_eq!(
            (head.status, head.body.as_str()),
            (get.status, ""),
            "{path}"
        );
        for name in [
            "content-type",
            "content-length",
            "etag",
            "cache-control",
            "content-security-policy",
        ] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_the_security_headers() {
    let app = App::sqlite().await;
    let created = app.event("gala", 1).await;
    assert_eq!(created["state"], "open");
    for path in [
        "/",
        "/e/gala",
        "/problems",
        "/nowhere",
        "/api/v1/events",
        "/api/v1/events/gala",
        "/api/v1/nowhere",
        "/api/v1/registrations/x",
        "/health/live",
        "/assets/js/site.js",
        "/admin",
    ] {
        let answer = app.get(path).await;
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert!(answer.header("referrer-policy").is_some(), "{path}");
        let policy = answer
            .header("content-security-policy")
            .unwrap_or_else(|| panic!("{path}: {}", answer.head));
        // `/embed.js` is made for other sites' pages.
        assert!(
            policy.contains("frame-ancestors 'none'") || path == "/embed.js",
            "{path}: {policy}"
        );
        assert!(
            !policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"),
            "{path}: {policy}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_origin_may_read_and_none_may_write() {
    let app = App::sqlite().await;
    let origin = ("origin", "https://elsewhere.example");
    for path in [
        "/api/v1/events",
        "/api/v1/events/welcome",
        "/api/v1/events/welcome/changes",
        "/api/v1/clock",
        "/api/v1/openapi.json",
        "/api/v1/events/none",
    ] {
        let answer = call(app.address(), "GET", path, &[origin], "").await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("*"),
            "{path}"
        );
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            None,
            "{path}"
        );
        let wanted = [
            origin,
            ("access-control-request-method", "GET"),
            (
                "access-control-request-headers",
                "prefer, if-none-match, last-event-id",
            ),
        ];
        let preflight = call(app.address(), "OPTIONS", path, &wanted, "").await;
        assert_eq!(
            (
                preflight.status,
                preflight.header("access-control-allow-origin")
            ),
            (204, Some("*")),
            "{path}"
        );
        let allowed = preflight.header("access-control-allow-headers").unwrap();
        assert!(
            ["prefer", "if-none-match", "last-event-id"]
                .iter()
                .all(|name| allowed.contains(name)),
            "{allowed}"
        );
    }
    for (method, path) in [
        ("POST", "/api/v1/events/welcome/registrations"),
        ("PATCH", "/api/v1/events/welcome"),
        ("DELETE", "/api/v1/registrations/x"),
        ("POST", "/api/v1/events"),
    ] {
        let preflight = call(
            app.address(),
            "OPTIONS",
            path,
            &[origin, ("access-control-request-method", method)],
            "",
        )
        .await;
        assert_eq!(
            (
                preflight.status,
                preflight.header("access-control-allow-origin")
            ),
            (204, None),
            "{path}"
        );
        assert!(
            preflight
                .header("allow")
                .is_some_and(|allow| allow.contains(&method.to_lowercase())),
            "{path}"
        );
        let answer = call(app.address(), method, path, &[origin, JSON], "{}").await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (403, None),
            "{method} {path}"
        );
    }
    // Other origins may not read the organiser's lists.
    assert_eq!(
        call(
            app.address(),
            "GET",
            "/api/v1/events/welcome/audit",
            &[origin],
            ""
        )
        .await
        .header("access-control-allow-origin"),
        None
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clock_is_never_cached() {
    use headcount::domain::clock::{Clock, Timestamp};
    let clock = Clock::Manual(std::sync::Arc::new(1_795_251_600_123.into()));
    let app = App::start(super::super::support::app::Database::Sqlite, &[], clock).await;
    let answer = app.get("/api/v1/clock").await;
    assert_eq!(
        (answer.json(), answer.header("cache-control")),
        (
            json!({ "at": Timestamp::from_millis(1_795_251_600_123) }),
            Some("no-store")
        )
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_drains_or_has_no_database_is_not_ready() {
    let app = App::sqlite().await;
    assert_eq!(
        (
            app.get("/health/live").await.status,
            app.get("/health/ready").await.status
        ),
        (200, 200)
    );
    app.running.context.readiness.drain();
    let answer = app.get("/health/ready").await;
    refused(&answer, 503, "draining");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(
        app.get("/health/live").await.status,
        200,
        "a draining process lives"
    );

    let app = App::sqlite().await;
    app.running.context.store.close().await;
    refused(&app.get("/health/ready").await, 503, "database-unreachable");
    assert_eq!(
        app.get("/health/live").await.status,
        200,
        "a restart does not bring the database back"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_follow_the_public_url() {
    use headcount::domain::clock::Clock;
    let app = App::start(
        super::super::support::app::Database::Sqlite,
        &["--public-url", "https://tickets.example.org/"],
        Clock::System,
    )
    .await;
    let answer = app
        .register("welcome", "Ada", "ada@example.org")
        .await
        .json();
    assert!(
        answer["links"]["page"]
            .as_str()
            .unwrap()
            .starts_with("https://tickets.example.org/r/"),
        "{answer}"
    );
    // A forged `Host` header appears in no link.
    let mut wire = app.wire().await;
    wire.send(format!(
        "GET /api/v1/registrations/{} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
        answer["token"].as_str().unwrap()
    ))
    .await;
    wire.head().await;
    let (body, _) = wire.rest().await;
    assert!(!String::from_utf8(body).unwrap().contains("evil.example"));
}
