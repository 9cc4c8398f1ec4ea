//! The API, call by call, over real sockets.

mod access;
mod accounts;
mod by_hand;
mod calendar;
mod console;
mod desk;
mod details;
mod document;
mod drafts;
mod erasing;
mod groups;
mod import;
mod lists;
mod organising;
mod people;
mod preconditions;
mod proof;
mod questions;
mod reading;
mod refusals;
mod registering;
mod secrets;
mod series;
mod tokens;
mod unavailable;
mod when_and_where;

use headcount::context::Peer;
use serde_json::Value;

use super::support::app::{Answer, App, TOKEN};

/// A client without a proxy.
const HERE: Peer = Peer {
    ip: std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)),
    secure: false,
};

/// JSON is sent.
const JSON: (&str, &str) = ("content-type", "application/json");

/// The organiser's header.
fn bearer() -> String {
    format!("Bearer {TOKEN}")
}

/// A registration with an idempotency key.
async fn register_with_key(app: &App, slug: &str, key: &str, body: &Value) -> Answer {
    app.call(
        "POST",
        &format!("/api/v1/events/{slug}/registrations"),
        &[JSON, ("idempotency-key", key)],
        &body.to_string(),
    )
    .await
}

/// A form, as a browser without JavaScript sends it.
async fn form(app: &App, path: &str, headers: &[(&str, &str)], fields: &str) -> Answer {
    let headers: Vec<_> = [("content-type", "application/x-www-form-urlencoded")]
        .into_iter()
        .chain(headers.iter().copied())
        .collect();
    app.call("POST", path, &headers, fields).await
}

#[track_caller]
fn fields(answer: &Answer) -> Vec<String> {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (422, "validation-failed"),
        "{}",
        answer.body
    );
    answer.json()["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["field"].as_str().expect("a field").to_owned())
        .collect()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{}",
        answer.body
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let problem = answer.json();
    assert_eq!(
        (&problem["status"], &problem["type"]),
        (&status.into(), &format!("/problems#{code}").into())
    );
    assert!(
        problem["title"].is_string() && problem["detail"].is_string(),
        "{problem}"
    );
}
