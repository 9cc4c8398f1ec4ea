//! What `headcount verify` finds.

use std::path::{Path, PathBuf};

use headcount::store::backup::{Report, backup, verify};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

use super::{headcount, text};
use crate::copying::rows::filled;
use crate::support::app::{App, register};
use crate::support::sqlite::File;
use headcount::domain::clock::Clock;

/// What somebody did to a file, the check that must fail, and a word that it must say.
const DAMAGE: [(&str, &str, &str); 43] = [
    (
        "UPDATE events SET registered = registered + 1 WHERE slug = 'hall'",
        "counts",
        "hall: registered",
    ),
    (
        "UPDATE events SET waiting = waiting + 1 WHERE slug = 'gala'",
        "counts",
        "gala: waiting",
    ),
    (
        "UPDATE events SET last_number = last_number + 1 WHERE slug = 'hall'",
        "counts",
        "last number",
    ),
    (
        "DELETE FROM registrations WHERE number = 2500",
        "counts",
        "registered",
    ),
    (
        "DELETE FROM registrations WHERE status = 'waiting'",
        "counts",
        "waiting",
    ),
    (
        "DELETE FROM registrations WHERE status = 'cancelled'",
        "counts",
        "round 1",
    ),
    (
        "UPDATE registrations SET party_size = 2 WHERE number = 7",
        "counts",
        "hall: registered",
    ),
    (
        "UPDATE registrations SET status = 'cancelled' WHERE number = 7",
        "counts",
        "hall: registered",
    ),
    ("DELETE FROM rounds", "counts", "earlier rounds"),
    (
        "DELETE FROM changes WHERE revision = 3",
        "revisions",
        "gala",
    ),
    (
        "DELETE FROM changes WHERE revision = 1",
        "revisions",
        "from 2",
    ),
    (
        "DELETE FROM changes WHERE revision = (SELECT max(revision) FROM changes)",
        "revisions",
        "revision",
    ),
    (
        "UPDATE events SET revision = revision + 1",
        "revisions",
        "hall",
    ),
    (
        "UPDATE changes SET registered = registered + 1",
        "revisions",
        "other counts",
    ),
    (
        "UPDATE events SET waiting_companions = waiting_companions + 1 WHERE waiting > 0",
        "counts",
        "waiting companions",
    ),
    (
        "UPDATE changes SET at = at + 86400000 WHERE revision = 2",
        "revisions",
        "older than the line before",
    ),
    (
        "UPDATE changes SET round = round + 1 WHERE revision = 2",
        "revisions",
        "this round",
    ),
    (
        "UPDATE changes SET capacity = 7 WHERE revision = 2",
        "revisions",
        "this capacity",
    ),
    (
        "UPDATE changes SET registered = registered + 1000 WHERE revision = 2",
        "revisions",
        "these counts",
    ),
    (
        "UPDATE changes SET waiting = waiting + 1000 WHERE revision = 2",
        "revisions",
        "these counts",
    ),
    (
        "UPDATE changes SET kind = 'promoted' WHERE revision = 2",
        "revisions",
        "(promoted)",
    ),
    (
        "UPDATE changes SET kind = 'invented' WHERE revision = 2",
        "revisions",
        "invented",
    ),
    (
        "UPDATE changes SET state = 'invented' WHERE revision = 2",
        "revisions",
        "invented",
    ),
    (
        "UPDATE changes SET state = 'closed' WHERE revision = 2",
        "revisions",
        "this state",
    ),
    (
        "UPDATE changes SET kind = 'edited' WHERE revision = 1",
        "revisions",
        "begins with created",
    ),
    (
        "UPDATE changes SET registered = 3 WHERE revision = 1",
        "revisions",
        "with nobody",
    ),
    ("UPDATE events SET questions = '[{'", "rows", "questions"),
    ("UPDATE events SET capacity = -1", "constraints", "CHECK"),
    (
        "UPDATE registrations SET answers = '{' WHERE number = 7",
        "rows",
        "number 7 in round 1",
    ),
    (
        "UPDATE registrations SET added_by = 'nobody' WHERE number = 7",
        "rows",
        "added_by",
    ),
    (
        "UPDATE registrations SET email_key = email_key || '.org' WHERE number = 7",
        "rows",
        "email_key",
    ),
    (
        "UPDATE registrations SET search_key = '' WHERE number = 7",
        "rows",
        "search_key",
    ),
    (
        "UPDATE registrations SET status = 'lost' WHERE number = 7",
        "rows",
        "status",
    ),
    ("UPDATE audit SET \"after\" = '{'", "constraints", "CHECK"),
    (
        "DROP INDEX registrations_email",
        "schema",
        "index registrations_email is missing",
    ),
    (
        "DROP INDEX registrations_email; CREATE INDEX registrations_email ON registrations (event_id, round, email_key)",
        "schema",
        "index registrations_email is not as",
    ),
    ("DROP TABLE sessions", "schema", "table sessions is missing"),
    (
        "ALTER TABLE registrations DROP COLUMN added_by",
        "schema",
        "table registrations is not as",
    ),
    (
        "CREATE TRIGGER extra AFTER INSERT ON registrations BEGIN DELETE FROM audit; END",
        "schema",
        "trigger extra",
    ),
    (
        "DELETE FROM _sqlx_migrations WHERE version = 2",
        "schema",
        "migration 2 is missing",
    ),
    (
        "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 2",
        "schema",
        "another text",
    ),
    (
        "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1",
        "schema",
        "newer version",
    ),
    (
        "PRAGMA foreign_keys = OFF; DELETE FROM events WHERE slug = 'hall'",
        "references",
        "registrations",
    ),
];

