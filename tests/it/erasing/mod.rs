//! After an erasure a person's data are nowhere any more, and the count stays.

mod bytes;
mod retention;

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::support::app::{Answer, call, organise};

/// JSON is sent.
const JSON: (&str, &str) = ("content-type", "application/json");
/// What nobody else is called, answers or uses as a key, and its forms in the database.
const NEEDLES: [&str; 8] = [
    "Qwyndolfa",
    "Xanthippopel",
    "vermächtnis-zirbel",
    "vermachtniszirbel",
    "kumquatkeks",
    "zirbel.example",
    "plumbaginkey",
    // The first name's letters as a search compares them.
    "qwyndolfanandertal",
];

/// An event with a question.
async fn create(address: SocketAddr, slug: &str, more: Value) -> Value {
    let mut event = json!({
        "slug": slug, "title": "Gala", "capacity": null, "waitlist": true, "max_party_size": 5,
        "questions": [{ "key": "diet", "label": "Diet", "kind": "text" }],
    });
    let settings = event.as_object_mut().expect("an object");
    settings.extend(more.as_object().expect("settings").clone());
    let created = organise(address, "POST", "/api/v1/events", &event).await;
    assert_eq!(created.status, 201, "{}", created.body);
    created.json()
}

async fn register(address: SocketAddr, slug: &str, body: &Value, key: Option<&str>) -> Value {
    let mut headers = vec![JSON];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    let path = format!("/api/v1/events/{slug}/registrations");
    let answer = call(address, "POST", &path, &headers, &body.to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}

async fn own(address: SocketAddr, method: &str, registration: &Value, rest: &str) -> Answer {
    let token = registration["token"].as_str().expect("a token");
    let path = format!("/api/v1/registrations/{token}{rest}");
    call(address, method, &path, &[], "").await
}

async fn count(address: SocketAddr, slug: &str) -> Value {
    let path = format!("/api/v1/events/{slug}");
    let mut count = call(address, "GET", &path, &[], "").await.json();
    // Erasing is a change, and counts as one.
    for moving in ["revision", "position", "at"] {
        count[moving] = Value::Null;
    }
    count
}
