//! Hostile and broken requests. Each gets a problem document, and nothing is stored.

use headcount::domain::clock::Clock;
use serde_json::json;

use super::super::support::app::{App, Database, call};
use super::{JSON, bearer, form, refused};

const REGISTER: &str = "/api/v1/events/welcome/registrations";
const ADA: &str = r#"{"name":"Ada","email":"ada@example.org"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_body_is_refused_with_the_place_of_its_error() {
    let app = App::sqlite().await;
    for (body, line) in [
        ("{\"name\":\n oops}", 2),
        ("", 1),
        ("{\"name\":\"Ada\"", 1),
        ("{\"name\":\"\\ud800\",\"email\":\"a@b.c\"}", 1),
    ] {
        let answer = app.call("POST", REGISTER, &[JSON], body).await;
        refused(&answer, 400, "malformed-body");
        let problem = answer.json();
        assert_eq!(problem["line"], line, "{problem}");
        assert!(
            problem["byte"].is_u64() && problem["detail"].as_str().unwrap().contains("line"),
            "{problem}"
        );
    }
    for body in ["[]", "[\"Ada\",\"ada@example.org\"]", "null", "7", "\"x\""] {
        refused(
            &app.call("POST", REGISTER, &[JSON], body).await,
            400,
            "malformed-body",
        );
    }
    refused(
        &form(&app, REGISTER, &[], "name=%FF%FE&email=a%40b.c").await,
        400,
        "malformed-body",
    );
}

