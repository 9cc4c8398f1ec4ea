//! Webhooks from outside: what a receiver gets, when it fails, and where nothing may be sent.

mod faults;
mod nodes;
pub(crate) mod receiver;
mod refusals;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use headcount::domain::clock::Clock;
use headcount::domain::webhook::Target;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::support::app::{App, Database};
use receiver::{Receiver, answer, status};

const NOON: i64 = 1_795_251_600_000;
const ALLOW: [&str; 2] = ["--webhook-allow", "127.0.0.0/8"];

/// A new webhook.
async fn hook(app: &App, settings: Value) -> Value {
    let created = app.organise("POST", "/api/v1/webhooks", &settings).await;
    assert_eq!(created.status, 201, "{}", created.body);
    created.json()
}

/// The key of a webhook.
fn id(hook: &Value) -> &str {
    hook["id"].as_str().expect("an id")
}

async fn gala(app: &App, settings: Value) {
    let mut new = json!({ "slug": "gala", "title": "Gala", "capacity": 2, "waitlist": true });
    for (name, value) in settings.as_object().expect("settings") {
        new[name] = value.clone();
    }
    let created = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(created.status, 201, "{}", created.body);
}

/// The deliveries of a webhook, newest first.
async fn deliveries(app: &App, hook: &Value) -> Vec<Value> {
    let path = format!("/api/v1/webhooks/{}/deliveries", id(hook));
    let answer = app.organise("GET", &path, &Value::Null).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let list = answer.json()["deliveries"].clone();
    list.as_array().expect("a list").clone()
}

