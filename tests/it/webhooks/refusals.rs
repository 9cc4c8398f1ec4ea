//! What is refused: addresses that are not public, settings that make no sense, people who are not
//! the owner.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use headcount::domain::clock::Clock;
use headcount::outbox::webhook::{Guard, Resolver};
use serde_json::{Value, json};

use super::super::support::app::{App, config};
use super::super::support::sqlite::File;
use super::receiver::{Receiver, status};
use super::{gala, hook, id, settled};

const WEBHOOKS: &str = "/api/v1/webhooks";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_not_public_is_refused_when_it_is_known() {
    let app = App::sqlite().await;
    for url in [
        "http://127.0.0.1:9/",
        "https://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0.0.0.0/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://[2002:7f00:1::]/",
        "http://[64:ff9b::7f00:1]/",
    ] {
        let refused = app.organise("POST", WEBHOOKS, &json!({ "url": url })).await;
        let field = refused.json()["errors"][0]["field"].clone();
        assert_eq!((refused.status, field), (422, json!("url")), "{url}");
    }
    let public = json!({ "url": "https://1.1.1.1/hook", "active": false });
    let hook = hook(&app, public).await;
    let path = format!("{WEBHOOKS}/{}", id(&hook));
    let moved = app
        .organise("PATCH", &path, &json!({ "url": "http://127.0.0.1/" }))
        .await;
    assert_eq!(moved.status, 422, "{}", moved.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_leads_home_later_fails_and_nothing_is_connected() {
    let mut receiver = Receiver::start(&[status(200)]).await;
    let names = Arc::new(Mutex::new(HashMap::from([(
        "hooks.example.org".to_owned(),
        vec!["1.1.1.1".parse().unwrap()],
    )])));
    let file = File::new();
    let mut config = config(&file.text(), &[]);
    config.webhooks = Guard::new(Resolver::Manual(Arc::clone(&names)), Vec::new());
    let listener = headcount::server::bind(config.listen).expect("a free port");
    let running = headcount::app::start(config, listener, Clock::System).await;
    let app = App::of(running.expect("the server starts"));
    gala(&app, json!({})).await;
    let url = format!("http://hooks.example.org:{}/", receiver.address.port());
    let topics = json!(["registration.created"]);
    let hook = hook(&app, json!({ "url": url, "events": topics })).await;
    names.lock().unwrap().insert(
        "hooks.example.org".to_owned(),
        vec!["127.0.0.1".parse().unwrap()],
    );
    app.register("gala", "Ada", "ada@example.org").await;
    let failed = settled(&app, &hook, "failed").await;
    let error = failed["error"].as_str().expect("an error");
    assert!(error.contains("not public"), "{error}");
    assert_eq!(receiver.rest(), 0);
    let again = json!({ "url": url });
    assert_eq!(app.organise("POST", WEBHOOKS, &again).await.status, 422);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_checked_together() {
    let app = App::sqlite().await;
    let wrong = json!({
        "url": "ftp://example.org/", "events": ["event.sold"], "event": "none", "format": "irc",
        "language": "fr", "active": "yes",
    });
    let refused = app.organise("POST", WEBHOOKS, &wrong).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let errors = refused.json()["errors"].clone();
    let fields = errors.as_array().unwrap().iter();
    let mut fields: Vec<_> = fields
        .map(|error| error["field"].as_str().unwrap())
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        ["active", "event", "events", "format", "language", "url"]
    );
    for events in [json!([]), json!("event.full"), json!([1]), json!({})] {
        let body = json!({ "url": "https://1.1.1.1/", "events": events });
        let refused = app.organise("POST", WEBHOOKS, &body).await;
        assert_eq!(refused.status, 422, "{events}");
    }
    let body = json!({ "url": "https://1.1.1.1/hook" }).to_string();
    let kind = [("content-type", "application/json")];
    let anybody = app.call("POST", WEBHOOKS, &kind, &body).await;
    assert_eq!(anybody.status, 401);
    assert_eq!(app.get(WEBHOOKS).await.status, 401);
    for (method, path) in [
        ("GET", "/api/v1/webhooks/77"),
        ("PATCH", "/api/v1/webhooks/x"),
        ("DELETE", "/api/v1/webhooks/77"),
        ("GET", "/api/v1/webhooks/77/deliveries"),
        ("POST", "/api/v1/webhooks/77/deliveries/1/resend"),
    ] {
        let answer = app.organise(method, path, &json!({})).await;
        assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_secret_is_shown_once_and_a_deleted_webhook_is_gone() {
    let app = App::sqlite().await;
    let made = hook(
        &app,
        json!({ "url": "https://1.1.1.1/hook", "active": false }),
    )
    .await;
    let secret = made["secret"].as_str().expect("a secret");
    assert!(secret.starts_with("whsec_"), "{secret}");
    let path = format!("{WEBHOOKS}/{}", id(&made));
    let shown = app.organise("GET", &path, &Value::Null).await.json();
    let listed = app.organise("GET", WEBHOOKS, &Value::Null).await.json();
    assert_eq!(listed["webhooks"][0], shown);
    let mut without = made.clone();
    without.as_object_mut().unwrap().remove("secret");
    assert_eq!(shown, without);
    assert_eq!(
        shown["events"].as_array().unwrap().len(),
        10,
        "all unless said otherwise"
    );
    let edit =
        json!({ "events": ["event.full"], "format": "slack", "url": "https://1.1.1.1/other" });
    let edited = app.organise("PATCH", &path, &edit).await.json();
    assert_eq!(
        (
            &edited["events"],
            &edited["format"],
            &edited["url"],
            &edited["active"]
        ),
        (
            &json!(["event.full"]),
            &json!("slack"),
            &json!("https://1.1.1.1/other"),
            &json!(false)
        )
    );
    assert_eq!(
        app.organise("DELETE", &path, &Value::Null).await.status,
        204
    );
    assert_eq!(
        app.organise("DELETE", &path, &Value::Null).await.status,
        404
    );
    app.stop().await;
}