async fn sound(folder: &Path) -> PathBuf {
    let file = File::new();
    filled(&file.url()).await;
    let backup_file = folder.join("sound.db");
    let report = backup(&file.url(), &backup_file).await.unwrap();
    assert!(report.is_sound(), "{}", report.faults());
    backup_file
}

fn failed(report: &Report, name: &str) -> String {
    let found = report.0.iter().find(|check| check.name == name);
    let found = found.unwrap_or_else(|| panic!("{name} in {report:?}"));
    found
        .outcome
        .clone()
        .expect_err(&format!("{name} in {report:?}"))
}

#[tokio::test]
async fn every_row_that_is_missing_or_changed_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (sound, broken) = (sound(folder.path()).await, folder.path().join("broken.db"));
    for (sql, name, word) in DAMAGE {
        std::fs::copy(&sound, &broken).unwrap();
        let options = SqliteConnectOptions::new()
            .filename(&broken)
            .foreign_keys(false)
            .pragma("ignore_check_constraints", "ON");
        let mut connection = options.connect().await.unwrap();
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
        let fault = failed(&verify(&broken).await, name);
        assert!(fault.contains(word), "{sql}: {fault}");
    }
    let done = headcount(&["verify", text(&broken)]);
    let shown = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.code() == Some(1)
            && shown.contains("FAIL  references")
            && shown.lines().count() == 7,
        "{done:?}"
    );
}

#[tokio::test]
async fn a_damaged_or_foreign_file_is_named_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let (sound, broken) = (sound(folder.path()).await, folder.path().join("broken.db"));
    let bytes = std::fs::read(&sound).unwrap();
    // In turn each tenth of the file: somewhere is a page whose damage only SQLite's check finds.
    for part in 1..10 {
        let mut damaged = bytes.clone();
        let at = damaged.len() / 10 * part / 4096 * 4096;
        damaged[at..at + 64].fill(0xa5);
        std::fs::write(&broken, damaged).unwrap();
        let report = verify(&broken).await;
        assert!(!failed(&report, "integrity").is_empty(), "{part}");
    }
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    assert!(!verify(&broken).await.is_sound());
    for (content, name, word) in [
        (&b""[..], "schema", "no database of Headcount"),
        (&[7; 8192], "file", "not a database"),
        (&b"SQLite format 3\0"[..], "file", "not a database"),
    ] {
        std::fs::write(&broken, content).unwrap();
        let fault = failed(&verify(&broken).await, name);
        assert!(fault.contains(word), "{fault}");
    }
    std::fs::remove_file(&broken).unwrap();
    assert!(failed(&verify(&broken).await, "file").contains("no such file"));
    assert!(failed(&verify(folder.path()).await, "file").contains("no such file"));
    assert!(!broken.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_of_a_running_server_can_be_verified() {
    let file = File::new();
    let app = App::on(&file.text(), &[], Clock::System).await;
    assert_eq!(
        register(app.address, "welcome", "Ada", "ada@example.org")
            .await
            .status,
        201
    );
    // The newest commits are in the log beside the file.
    let report = verify(&file.path()).await;
    assert!(report.is_sound(), "{}", report.faults());
    let counted = report.0.iter().find(|check| check.name == "counts");
    assert_eq!(
        counted.unwrap().outcome.as_deref(),
        Ok("1 events and 1 registrations agree")
    );
    app.stop().await;
}
