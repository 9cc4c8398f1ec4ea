//! The console's session: its cookie, and its defence against other sites' forms.

use serde_json::{Value, json};

use super::super::support::app::{Answer, App, PASSWORD};
use super::{HERE, JSON, bearer, refused};
use headcount::context::Peer;
use headcount::domain::clock::Clock;
use headcount::http::session;

pub(super) async fn sign_in(app: &App) -> (String, String) {
    let new = session::sign_in(&app.running.context, HERE, PASSWORD)
        .await
        .expect("the password is right");
    let cookie = new.cookie.to_str().unwrap();
    assert!(
        cookie.contains("; HttpOnly; SameSite=Lax; Max-Age=43200")
            && cookie.contains("; Path=/")
            && !cookie.contains("Secure"),
        "{cookie}"
    );
    (
        cookie.split(';').next().unwrap().to_owned(),
        new.session.csrf.to_string(),
    )
}

async fn patch(app: &App, headers: &[(&str, &str)]) -> Answer {
    let headers: Vec<_> = [JSON].into_iter().chain(headers.iter().copied()).collect();
    app.call("PATCH", "/api/v1/events/welcome", &headers, "{}")
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_reads_and_writes_with_its_csrf_token() {
    let app = App::sqlite().await;
    let (cookie, csrf) = sign_in(&app).await;
    let cookie = ("cookie", cookie.as_str());
    assert_eq!(
        app.call("GET", "/api/v1/events/welcome/audit", &[cookie], "")
            .await
            .status,
        200
    );
    assert_eq!(
        patch(&app, &[cookie, ("x-csrf-token", &csrf)]).await.status,
        200
    );
    assert_eq!(
        patch(&app, &[cookie, ("sec-fetch-site", "same-origin")])
            .await
            .status,
        200
    );
    assert_eq!(
        patch(
            &app,
            &[cookie, ("origin", &format!("http://{}", app.address()))]
        )
        .await
        .status,
        200
    );
    refused(&patch(&app, &[cookie]).await, 403, "forbidden");
    refused(
        &patch(&app, &[cookie, ("x-csrf-token", "")]).await,
        403,
        "forbidden",
    );
    refused(
        &patch(&app, &[cookie, ("x-csrf-token", &"0".repeat(64))]).await,
        403,
        "forbidden",
    );
    refused(
        &patch(
            &app,
            &[
                cookie,
                ("x-csrf-token", &csrf),
                ("origin", "https://evil.example"),
            ],
        )
        .await,
        403,
        "forbidden",
    );
    refused(
        &patch(
            &app,
            &[
                cookie,
                ("x-csrf-token", &csrf),
                ("sec-fetch-site", "cross-site"),
            ],
        )
        .await,
        403,
        "forbidden",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_log_distinguishes_console_and_token() {
    let app = App::sqlite().await;
    let (cookie, csrf) = sign_in(&app).await;
    let edit = |capacity: u32| json!({ "capacity": capacity }).to_string();
    app.call(
        "PATCH",
        "/api/v1/events/welcome",
        &[JSON, ("cookie", &cookie), ("x-csrf-token", &csrf)],
        &edit(7),
    )
    .await;
    app.call(
        "PATCH",
        "/api/v1/events/welcome",
        &[JSON, ("authorization", &bearer())],
        &edit(8),
    )
    .await;
    let entries = app
        .organise("GET", "/api/v1/events/welcome/audit?limit=2", &Value::Null)
        .await
        .json();
    assert_eq!(
        (&entries["entries"][0]["who"], &entries["entries"][1]["who"]),
        (&json!("token"), &json!("account:owner"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_at_sign_out_and_with_a_new_password() {
    let app = App::sqlite().await;
    let context = &app.running.context;
    let (first, _) = sign_in(&app).await;
    let (second, _) = sign_in(&app).await;
    let reads = async |cookie: &str| {
        app.call(
            "GET",
            "/api/v1/events/welcome/audit",
            &[("cookie", cookie)],
            "",
        )
        .await
        .status
    };
    assert_eq!((reads(&first).await, reads(&second).await), (200, 200));

    let headers = [(warp::http::header::COOKIE, first.parse().unwrap())]
        .into_iter()
        .collect();
    let gone = session::sign_out(context, HERE, &headers).await.unwrap();
    assert!(gone.to_str().unwrap().contains("Max-Age=0"));
    assert_eq!((reads(&first).await, reads(&second).await), (401, 200));

    let other = headcount::context::Hidden::new("another password");
    assert_eq!(
        session::ensure_password(&context.store, Some(&other), Clock::System.now())
            .await
            .unwrap(),
        None
    );
    assert_eq!(reads(&second).await, 401);
    assert!(session::sign_in(context, HERE, PASSWORD).await.is_err());
    for forged in [
        "headcount_session=",
        "headcount_session=x",
        &format!("headcount_session={}", "0".repeat(64)),
    ] {
        assert_eq!(reads(forged).await, 401, "{forged}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slow() {
    let app = App::sqlite().await;
    let codes: Vec<_> = futures_util::future::join_all((0..12).map(|_| async {
        session::sign_in(&app.running.context, HERE, "guess")
            .await
            .unwrap_err()
    }))
    .await
    .into_iter()
    .map(|problem| problem.code().as_str())
    .collect();
    assert_eq!(
        codes.iter().filter(|code| **code == "unauthorized").count(),
        10,
        "{codes:?}"
    );
    assert_eq!(
        codes
            .iter()
            .filter(|code| **code == "too-many-requests")
            .count(),
        2,
        "{codes:?}"
    );
    let elsewhere = Peer {
        ip: [192, 0, 2, 2].into(),
        ..HERE
    };
    assert!(
        session::sign_in(&app.running.context, elsewhere, PASSWORD)
            .await
            .is_ok(),
        "the organiser at another address still gets in"
    );
}

// Several nodes on one database start at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_together_draw_one_password() {
    use super::super::support::sqlite::File;
    use headcount::store::Store;
    let file = File::new();
    let store = Store::open(&file.text().parse().unwrap(), None)
        .await
        .unwrap();
    let drawn: Vec<_> = futures_util::future::join_all(
        (0..4).map(|_| session::ensure_password(&store, None, Clock::System.now())),
    )
    .await;
    let printed: Vec<_> = drawn.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(printed.len(), 1, "exactly one node prints it");
    assert_eq!(
        session::ensure_password(&store, None, Clock::System.now())
            .await
            .unwrap(),
        None,
        "and only at the first start"
    );
}
