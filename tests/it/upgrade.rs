//! A database of an earlier release: this program migrates it and loses nothing.

use headcount::domain::clock::Clock;
use headcount::store::{DatabaseUrl, Store, StoreError};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, query_scalar};

use crate::support::app::{App, call, organise};
use crate::support::postgres;
use crate::support::sqlite::File;

/// Written by 0.1.0: two events, two rounds, people who are confirmed, waiting and cancelled, an
/// announcement, and the key of a deleted event.
const OF_0_1_0: &[u8] = include_bytes!("../fixtures/headcount-0.1.0.db");
/// Its tables with rows, and the columns that 0.1.0 knows.
const ROWS: [(&str, &str); 7] = [
    (
        "events",
        "id, slug, epoch, title, description, capacity, waitlist, opens_at, closes_at, scheduled, ended, closed, \
         round, revision, registered, waiting, last_number, at, announcement",
    ),
    ("rounds", "event_id, round, capacity, archived_at"),
    (
        "registrations",
        "event_id, round, number, secret, name, search_key, email, email_key, idempotency_key, status, \
         accepted_waiting, accepted_revision, revision, at",
    ),
    (
        "changes",
        "event_id, revision, kind, round, state, capacity, registered, waiting, at",
    ),
    ("audit", "id, slug, at, who, action, \"before\", \"after\""),
    ("announcements", "id, event_id, text, at, ends_at"),
    // The value is a hash of the password that the test's server was started with.
    ("settings", "name"),
];

async fn rows(file: &File) -> Vec<String> {
    let DatabaseUrl::Sqlite(options) = file.url() else {
        unreachable!("a file")
    };
    let mut connection = options.connect().await.unwrap();
    let mut found = Vec::new();
    for (table, columns) in ROWS {
        let sql = format!("SELECT json_array({columns}) FROM {table} ORDER BY 1");
        let rows: Vec<String> = query_scalar(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert!(!rows.is_empty(), "{table}");
        found.extend(rows.into_iter().map(|row| format!("{table} {row}")));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_0_1_0_keeps_every_row_token_and_position() {
    let file = File::new();
    std::fs::write(file.path(), OF_0_1_0).unwrap();
    let before = rows(&file).await;
    let flags = [
        "--no-welcome-event",
        "--no-lab",
        "--time-zone",
        "Europe/Berlin",
    ];
    let app = App::on(&file.text(), &flags, Clock::System).await;
    let (address, store) = (app.address, app.context.store.clone());
    let get = async |path: &str| call(address, "GET", path, &[], "").await;

    let events = store.events().await.unwrap();
    for event in &events {
        let count = get(&format!("/api/v1/events/{}", event.slug)).await.json();
        let log = get(&format!("/api/v1/events/{}/changes", event.slug)).await;
        assert_eq!(count["position"], json!(event.position()));
        assert_eq!(log.json()["position"], count["position"]);
    }
    let details = get("/api/v1/events/harvest-dinner/details").await.json();
    assert_eq!(
        (
            &details["starts_at"],
            &details["time_zone"],
            &details["location"],
            &details["edits"]
        ),
        (&Value::Null, &json!("UTC"), &json!(""), &json!(0)),
    );
    assert_eq!(details["announcement"]["text"], "Doors open at eight");

    let mut opened = 0;
    for row in before
        .iter()
        .filter_map(|row| row.strip_prefix("registrations "))
    {
        let row: Value = serde_json::from_str(row).unwrap();
        let token = format!(
            "{}-{}-{}-{}",
            row[0],
            row[1],
            row[2],
            row[3].as_str().unwrap()
        );
        let own = get(&format!("/api/v1/registrations/{token}")).await;
        assert_eq!((own.status, &own.json()["status"]), (200, &row[9]), "{row}");
        opened += 1;
    }
    assert!(opened > 5, "{opened}");

    // Nothing but what this test does is written.
    assert_eq!(rows(&file).await, before);
    let edited = organise(
        address,
        "PATCH",
        "/api/v1/events/harvest-dinner",
        &json!({ "starts_at": "2026-12-12T18:00:00Z", "location": "Town hall" }),
    )
    .await;
    assert_eq!((edited.status, &edited.json()["edits"]), (200, &json!(1)));
    app.stop().await;
    let store = Store::open(&file.url(), None).await.unwrap();
    let next = store.events().await.unwrap();
    assert_eq!(next[0].occasion.location, "Town hall");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_of_a_newer_program_is_refused_in_plain_words() {
    let file = File::new();
    let databases = [file.url(), postgres::shared().create_database().await];
    for url in databases {
        Store::open(&url, None).await.unwrap().close().await;
        let newer = "\
            INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            SELECT 9999, 'later', success, checksum, execution_time FROM _sqlx_migrations WHERE version = 1";
        match &url {
            DatabaseUrl::Sqlite(options) => options
                .connect()
                .await
                .unwrap()
                .execute(newer)
                .await
                .map(drop),
            DatabaseUrl::Postgres(options) => options
                .connect()
                .await
                .unwrap()
                .execute(newer)
                .await
                .map(drop),
        }
        .unwrap();
        let refused = Store::open(&url, None).await.unwrap_err();
        assert!(
            matches!(refused, StoreError::NewerSchema(9999)),
            "{refused:?}"
        );
        assert!(
            refused
                .to_string()
                .contains("newer version of this program"),
            "{refused}"
        );
    }
}
