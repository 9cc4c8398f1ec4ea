//! Negotiation from outside: headers for caches, and header fields that break or stretch a grammar.

use super::gala;
use crate::support::app::App;

const EVENT: &str = "/api/v1/events/gala";

async fn ask(app: &App, path: &str, headers: &[(&str, &str)]) -> (String, String) {
    let mut wire = app.wire().await;
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    wire.send(format!(
        "GET {path} HTTP/1.1\r\nhost: test\r\n{lines}connection: close\r\n\r\n"
    ))
    .await;
    let head = wire.head().await;
    let status = head.split(' ').nth(1).expect("a status").to_owned();
    let vary = head.lines().find_map(|line| line.strip_prefix("vary: "));
    (status, vary.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn every_variant_of_an_address_names_what_chose_it() {
    let (app, position) = gala(&["--max-connections-per-ip", "50"]).await;
    let tag = format!("\"{position}\"");
    let count = "accept, prefer";
    for (path, headers, status, vary) in [
        (EVENT, vec![], "200", count),
        (EVENT, vec![("if-none-match", tag.as_str())], "304", count),
        (EVENT, vec![("accept", "text/event-stream")], "200", count),
        (EVENT, vec![("accept", "image/png")], "406", count),
        (
            EVENT,
            vec![("prefer", "wait=1"), ("if-none-match", tag.as_str())],
            "304",
            count,
        ),
        ("/api/v1/events/nope", vec![], "404", count),
        ("/api/v1/events/gala/changes", vec![], "200", "accept"),
        (
            "/api/v1/events/gala/changes?limit=0",
            vec![],
            "400",
            "accept",
        ),
        (
            "/api/v1/events/gala/changes",
            vec![("accept", "text/event-stream")],
            "200",
            "accept",
        ),
        (
            "/api/v1/events/gala/changes",
            vec![("accept", "image/png")],
            "406",
            "accept",
        ),
        ("/api/v1/events/gala/stream", vec![], "200", "accept"),
        (
            "/api/v1/events/gala/stream",
            vec![("accept", "application/x-ndjson")],
            "200",
            "accept",
        ),
        ("/api/v1/events/nope/stream", vec![], "404", "accept"),
        (
            "/api/v1/events/gala/frame",
            vec![],
            "200",
            "accept, accept-language, cookie",
        ),
        (
            "/api/v1/events/nope/frame",
            vec![],
            "404",
            "accept, accept-language, cookie",
        ),
    ] {
        let answer = ask(&app, path, &headers).await;
        assert_eq!(
            answer,
            (status.to_owned(), vary.to_owned()),
            "{path} {headers:?}"
        );
    }
    app.stop().await;
}

#[tokio::test]
async fn quoted_strings_and_odd_members_do_not_change_what_is_asked() {
    let (app, position) = gala(&[]).await;
    for (name, value, status) in [
        ("if-none-match", format!("\"é\", \"{position}\""), "304"),
        ("if-none-match", format!("\"a,b\", W/\"{position}\""), "304"),
        (
            "if-none-match",
            format!("é, nonsense, \"{position}\""),
            "304",
        ),
        ("if-none-match", format!("\"{position}é\""), "200"),
        (
            "accept",
            "application/json;x=\"é, text/event-stream\"".to_owned(),
            "200",
        ),
        ("accept", "application/json;x=\";q=0\"".to_owned(), "200"),
        (
            "accept",
            "image/png;x=\", application/json\"".to_owned(),
            "406",
        ),
        ("accept", "application/json;q=\"0\"".to_owned(), "406"),
    ] {
        let (answered, _) = ask(&app, EVENT, &[(name, &value)]).await;
        assert_eq!(answered, status, "{name}: {value}");
    }
    // A preference inside a quoted string does not count: this poll does not wait.
    let tag = format!("\"{position}\"");
    let began = std::time::Instant::now();
    let headers = [
        ("prefer", "x=\"a, wait=50; b\", y;z=\"wait=50\""),
        ("if-none-match", &tag),
    ];
    assert_eq!(ask(&app, EVENT, &headers).await.0, "304");
    assert!(began.elapsed() < super::SOON);
    app.stop().await;
}
