//! `kill -9` under load, with mail and a webhook.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use headcount::store::DatabaseUrl;
use serde_json::json;
use sqlx::{ConnectOptions as _, Executor as _};

use super::smtp::{Smtp, eventually};
use crate::process::load;
use crate::support::app::{call, organise};
use crate::support::port::free_address;
use crate::support::postgres;
use crate::support::process::Process;
use crate::support::sqlite::File;
use crate::webhooks::receiver::{Receiver, status};

/// What one process may have sent without recording it: its deliveries under way.
const UNRECORDED: usize = headcount::outbox::mail::IN_FLIGHT as usize;
/// The same for a webhook.
const UNRECORDED_CALLS: usize = headcount::outbox::webhook::PER_TARGET as usize;

/// Rounds of killing in the ordinary run; the long run sets more.
fn rounds() -> usize {
    let rounds = std::env::var("HEADCOUNT_TEST_KILLS").ok();
    rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(4)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_no_mail_on_sqlite() {
    let file = File::new();
    killed_again_and_again(&file.text()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_loses_no_mail_on_postgres() {
    killed_again_and_again(&postgres::shared().new_database().await).await;
}

async fn killed_again_and_again(database: &str) {
    let smtp = Smtp::start(&[]);
    let mut receiver = Receiver::start(&[status(200)]).await;
    let url = smtp.url();
    let start = || {
        let listen = free_address().to_string();
        // A start prints its public address, which leads to it here.
        let public = format!("http://{listen}");
        let flags = [
            "--listen",
            &listen,
            "--public-url",
            &public,
            "--smtp-url",
            &url,
        ];
        let limits = [
            "--mail-per-event",
            "100000",
            "--mail-per-hour",
            "100000",
            "--webhook-allow",
            "127.0.0.0/8",
        ];
        Process::start(database, &[&flags[..], &limits].concat())
    };
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds() {
        let process = start();
        if round == 0 {
            let event = json!({ "slug": "crash", "title": "Crash", "capacity": null });
            let answer = organise(process.address, "POST", "/api/v1/events", &event).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
            let hook = json!({ "url": receiver.url(), "events": ["registration.created"] });
            let answer = organise(process.address, "POST", "/api/v1/webhooks", &hook).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let client = tokio::spawn(load(
            process.address,
            format!("r{round}"),
            Arc::clone(&stop),
        ));
        // A random moment under load is the subject of the test. It does not wait for readiness.
        tokio::time::sleep(Duration::from_millis(rand::random_range(30..250))).await;
        process.signal("KILL");
        stop.store(true, Ordering::SeqCst);
        let (mine, _) = client.await.expect("no client panics");
        acknowledged.extend((0..mine.len()).map(|n| format!("r{round}-{n}@example.org")));
    }
    assert!(!acknowledged.is_empty(), "the load was served");
    expire(database).await;
    let process = start();
    let arrived = || smtp.recipients().into_iter().collect::<BTreeSet<_>>();
    eventually("every mail", || {}, || arrived().is_superset(&acknowledged)).await;
    // Every commit is notified of, answered or not.
    let path = "/api/v1/events/crash";
    let count = call(process.address, "GET", path, &[], "").await.json();
    let registered = count["registered"].as_u64().expect("a number");
    let (mut numbers, mut calls) = (BTreeSet::new(), 0);
    while (numbers.len() as u64) < registered {
        let body = receiver.next().await.json();
        let number = body["data"]["registration"]["number"].as_u64();
        numbers.insert(number.expect("a number"));
        calls += 1;
    }
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
    let again = calls + receiver.rest() - numbers.len();
    println!("{} people by webhook, {again} of them twice", numbers.len());
    assert!(again <= UNRECORDED_CALLS * rounds(), "{again}");
    let twice = smtp.mails().len() - arrived().len();
    println!("{} mails, {twice} of them twice", smtp.mails().len());
    assert!(twice <= UNRECORDED * rounds(), "{twice}");
}

/// Ends the leases of dead nodes, for which others would wait 45 s.
async fn expire(database: &str) {
    let statement = "UPDATE outbox SET leased_until = 0";
    match database.parse::<DatabaseUrl>().expect("a URL") {
        // A server that starts on a file is the only one there.
        DatabaseUrl::Sqlite(_) => {}
        DatabaseUrl::Postgres(options) => {
            let mut connection = options.connect().await.expect("a connection");
            connection.execute(statement).await.expect(statement);
        }
    }
}
