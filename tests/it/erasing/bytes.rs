//! Searches everything that is stored, and the log, for what was erased.

use std::fs::{self, File as Log};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use super::{JSON, NEEDLES, count, create, own, register};
use crate::support::app::{call, organise};
use crate::support::postgres;
use crate::support::process::Process;
use crate::support::sqlite::File;

/// The needles that these bytes contain, in any case.
fn found(bytes: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    let is_there = |needle: &&str| text.contains(&needle.to_lowercase());
    NEEDLES.into_iter().filter(is_there).collect()
}

/// Many people, so that pages are split while the ones who are erased later are on them.
async fn crowd(address: SocketAddr, slug: &str, from: u32) {
    for chunk in 0..8 {
        let people = (0..40).map(|n| {
            let n = from + chunk * 40 + n;
            // In no order, as people's addresses are.
            let email = format!("{}-{n}@example.org", n.wrapping_mul(2_654_435_761));
            let body = json!({ "name": format!("Person {n}"), "email": email, "answers": { "diet": "fish" } });
            async move { register(address, slug, &body, None).await }
        });
        join_all(people).await;
    }
}

/// A server on which everything happened that leaves traces of a person, in two rounds.
async fn history(address: SocketAddr) -> Vec<Value> {
    create(address, "gala", json!({})).await;
    crowd(address, "gala", 0).await;
    let mut people = Vec::new();
    for round in 1..=2 {
        for n in 0..3 {
            let body = json!({
                "name": "Qwyndolfa Nandertal", "email": format!("vermächtnis-zirbel+{round}{n}@zirbel.example"),
                "answers": { "diet": "kumquatkeks" }, "party_size": 2,
            });
            let key = format!("plumbaginkey-{round}-{n}");
            let person = register(address, "gala", &body, Some(&key)).await;
            // The same request again: an idempotency record is looked at.
            register(address, "gala", &body, Some(&key)).await;
            let token = person["token"].as_str().expect("a token");
            let path = format!("/api/v1/registrations/{token}");
            let revised = json!({ "name": "Xanthippopel Nandertal", "party_size": 3 }).to_string();
            let changed = call(address, "PATCH", &path, &[JSON], &revised).await;
            assert_eq!(changed.status, 200, "{}", changed.body);
            people.push(person);
        }
        // One is cancelled by the organiser, which the audit log says.
        let id = people[people.len() - 1]["id"].as_str().expect("an id");
        let path = format!("/api/v1/events/gala/registrations/{id}");
        let cancelled = organise(address, "DELETE", &path, &Value::Null).await;
        assert_eq!(cancelled.status, 200, "{}", cancelled.body);
        for query in ["q=qwyndolfa", "q=zirbel.example&status=confirmed&sort=name"] {
            let path = format!("/api/v1/events/gala/registrations?{query}");
            assert_eq!(
                organise(address, "GET", &path, &Value::Null).await.status,
                200
            );
        }
        crowd(address, "gala", round * 1_000).await;
        if round == 1 {
            let reset = json!({ "confirm": "gala" });
            let reset = organise(address, "POST", "/api/v1/events/gala/reset", &reset).await;
            assert_eq!(reset.status, 200, "{}", reset.body);
        }
    }
    people
}

/// Half of them erase themselves, the organiser the others.
async fn erase(address: SocketAddr, people: &[Value]) {
    let before = count(address, "gala").await;
    for (n, person) in people.iter().enumerate() {
        let erased = if n % 2 == 0 {
            own(address, "POST", person, "/erase").await
        } else {
            let id = person["id"].as_str().expect("an id");
            let path = format!("/api/v1/events/gala/registrations/{id}/erase");
            organise(address, "POST", &path, &Value::Null).await
        };
        assert_eq!(erased.status, 200, "{}", erased.body);
        let erased = erased.json();
        assert!(erased["erased_at"].is_string(), "{erased}");
        assert_eq!(found(erased.to_string().as_bytes()), [""; 0], "{erased}");
        assert_eq!(erased["number"], person["number"]);
        assert_eq!(erased["party_size"], 3);
    }
    assert_eq!(count(address, "gala").await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_erased_person_is_in_the_file_or_the_log() {
    let (file, folder) = (File::new(), tempfile::tempdir().unwrap());
    let log = folder.path().join("log");
    let stderr = Stdio::from(Log::create(&log).unwrap());
    let command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    let flags = ["--register-rate-per-ip", "0", "--log", "debug"];
    let process = Process::spawn_logging(command, &file.text(), &flags, stderr);
    let people = history(process.address).await;
    let stored = |suffix: &str| {
        let mut path = file.path().into_os_string();
        path.push(suffix);
        fs::read(path).unwrap_or_default()
    };
    assert!(
        found(&[stored(""), stored("-wal")].concat()).len() > 5,
        "the search finds what is there"
    );
    erase(process.address, &people).await;
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
    for suffix in ["", "-wal", "-shm", "-journal"] {
        assert_eq!(found(&stored(suffix)), [""; 0], "headcount.db{suffix}");
    }
    let log = fs::read(log).unwrap();
    assert!(!log.is_empty());
    assert_eq!(found(&log), [""; 0], "{}", String::from_utf8_lossy(&log));

    // Who was not erased is still there, and the numbers are.
    let process = Process::start(&file.text(), &[]);
    let path = "/api/v1/events/gala/registrations?q=person&round=1";
    let list = organise(process.address, "GET", path, &Value::Null).await;
    assert_eq!(list.json()["total"], 640);
    let own = own(process.address, "GET", &people[0], "").await.json();
    assert_eq!(
        (&own["name"], &own["status"]),
        (&json!(""), &json!("confirmed"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_erased_person_is_in_a_table_on_postgres() {
    let url = postgres::shared().create_database().await;
    let headcount::store::DatabaseUrl::Postgres(options) = &url else {
        panic!("a Postgres server");
    };
    let process = Process::start(
        &postgres::shared().url(options.get_database().expect("a database")),
        &["--register-rate-per-ip", "0"],
    );
    let people = history(process.address).await;
    let mut connection = options.connect().await.unwrap();
    let mut everywhere = async || {
        // As the server's own upkeep does.
        sqlx::query("ANALYZE")
            .execute(&mut connection)
            .await
            .unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
             WHERE schemaname = 'public' OR tablename = 'pg_statistic'",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        assert!(tables.len() > 8, "{tables:?}");
        let mut hits = Vec::new();
        for table in tables {
            let rows = sqlx::query(AssertSqlSafe(format!("SELECT t::text FROM {table} AS t")))
                .fetch_all(&mut connection)
                .await
                .unwrap();
            let text: String = rows.iter().map(|row| row.get::<String, _>(0)).collect();
            hits.extend(
                found(text.as_bytes())
                    .into_iter()
                    .map(|hit| format!("{table}: {hit}")),
            );
        }
        hits
    };
    let before = everywhere().await;
    assert!(
        before.len() > 5,
        "the search finds what is there: {before:?}"
    );
    assert!(
        before
            .iter()
            .all(|hit| hit.starts_with("public.registrations")),
        "{before:?}"
    );
    erase(process.address, &people).await;
    assert_eq!(everywhere().await, [""; 0]);
}
