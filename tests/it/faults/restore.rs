//! Restoring a backup that was taken while people registered: clients know newer positions than the
//! database has.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};

use crate::support::app::{Answer, call, register};
use crate::support::postgres::{self, shared};
use crate::support::process::Process;
use crate::support::sqlite::File;
use crate::support::sse::Stream;

const EVENT: &str = "/api/v1/events/welcome";

/// Runs one of the commands of docs/operations.md.
fn run(command: &mut Command) {
    let output = command.output().expect("it runs");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn a_restored_sqlite_file_is_adopted() {
    let (file, backup) = (File::new(), File::new());
    let vacuum =
        "import sqlite3,sys; sqlite3.connect(sys.argv[1]).execute('VACUUM INTO ?', (sys.argv[2],))";
    let back_up = async || {
        run(Command::new("python3")
            .args(["-c", vacuum])
            .arg(file.path())
            .arg(backup.path()));
    };
    let restore = async || {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", file.path().display()));
        }
        std::fs::copy(backup.path(), file.path()).expect("a copy");
    };
    story(&file.text(), back_up, restore).await;
}

#[tokio::test]
async fn a_restored_postgres_database_is_adopted() {
    let url = shared().new_database().await;
    let folder = tempfile::tempdir().expect("a folder");
    let dump = folder.path().join("headcount.dump");
    let program = |name: &str| Command::new(postgres::binaries().join(Path::new(name)));
    let back_up = async || {
        run(program("pg_dump")
            .args(["--format=custom", "--file"])
            .arg(&dump)
            .arg(&url));
    };
    let restore = async || {
        let name = url.rsplit('/').next().expect("a name");
        let mut connection = PgConnection::connect(&shared().url("postgres"))
            .await
            .expect("the server");
        for statement in [
            format!("DROP DATABASE {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name}"),
        ] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
                .execute(&mut connection)
                .await
                .expect("a statement");
        }
        run(program("pg_restore")
            .args(["--exit-on-error", "--dbname", &url])
            .arg(&dump));
    };
    story(&url, back_up, restore).await;
}

async fn story(url: &str, back_up: impl AsyncFn(), restore: impl AsyncFn()) {
    let mut process = Process::start(url, &["--drain", "200ms"]);
    let address = process.address;
    let mut tokens = Vec::new();
    let mut newest = String::new();
    for n in 1..=5 {
        if n == 4 {
            back_up().await;
        }
        let receipt = register(address, "welcome", "Ada", &format!("ada-{n}@example.org"))
            .await
            .json();
        tokens.push(receipt["token"].as_str().expect("a token").to_owned());
        receipt["position"]
            .as_str()
            .expect("a position")
            .clone_into(&mut newest);
    }
    process.signal("TERM");
    headcount::context::blocking::run((), move || process.child.wait().expect("it ends"))
        .await
        .expect("no panic");
    restore().await;

    let process = Process::start(url, &[]);
    let address = process.address;
    // Each client comes with the position that it knows, and receives the true count at once.
    let stream = async {
        let mut stream = Stream::open_at(
            address,
            &format!("{EVENT}/stream"),
            &format!("last-event-id: {newest}\r\n"),
        )
        .await;
        stream.next("count").await.json()
    };
    let first = tokio::time::timeout(Duration::from_secs(10), stream)
        .await
        .expect("at once");
    assert_eq!(first["registered"], 3, "{first}");
    assert!(
        first["position"]
            .as_str()
            .expect("a position")
            .split('-')
            .next()
            == newest.split('-').next(),
        "the same epoch: {first} and {newest}"
    );
    for headers in [
        vec![("if-none-match", format!("\"{newest}\""))],
        vec![
            ("if-none-match", format!("\"{newest}\"")),
            ("prefer", "wait=30".to_owned()),
        ],
    ] {
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = call(address, "GET", EVENT, &headers, "").await;
        assert_eq!(
            (answer.status, answer.json()["registered"].as_u64()),
            (200, Some(3)),
            "{headers:?}: {}",
            answer.body
        );
    }
    let log = call(
        address,
        "GET",
        &format!("{EVENT}/changes?after={newest}"),
        &[],
        "",
    )
    .await
    .json();
    assert_eq!(
        (
            log["reset"].as_bool(),
            log["changes"].as_array().map(Vec::len)
        ),
        (Some(true), Some(4)),
        "{log}"
    );
    // What came after the backup is gone; what came before is there; places go on from there.
    let known = async |token: &String| {
        call(
            address,
            "GET",
            &format!("/api/v1/registrations/{token}"),
            &[],
            "",
        )
        .await
        .status
    };
    assert_eq!(
        [known(&tokens[2]).await, known(&tokens[3]).await],
        [200, 404]
    );
    let again: Answer = register(address, "welcome", "Ada", "ada-5@example.org").await;
    assert_eq!(
        (again.status, again.json()["number"].as_u64()),
        (201, Some(4)),
        "{}",
        again.body
    );
}
