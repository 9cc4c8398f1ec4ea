//! Many people from a file: all of them, or nobody.

use std::fmt::Write as _;

use headcount::domain::clock::Clock;
use serde_json::{Value, json};

use super::super::support::app::{Answer, App, Database};
use super::{bearer, refused};

const PATH: &str = "/api/v1/events/gala/registrations/import";

async fn gala(database: Database, settings: Value) -> App {
    let app = App::start(database, &[], Clock::System).await;
    let mut new = json!({ "slug": "gala", "title": "Gala", "capacity": 3, "max_party_size": 5 });
    for (name, value) in settings.as_object().unwrap() {
        new[name] = value.clone();
    }
    let created = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app
}

async fn send(app: &App, query: &str, file: &str) -> Answer {
    let bearer = bearer();
    let headers = [
        ("content-type", "text/csv; charset=utf-8"),
        ("authorization", &*bearer),
    ];
    app.call("POST", &format!("{PATH}{query}"), &headers, file)
        .await
}

/// A dry run and a real run say the same.
async fn both(app: &App, file: &str) -> Value {
    let before = app.get("/api/v1/events/gala").await.body;
    let mut dry = send(app, "?dry_run=true", file).await.json();
    assert_eq!(dry["stored"], false);
    assert_eq!(
        app.get("/api/v1/events/gala").await.body,
        before,
        "a dry run wrote"
    );
    let answer = send(app, "?dry_run=false", file).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let real = answer.json();
    let is_right = real["errors"].as_array().unwrap().is_empty();
    assert_eq!(real["stored"], is_right);
    dry["stored"] = real["stored"].clone();
    assert_eq!(dry, real);
    if !is_right {
        assert_eq!(
            app.get("/api/v1/events/gala").await.body,
            before,
            "a refusal wrote"
        );
    }
    real
}

async fn count(app: &App) -> (u64, u64, u64) {
    let count = app.get("/api/v1/events/gala").await.json();
    let number = |field: &str| count[field].as_u64().unwrap();
    (number("registered"), number("waiting"), number("revision"))
}

