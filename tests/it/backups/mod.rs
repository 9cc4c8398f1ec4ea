//! `headcount backup` and `headcount verify`: of both databases, while people register, and of
//! damaged files.

mod damage;
mod load;
mod schedule;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use headcount::domain::clock::Clock;
use headcount::domain::ticket_key::TicketKey;
use headcount::store::backup::{BackupError, backup, verify};
use headcount::store::copy::copy;
use headcount::store::{DatabaseUrl, Store};
use sqlx::{ConnectOptions as _, Executor as _};

use crate::copying::rows::{dump, filled};
use crate::support::postgres;
use crate::support::sqlite::File;

fn headcount(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headcount"))
        .args(args)
        .output()
        .expect("the binary runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of letters")
}

fn url(path: &Path) -> DatabaseUrl {
    format!("sqlite://{}", text(path)).parse().expect("a URL")
}

/// Every file of a folder, by name.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string())
        .map(|name| name.expect("a name of letters"))
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_either_database_has_every_row_and_is_restored_into_either() {
    let server = postgres::shared();
    let (file, folder) = (File::new(), tempfile::tempdir().unwrap());
    filled(&file.url()).await;
    let rows = dump(&file.url()).await;
    let database = server.new_database().await;
    copy(&file.url(), &database.parse().unwrap(), |_| {})
        .await
        .unwrap();
    for (from, name) in [(file.text(), "sqlite.db"), (database, "postgres.db")] {
        let target = folder.path().join(name);
        let done = headcount(&["backup", &from, text(&target)]);
        let shown = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{done:?}");
        assert!(
            shown.matches("\nok    ").count() == 7 && !shown.contains("FAIL"),
            "{shown}"
        );
        let mode = target.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "names and addresses are for the owner");
        assert!(headcount(&["verify", text(&target)]).status.success());
        assert!(dump(&url(&target)).await == rows, "{from}");
        let again = folder.path().join(format!("again-{name}"));
        for restored in [url(&again), server.create_database().await] {
            copy(&url(&target), &restored, |_| {}).await.unwrap();
            assert!(dump(&restored).await == rows, "{from} to {restored}");
        }
    }
    assert_eq!(
        names(folder.path()),
        [
            "again-postgres.db",
            "again-sqlite.db",
            "postgres.db",
            "sqlite.db"
        ],
        "a backup is one file"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_a_backup_nor_a_copy_has_the_keys_of_tls_tickets() {
    let (file, copied, folder) = (File::new(), File::new(), tempfile::tempdir().unwrap());
    let server = postgres::shared();
    let database = server.create_database().await;
    copy(&file_with_schema(&file).await, &database, |_| {})
        .await
        .unwrap();
    for (from, name) in [(file.url(), "sqlite.db"), (database, "postgres.db")] {
        let key = TicketKey::draw(1, Clock::System.now());
        let store = Store::open(&from, None).await.unwrap();
        store.rotate_ticket_keys(&[], Some(&key)).await.unwrap();
        store.close().await;
        let backed_up = folder.path().join(name);
        let report = backup(&from, &backed_up).await.unwrap();
        assert!(report.is_sound(), "{}", report.faults());
        let is_in = |path: &Path| {
            let bytes = std::fs::read(path).unwrap();
            bytes.windows(32).any(|part| part == key.secret)
        };
        assert!(!is_in(&backed_up), "{name}");
        if name == "sqlite.db" {
            assert!(is_in(&file.path()), "the database itself has it");
            copy(&from, &copied.url(), |_| {}).await.unwrap();
            assert!(!is_in(&copied.path()));
        }
    }
    let copied_there = server.create_database().await;
    copy(&file.url(), &copied_there, |_| {}).await.unwrap();
    let store = Store::open(&copied_there, None).await.unwrap();
    assert_eq!(store.ticket_keys().await.unwrap(), []);
    store.close().await;
}

async fn file_with_schema(file: &File) -> DatabaseUrl {
    Store::open(&file.url(), None).await.unwrap().close().await;
    file.url()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_replaces_no_file_and_a_failed_one_leaves_none() {
    let (file, folder) = (File::new(), tempfile::tempdir().unwrap());
    filled(&file.url()).await;
    let target = folder.path().join("backup.db");
    let refused = |from: &str, code: i32, why: &str| {
        let done = headcount(&["backup", from, text(&target)]);
        let stderr = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(
            done.status.code() == Some(code) && stderr.contains(why),
            "{from}: {done:?}"
        );
    };

    std::fs::write(&target, "a letter").unwrap();
    refused(&file.text(), 1, "exists already");
    assert_eq!(std::fs::read(&target).unwrap(), b"a letter");
    std::fs::remove_file(&target).unwrap();
    std::os::unix::fs::symlink("/nowhere", &target).unwrap();
    refused(&file.text(), 1, "exists already");
    std::fs::remove_file(&target).unwrap();

    let missing = File::new();
    refused(&missing.text(), 1, "does not exist");
    assert!(!missing.path().exists(), "a backup creates no database");
    refused("headcount.db", 2, "sqlite://");
    refused("postgres://headcount@127.0.0.1:1/none", 1, "127.0.0.1:1");
    refused(
        &postgres::shared().new_database().await,
        1,
        "does not have this version's schema",
    );
    std::fs::write(missing.path(), "").unwrap();
    refused(&missing.text(), 1, "no database of Headcount");
    std::fs::write(missing.path(), [7; 4096]).unwrap();
    refused(&missing.text(), 1, "not a database");
    assert_eq!(names(folder.path()), Vec::<String>::new());

    let beside = folder.path().join("nowhere/backup.db");
    let error = backup(&file.url(), &beside).await.unwrap_err();
    assert!(matches!(error, BackupError::File(..)), "{error}");
    assert_eq!(headcount(&["backup", &file.text()]).status.code(), Some(2));
    assert_eq!(headcount(&["verify"]).status.code(), Some(2));

    // A second backup to the same name does not disturb the first.
    std::fs::write(folder.path().join("backup.db.partial"), "").unwrap();
    refused(&file.text(), 1, "backup.db.partial exists already");
    assert_eq!(names(folder.path()), ["backup.db.partial"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_0_1_0_can_be_backed_up_before_the_upgrade() {
    let (file, folder) = (File::new(), tempfile::tempdir().unwrap());
    std::fs::write(
        file.path(),
        include_bytes!("../../fixtures/headcount-0.1.0.db"),
    )
    .unwrap();
    let target = folder.path().join("backup.db");
    let report = backup(&file.url(), &target).await.unwrap();
    assert!(report.is_sound(), "{}", report.faults());
    // Only the server migrates.
    assert!(verify(&target).await.0.iter().any(|check| {
        check.name == "schema"
            && check
                .outcome
                .as_deref()
                .unwrap()
                .starts_with("migration 1 of")
    }));
    Store::open(&url(&target), None)
        .await
        .unwrap()
        .close()
        .await;
    let report = verify(&target).await;
    assert!(report.is_sound(), "{}", report.faults());

    let newer =
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'later', TRUE, x'', 0)";
    let DatabaseUrl::Sqlite(options) = file.url() else {
        unreachable!("a file")
    };
    let mut connection = options.connect().await.unwrap();
    connection.execute(newer).await.unwrap();
    let error = backup(&file.url(), &folder.path().join("later.db"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
}
