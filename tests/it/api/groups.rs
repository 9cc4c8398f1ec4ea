//! Registrations for several people, call by call.

use serde_json::{Value, json};

use super::super::support::app::{Answer, App};
use super::{JSON, fields, form, refused, register_with_key};

async fn gala(capacity: u32, waitlist: bool) -> App {
    let app = App::sqlite().await;
    let new = json!({ "slug": "gala", "title": "Gala", "capacity": capacity, "waitlist": waitlist, "max_party_size": 5 });
    let created = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(
        (created.status, &created.json()["max_party_size"]),
        (201, &json!(5))
    );
    app
}

async fn come(app: &App, person: &str, people: impl Into<Value>) -> Answer {
    let body = json!({ "name": person, "email": format!("{person}@example.org"), "party_size": people.into() });
    let path = "/api/v1/events/gala/registrations";
    app.call("POST", path, &[JSON], &body.to_string()).await
}

async fn change(app: &App, registration: &Answer, headers: &[(&str, &str)], body: Value) -> Answer {
    let token = registration.json()["token"].as_str().unwrap().to_owned();
    let headers: Vec<_> = [JSON].into_iter().chain(headers.iter().copied()).collect();
    let path = format!("/api/v1/registrations/{token}");
    app.call("PATCH", &path, &headers, &body.to_string()).await
}

