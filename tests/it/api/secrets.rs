//! Guessing the password or the token, and what a public address demands of browsers.

use headcount::context::Peer;
use headcount::domain::clock::Clock;
use headcount::http::session;

use super::super::support::app::{Answer, App, Database, PASSWORD};
use super::{HERE, JSON, bearer, form, refused};

fn at(n: u8) -> Peer {
    Peer {
        ip: [192, 0, 2, n].into(),
        ..HERE
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_from_many_addresses_do_not_lock_the_organiser_out() {
    let app = App::sqlite().await;
    let context = &app.running.context;
    let guesses = (1..=12).flat_map(|n| std::iter::repeat_n(at(n), 10));
    let guesses = guesses.map(|peer| session::sign_in(context, peer, "guess"));
    let refused = futures_util::future::join_all(guesses).await;
    assert!(refused.iter().all(Result::is_err));
    let slowed = refused.iter().filter(|answer| {
        answer
            .as_ref()
            .is_err_and(|problem| problem.code().as_str() == "too-many-requests")
    });
    assert!(
        slowed.count() > 0,
        "the total slows down those who have failed"
    );
    for _ in 0..20 {
        assert!(session::sign_in(context, at(100), PASSWORD).await.is_ok());
    }
    app.stop().await;
}

async fn with_token(app: &App, from: &str, token: &str) -> Answer {
    let headers = [("authorization", token), ("x-forwarded-for", from)];
    app.call("GET", "/api/v1/events/welcome/audit", &headers, "")
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_tokens_are_limited_for_their_address_alone() {
    let flags = ["--trusted-proxies", "127.0.0.1"];
    let app = App::start(Database::Sqlite, &flags, Clock::System).await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(with_token(&app, "192.0.2.1", "Bearer wrong").await.status);
    }
    assert_eq!(
        (&statuses[..10], &statuses[10..]),
        (&[401; 10][..], &[429; 2][..])
    );
    let right = with_token(&app, "192.0.2.1", &bearer()).await;
    refused(&right, 429, "too-many-requests");
    assert!(right.header("retry-after").is_some(), "{}", right.head);
    for _ in 0..20 {
        assert_eq!(with_token(&app, "192.0.2.2", &bearer()).await.status, 200);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_accepted_from_the_public_url_only() {
    let flags = ["--public-url", "https://tickets.example.org"];
    let app = App::start(Database::Sqlite, &flags, Clock::System).await;
    let register = async |n: u8, headers: &[(&str, &str)]| {
        let body = format!(r#"{{"name":"Ada","email":"p{n}@example.org"}}"#);
        let headers: Vec<_> = [JSON].into_iter().chain(headers.iter().copied()).collect();
        app.call(
            "POST",
            "/api/v1/events/welcome/registrations",
            &headers,
            &body,
        )
        .await
    };
    let host = format!("http://{}", app.address());
    for (n, headers, status) in [
        (1, vec![("origin", "https://tickets.example.org")], 201),
        (2, vec![], 201),
        (3, vec![("origin", host.as_str())], 403),
        // DNS rebinding: for the browser, this name and the server are the same site.
        (
            4,
            vec![
                ("origin", "http://rebound.example"),
                ("sec-fetch-site", "same-origin"),
            ],
            403,
        ),
    ] {
        assert_eq!(register(n, &headers).await.status, status, "{headers:?}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cookies_of_an_https_address_travel_over_tls_only() {
    let flags = ["--public-url", "https://tickets.example.org"];
    let app = App::start(Database::Sqlite, &flags, Clock::System).await;
    let password = format!("password={}", PASSWORD.replace(' ', "+"));
    let signed_in = form(&app, "/admin/login", &[], &password).await;
    let chosen = app.get("/?lang=zh-CN").await;
    for answer in [&signed_in, &chosen] {
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert!(cookie.ends_with("; secure"), "{cookie}");
    }
    app.stop().await;
}