/// Waits until the newest delivery has this status.
async fn settled(app: &App, hook: &Value, status: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(40);
    loop {
        let newest = deliveries(app, hook).await.into_iter().next();
        if let Some(newest) = newest.as_ref().filter(|newest| newest["status"] == status) {
            return newest.clone();
        }
        assert!(Instant::now() < deadline, "never {status}: {newest:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn receives_every_topic(database: Database) {
    let app = App::start(database, &ALLOW, Clock::System).await;
    gala(&app, json!({})).await;
    let mut receiver = Receiver::start(&[status(204)]).await;
    let hook = hook(&app, json!({ "url": receiver.url() })).await;
    let secret = hook["secret"].as_str().expect("a secret");
    let event = "/api/v1/events/gala";
    let mut got = Vec::new();
    let mut people = Vec::new();
    for name in ["Ada Lovelace", "Grace Hopper", "Alan Turing"] {
        let email = format!("{}@example.org", &name[..3].to_lowercase());
        people.push(app.register("gala", name, &email).await.json());
    }
    for _ in 0..4 {
        got.push(receiver.next().await);
    }
    let change = json!({ "name": "Ada King" }).to_string();
    let own = format!(
        "/api/v1/registrations/{}",
        people[0]["token"].as_str().unwrap()
    );
    let json = [("content-type", "application/json")];
    app.call("PATCH", &own, &json, &change).await;
    got.push(receiver.next().await);
    app.call("DELETE", &own, &[], "").await;
    for _ in 0..2 {
        got.push(receiver.next().await);
    }
    for edit in [
        json!({ "title": "Ball" }),
        json!({ "capacity": 9 }),
        json!({ "closed": true }),
        json!({ "closed": false }),
    ] {
        app.organise("PATCH", event, &edit).await;
        got.push(receiver.next().await);
    }
    let confirm = json!({ "confirm": "gala" });
    app.organise("POST", &format!("{event}/reset"), &confirm)
        .await;
    got.push(receiver.next().await);
    let mut topics: Vec<_> = got.iter().map(receiver::Received::topic).collect();
    topics.sort();
    assert_eq!(
        topics,
        [
            "event.capacity",
            "event.changed",
            "event.closed",
            "event.full",
            "event.opened",
            "event.reset",
            "registration.cancelled",
            "registration.changed",
            "registration.created",
            "registration.created",
            "registration.created",
            "registration.promoted",
        ],
        "{database:?}"
    );
    let mut ids = Vec::new();
    for received in &got {
        assert!(received.is_signed(secret), "{received:?}");
        assert!(received.head.starts_with("POST /hook?key=s3cret HTTP/1.1"));
        assert_eq!(received.header("content-type"), "application/json");
        let body = received.json();
        assert_eq!(body["data"]["event"], "gala");
        assert!(body["timestamp"].is_string() && body["data"]["count"]["registered"].is_u64());
        for personal in ["Ada", "Grace", "Alan", "example.org"] {
            assert!(!received.body.contains(personal), "{}", received.body);
        }
        ids.push(received.header("webhook-id").to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), got.len(), "each has an id of its own");
    let promoted = got
        .iter()
        .find(|one| one.topic() == "registration.promoted");
    let promoted = promoted.expect("a promotion").json();
    let number = &promoted["data"]["registration"]["number"];
    assert_eq!(
        (number, &promoted["data"]["registration"]["status"]),
        (&json!(3), &json!("confirmed"))
    );
    settled(&app, &hook, "sent").await;
    assert_eq!(receiver.rest(), 0, "each came once");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_hears_of_every_topic_once_on_sqlite() {
    receives_every_topic(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_hears_of_every_topic_once_on_postgres() {
    receives_every_topic(Database::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_delivery_is_tried_for_three_days_and_sent_again_on_request() {
    let now = Arc::new(AtomicI64::new(NOON));
    let clock = Clock::Manual(Arc::clone(&now));
    let app = App::start(Database::Sqlite, &ALLOW, clock).await;
    gala(&app, json!({})).await;
    let mut receiver = Receiver::start(&[status(500), status(302), status(503)]).await;
    let topics = json!(["registration.created"]);
    let hook = hook(&app, json!({ "url": receiver.url(), "events": topics })).await;
    app.register("gala", "Ada", "ada@example.org").await;
    let first = receiver.next().await;
    // The first retry comes within a minute.
    for minutes in [1, 60] {
        let waits = loop {
            let newest = settled(&app, &hook, "waiting").await;
            if newest["error"].is_string() {
                break newest;
            }
        };
        assert!(waits["next_attempt_at"].is_string(), "{waits}");
        now.fetch_add(minutes * 60_000, Ordering::SeqCst);
        let again = receiver.next().await;
        assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
        assert_eq!(again.body, first.body);
        assert!(
            again.is_signed(hook["secret"].as_str().unwrap()),
            "signed anew"
        );
    }
    loop {
        let newest = settled(&app, &hook, "waiting").await;
        if newest["attempts"] == 3 && newest["error"] == "answered 503" {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    now.fetch_add(72 * 3_600_000, Ordering::SeqCst);
    receiver.next().await;
    let failed = settled(&app, &hook, "failed").await;
    assert_eq!(failed["error"], "answered 503");
    receiver.answer(status(200));
    let path = format!(
        "/api/v1/webhooks/{}/deliveries/{}/resend",
        id(&hook),
        failed["id"].as_str().expect("an id")
    );
    let resent = app.organise("POST", &path, &Value::Null).await;
    assert_eq!(
        (resent.status, &resent.json()["status"]),
        (202, &json!("waiting"))
    );
    let again = receiver.next().await;
    assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
    let sent = settled(&app, &hook, "sent").await;
    assert!(sent["error"].is_null() && sent["finished_at"].is_string());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_gone_gets_nothing_more() {
    let app = App::start(Database::Sqlite, &ALLOW, Clock::System).await;
    gala(&app, json!({})).await;
    let mut receiver = Receiver::start(&[status(410)]).await;
    let topics = json!(["registration.created"]);
    let hook = hook(&app, json!({ "url": receiver.url(), "events": topics })).await;
    app.register("gala", "Ada", "ada@example.org").await;
    receiver.next().await;
    settled(&app, &hook, "failed").await;
    let path = format!("/api/v1/webhooks/{}", id(&hook));
    let gone = app.organise("GET", &path, &Value::Null).await.json();
    assert_eq!(
        (&gone["active"], &gone["gone"]),
        (&json!(false), &json!(true))
    );
    assert!(gone["secret"].is_null(), "only once");
    app.register("gala", "Grace", "grace@example.org").await;
    assert_eq!(deliveries(&app, &hook).await.len(), 1);
    // The owner knows better.
    receiver.answer(status(200));
    let again = app
        .organise("PATCH", &path, &json!({ "active": true }))
        .await
        .json();
    assert_eq!(
        (&again["active"], &again["gone"]),
        (&json!(true), &json!(false))
    );
    // What an address said that was replaced meanwhile does not count.
    let replaced = Target::parse("https://old.example.org/").unwrap();
    let store = &app.running.context.store;
    let number = id(&hook).parse().unwrap();
    store
        .retire_webhook(number, &replaced, Clock::System.now())
        .await
        .unwrap();
    app.register("gala", "Alan", "alan@example.org").await;
    assert_eq!(receiver.next().await.topic(), "registration.created");
    app.organise("DELETE", &path, &Value::Null).await;
    let log = app.organise("GET", "/api/v1/audit", &Value::Null).await;
    let entries = log.json()["entries"].clone();
    let did: Vec<_> = entries.as_array().expect("a list").iter().collect();
    let did: Vec<_> = did
        .iter()
        .map(|entry| (&entry["who"], &entry["action"]))
        .collect();
    let (token, server) = (json!("token"), json!("server"));
    let said = [
        (&token, &json!("webhook-delete")),
        (&token, &json!("webhook-edit")),
        (&server, &json!("webhook-gone")),
        (&token, &json!("webhook-create")),
    ];
    assert_eq!(did, said);
    assert_eq!(entries[0]["before"]["host"], entries[3]["after"]["host"]);
    assert_eq!(entries[1]["before"]["active"], false);
    // An address may hold a secret.
    assert!(!log.body.contains(&receiver.url()), "{}", log.body);
    app.stop().await;
}

/// The path may be a secret: the log says that it is another one, and not which.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_log_tells_that_an_address_has_changed() {
    let app = App::start(Database::Sqlite, &ALLOW, Clock::System).await;
    let topics = json!(["registration.created"]);
    let url = "https://chat.example.org/hook/secret1";
    let hook = hook(&app, json!({ "url": url, "events": topics })).await;
    let path = format!("/api/v1/webhooks/{}", id(&hook));
    for (url, side, changed) in [
        (
            "https://chat.example.org/hook/secret2",
            "after",
            json!({ "path": "changed" }),
        ),
        (
            "https://chat.example.org/hook/secret2?key=secret3",
            "after",
            json!({ "path": "changed" }),
        ),
        (
            "http://chat.example.org/hook/secret2?key=secret3",
            "before",
            json!({ "scheme": "https" }),
        ),
        (
            "http://other.example.org/hook/secret2?key=secret3",
            "before",
            json!({ "host": "chat.example.org" }),
        ),
    ] {
        let edited = app.organise("PATCH", &path, &json!({ "url": url })).await;
        assert_eq!(edited.status, 200, "{}", edited.body);
        let log = app
            .organise("GET", "/api/v1/audit?limit=1", &Value::Null)
            .await;
        assert!(!log.body.contains("secret"), "{}", log.body);
        let entry = &log.json()["entries"][0];
        let other = if side == "after" { "before" } else { "after" };
        let only: serde_json::Map<_, _> = entry[side]
            .as_object()
            .expect("an object")
            .iter()
            .filter(|(name, value)| entry[other][*name] != **value)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        assert_eq!(Value::Object(only), changed, "{url}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chats_get_a_line_with_the_count_and_are_asked_again_when_they_refuse_it() {
    let now = Arc::new(AtomicI64::new(NOON));
    let clock = Clock::Manual(Arc::clone(&now));
    let app = App::start(Database::Sqlite, &ALLOW, clock).await;
    gala(&app, json!({ "capacity": 20 })).await;
    let refused = answer(r#"{"code":19024,"msg":"Key Words Not Found"}"#);
    let mut receiver = Receiver::start(&[refused, answer(r#"{"code":0,"msg":"success"}"#)]).await;
    let settings = json!({
        "url": receiver.url(), "format": "feishu", "event": "gala", "events": ["registration.created"],
    });
    let hook = hook(&app, settings).await;
    assert_eq!(
        (&hook["format"], &hook["event"]),
        (&json!("feishu"), &json!("gala"))
    );
    app.register("gala", "Ada", "ada@example.org").await;
    let first = receiver.next().await;
    let message = first.json();
    assert_eq!(message["msg_type"], "text");
    assert_eq!(
        message["content"]["text"],
        "Gala: registration No. 1. 1 of 20"
    );
    loop {
        let newest = settled(&app, &hook, "waiting").await;
        if newest["error"] == "answered 200 with error 19024" {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    now.fetch_add(60_000, Ordering::SeqCst);
    receiver.next().await;
    settled(&app, &hook, "sent").await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_hears_of_its_event_and_topics_alone_and_goes_with_its_event() {
    let app = App::start(Database::Sqlite, &ALLOW, Clock::System).await;
    gala(&app, json!({})).await;
    app.event("ball", 9).await;
    let mut receiver = Receiver::start(&[status(200)]).await;
    let settings = json!({ "url": receiver.url(), "event": "gala", "events": ["registration.created", "event.full"] });
    let hook = hook(&app, settings).await;
    app.register("ball", "Ada", "ada@example.org").await;
    app.organise("PATCH", "/api/v1/events/gala", &json!({ "capacity": 1 }))
        .await;
    app.register("gala", "Ada", "ada@example.org").await;
    let mut topics = [receiver.next().await.topic(), receiver.next().await.topic()];
    topics.sort();
    assert_eq!(topics, ["event.full", "registration.created"]);
    settled(&app, &hook, "sent").await;
    assert_eq!(deliveries(&app, &hook).await.len(), 2);
    let deleted = app
        .organise("DELETE", "/api/v1/events/gala?confirm=gala", &Value::Null)
        .await;
    assert_eq!(deleted.status, 204, "{}", deleted.body);
    let left = app.organise("GET", "/api/v1/webhooks", &Value::Null).await;
    assert_eq!(left.json(), json!({ "webhooks": [] }));
    assert_eq!(receiver.rest(), 0);
    app.stop().await;
}