async fn count(app: &App) -> (u64, u64, u64, String) {
    let count = app.get("/api/v1/events/gala").await.json();
    let number = |field: &str| count[field].as_u64().unwrap();
    let state = count["state"].as_str().unwrap().to_owned();
    (
        number("registered"),
        number("remaining"),
        number("waiting"),
        state,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_party_gets_all_its_places_or_409_with_what_is_left() {
    let app = gala(5, false).await;
    let first = come(&app, "ada", 3).await;
    assert_eq!(
        (first.status, &first.json()["party_size"]),
        (201, &json!(3))
    );
    assert_eq!(first.json()["waiting_for"], Value::Null);
    let full = come(&app, "bob", 3).await;
    refused(&full, 409, "event-full");
    assert_eq!(full.json()["remaining"], 2);
    assert_eq!(count(&app).await, (3, 2, 0, "open".to_owned()));
    let form = form(
        &app,
        "/api/v1/events/gala/registrations",
        &[],
        "name=Cem&email=cem%40example.org&party_size=2",
    )
    .await;
    assert_eq!((form.status, &form.json()["party_size"]), (201, &json!(2)));
    let full = come(&app, "dan", 1).await;
    assert_eq!(full.json()["remaining"], 0);
    let list = app
        .organise("GET", "/api/v1/events/gala/registrations", &Value::Null)
        .await;
    let sizes = list.json()["registrations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["party_size"].clone())
        .collect::<Vec<_>>();
    assert_eq!(sizes, [3, 2]);
    let csv = app
        .organise("GET", "/api/v1/events/gala/registrations.csv", &Value::Null)
        .await;
    assert!(
        csv.body.contains(",id,party_size,added_by\r\n") && csv.body.contains("-1-1,3,\r\n"),
        "{}",
        csv.body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_party_size_is_a_whole_number_up_to_the_events_limit() {
    let app = gala(50, false).await;
    for bad in [
        json!(0),
        json!(-1),
        json!(6),
        json!(21),
        json!(1.5),
        json!("2"),
        json!(true),
        json!(null),
        json!([2]),
    ] {
        assert_eq!(
            fields(&come(&app, "ada", bad.clone()).await),
            ["party_size"],
            "{bad}"
        );
    }
    let several = json!({ "name": "", "email": "nobody", "party_size": 6 });
    let answer = app
        .call(
            "POST",
            "/api/v1/events/gala/registrations",
            &[JSON],
            &several.to_string(),
        )
        .await;
    assert_eq!(fields(&answer), ["name", "email", "party_size"]);
    let one = app.register("gala", "Ada", "ada@example.org").await;
    assert_eq!(one.json()["party_size"], 1);
    for bad in [json!(0), json!(21), json!("3"), json!(null)] {
        let edit = app
            .organise(
                "PATCH",
                "/api/v1/events/gala",
                &json!({ "max_party_size": bad }),
            )
            .await;
        assert_eq!(fields(&edit), ["max_party_size"], "{bad}");
    }
    let item = app.get("/api/v1/events/gala/details").await.json();
    assert_eq!(item["max_party_size"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_group_learns_why_it_waits() {
    let app = gala(5, true).await;
    let first = come(&app, "ada", 3).await;
    let head = come(&app, "bob", 3).await;
    assert_eq!(
        head.json()["waiting_for"],
        json!({ "remaining": 2, "party_size": 3 })
    );
    assert_eq!(
        (&head.json()["status"], &head.json()["waiting_position"]),
        (&json!("waiting"), &json!(1))
    );
    let next = come(&app, "cem", 1).await;
    assert_eq!(next.json()["waiting_position"], 2);
    assert_eq!(
        next.json()["waiting_for"],
        json!({ "remaining": 2, "party_size": 3 })
    );
    assert_eq!(count(&app).await, (3, 2, 4, "waitlist".to_owned()));
    refused(&come(&app, "dan", 6).await, 422, "validation-failed");
    let edit = json!({ "max_party_size": 20 });
    assert_eq!(
        app.organise("PATCH", "/api/v1/events/gala", &edit)
            .await
            .status,
        200
    );
    refused(&come(&app, "dan", 6).await, 409, "event-full");

    // Smaller frees a place, and the group behind the free places gets them.
    let smaller = change(&app, &first, &[], json!({ "party_size": 2 })).await;
    assert_eq!(
        (smaller.status, &smaller.json()["party_size"]),
        (200, &json!(2))
    );
    assert_eq!(count(&app).await, (5, 0, 1, "waitlist".to_owned()));
    let token = head.json()["token"].as_str().unwrap().to_owned();
    let promoted = app
        .get(&format!("/api/v1/registrations/{token}"))
        .await
        .json();
    assert_eq!(
        (&promoted["status"], &promoted["waiting_for"]),
        (&json!("confirmed"), &Value::Null)
    );
    let log = app.get("/api/v1/events/gala/changes").await.json();
    let kinds: Vec<_> = log["changes"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .take(2)
        .map(|change| change["kind"].clone())
        .collect();
    assert_eq!(kinds, ["promoted", "changed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_changes_its_party_and_its_name() {
    let app = gala(6, true).await;
    let ada = come(&app, "ada", 2).await;
    let larger = change(&app, &ada, &[], json!({ "party_size": 4, "name": "Ada L" })).await;
    assert_eq!(
        (larger.status, &larger.json()["name"]),
        (200, &json!("Ada L"))
    );
    refused(
        &change(&app, &ada, &[], json!({ "party_size": 6 })).await,
        422,
        "validation-failed",
    );
    let bob = come(&app, "bob", 3).await;
    let full = change(&app, &ada, &[], json!({ "party_size": 5 })).await;
    refused(&full, 409, "event-full");
    assert_eq!(full.json()["remaining"], 2);
    refused(
        &change(&app, &bob, &[], json!({ "party_size": 4 })).await,
        409,
        "event-full",
    );
    assert_eq!(
        fields(&change(&app, &bob, &[], json!({ "party_size": "x", "name": " " })).await),
        ["name", "party_size"]
    );
    let smaller = change(&app, &bob, &[], json!({ "party_size": 2 })).await;
    assert_eq!(
        (smaller.status, &smaller.json()["status"]),
        (200, &json!("confirmed"))
    );
    let same = change(&app, &bob, &[], json!({})).await;
    assert_eq!((same.status, same.json()), (200, smaller.json()));
    let token = bob.json()["token"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/registrations/{token}");
    assert_eq!(app.call("DELETE", &path, &[], "").await.status, 200);
    refused(
        &change(&app, &bob, &[], json!({ "party_size": 1 })).await,
        409,
        "registration-cancelled",
    );
    let forged = path[..path.len() - 1].to_owned() + if path.ends_with('a') { "b" } else { "a" };
    refused(
        &app.call("PATCH", &forged, &[JSON], "{}").await,
        404,
        "registration-not-found",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_compares_with_the_registrations_own_position() {
    let app = gala(6, true).await;
    let ada = come(&app, "ada", 3).await;
    let tag = |answer: &Answer| format!("{:?}", answer.json()["position"].as_str().unwrap());
    let own = tag(&ada);
    come(&app, "bob", 1).await;
    let first = change(
        &app,
        &ada,
        &[("if-match", &own)],
        json!({ "party_size": 2 }),
    )
    .await;
    assert_eq!(first.status, 200, "{}", first.body);
    let again = change(
        &app,
        &ada,
        &[("if-match", &own)],
        json!({ "party_size": 1 }),
    )
    .await;
    refused(&again, 412, "changed-meanwhile");
    let newest = change(
        &app,
        &ada,
        &[("if-match", &tag(&first))],
        json!({ "party_size": 1 }),
    )
    .await;
    assert_eq!((newest.status, count(&app).await.0), (200, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_belongs_to_one_party_size() {
    let app = gala(6, true).await;
    let body =
        |people: u32| json!({ "name": "Ada", "email": "ada@example.org", "party_size": people });
    let first = register_with_key(&app, "gala", "k", &body(3)).await;
    assert_eq!(first.status, 201);
    refused(
        &register_with_key(&app, "gala", "k", &body(2)).await,
        422,
        "idempotency-mismatch",
    );
    let again = register_with_key(&app, "gala", "k", &body(3)).await;
    assert_eq!(
        (again.header("idempotency-replayed"), again.json()),
        (Some("true"), first.json())
    );
    assert_eq!(count(&app).await.0, 3);
}
