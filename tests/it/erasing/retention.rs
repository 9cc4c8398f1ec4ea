//! Registrations are erased when the organiser's time for keeping them is over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use headcount::domain::clock::Clock;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{count, create, own, register};
use crate::support::app::{App, Database, organise};
use crate::support::postgres;

const START: i64 = 1_795_251_600_000;
const DAY: i64 = 86_400_000;
/// Data are erased within a minute.
const TIMEOUT: Duration = Duration::from_mins(1);

fn moment(ms: i64) -> String {
    headcount::domain::clock::Timestamp::from_millis(ms).to_string()
}

/// Everybody of a round, as the organiser sees them.
async fn everybody(address: SocketAddr, round: u32) -> Vec<Value> {
    let path = format!("/api/v1/events/gala/registrations?round={round}&limit=1000");
    let list = organise(address, "GET", &path, &Value::Null).await.json();
    list["registrations"].as_array().expect("a list").clone()
}

async fn until_erased(address: SocketAddr) {
    let all = async {
        loop {
            let rows = [everybody(address, 1).await, everybody(address, 2).await].concat();
            if rows.iter().all(|row| row["erased_at"].is_string()) {
                return rows;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let rows = timeout(TIMEOUT, all).await.expect("erased in time");
    for row in rows {
        assert_eq!((&row["name"], &row["email"]), (&json!(""), &Value::Null));
        assert_eq!(row["answers"], json!({}));
    }
}

/// What the schedule has written into the audit log about erasing.
async fn logged(address: SocketAddr) -> Vec<u64> {
    let path = "/api/v1/events/gala/audit?limit=100";
    let audit = organise(address, "GET", path, &Value::Null).await.json();
    let entries = audit["entries"].as_array().expect("entries").iter();
    entries
        .filter(|entry| entry["action"] == "erase")
        .map(|entry| {
            assert_eq!(entry["who"], "schedule");
            entry["after"]["erased"].as_u64().expect("a number")
        })
        .collect()
}

/// Two rounds with people who have a place, wait, or were cancelled.
async fn two_rounds(address: SocketAddr) -> Vec<Value> {
    let times = json!({
        "capacity": 2, "starts_at": moment(START - DAY), "ends_at": moment(START),
        "erase_after_days": 30,
    });
    let event = create(address, "gala", times).await;
    assert_eq!(event["erase_after_days"], 30);
    let mut people = Vec::new();
    for round in 1..=2 {
        for n in 0..4 {
            let body = json!({ "name": format!("Ada {n}"), "email": format!("ada{round}{n}@example.org") });
            people.push(register(address, "gala", &body, None).await);
        }
        let first = people[people.len() - 4].clone();
        assert_eq!(own(address, "DELETE", &first, "").await.status, 200);
        if round == 1 {
            let reset = json!({ "confirm": "gala" });
            let reset = organise(address, "POST", "/api/v1/events/gala/reset", &reset).await;
            assert_eq!(reset.status, 200, "{}", reset.body);
        }
    }
    people
}

/// While the server runs, and for people who register afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_of_every_round_is_erased_after_the_time() {
    let hand = Arc::new(AtomicI64::new(START));
    let app = App::start(Database::Sqlite, &[], Clock::Manual(hand.clone())).await;
    let address = app.address();
    let people = two_rounds(address).await;
    let before = count(address, "gala").await;
    hand.store(START + 30 * DAY, Ordering::SeqCst);
    until_erased(address).await;
    assert_eq!(count(address, "gala").await, before);
    assert_eq!(logged(address).await, [8]);
    let first = own(address, "GET", &people[0], "").await.json();
    assert_eq!(first["status"], "cancelled");
    assert_eq!(first["erased_at"], moment(START + 30 * DAY));
    let late = json!({ "name": "Late", "email": "late@example.org" });
    register(address, "gala", &late, None).await;
    until_erased(address).await;
    assert_eq!(logged(address).await, [1, 8]);
    app.stop().await;
}

/// Two nodes begin at the same moment: each person is erased once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_erase_what_is_due_when_they_start() {
    let url = postgres::shared().new_database().await;
    let hand = Arc::new(AtomicI64::new(START));
    let clock = || Clock::Manual(hand.clone());
    let first = App::on(&url, &["--drain", "1s"], clock()).await;
    two_rounds(first.address).await;
    first.stop().await;
    hand.store(START + 31 * DAY, Ordering::SeqCst);
    let (one, other) = tokio::join!(App::on(&url, &[], clock()), App::on(&url, &[], clock()));
    until_erased(one.address).await;
    until_erased(other.address).await;
    assert_eq!(logged(one.address).await.iter().sum::<u64>(), 8);
    tokio::join!(one.stop(), other.stop());
}
