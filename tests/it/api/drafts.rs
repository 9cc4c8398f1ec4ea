//! Drafts at every address there is: nobody else can tell them from nothing, and no cache keeps them
//! for others.

use std::time::Duration;

use headcount::http::urls::{self, Url};
use serde_json::json;
use warp::http::Method;

use super::super::support::app::{Answer, App, exchange};
use super::super::support::wire::Wire;
use super::bearer;
use super::console::sign_in;

/// The draft, and an event that does not exist. Their names are equally long.
const SLUGS: [&str; 2] = ["gala", "hall"];

async fn app_with_draft() -> App {
    let app = App::sqlite().await;
    let new = json!({
        "slug": SLUGS[0], "title": "Gala", "capacity": 9, "visibility": "draft", "public_chart": true,
    });
    let made = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    app
}

/// The addresses of one event.
fn of_an_event() -> impl Iterator<Item = (&'static Url, String)> {
    let all = urls::ALL.iter();
    let events = all.filter(|url| url.pattern.contains("{slug}"));
    events.map(|url| (url, url.pattern.replace("{id}", "1-1-1")))
}

/// What answers a `GET`: also in other forms, if it has some.
fn variants(path: &str) -> Vec<Vec<(&'static str, &'static str)>> {
    let mut variants = vec![vec![], vec![("accept", "text/html")]];
    if path.starts_with("/api/") {
        variants.push(vec![("accept", "text/event-stream")]);
        variants.push(vec![("accept", "application/x-ndjson")]);
        variants.push(vec![("if-none-match", "*")]);
        variants.push(vec![("if-none-match", "*"), ("prefer", "wait=1")]);
    }
    variants
}

/// The head of an answer that may have no end.
async fn head(app: &App, path: &str, headers: &[(&str, &str)]) -> String {
    let mut wire = app.wire().await;
    let mut request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n", app.address());
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    wire.send(format!("{request}\r\n")).await;
    wire.head().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_shared_cache_keeps_what_an_organiser_sees_of_a_draft() {
    let app = app_with_draft().await;
    let (cookie, _) = sign_in(&app).await;
    let token = bearer();
    let mut seen = 0;
    for (url, pattern) in of_an_event().filter(|(url, _)| url.methods.contains(&Method::GET)) {
        let path = pattern.replace("{slug}", SLUGS[0]);
        for variant in variants(&path) {
            for proof in [("authorization", token.as_str()), ("cookie", &cookie)] {
                let headers: Vec<_> = variant.iter().copied().chain([proof]).collect();
                let head = head(&app, &path, &headers).await;
                let caching = head
                    .lines()
                    .find_map(|line| line.strip_prefix("cache-control: "));
                let caching = caching.unwrap_or_default();
                assert!(
                    caching.contains("private") || caching.contains("no-store"),
                    "{} {headers:?}: {head}",
                    url.pattern
                );
                seen += usize::from(head.starts_with("http/1.1 200"));
            }
        }
    }
    assert!(seen > 50, "only {seen} answers showed something");
    app.stop().await;
}

/// A text without what is drawn for each request: each time `mark` occurs, without what follows up
/// to the next quote.
fn without(text: &str, mark: &str) -> String {
    let mut parts = text.split(mark);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |whole, part| {
        let end = part.find(['"', '\'']).expect("a quote");
        whole + mark + &part[end..]
    })
}

/// What an answer says, without the event's name and what is drawn for each request.
fn said(answer: &Answer, slug: &str) -> (u16, Vec<String>, String) {
    let drawn = ["date: ", "content-length: ", "etag: "];
    let lines = answer.head.lines();
    let lines = lines.filter(|line| !drawn.iter().any(|name| line.starts_with(name)));
    let plain = |text: &str| {
        let marks = ["nonce-", "nonce=\"", "\"trace_id\":\""];
        let text = text.replace(slug, "{slug}");
        marks.iter().fold(text, |text, mark| without(&text, mark))
    };
    let body = plain(&answer.body);
    (answer.status, lines.map(plain).collect(), body)
}

/// Asserts that every address answers the same at the draft and at nothing; returns how many
/// answers were 429.
async fn same_at_both(app: &App, proof: &[(&str, &str)]) -> usize {
    let mut limited = 0;
    let host = app.address().to_string();
    for (url, pattern) in of_an_event() {
        for method in url.methods {
            let variants = match *method {
                Method::GET => variants(url.pattern),
                _ => vec![vec![]],
            };
            for variant in variants {
                let headers: Vec<_> = variant.into_iter().chain(proof.iter().copied()).collect();
                let mut both = Vec::new();
                for slug in SLUGS {
                    let path = pattern.replace("{slug}", slug);
                    let wire = Wire::connect(app.address()).await;
                    let answer = exchange(wire, &host, method.as_str(), &path, &headers, "");
                    let answer = tokio::time::timeout(Duration::from_secs(20), answer)
                        .await
                        .unwrap_or_else(|_| panic!("{method} {path} has no end"));
                    limited += usize::from(answer.status == 429);
                    both.push(said(&answer, slug));
                }
                assert_eq!(both[0], both[1], "{method} {} {headers:?}", url.pattern);
            }
        }
    }
    limited
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_can_tell_a_draft_from_nothing() {
    let app = app_with_draft().await;
    same_at_both(&app, &[]).await;
    same_at_both(&app, &[("cookie", "headcount_session=0123456789abcdef")]).await;
    // The first ones are wrong, the others too many.
    let wrong = ("authorization", "Bearer guessed");
    for _ in 0..10 {
        app.call("GET", "/api/v1/events/gala/audit", &[wrong], "")
            .await;
    }
    let limited = same_at_both(&app, &[wrong]).await;
    assert!(limited > 20, "only {limited} refusals came");
    let refused = app.call("GET", "/api/v1/events/gala", &[wrong], "").await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    app.stop().await;
}

/// A route that takes any word, such as an id, must not read the last word of another address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_refuses_other_methods_before_anything_else() {
    let app = App::sqlite().await;
    for url in urls::ALL {
        let path = url
            .pattern
            .replace("{slug}", "welcome")
            .replace(['{', '}'], "");
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            if url.methods.contains(&method) {
                continue;
            }
            let answer = app.call(method.as_str(), &path, &[], "").await;
            if method == Method::GET && urls::page_of_form(&method, &path).is_some() {
                assert_eq!(answer.status, 303, "{method} {path}");
                continue;
            }
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.body);
            let allowed = answer.header("allow").unwrap_or_default();
            let first = url.methods[0].as_str().to_ascii_lowercase();
            assert!(allowed.starts_with(&first), "{method} {path}: {allowed}");
        }
    }
    app.stop().await;
}
