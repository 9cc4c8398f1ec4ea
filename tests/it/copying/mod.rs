//! A whole database copied to another and back, and a server that uses the copy.

pub(crate) mod rows;

use std::process::{Command, Output};

use headcount::domain::announcement::NewAnnouncement;
use headcount::domain::clock::{Clock, Timestamp};
use headcount::store::copy::{CopyError, Progress, copy};
use headcount::store::{DatabaseUrl, Store};
use serde_json::json;
use sqlx::ConnectOptions as _;

use crate::support::app::{App, call, organise};
use crate::support::postgres;
use crate::support::sqlite::File;
use rows::{NOON, commit, dump, filled, new_event, register};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_is_copied_in_every_direction() {
    let files = [File::new(), File::new(), File::new()];
    let server = postgres::shared();
    let [source, back, again] = files.each_ref().map(File::url);
    let (there, beside) = (
        server.create_database().await,
        server.create_database().await,
    );
    let gone = filled(&source).await;
    let before = dump(&source).await;
    for kind in [
        "events ",
        "rounds ",
        "registrations ",
        "changes ",
        "audit ",
        "announcements ",
        "settings ",
    ] {
        assert!(before.iter().any(|line| line.starts_with(kind)), "{kind}");
    }
    let mut made = Vec::new();
    for (from, to) in [
        (&source, &there),
        (&there, &beside),
        (&beside, &back),
        (&back, &again),
    ] {
        let mut steps = Vec::new();
        let copied = copy(from, to, |step| steps.push(step)).await.unwrap();
        let rows = copied.iter().map(|(_, rows)| rows).sum::<u64>();
        assert_eq!(rows, before.len() as u64);
        assert!(steps.is_sorted_by_key(|step| step.rows) && steps.len() > 7);
        assert_eq!(
            steps.last(),
            Some(&Progress {
                table: "settings",
                rows,
                total: rows
            })
        );
        let after = dump(to).await;
        assert!(
            after == before,
            "a row differs: {:?}",
            after
                .iter()
                .zip(&before)
                .find(|(after, before)| after != before)
        );
    }
    // Old private links contain a deleted event's key, so no new event may get that key.
    for url in [&there, &beside, &back, &again] {
        let store = Store::open(url, None).await.unwrap();
        assert_eq!(
            store.session(["digest", "digest"]).await.unwrap(),
            None,
            "organisers sign in again"
        );
        let next = store
            .create(
                new_event("next", Some(1)),
                "token",
                Timestamp::from_millis(NOON),
            )
            .await
            .unwrap();
        assert_eq!(next.id, gone.id + 1);
        commit(&store, next.id, &[register("fay", None)]).await;
        made.push(
            store
                .announce(
                    next.id,
                    &NewAnnouncement::new("hello"),
                    "token",
                    Timestamp::from_millis(NOON),
                )
                .await
                .unwrap()
                .unwrap()
                .id,
        );
        assert_eq!(store.audit(&next.slug, None, 10).await.unwrap().len(), 2);
        store.close().await;
    }
    assert_eq!(made, [4; 4], "the third announcement went with its event");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_copy_changes_nothing() {
    let (source, other, missing) = (File::new(), File::new(), File::new());
    filled(&source.url()).await;
    let quiet = |_| {};
    let error = copy(&missing.url(), &other.url(), quiet).await.unwrap_err();
    assert!(
        matches!(error, CopyError::Missing(_))
            && !missing.path().exists()
            && !other.path().exists(),
        "{error}"
    );

    let error = copy(
        &postgres::shared().create_database().await,
        &other.url(),
        quiet,
    )
    .await
    .unwrap_err();
    assert!(matches!(error, CopyError::NotCurrent(_)), "{error}");
    std::fs::write(missing.path(), "").unwrap();
    let error = copy(&missing.url(), &other.url(), quiet).await.unwrap_err();
    assert!(matches!(error, CopyError::NotCurrent(_)), "{error}");

    for url in [other.url(), postgres::shared().create_database().await] {
        let store = Store::open(&url, None).await.unwrap();
        store
            .set_setting("admin_password", "another hash")
            .await
            .unwrap();
        store.close().await;
        let before = dump(&url).await;
        let error = copy(&source.url(), &url, quiet).await.unwrap_err();
        assert!(
            matches!(error, CopyError::NotEmpty(_, "settings")),
            "{error}"
        );
        assert_eq!(dump(&url).await, before);
    }
    let itself = copy(&source.url(), &source.url(), quiet).await.unwrap_err();
    assert!(
        matches!(itself, CopyError::NotEmpty(_, "events")),
        "{itself}"
    );

    // The target's constraints refuse a row in the middle: nothing is copied.
    let url = postgres::shared().create_database().await;
    let DatabaseUrl::Postgres(options) = &url else {
        unreachable!("a Postgres server was asked for")
    };
    Store::open(&url, None).await.unwrap().close().await;
    let mut connection = options.connect().await.unwrap();
    sqlx::Executor::execute(
        &mut connection,
        "ALTER TABLE announcements ADD CHECK (text NOT LIKE 'No%')",
    )
    .await
    .unwrap();
    let error = copy(&source.url(), &url, quiet).await.unwrap_err();
    assert!(matches!(error, CopyError::Store(..)), "{error}");
    assert_eq!(dump(&url).await, Vec::<String>::new());
}

fn headcount(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headcount"))
        .args(args)
        .output()
        .expect("the binary runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_continues_with_the_copy() {
    let file = File::new();
    let first = App::on(&file.text(), &[], Clock::System).await;
    let body = json!({ "name": "Ada", "email": "ada@example.org" }).to_string();
    let post = |address| {
        let body = body.clone();
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", "ada's"),
        ];
        async move {
            call(
                address,
                "POST",
                "/api/v1/events/welcome/registrations",
                &headers,
                &body,
            )
            .await
        }
    };
    let receipt = post(first.address).await;
    assert_eq!(receipt.status, 201);
    let tag = call(first.address, "GET", "/api/v1/events/welcome", &[], "")
        .await
        .header("etag")
        .expect("a position")
        .to_owned();
    let own = format!(
        "/api/v1/registrations/{}",
        receipt.json()["token"].as_str().expect("a token")
    );
    let password = first.context.store.setting("admin_password").await.unwrap();
    first.stop().await;

    let url = postgres::shared().new_database().await;
    let done = headcount(&["copy", &file.text(), &url]);
    assert!(done.status.success(), "{done:?}");
    let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        stdout.contains("1 registrations\n")
            && stdout.contains("Verified: both have the same rows"),
        "{stdout}"
    );

    let second = App::on(&url, &[], Clock::System).await;
    assert_eq!(
        second
            .context
            .store
            .setting("admin_password")
            .await
            .unwrap(),
        password,
        "the same password, with the same salt"
    );
    let current = call(
        second.address,
        "GET",
        "/api/v1/events/welcome",
        &[("if-none-match", &tag)],
        "",
    )
    .await;
    assert_eq!(
        current.status, 304,
        "a client's position is still the present one"
    );
    assert_eq!(
        call(second.address, "GET", &own, &[], "").await.json()["name"],
        "Ada"
    );
    let replayed = post(second.address).await;
    assert_eq!(
        (replayed.status, replayed.header("idempotency-replayed")),
        (201, Some("true"))
    );
    let next =
        crate::support::app::register(second.address, "welcome", "Bob", "bob@example.org").await;
    assert_eq!(
        (next.status, next.json()["number"].as_u64()),
        (201, Some(2)),
        "{}",
        next.body
    );
    let event = json!({ "slug": "new", "title": "New", "capacity": 1 });
    assert_eq!(
        organise(second.address, "POST", "/api/v1/events", &event)
            .await
            .status,
        201
    );
    second.stop().await;

    let refused = headcount(&["copy", &file.text(), &url]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("is not empty"),
        "{refused:?}"
    );
    let wrong = headcount(&["copy", "headcount.db", &url]);
    assert_eq!(wrong.status.code(), Some(2));

    // And back to one file.
    let home = File::new();
    assert!(headcount(&["copy", &url, &home.text()]).status.success());
    let third = App::on(&home.text(), &[], Clock::System).await;
    assert_eq!(
        call(third.address, "GET", "/api/v1/events/welcome", &[], "")
            .await
            .json()["registered"],
        2
    );
    third.stop().await;
}
