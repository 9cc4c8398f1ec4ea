//! `tests/cases/requests.txt`: requests that must get an orderly answer. Each line is one case.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use super::target::Target;
use crate::server::host::TIMEOUT;
use crate::server::wire::Wire;
use crate::support::app::call;

const CASES: &str = include_str!("../../cases/requests.txt");

/// A line: a request, and what must come back.
struct Case {
    sent: &'static str,
    expected: &'static str,
}

fn cases() -> Vec<Case> {
    let lines = CASES
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let cases = lines.map(|line| {
        let (sent, expected) = line.split_once(" -> ").expect("an arrow");
        Case {
            sent: sent.trim(),
            expected: expected.trim(),
        }
    });
    cases.collect()
}

/// The bytes of a raw request, from its escapes.
fn unescape(text: &str) -> String {
    text.replace("\\r", "\r")
        .replace("\\n", "\n")
        .replace("\\\\", "\\")
        .replace("(a name of 1,600 letters)", &"a".repeat(1_600))
}

/// An answer's head and the status in it.
async fn answer(target: &Target, request: &str) -> (u16, String) {
    let mut wire = Wire::connect(target.address()).await;
    wire.send(request).await;
    let head = wire.head().await;
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    (
        status.unwrap_or_else(|| panic!("no status in {head:?}")),
        head,
    )
}

/// The statuses that a line allows: `400 or 405`.
fn allowed(expected: &str) -> Vec<u16> {
    expected
        .split(|c: char| !c.is_ascii_digit())
        .filter(|word| word.len() == 3)
        .filter_map(|word| word.parse().ok())
        .filter(|status| (200..600).contains(status))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_the_list_gets_an_orderly_answer() {
    let target = Target::start(&[]);
    let cases = cases();
    assert!(cases.len() >= 8, "the list was read");
    for Case { sent, expected } in cases {
        if sent.starts_with("WebSocket text frame ") {
            let text = sent.trim_start_matches("WebSocket text frame ");
            closes_with(&target, text, expected).await;
        } else if sent.starts_with("POST /socket.io/") {
            a_body_that_stops_is_closed(&target, expected).await;
        } else if sent.contains(" form ") {
            a_form_is_refused(&target, sent, expected).await;
        } else {
            a_raw_request(&target, sent, expected).await;
        }
        target.is_well().await;
    }
}

async fn a_raw_request(target: &Target, sent: &str, expected: &str) {
    let (status, head) = answer(target, &unescape(sent)).await;
    if let Some(location) = head
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
    {
        let other_host = location.starts_with("//") || location.contains('\\');
        assert!(!other_host, "{sent}: {location}");
    }
    let allowed = allowed(expected);
    assert!(
        allowed.is_empty() || allowed.contains(&status),
        "{sent}: {head}"
    );
    assert!(status < 500 || allowed.contains(&status), "{sent}: {head}");
}

/// A form with bytes that are not UTF-8.
async fn a_form_is_refused(target: &Target, sent: &str, expected: &str) {
    let (line, form) = sent.split_once(" form ").expect("a form");
    let path = line.trim_start_matches("POST ");
    let form = form.replace('…', "ada%40example.org");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = call(target.address(), "POST", path, &headers, &form).await;
    let (status, code) = expected.split_once(' ').expect("a status and a code");
    assert_eq!(answer.status.to_string(), status, "{}", answer.body);
    assert_eq!(answer.code(), code, "{sent}");
}

async fn closes_with(target: &Target, text: &str, expected: &str) {
    let stream = tokio::net::TcpStream::connect(target.address()).await;
    let url = format!("ws://{}/api/v1/events/welcome/ws", target.address());
    let (mut socket, _) = client_async(url, stream.expect("a connection"))
        .await
        .expect("a handshake");
    socket
        .send(Message::text(text))
        .await
        .expect("the server reads");
    let code = timeout(TIMEOUT, async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(Some(close)))) => return u16::from(close.code),
                Some(Ok(_)) => {}
                other => panic!("{text}: {other:?}"),
            }
        }
    });
    let code = code.await.expect("a close in time");
    assert_eq!(format!("close {code}"), expected, "{text}");
}

