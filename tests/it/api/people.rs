//! Names and addresses as people type and paste them, and how the organiser finds them again.

use headcount::domain::clock::Clock;
use headcount::http::session;
use serde_json::{Value, json};

use super::super::support::app::{Answer, App, Database, PASSWORD};
use super::super::support::cases;
use super::{HERE, fields, form, refused};

async fn on_both(story: impl AsyncFn(App)) {
    for database in [Database::Sqlite, Database::Postgres] {
        story(App::start(database, &[], Clock::System).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_mailbox_has_one_place_however_it_is_written() {
    on_both(async |app: App| {
        let lines = cases::read::<4>(include_str!("../../cases/same-mailbox.tsv"));
        for (n, [first, second, same, why]) in lines.enumerate() {
            let slug = format!("mailbox-{n}");
            app.event(&slug, 9).await;
            let taken = app.register(&slug, "Ada", &cases::text(&first)).await;
            assert_eq!(taken.status, 201, "{first}: {}", taken.body);
            let again = app.register(&slug, "Ada", &cases::text(&second)).await;
            if same == "yes" {
                assert_eq!(again.status, 409, "{second} {why}: {}", again.body);
                refused(&again, 409, "already-registered");
            } else {
                assert_eq!(again.status, 201, "{second} {why}: {}", again.body);
            }
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visible_names_are_accepted_and_bad_characters_are_named() {
    let app = App::sqlite().await;
    app.event("names", 1_000).await;
    let lines = cases::read::<3>(include_str!("../../cases/names.tsv"));
    for (n, [raw, taken, outcome]) in lines.enumerate() {
        let name = cases::text(&raw);
        let answer = app
            .register("names", &name, &format!("p{n}@example.org"))
            .await;
        if taken == "yes" {
            assert_eq!(answer.status, 201, "{raw}: {}", answer.body);
        } else {
            assert_eq!(fields(&answer), ["name"], "{raw}");
            let error = &answer.json()["errors"][0];
            let expected = outcome.trim_start_matches("names the character: ");
            assert!(
                error["message"].as_str().unwrap().contains(expected),
                "{raw}: {error}"
            );
            let names_it = outcome.contains("U+");
            assert_eq!(
                error["character"],
                if names_it {
                    json!(expected)
                } else {
                    Value::Null
                }
            );
        }
    }
    // A visitor without scripts gets the same messages.
    let page = form(
        &app,
        "/e/names/register",
        &[("accept", "text/html")],
        "name=Ada%E2%80%AEecalevoL&email=ada%E2%80%AE%40example.org",
    )
    .await;
    assert_eq!(page.status, 422);
    assert!(
        page.body.matches("U+202E RIGHT-TO-LEFT OVERRIDE").count() >= 2,
        "{}",
        page.body
    );
    app.stop().await;
}

/// The addresses that the organiser's list, export and console show for a query.
async fn found(app: &App, cookie: &str, query: &str) -> [Vec<String>; 3] {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let list = format!("/api/v1/events/people/registrations?limit=1000&q={query}");
    let list = app.organise("GET", &list, &Value::Null).await;
    assert_eq!(list.status, 200, "{}", list.body);
    let rows = list.json()["registrations"]
        .as_array()
        .expect("rows")
        .clone();
    let listed = rows
        .iter()
        .map(|row| row["email"].as_str().expect("an address").to_owned());
    let export = format!("/api/v1/events/people/registrations.csv?q={query}");
    let export = app.organise("GET", &export, &Value::Null).await;
    assert_eq!(export.status, 200, "{}", export.body);
    let console = format!("/admin/events/people/people?q={query}");
    let console = app.call("GET", &console, &[("cookie", cookie)], "").await;
    assert_eq!(console.status, 200, "{}", console.body);
    [
        listed.collect(),
        addresses(&export.body),
        addresses(&console.body),
    ]
}

/// Every `p<number>@example.org` of a text, once.
fn addresses(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '@' | '.')))
        .filter(|word| word.starts_with('p') && word.ends_with("@example.org"))
        .map(str::to_owned)
        .collect();
    found.dedup();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_found_as_people_type_in_list_export_and_console() {
    on_both(async |app: App| {
        app.event("people", 1_000).await;
        let lines: Vec<[String; 3]> = cases::read(include_str!("../../cases/search.tsv")).collect();
        for (n, [name, ..]) in lines.iter().enumerate() {
            let email = format!("p{}@example.org", n + 1);
            let answer = app.register("people", &cases::text(name), &email).await;
            assert_eq!(answer.status, 201, "{name}: {}", answer.body);
        }
        let signed_in = session::sign_in(&app.running.context, HERE, PASSWORD).await;
        let cookie = signed_in.expect("the password is right").cookie;
        let cookie = cookie
            .to_str()
            .expect("text")
            .split(';')
            .next()
            .expect("a pair");
        for (n, [name, query, hit]) in lines.iter().enumerate() {
            let email = format!("p{}@example.org", n + 1);
            // The cases name everybody's address `p@example.org`.
            let query = cases::text(query).replace("p@example.org", &email);
            for shown in found(&app, cookie, &query).await {
                assert_eq!(
                    shown.contains(&email),
                    hit == "yes",
                    "{name} {query}: {shown:?}"
                );
            }
        }
        for query in [
            "No. 12",
            "no.12",
            "#12",
            "12 号",
            "№\u{A0}12",
            "N° 12",
            "Nº 12",
            "No.12.",
            "(no. 12)",
            "Ｎｏ．１２",
            "No. ١٢",
        ] {
            for shown in found(&app, cookie, query).await {
                assert_eq!(shown, ["p12@example.org"], "{query}");
            }
        }
        for nobody in ["_", "p_@example.org", "No. 120", "'", "\\", "a\0b"] {
            for shown in found(&app, cookie, nobody).await {
                assert!(shown.is_empty(), "{nobody}: {shown:?}");
            }
        }
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_event_does_not_reveal_who_is_registered() {
    on_both(async |app: App| {
        app.event("full", 1).await;
        assert_eq!(
            app.register("full", "Ada", "ada@example.org").await.status,
            201
        );
        let known = app.register("full", "Eve", "ada@example.org").await;
        let unknown = app.register("full", "Eve", "eve@example.org").await;
        refused(&known, 409, "event-full");
        let without_trace = |answer: &Answer| {
            let mut problem = answer.json();
            let members = problem.as_object_mut().unwrap();
            assert!(members.remove("trace_id").is_some());
            problem
        };
        assert_eq!(without_trace(&known), without_trace(&unknown));
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_is_not_utf8_is_refused_at_every_address() {
    let app = App::sqlite().await;
    let bad = "website=&name=%C3&email=ada%40example.org";
    let html = [("accept", "application/json")];
    refused(
        &form(&app, "/api/v1/events/welcome/registrations", &[], bad).await,
        400,
        "malformed-body",
    );
    for path in [
        "/e/welcome/register",
        "/admin/login",
        "/admin/events",
        "/admin/logout",
    ] {
        let answer = form(&app, path, &html, bad).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
    }
    assert_eq!(
        app.get("/api/v1/events/welcome").await.json()["registered"],
        0
    );
    app.stop().await;
}
