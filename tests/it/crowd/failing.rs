//! A database that is unreachable, or refuses.

use futures_util::future::join_all;
use sqlx::{ConnectOptions as _, Executor as _};

use super::*;

pub(super) async fn an_unreachable_database_answers_everybody(url: DatabaseUrl) {
    let node = Node::start(&url).await;
    let event = node.event(10, false).await;
    node.store.close().await;
    // More commands than fit into one batch.
    for answer in join_all(line_up(&node, &event, (0..600).map(register)).await).await {
        assert_eq!(answer, Err(Failure::DatabaseUnreachable));
    }
    assert_eq!(
        *node.channel(&event).newest().event,
        event,
        "nothing was committed, so nothing is published"
    );
    let node = Node::start(&url).await;
    assert_eq!(node.audited(event.id).await.0.registered, 0);
    assert!(
        node.registrar
            .submit(event.id, register(0))
            .await
            .unwrap()
            .is_ok()
    );
}

pub(super) async fn a_failed_statement_answers_everybody_and_stores_nothing(url: DatabaseUrl) {
    // A trigger refuses rows as they are written.
    let traps = [
        "CREATE TRIGGER trap BEFORE INSERT ON registrations WHEN NEW.name = 'Person trap' BEGIN \
        SELECT RAISE(ABORT, 'a trap'); END",
        "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a trap'; END $$;
         CREATE TRIGGER trap BEFORE INSERT ON registrations FOR EACH ROW WHEN (NEW.name = 'Person trap') EXECUTE FUNCTION trap()",
    ];
    batch_fails(url, traps).await;
}

pub(super) async fn a_failed_commit_answers_everybody_and_publishes_nothing(url: DatabaseUrl) {
    // All statements succeed; only COMMIT fails.
    let traps = [
        "CREATE TABLE trap (event_id INTEGER REFERENCES events (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER trap AFTER INSERT ON registrations WHEN NEW.name = 'Person trap' BEGIN INSERT INTO trap VALUES (-1); END",
        "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a trap'; END $$;
         CREATE CONSTRAINT TRIGGER trap AFTER INSERT ON registrations DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW WHEN (NEW.name = 'Person trap') EXECUTE FUNCTION trap()",
    ];
    batch_fails(url, traps).await;
}

/// One command makes its batch fail. Everybody in the batch gets the failure, and the next batch
/// succeeds.
async fn batch_fails(url: DatabaseUrl, [on_sqlite, on_postgres]: [&'static str; 2]) {
    let node = Node::start(&url).await;
    let event = node.event(100, false).await;
    match &url {
        DatabaseUrl::Sqlite(options) => options
            .connect()
            .await
            .unwrap()
            .execute(sqlx::raw_sql(on_sqlite))
            .await
            .map(drop),
        DatabaseUrl::Postgres(options) => options
            .connect()
            .await
            .unwrap()
            .execute(sqlx::raw_sql(on_postgres))
            .await
            .map(drop),
    }
    .expect("a trap");
    let (channel, mut updates) = (node.channel(&event), node.channel(&event).updates());
    updates.mark_unchanged();
    let people = ["ada", "bob", "trap", "cem"];
    for answer in join_all(line_up(&node, &event, people.map(register)).await).await {
        assert_eq!(answer, Err(Failure::Internal));
    }
    assert_eq!(*channel.newest().event, event);
    assert!(
        !updates.has_changed().unwrap(),
        "something was published that is not stored"
    );
    assert_eq!(node.audited(event.id).await.0, event);
    let answers = join_all(line_up(&node, &event, ["ada", "bob", "cem"].map(register)).await).await;
    assert!(
        answers.iter().all(|answer| matches!(
            answer,
            Ok(Ok(Answer::Registered {
                replayed: false,
                ..
            }))
        )),
        "{answers:?}"
    );
    assert_eq!(node.audited(event.id).await.0.registered, 3);
}
