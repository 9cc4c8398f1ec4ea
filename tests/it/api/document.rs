//! The OpenAPI document, compared with real answers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::support::app::{App, call};
use super::{JSON, bearer};

/// Every described call answers something other than 404 and 405, with a described status.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_described_call_is_answered() {
    let app = App::sqlite().await;
    let document = app.get("/api/v1/openapi.json").await;
    assert!(document.header("etag").is_some());
    let document = document.json();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            app.organise(
                "POST",
                "/api/v1/events",
                &json!({ "slug": "gala", "title": "Gala", "capacity": 3 }),
            )
            .await;
            let mine = app.register("gala", "Ada", "ada@example.org").await.json();
            let text = |name: &str| mine[name].as_str().unwrap_or("0").to_owned();
            let path = path
                .replace("{slug}", "gala")
                .replace("{id}", &text("id"))
                .replace("{token}", &text("token"));
            // There may be a few only.
            let path = if path.contains("{webhook}") {
                let hook = json!({ "url": "https://1.1.1.1/", "active": false });
                let hook = app.organise("POST", "/api/v1/webhooks", &hook).await;
                path.replace("{webhook}", hook.json()["id"].as_str().expect("an id"))
            } else {
                path
            };
            let mut wire = app.wire().await;
            let body = if operation["requestBody"].is_object() {
                "{}"
            } else {
                ""
            };
            wire.send(format!(
                "{} {path} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                method.to_uppercase(),
                bearer(),
                body.len()
            ))
            .await;
            let status = wire.head().await[9..12].to_owned();
            let id = &operation["operationId"];
            // The registration may have been deleted with its event.
            assert!(
                status != "405"
                    && (status != "404" || mine["token"].is_null() || id == "resendDelivery"),
                "{id}: {status}"
            );
            // A plain request is not a WebSocket handshake: the transport answers 426.
            assert!(
                operation["responses"][&status].is_object() || id == "watchByWebSocket",
                "{id}: {status} is not described"
            );
        }
    }
}

/// Real answers have exactly the described members, of the described types.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_as_described() {
    let app = App::sqlite().await;
    let document = app.get("/api/v1/openapi.json").await.json();
    let new = json!({ "slug": "gala", "title": "Gala", "capacity": 1, "waitlist": true, "closes_at": "2999-01-01T00:00:00Z" });
    let created = app.organise("POST", "/api/v1/events", &new).await.json();
    let first = app.register("gala", "Ada", "ada@example.org").await.json();
    let waiting = app.register("gala", "Eve", "eve@example.org").await.json();
    let own = format!("/api/v1/registrations/{}", first["token"].as_str().unwrap());
    let id = waiting["id"].as_str().unwrap();
    let organise = async |method: &str, path: &str, body: Value| {
        app.organise(method, path, &body).await.json()
    };
    let answers = [
        ("Event", created),
        ("Registration", first.clone()),
        ("Registration", waiting.clone()),
        ("Registration", app.get(&own).await.json()),
        ("Events", app.get("/api/v1/events").await.json()),
        ("Count", app.get("/api/v1/events/gala").await.json()),
        (
            "ChangeLog",
            app.get("/api/v1/events/gala/changes").await.json(),
        ),
        (
            "ChangeLog",
            app.get("/api/v1/events/gala/changes?after=garbage")
                .await
                .json(),
        ),
        ("Moment", app.get("/api/v1/clock").await.json()),
        ("Health", app.get("/health/ready").await.json()),
        (
            "Rows",
            organise("GET", "/api/v1/events/gala/registrations", Value::Null).await,
        ),
        (
            "Row",
            organise(
                "DELETE",
                &format!("/api/v1/events/gala/registrations/{id}"),
                Value::Null,
            )
            .await,
        ),
        (
            "Notice",
            organise(
                "POST",
                "/api/v1/events/gala/announcements",
                json!({ "text": "Hello" }),
            )
            .await,
        ),
        (
            "Audit",
            organise("GET", "/api/v1/events/gala/audit?limit=1", Value::Null).await,
        ),
        (
            "Event",
            organise("PATCH", "/api/v1/events/gala", json!({ "capacity": null })).await,
        ),
        (
            "Event",
            organise(
                "POST",
                "/api/v1/events/gala/reset",
                json!({ "confirm": "gala" }),
            )
            .await,
        ),
        (
            "Webhook",
            organise(
                "POST",
                "/api/v1/webhooks",
                json!({ "url": "https://1.1.1.1/", "active": false }),
            )
            .await,
        ),
        (
            "Webhooks",
            organise("GET", "/api/v1/webhooks", Value::Null).await,
        ),
        ("Problem", app.get("/api/v1/events/none").await.json()),
        (
            "Problem",
            call(
                app.address(),
                "POST",
                "/api/v1/events/gala/registrations",
                &[JSON],
                "{}",
            )
            .await
            .json(),
        ),
    ];
    for (schema, value) in &answers {
        let schema = &document["components"]["schemas"][schema];
        assert!(schema.is_object());
        conforms(&document, schema, value, &format!("{value}"));
    }
}

/// The members of an object schema, those of its parts included.
fn members<'a>(
    document: &'a Value,
    schema: &'a Value,
    found: &mut BTreeMap<&'a str, (&'a Value, bool)>,
) {
    let schema = resolve(document, schema);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        members(document, part, found);
    }
    let required: Vec<_> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(name, (member, required.contains(&name.as_str())));
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere")),
        None => schema,
    }
}

#[track_caller]
fn conforms(document: &Value, schema: &Value, value: &Value, whole: &str) {
    let schema = resolve(document, schema);
    if let Some(words) = schema["enum"].as_array() {
        assert!(
            words.contains(value),
            "{value} is none of {words:?} in {whole}"
        );
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(
        types.is_empty() || types.contains(&is),
        "{value} is not {types:?} in {whole}"
    );
    if let Some(items) = value.as_array() {
        for item in items {
            conforms(document, &schema["items"], item, whole);
        }
    }
    let mut described = BTreeMap::new();
    members(document, schema, &mut described);
    if let (Some(object), false) = (value.as_object(), described.is_empty()) {
        for (name, member) in object {
            let (schema, _) = described
                .get(name.as_str())
                .unwrap_or_else(|| panic!("{name} is not described in {whole}"));
            conforms(document, schema, member, whole);
        }
        for (name, (_, required)) in described {
            assert!(
                !required || object.contains_key(name),
                "{name} is missing in {whole}"
            );
        }
    }
}