async fn a_body_that_stops_is_closed(target: &Target, expected: &str) {
    let open = call(
        target.address(),
        "GET",
        "/socket.io/?EIO=4&transport=polling",
        &[],
        "",
    )
    .await;
    let sid = open
        .body
        .split("\"sid\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let sid = sid.unwrap_or_else(|| panic!("no session: {}", open.body));
    let mut wire = Wire::connect(target.address()).await;
    let begun = Instant::now();
    wire.send(format!(
        "POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nhost: test\r\n\
         content-type: text/plain\r\ncontent-length: 100\r\n\r\n4"
    ))
    .await;
    wire.rest().await;
    let within: u64 = expected
        .split_whitespace()
        .find_map(|word| word.parse().ok())
        .expect("seconds");
    let slack = Duration::from_secs(2);
    assert!(begun.elapsed() < Duration::from_secs(within) + slack);
}

/// What is not in the list: other inputs of the same kinds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_that_break_a_rule_get_their_status_and_nothing_panics() {
    let target = Target::start(&[]);
    let long = "a".repeat(256);
    let get = |line: &str, host: &str| format!("{line}\r\nHost: {host}\r\n\r\n");
    for (request, status) in [
        (get("GET welcome HTTP/1.1", "x"), 400),
        (get("DELETE a:1 HTTP/1.1", "x"), 400),
        (get("GET //evil.example HTTP/1.1", "x"), 400),
        (get("GET /%5Cevil.example HTTP/1.1", "x"), 404),
        (get("GET * HTTP/1.1", "x"), 400),
        (get("OPTIONS * HTTP/1.1", "x"), 204),
        (get("OPTIONS /socket.io/ HTTP/1.1", "x"), 204),
        (get("GET / HTTP/1.2", "x"), 200),
        (get("GET / HTTP/2.0", "x"), 505),
        (get("GET / HTTP/3.0", "x"), 505),
        (get("GET / HTTP/1.1", "a b"), 400),
        (get("GET / HTTP/1.1", "a, b"), 400),
        (get("GET / HTTP/1.1", "u@a"), 400),
        (get("GET / HTTP/1.1", "a:x"), 400),
        (get("GET / HTTP/1.1", "a%0d%0ab"), 400),
        (get("GET / HTTP/1.1", "a%00b"), 400),
        (get("GET / HTTP/1.1", "a%2fb"), 400),
        (get("GET / HTTP/1.1", "%2e%2e"), 400),
        (get("GET / HTTP/1.1", ".."), 400),
        (get("GET / HTTP/1.1", "a..b"), 400),
        (get("GET / HTTP/1.1", ".a"), 400),
        (get("GET / HTTP/1.1", "a."), 200),
        (get("GET http://a%2fb/ HTTP/1.1", "x"), 400),
        (get("GET http://a%0d%0ab/ HTTP/1.1", "x"), 400),
        (get("GET http://a..b/ HTTP/1.1", "x"), 400),
        (get("GET / HTTP/1.1", &long), 400),
        (get("GET /e/welcome/wall HTTP/1.1", &long), 400),
        (get("GET /e/welcome/wall HTTP/1.1", &long[1..]), 200),
        (get("GET http://u@a/ HTTP/1.1", "x"), 400),
        (get("GET /\0 HTTP/1.1", "x"), 400),
        (get("GET / HTTP/1.1\r\nA: b\rc", "x"), 400),
        (get("GET / HTTP/1.1\r\nA: b\r\n c", "x"), 400),
        (
            get("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked", "x"),
            400,
        ),
        (get("POST / HTTP/1.1\r\nTransfer-Encoding: gzip", "x"), 400),
        (get("GET /api/v1/%65vents/%77elcome HTTP/1.1", "x"), 200),
    ] {
        let (answered, head) = answer(&target, &request).await;
        assert_eq!(answered, status, "{request:?}: {head}");
    }
    target.is_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absolute_target_gives_the_same_links_as_a_path() {
    let target = Target::start(&[]);
    let mut links = Vec::new();
    for (line, host) in [
        ("GET /e/welcome/wall HTTP/1.1", "events.example"),
        (
            "GET http://events.example/e/welcome/wall HTTP/1.1",
            "events.example",
        ),
        (
            "GET http://events.example/e/welcome/wall HTTP/1.1",
            "other.example",
        ),
    ] {
        let mut wire = Wire::connect(target.address()).await;
        wire.send(format!("{line}\r\nHost: {host}\r\n\r\n")).await;
        let (_, page) = wire.answer().await;
        assert!(page.contains("http://events.example/e/welcome"), "{line}");
        links.push(page.matches("events.example").count());
    }
    assert!(links.windows(2).all(|pair| pair[0] == pair[1]), "{links:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_allowed_methods_of_socket_io_include_post() {
    let target = Target::start(&[]);
    let options = call(target.address(), "OPTIONS", "/socket.io/", &[], "").await;
    let allow = options.header("allow").unwrap_or_default();
    assert!(allow.contains("post"), "{}", options.head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_private_link_is_logged_at_the_finest_level() {
    let target = Target::start(&["--log", "trace,hyper=trace,h2=trace,warp=trace,sqlx=trace"]);
    let registered =
        crate::support::app::register(target.address(), "welcome", "Ada", "ada@example.org").await;
    let token = registered.json()["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    for path in [
        format!("/r/{token}"),
        format!("/api/v1/registrations/{token}"),
    ] {
        let headers = [("accept", "text/html")];
        let page = call(target.address(), "GET", &path, &headers, "").await;
        assert_eq!(page.status, 200, "{}", page.body);
        let mut http2 = super::http2::Http2::plain(target.address(), 65_535).await;
        let stream = http2.get(&path).await;
        http2.next(super::http2::HEADERS, stream).await;
    }
    // The last line is written when the process has ended.
    target.process.signal("TERM");
    crate::server::host::until(|| target.log().contains("all connections are closed")).await;
    let secret = token.rsplit('-').next().expect("a secret");
    let log = target.log();
    assert!(!log.contains(secret), "a private link is in the log");
}