// A form posted as text/plain needs no preflight: it must not pass as JSON.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_media_types_are_refused_by_name() {
    let app = App::sqlite().await;
    for kind in [
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
    ] {
        let answer = app
            .call("POST", REGISTER, &[("content-type", kind)], ADA)
            .await;
        refused(&answer, 415, "unsupported-media-type");
        assert_eq!(
            answer.header("accept"),
            Some("application/json, application/x-www-form-urlencoded")
        );
    }
    refused(
        &app.call("POST", REGISTER, &[], ADA).await,
        415,
        "unsupported-media-type",
    );
    refused(
        &app.call("POST", REGISTER, &[JSON, ("content-encoding", "gzip")], ADA)
            .await,
        415,
        "unsupported-media-type",
    );
    assert_eq!(
        app.call(
            "POST",
            REGISTER,
            &[("content-type", "application/json;charset=UTF-8")],
            ADA
        )
        .await
        .status,
        201
    );
    // The organiser's calls take JSON only.
    let headers = [
        ("authorization", bearer()),
        ("content-type", "application/x-www-form-urlencoded".into()),
    ];
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    refused(
        &app.call("POST", "/api/v1/events", &headers, "slug=x").await,
        415,
        "unsupported-media-type",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_bounded_with_and_without_a_length() {
    let app = App::sqlite().await;
    let padded = |size: usize| format!("{ADA:<size$}");
    refused(
        &app.call("POST", REGISTER, &[JSON], &padded(16 * 1024 + 1))
            .await,
        413,
        "body-too-large",
    );
    let mut wire = app.wire().await;
    let chunk = padded(16 * 1024 + 1);
    let head = format!(
        "POST {REGISTER} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    wire.send(format!("{head}{:x}\r\n{chunk}\r\n0\r\n\r\n", chunk.len()))
        .await;
    assert!(wire.head().await.starts_with("http/1.1 413"));
    assert_eq!(
        app.call("POST", REGISTER, &[JSON], &padded(16 * 1024))
            .await
            .status,
        201
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_description_fits_however_it_is_escaped() {
    let app = App::sqlite().await;
    let bearer = bearer();
    let headers = [("authorization", bearer.as_str()), JSON];
    let settings = |escaped: &str| format!(r#"{{"description":"{}"}}"#, escaped.repeat(4_000));
    let answer = app
        .call(
            "PATCH",
            "/api/v1/events/welcome",
            &headers,
            &settings(r"\ud83c\udf89"),
        )
        .await;
    assert_eq!(
        (answer.status, &answer.json()["description"]),
        (200, &"🎉".repeat(4_000).into())
    );
    let padding = " ".repeat(64 * 1024);
    refused(
        &app.call(
            "PATCH",
            "/api/v1/events/welcome",
            &headers,
            &format!("{{}}{padding}"),
        )
        .await,
        413,
        "body-too-large",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sites_cannot_write() {
    let app = App::sqlite().await;
    let own = format!("http://{}", app.address());
    for foreign in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        refused(
            &app.call("POST", REGISTER, &[JSON, foreign], ADA).await,
            403,
            "forbidden",
        );
        refused(
            &form(
                &app,
                REGISTER,
                &[foreign],
                "name=Ada&email=ada%40example.org",
            )
            .await,
            403,
            "forbidden",
        );
        let token = bearer();
        refused(
            &app.call(
                "DELETE",
                "/api/v1/events/welcome",
                &[("authorization", &token), foreign],
                "",
            )
            .await,
            403,
            "forbidden",
        );
    }
    let token = app
        .call("POST", REGISTER, &[JSON, ("origin", &own)], ADA)
        .await
        .json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/registrations/{token}");
    refused(
        &app.call("DELETE", &path, &[("origin", "https://evil.example")], "")
            .await,
        403,
        "forbidden",
    );
    assert_eq!(
        app.call("DELETE", &path, &[("sec-fetch-site", "same-origin")], "")
            .await
            .status,
        200
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_organiser_may_call_the_organisers_api() {
    // The limit on wrong tokens counts addresses, so each request has its own.
    let flags = ["--trusted-proxies", "127.0.0.1"];
    let app = App::start(Database::Sqlite, &flags, Clock::System).await;
    let calls = [
        ("POST", "/api/v1/events"),
        ("PATCH", "/api/v1/events/welcome"),
        ("DELETE", "/api/v1/events/welcome?confirm=welcome"),
        ("POST", "/api/v1/events/welcome/reset"),
        ("POST", "/api/v1/events/welcome/reset/undo"),
        ("GET", "/api/v1/events/welcome/registrations"),
        ("GET", "/api/v1/events/welcome/registrations.csv"),
        ("DELETE", "/api/v1/events/welcome/registrations/1-1-1"),
        ("POST", "/api/v1/events/welcome/announcements"),
        ("GET", "/api/v1/events/welcome/audit"),
    ];
    let wrong = [
        "Bearer wrong",
        "Bearer ",
        "bearer a-token-for-test",
        "Basic YTpi",
        "a-token-for-tests",
    ];
    for (n, (method, path)) in calls.into_iter().enumerate() {
        let from = format!("192.0.2.{n}");
        for credentials in [None].into_iter().chain(wrong.into_iter().map(Some)) {
            let headers: Vec<_> = [JSON, ("x-forwarded-for", from.as_str())]
                .into_iter()
                .chain(credentials.map(|value| ("authorization", value)))
                .collect();
            let answer = app
                .call(
                    method,
                    path,
                    &headers,
                    if method == "GET" { "" } else { "{}" },
                )
                .await;
            refused(&answer, 401, "unauthorized");
            assert!(
                answer
                    .header("www-authenticate")
                    .is_some_and(|challenge| challenge.starts_with("bearer")),
                "{}",
                answer.head
            );
        }
    }
    assert_eq!(
        app.get("/api/v1/events/welcome").await.json()["revision"],
        1
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_address_answers_a_problem_document() {
    let app = App::sqlite().await;
    for path in [
        "/nowhere",
        "/api",
        "/api/v1",
        "/api/v1/events//",
        "/api/v1/events/welcome/nothing",
        "/api/v2/events",
        "/api/v1/registrations",
    ] {
        refused(&app.get(path).await, 404, "not-found");
    }
    for slug in ["Welcome", "no-such", "%57elcome", "a%20b", &"x".repeat(65)] {
        refused(
            &app.register(slug, "Ada", "ada@example.org").await,
            404,
            "event-not-found",
        );
    }
    for (method, path, allow) in [
        (
            "PUT",
            "/api/v1/events/welcome",
            "get, head, patch, delete, options",
        ),
        ("DELETE", REGISTER, "get, head, post, options"),
        ("GET", "/api/v1/events/welcome/reset", "post, options"),
        (
            "POST",
            "/api/v1/events/welcome/stream",
            "get, head, options",
        ),
        ("POST", "/health/live", "get, head, options"),
        ("BREW", "/api/v1/clock", "get, head, options"),
    ] {
        let answer = app.call(method, path, &[], "").await;
        refused(&answer, 405, "method-not-allowed");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_gets_a_page_and_a_script_a_problem_document() {
    let app = App::sqlite().await;
    let page = call(
        app.address(),
        "GET",
        "/nowhere",
        &[("accept", "text/html,*/*;q=0.8")],
        "",
    )
    .await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (404, Some("text/html; charset=utf-8"))
    );
    let document = call(
        app.address(),
        "GET",
        "/api/v1/nowhere",
        &[("accept", "text/html,*/*;q=0.8")],
        "",
    )
    .await;
    refused(&document, 404, "not-found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_event_is_refused_before_the_body_is_read() {
    let app = App::sqlite().await;
    let answer = app
        .call(
            "PATCH",
            "/api/v1/events/nowhere",
            &[JSON, ("authorization", &bearer())],
            "oops",
        )
        .await;
    refused(&answer, 404, "event-not-found");
    let answer = app
        .organise(
            "POST",
            "/api/v1/events/nowhere/reset",
            &json!({ "confirm": "nowhere" }),
        )
        .await;
    refused(&answer, 404, "event-not-found");
}