fn mistakes(report: &Value) -> Vec<(u64, &str, &str)> {
    let errors = report["errors"].as_array().unwrap().iter();
    errors
        .map(|error| {
            let text = |name: &str| error[name].as_str().unwrap_or("null");
            (error["line"].as_u64().unwrap(), text("field"), text("code"))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_imported_in_one_change_while_the_event_is_closed() {
    let questions = json!([
        { "key": "diet", "label": "Diet", "kind": "choices", "options": ["vegan", "halal"], "required": true },
    ]);
    for database in [Database::Sqlite, Database::Postgres] {
        let app = gala(
            database,
            json!({ "questions": questions, "waitlist": true }),
        )
        .await;
        let close = json!({ "closed": true });
        app.organise("PATCH", "/api/v1/events/gala", &close).await;
        let (.., before) = count(&app).await;
        let file = "\u{FEFF}Name;Email;party_size;Diet\r\n\
            Ada;ada@example.org;2;vegan|halal\r\n\
            Bob;;;\r\n\
            \"Cy; Jr\";cy@example.org;1;\r\n";
        let report = both(&app, file).await;
        assert_eq!(
            report,
            json!({ "rows": 3, "accepted": 2, "waiting": 1, "errors": [], "stored": true })
        );
        assert_eq!(count(&app).await, (3, 1, before + 1));
        let list = app
            .organise("GET", "/api/v1/events/gala/registrations", &Value::Null)
            .await
            .json();
        let rows = list["registrations"].as_array().unwrap();
        assert_eq!(rows[0]["answers"], json!({ "diet": ["vegan", "halal"] }));
        assert_eq!(
            (&rows[1]["email"], &rows[1]["added_by"]),
            (&Value::Null, &json!("token"))
        );
        assert_eq!(
            (&rows[2]["name"], &rows[2]["waiting_position"]),
            (&json!("Cy; Jr"), &json!(1))
        );
        let audit = app
            .organise("GET", "/api/v1/events/gala/audit", &Value::Null)
            .await
            .json();
        assert_eq!(audit["entries"][0]["action"], "import");
        assert_eq!(audit["entries"][0]["after"]["last_number"], 3);
        // Once more: only the one without an address is new.
        let again = both(&app, file).await;
        assert_eq!(
            mistakes(&again),
            [
                (2, "email", "already-registered"),
                (4, "email", "already-registered")
            ]
        );
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_mistake_and_nobody_is_stored() {
    let app = gala(Database::Sqlite, json!({})).await;
    app.register("gala", "Ada", "ada@example.org").await;
    let file = "name,email,party_size\n\
        Bob,bob@example.org,1\n\
        Ada,ADA@example.org,1\n\
        ,nobody,\n\
        Cy,cy@example.org,6\n\
        Dan,dan@example.org,2\n\
        Eve,bob@example.org,1\n\
        Fay,fay@example.org,1\n";
    let report = both(&app, file).await;
    assert_eq!(
        mistakes(&report),
        [
            (3, "email", "already-registered"),
            (4, "name", "validation-failed"),
            (4, "email", "validation-failed"),
            (5, "party_size", "validation-failed"),
            (6, "party_size", "event-full"),
            (7, "email", "already-registered"),
        ]
    );
    assert_eq!(
        (&report["rows"], &report["accepted"], &report["waiting"]),
        (&json!(7), &json!(2), &json!(0))
    );
    // Those who are right are right on their own.
    let right = both(
        &app,
        "name,email\nBob,bob@example.org\nFay,fay@example.org\n",
    )
    .await;
    assert_eq!(right["stored"], true);
    assert_eq!(count(&app).await.0, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_no_file_is_refused() {
    let app = gala(Database::Sqlite, json!({})).await;
    let bearer = bearer();
    let call = async |headers: &[(&str, &str)], query: &str, file: &str| {
        app.call("POST", &format!("{PATH}{query}"), headers, file)
            .await
    };
    let (csv, token) = (("content-type", "text/csv"), ("authorization", &*bearer));
    let file = "name\nAda\n";
    refused(&call(&[csv], "", file).await, 401, "unauthorized");
    let json = ("content-type", "application/json");
    let other = call(&[json, token], "", file).await;
    refused(&other, 415, "unsupported-media-type");
    assert_eq!(other.header("accept"), Some("text/csv"));
    refused(
        &call(&[csv, token], "?dry_run=perhaps", file).await,
        400,
        "bad-request",
    );
    let stale = ("if-match", "\"aaaaaaaa-1\"");
    refused(
        &call(&[csv, token, stale], "", file).await,
        412,
        "changed-meanwhile",
    );
    let large = format!("name\n{}", "x".repeat(2 * 1024 * 1024));
    refused(
        &call(&[csv, token], "", &large).await,
        413,
        "body-too-large",
    );
    let largest = format!("name\n{}", "\n".repeat(2 * 1024 * 1024 - 5));
    assert_eq!(send(&app, "", &largest).await.json()["rows"], 0);
    assert_eq!(count(&app).await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visitors_register_beside_the_import_of_a_whole_file() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = gala(database, json!({ "capacity": 20_000 })).await;
        let mut file = "name,email\n".to_owned();
        for person in 0..10_000 {
            writeln!(file, "Person {person},person{person}@example.org").unwrap();
        }
        let address = app.address();
        let import = tokio::spawn(async move {
            let bearer = bearer();
            let headers = [("content-type", "text/csv"), ("authorization", &*bearer)];
            super::super::support::app::call(address, "POST", PATH, &headers, &file).await
        });
        let mut beside = 0;
        while !import.is_finished() {
            let email = format!("visitor{beside}@example.org");
            assert_eq!(app.register("gala", "Visitor", &email).await.status, 201);
            beside += 1;
        }
        let report = import.await.unwrap().json();
        assert_eq!(
            (&report["accepted"], &report["stored"]),
            (&json!(10_000), &json!(true))
        );
        assert_eq!(count(&app).await.0, 10_000 + beside);
        app.stop().await;
    }
}
