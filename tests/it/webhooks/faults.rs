//! Receivers that misbehave, and what becomes of deliveries when a webhook, a person or an event goes.

use std::io::Read as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use headcount::domain::clock::Clock;
use headcount::outbox::webhook::PER_TARGET;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::receiver::{Endless, Receiver, answer, status};
use super::{ALLOW, NOON, deliveries, gala, hook, id, settled};
use crate::support::app::{App, Database, organise, register};
use crate::support::process::Process;
use crate::support::sqlite::File;

/// A server whose clock the test moves.
async fn app() -> (App, Arc<AtomicI64>) {
    let now = Arc::new(AtomicI64::new(NOON));
    let clock = Clock::Manual(Arc::clone(&now));
    (App::start(Database::Sqlite, &ALLOW, clock).await, now)
}

/// A webhook that hears of new registrations only.
async fn of_registrations(app: &App, url: String) -> Value {
    hook(
        app,
        json!({ "url": url, "events": ["registration.created"] }),
    )
    .await
}

/// The newest delivery, once an attempt has failed.
async fn tried(app: &App, hook: &Value) -> Value {
    loop {
        let newest = settled(app, hook, "waiting").await;
        if newest["error"].is_string() {
            return newest;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_does_not_answer_delays_no_other() {
    const PEOPLE: usize = 3 * PER_TARGET as usize;
    let app = App::start(Database::Sqlite, &ALLOW, Clock::System).await;
    gala(&app, json!({ "capacity": null })).await;
    let hanging = Endless::start("", "").await;
    of_registrations(&app, hanging.url()).await;
    let mut receiver = Receiver::start(&[status(200)]).await;
    of_registrations(&app, receiver.url()).await;
    for n in 0..PEOPLE {
        let email = format!("guest{n}@example.org");
        assert_eq!(app.register("gala", "Ada", &email).await.status, 201);
    }
    for _ in 0..PEOPLE {
        receiver.next().await;
    }
    while hanging.most() < PER_TARGET as usize {
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(hanging.most(), PER_TARGET as usize, "and no more");
    drop(hanging);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_end_is_cut_and_its_status_counts() {
    let app = App::start(Database::Sqlite, &ALLOW, Clock::System).await;
    gala(&app, json!({})).await;
    let body = Endless::start("HTTP/1.1 200 OK\r\n\r\n", "no end ").await;
    let taken = of_registrations(&app, body.url()).await;
    let head = Endless::start("HTTP/1.1 200 OK\r\n", "x-no: end\r\n").await;
    let refused = of_registrations(&app, head.url()).await;
    app.register("gala", "Ada", "ada@example.org").await;
    settled(&app, &taken, "sent").await;
    assert_eq!(body.requests(), 1);
    let error = tried(&app, &refused).await["error"].to_string();
    assert!(error.contains("no answer"), "{error}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed_and_a_reason_is_kept_in_short() {
    let (app, now) = app().await;
    gala(&app, json!({})).await;
    let mut elsewhere = Receiver::start(&[status(200)]).await;
    let url = elsewhere.url();
    let redirect = |status: &str| {
        format!(
            "HTTP/1.1 {status} Found\r\nlocation: {url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        )
    };
    let mut receiver = Receiver::start(&[redirect("307")]).await;
    let hook = of_registrations(&app, receiver.url()).await;
    app.register("gala", "Ada", "ada@example.org").await;
    receiver.next().await;
    let error = tried(&app, &hook).await["error"].clone();
    assert_eq!(error, "answered 307, and redirects are not followed");
    let reason = answer(&"no such channel ".repeat(900)).replace("200 OK", "404 Not Found");
    receiver.answer(reason);
    now.fetch_add(60_000, Ordering::SeqCst);
    receiver.next().await;
    let error = loop {
        let error = tried(&app, &hook).await["error"].clone();
        let error = error.as_str().expect("text").to_owned();
        if error.starts_with("answered 404") {
            break error;
        }
        sleep(Duration::from_millis(50)).await;
    };
    assert!(
        error.starts_with("answered 404: no such channel"),
        "{error}"
    );
    assert!(error.chars().count() < 250, "{error}");
    assert_eq!(elsewhere.rest(), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_dropped_when_its_webhook_stops_or_its_person_is_erased() {
    let (app, now) = app().await;
    gala(&app, json!({})).await;
    let mut receiver = Receiver::start(&[status(500)]).await;
    let hook = of_registrations(&app, receiver.url()).await;
    let ada = app.register("gala", "Ada", "ada@example.org").await.json();
    receiver.next().await;
    let waits = tried(&app, &hook).await;
    let token = ada["token"].as_str().expect("a token");
    let erase = format!("/api/v1/registrations/{token}/erase");
    let erased = app.call("POST", &erase, &[], "").await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    settled(&app, &hook, "dropped").await;
    // Nothing is left that could be sent again.
    let one = format!("/api/v1/webhooks/{}", id(&hook));
    let resend = format!(
        "{one}/deliveries/{}/resend",
        waits["id"].as_str().expect("an id")
    );
    let resent = app.organise("POST", &resend, &Value::Null).await;
    assert_eq!(resent.status, 202, "{}", resent.body);
    let dropped = settled(&app, &hook, "dropped").await;
    assert_eq!(dropped["error"], "the registration was erased");

    app.register("gala", "Grace", "grace@example.org").await;
    receiver.next().await;
    tried(&app, &hook).await;
    app.organise("PATCH", &one, &json!({ "active": false }))
        .await;
    now.fetch_add(60_000, Ordering::SeqCst);
    let dropped = settled(&app, &hook, "dropped").await;
    assert_eq!(dropped["error"], "the webhook is not active");
    app.register("gala", "Alan", "alan@example.org").await;
    assert_eq!(deliveries(&app, &hook).await.len(), 2, "nothing is written");
    assert_eq!(receiver.rest(), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_event_takes_what_waits_about_its_people() {
    let (app, now) = app().await;
    gala(&app, json!({ "capacity": 9 })).await;
    let mut receiver = Receiver::start(&[status(500)]).await;
    let topics = json!(["registration.created", "event.capacity"]);
    let hook = hook(&app, json!({ "url": receiver.url(), "events": topics })).await;
    app.register("gala", "Ada", "ada@example.org").await;
    app.organise("PATCH", "/api/v1/events/gala", &json!({ "capacity": 8 }))
        .await;
    for _ in 0..2 {
        receiver.next().await;
    }
    while !(deliveries(&app, &hook).await.iter()).all(|row| row["error"].is_string()) {
        sleep(Duration::from_millis(50)).await;
    }
    let deleted = app
        .organise("DELETE", "/api/v1/events/gala?confirm=gala", &Value::Null)
        .await;
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    receiver.answer(status(200));
    now.fetch_add(60_000, Ordering::SeqCst);
    assert_eq!(receiver.next().await.topic(), "event.capacity");
    settled(&app, &hook, "sent").await;
    assert_eq!(deliveries(&app, &hook).await.len(), 1);
    assert_eq!(receiver.rest(), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_finest_log_has_no_secret_of_a_webhook() {
    let file = File::new();
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("text");
        text
    });
    let flags = [&["--log", "trace"], &ALLOW[..]].concat();
    let command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    let process = Process::spawn_logging(command, &file.text(), &flags, writer.into());
    let mut receiver = Receiver::start(&[status(500)]).await;
    let new = json!({ "url": receiver.url() });
    let hook = organise(process.address, "POST", "/api/v1/webhooks", &new).await;
    assert_eq!(hook.status, 201, "{}", hook.body);
    register(process.address, "welcome", "Ada", "ada@example.org").await;
    receiver.next().await;
    process.signal("TERM");
    assert_eq!(process.exit_code(), Some(0));
    let log = log.join().expect("no panic");
    let secret = hook.json()["secret"].as_str().expect("a secret").to_owned();
    assert!(log.contains("delivery attempted"), "{log}");
    for secret in [&secret[..], &secret["whsec_".len()..], "s3cret"] {
        assert!(!log.contains(secret), "the log has {secret}");
    }
}
