//! `headcount watch`.

use headcount::domain::clock::Clock;
use serde_json::{Value, json};

use super::proxy::Proxy;
use super::run::Run;
use crate::support::app::{App, Database};

/// The same story over each transport: present state, a change, a cut in which something happens,
/// the end.
async fn story(transport: &str) {
    let app = App::sqlite().await;
    app.event("gala", 100).await;
    let proxy = Proxy::to(app.address()).await;
    let url = format!("http://{}/e/gala", proxy.address);
    let mut watch = Run::headcount(&[
        "watch",
        &url,
        "--json",
        "--transport",
        transport,
        "--interval",
        "100ms",
    ]);
    let present = watch.json().await;
    assert_eq!(present["registered"], 0);

    app.register("gala", "Ada", "ada@example.org").await;
    let line = watch.line().await;
    assert_eq!(
        line,
        app.get("/api/v1/events/gala").await.body,
        "exactly the count object"
    );
    assert_eq!(
        serde_json::from_str::<Value>(&line).expect("JSON")["registered"],
        1
    );

    let connections = proxy.accepted();
    proxy.cut();
    app.register("gala", "Bob", "bob@example.org").await;
    assert_eq!(watch.json().await["registered"], 2);
    assert!(
        proxy.accepted() > connections,
        "it came back on a new connection"
    );

    watch.signal("INT");
    let (code, left, _) = watch.end().await;
    assert_eq!(
        (code, left.as_str()),
        (Some(0), ""),
        "nothing is shown twice"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sse() {
    story("sse").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websocket() {
    story("ws").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_poll() {
    story("long-poll").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poll() {
    story("poll").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn socketio() {
    story("socketio").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ndjson() {
    story("ndjson").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frame() {
    story("frame").await;
}

/// Its packets do not pass through the proxy of the other stories.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn webtransport() {
    let flags = ["--webtransport-listen", "127.0.0.1:0"];
    let app = App::start(Database::Sqlite, &flags, Clock::System).await;
    app.event("gala", 100).await;
    let url = format!("http://{}/e/gala", app.address());
    let args = ["watch", &url, "--json", "--transport", "wt"];
    let mut watch = Run::headcount(&args);
    assert_eq!(watch.json().await["registered"], 0);
    app.register("gala", "Ada", "ada@example.org").await;
    assert_eq!(
        watch.line().await,
        app.get("/api/v1/events/gala").await.body,
        "exactly the count object, once: the stream or a datagram"
    );
    app.register("gala", "Bob", "bob@example.org").await;
    assert_eq!(watch.json().await["registered"], 2);
    let path = "/api/v1/events/gala?confirm=gala";
    app.organise("DELETE", path, &Value::Null).await;
    let (code, left, stderr) = watch.end().await;
    assert_eq!((code, left.as_str()), (Some(1), ""), "{stderr}");
    assert!(stderr.contains("deleted"), "{stderr}");

    let (code, _, stderr) = Run::headcount(&args).end().await;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("no such event"), "{stderr}");

    let without = App::sqlite().await;
    let url = format!("http://{}/e/welcome", without.address());
    let (code, _, stderr) = Run::headcount(&["watch", &url, "--transport", "wt"])
        .end()
        .await;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("--webtransport-listen"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_says_what_has_happened() {
    let app = App::sqlite().await;
    app.event("gala", 2).await;
    let mut watch = Run::headcount(&[
        "watch",
        &format!("http://{}/api/v1/events/gala/stream?x", app.address()),
    ]);
    assert!(watch.line().await.ends_with("    0 / 2    open       now"));
    app.register("gala", "Ada", "ada@example.org").await;
    assert!(
        watch
            .line()
            .await
            .ends_with("    1 / 2    open         (+1)  registered")
    );
    app.register("gala", "Bob", "bob@example.org").await;
    assert!(
        watch
            .line()
            .await
            .ends_with("    2 / 2    full         (+1)  registered, now full")
    );
    app.organise(
        "POST",
        "/api/v1/events/gala/announcements",
        &json!({ "text": "Doors open at 8" }),
    )
    .await;
    app.organise(
        "POST",
        "/api/v1/events/gala/reset",
        &json!({ "confirm": "gala" }),
    )
    .await;
    assert!(
        watch
            .line()
            .await
            .ends_with("    0 / 2    open         (-2)  reset, round 2, now open")
    );
    watch.signal("TERM");
    let (code, left, stderr) = watch.end().await;
    assert_eq!((code, left.as_str()), (Some(0), ""));
    assert!(stderr.contains("notice: Doors open at 8"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_ends_if_its_event_is_missing_or_deleted() {
    let app = App::sqlite().await;
    for transport in [
        "sse",
        "ndjson",
        "ws",
        "long-poll",
        "poll",
        "socketio",
        "frame",
    ] {
        let url = format!("http://{}/e/gala", app.address());
        let args = [
            "watch",
            &url,
            "--json",
            "--transport",
            transport,
            "--interval",
            "100ms",
        ];
        let (code, _, stderr) = Run::headcount(&args).end().await;
        assert_eq!(code, Some(1), "{transport}");
        assert!(
            stderr.contains("there is no such event"),
            "{transport}: {stderr}"
        );

        app.event("gala", 2).await;
        let mut watch = Run::headcount(&args);
        watch.line().await;
        assert_eq!(
            app.organise("DELETE", "/api/v1/events/gala?confirm=gala", &Value::Null)
                .await
                .status,
            204
        );
        let (code, _, stderr) = watch.end().await;
        assert_eq!(code, Some(1), "{transport}");
        assert!(
            stderr.contains("the event was deleted"),
            "{transport}: {stderr}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_address_is_explained() {
    let app = App::sqlite().await;
    let page = format!("http://{}/", app.address());
    for (url, code, part) in [
        (page.as_str(), 2, "names no event"),
        ("welcome", 2, "begins with http:// or https://"),
        (
            "http://no-such-name.invalid/e/welcome",
            1,
            "cannot resolve no-such-name.invalid",
        ),
    ] {
        let (ended, _, stderr) = Run::headcount(&["watch", url]).end().await;
        assert_eq!(ended, Some(code), "{stderr}");
        assert!(stderr.contains(part), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watch_ends_without_error_when_its_reader_is_gone() {
    let app = App::sqlite().await;
    app.event("gala", 100).await;
    let url = format!("http://{}/e/gala", app.address());
    let mut watch = Run::headcount(&["watch", &url, "--json"]);
    watch.line().await;
    // Nothing changes any more, so it must notice without writing a line.
    assert_eq!(watch.leave().await, (Some(0), String::new()));
}
