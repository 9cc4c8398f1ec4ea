//! A node whose clock is wrong: the nodes share one clock, the database server's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use headcount::domain::clock::{Clock, Timestamp};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection, query_scalar};

use super::TIMEOUT;
use crate::cli::tls::Files;
use crate::support::app::{App, call, organise, register};
use crate::support::postgres;

const TWELVE_HOURS: i64 = 12 * 3_600_000;
/// Clocks that differ by less agree.
const SOON: Duration = Duration::from_secs(5);

#[track_caller]
fn is_now(at: &Value) {
    let at: Timestamp = serde_json::from_value(at.clone()).expect("a moment");
    let now = Clock::System.now();
    let apart = at.since(now) + now.since(at);
    assert!(apart < SOON, "{at}, and it is {now}");
}

/// A clock that is wrong by this many milliseconds, and what sets it.
fn wrong(ms: i64) -> (Clock, Arc<AtomicI64>) {
    let set = Arc::new(AtomicI64::new(Clock::System.now().as_millis() + ms));
    (Clock::Manual(Arc::clone(&set)).correctable(), set)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_wrong_spoils_nothing_that_nodes_share() {
    for ms in [TWELVE_HOURS, -TWELVE_HOURS] {
        let url = postgres::shared().new_database().await;
        let files = Files::self_signed();
        let sound = App::on(&url, &files.flags(), Clock::System).await;
        let before = sound.context.store.ticket_keys().await.unwrap();
        assert_eq!(before.len(), 1);
        let (clock, _) = wrong(ms);
        let node = App::on(&url, &files.flags(), clock).await;
        let after = sound.context.store.ticket_keys().await.unwrap();
        assert_eq!(after, before, "it neither deletes a key nor adds one");
        node.stop().await;
        sound.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_writes_the_time_of_the_database_whatever_its_clock_says() {
    let url = postgres::shared().new_database().await;
    let (clock, set) = wrong(TWELVE_HOURS);
    let node = App::on(&url, &[], clock).await;
    let at = node.address;
    let shown = async || call(at, "GET", "/api/v1/clock", &[], "").await.json()["at"].clone();
    is_now(&shown().await);
    let registered = register(at, "welcome", "Ada", "ada@example.org").await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    let event = call(at, "GET", "/api/v1/events/welcome", &[], "").await;
    is_now(&event.json()["at"]);
    let log = organise(at, "GET", "/api/v1/events/welcome/audit", &Value::Null).await;
    assert_eq!(log.status, 200, "{}", log.body);

    // It is set while the node runs. The server's clock has not jumped, so it is corrected at once.
    set.store(Clock::System.now().as_millis(), Ordering::SeqCst);
    let corrected = async {
        loop {
            let at: Timestamp = serde_json::from_value(shown().await).unwrap();
            let now = Clock::System.now();
            if at.since(now) + now.since(at) < SOON {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, corrected)
        .await
        .expect("the clocks are compared again");
    node.stop().await;
}

/// A server whose clock can be set: another `clock_timestamp`, which also counts how often it was read.
const OTHER_CLOCK: &str = "\
    CREATE SCHEMA other;
    CREATE SEQUENCE other.reads;
    CREATE TABLE other.ahead (by interval);
    INSERT INTO other.ahead VALUES ('0');
    CREATE FUNCTION other.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
        SELECT nextval('other.reads');
        SELECT pg_catalog.clock_timestamp() + by FROM other.ahead
    $$;
    DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET search_path = other, pg_catalog, public', current_database());
    END $$";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_erased_when_the_databases_clock_jumps() {
    let url = postgres::shared().new_database().await;
    let mut database = PgConnection::connect(&url).await.unwrap();
    database.execute(OTHER_CLOCK).await.unwrap();
    let node = App::on(&url, &[], Clock::System.correctable()).await;
    let at = node.address;
    let now = Clock::System.now();
    let ends_at = now.plus(Duration::from_hours(24));
    let event = json!({
        "slug": "gala", "title": "Gala", "capacity": 5,
        "starts_at": now, "ends_at": ends_at, "erase_after_days": 1,
    });
    let made = organise(at, "POST", "/api/v1/events", &event).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let registered = register(at, "gala", "Ada", "ada@example.org").await;
    assert_eq!(registered.status, 201, "{}", registered.body);

    let reads = "SELECT last_value FROM other.reads";
    let before: i64 = query_scalar(reads).fetch_one(&mut database).await.unwrap();
    let jump = "UPDATE other.ahead SET by = '400 days'";
    database.execute(jump).await.unwrap();
    let read_again = async {
        let mut read = before;
        while read < before + 2 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            read = query_scalar(reads).fetch_one(&mut database).await.unwrap();
        }
    };
    tokio::time::timeout(TIMEOUT, read_again)
        .await
        .expect("the clock is read again");
    let shown = call(at, "GET", "/api/v1/clock", &[], "").await;
    is_now(&shown.json()["at"]);
    let people = organise(at, "GET", "/api/v1/events/gala/registrations", &Value::Null).await;
    assert!(people.body.contains("ada@example.org"), "{}", people.body);
    node.stop().await;
}
