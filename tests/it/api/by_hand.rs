//! The organiser adds a person, corrects a registration, and gives a cancelled place back.

use serde_json::{Value, json};

use super::super::support::app::{Answer, App};
use super::{JSON, bearer, fields, refused};

const LIST: &str = "/api/v1/events/gala/registrations";
const ADD: &str = "/api/v1/events/gala/registrations/add";

async fn gala(settings: Value) -> App {
    let app = App::sqlite().await;
    let mut new = json!({ "slug": "gala", "title": "Gala", "capacity": 2, "max_party_size": 5 });
    for (name, value) in settings.as_object().unwrap() {
        new[name] = value.clone();
    }
    let created = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(created.status, 201, "{}", created.body);
    app
}

async fn add(app: &App, body: Value) -> Answer {
    app.organise("POST", ADD, &body).await
}

async fn count(app: &App) -> (u64, u64, u64) {
    let count = app.get("/api/v1/events/gala").await.json();
    let number = |field: &str| count[field].as_u64().unwrap();
    (number("registered"), number("waiting"), number("over_by"))
}

async fn actions(app: &App) -> Vec<String> {
    let audit = app
        .organise("GET", "/api/v1/events/gala/audit", &Value::Null)
        .await
        .json();
    let entries = audit["entries"].as_array().unwrap().iter();
    entries
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_organiser_adds_somebody_who_has_no_address_while_the_event_is_closed() {
    let app = gala(json!({ "capacity": 3 })).await;
    let close = json!({ "closed": true });
    app.organise("PATCH", "/api/v1/events/gala", &close).await;
    for body in [
        json!({ "name": "Ada" }),
        json!({ "name": "Ada", "email": null }),
        json!({ "name": "Bob", "email": "bob@example.org", "party_size": 1, "over_capacity": false }),
    ] {
        let added = add(&app, body).await;
        assert_eq!(added.status, 201, "{}", added.body);
        let shown = added.json();
        assert_eq!(
            (&shown["status"], &shown["added_by"]),
            (&json!("confirmed"), &json!("token"))
        );
        let own = format!("/api/v1/registrations/{}", shown["token"].as_str().unwrap());
        assert_eq!(app.get(&own).await.json()["added_by"], "token");
        assert!(added.header("location").is_some());
    }
    refused(
        &app.register("gala", "Eve", "eve@example.org").await,
        409,
        "event-closed",
    );
    let list = app.organise("GET", LIST, &Value::Null).await.json();
    let rows = list["registrations"].as_array().unwrap();
    let emails: Vec<_> = rows.iter().map(|row| &row["email"]).collect();
    assert_eq!(
        emails,
        [&Value::Null, &Value::Null, &json!("bob@example.org")]
    );
    assert!(rows.iter().all(|row| row["added_by"] == "token"));
    let csv = app
        .organise("GET", &format!("{LIST}.csv"), &Value::Null)
        .await;
    assert!(csv.body.contains("\r\n1,Ada,,confirmed,"), "{}", csv.body);
    assert!(csv.body.contains(",1,token\r\n"), "{}", csv.body);
    let added = add(&app, json!({ "name": "Cy", "over_capacity": true })).await;
    let page = format!("/r/{}", added.json()["token"].as_str().unwrap());
    assert_eq!(app.get(&page).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_over_capacity_the_ordinary_rules_hold() {
    let app = gala(json!({})).await;
    add(
        &app,
        json!({ "name": "Two", "party_size": 2, "email": "two@example.org" }),
    )
    .await;
    let full = add(&app, json!({ "name": "Ada" })).await;
    refused(&full, 409, "event-full");
    assert_eq!(full.json()["remaining"], 0);
    for (body, wrong) in [
        (json!({}), vec!["name"]),
        (json!({ "name": "Ada", "email": "" }), vec!["email"]),
        (
            json!({ "name": "Ada", "email": "nobody", "party_size": 0 }),
            vec!["email", "party_size"],
        ),
        (
            json!({ "name": "Ada", "party_size": 6 }),
            vec!["party_size"],
        ),
        (
            json!({ "name": "Ada", "over_capacity": "yes" }),
            vec!["over_capacity"],
        ),
        (
            json!({ "name": "Ada", "answers": { "zoo": 1 } }),
            vec!["answers.zoo"],
        ),
    ] {
        assert_eq!(fields(&add(&app, body.clone()).await), wrong, "{body}");
    }
    // The organiser learns that the address is registered, whether or not places are free.
    let twice = json!({ "name": "Two", "email": "TWO@example.org" });
    refused(&add(&app, twice).await, 409, "already-registered");
    assert_eq!(
        (count(&app).await, actions(&app).await),
        ((2, 0, 0), vec!["add".to_owned(), "create".to_owned()])
    );

    let app = gala(json!({ "waitlist": true })).await;
    add(&app, json!({ "name": "Two", "party_size": 2 })).await;
    let waits = add(&app, json!({ "name": "Ada" })).await.json();
    assert_eq!(
        (&waits["status"], &waits["waiting_position"]),
        (&json!("waiting"), &json!(1))
    );
    let forced = add(
        &app,
        json!({ "name": "Bob", "party_size": 3, "over_capacity": true }),
    )
    .await;
    assert_eq!(forced.json()["status"], "confirmed");
    assert_eq!(count(&app).await, (5, 1, 3));
    let audit = app
        .organise("GET", "/api/v1/events/gala/audit", &Value::Null)
        .await
        .json();
    assert_eq!(
        (
            &audit["entries"][0]["action"],
            &audit["entries"][0]["after"]["over_capacity"]
        ),
        (&json!("add"), &json!(true))
    );
    // Nobody is promoted until it fits again.
    let path = format!("{LIST}/{}", forced.json()["id"].as_str().unwrap());
    let smaller = app
        .organise("PATCH", &path, &json!({ "party_size": 1 }))
        .await;
    assert_eq!((smaller.status, count(&app).await), (200, (3, 1, 1)));
    app.organise("DELETE", &path, &Value::Null).await;
    assert_eq!(count(&app).await, (2, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn required_questions_may_stay_unanswered() {
    let questions = json!([
        { "key": "diet", "label": "Diet", "kind": "choice", "required": true, "options": ["any", "vegan"] },
        { "key": "rules", "label": "Rules", "kind": "checkbox", "required": true },
    ]);
    let app = gala(json!({ "questions": questions })).await;
    refused(
        &app.register("gala", "Eve", "eve@example.org").await,
        422,
        "validation-failed",
    );
    let added = add(
        &app,
        json!({ "name": "Ada", "answers": { "rules": false } }),
    )
    .await;
    assert_eq!((added.status, &added.json()["answers"]), (201, &json!({})));
    assert_eq!(
        fields(
            &add(
                &app,
                json!({ "name": "Bob", "answers": { "diet": "soup" } })
            )
            .await
        ),
        ["answers.diet"]
    );
    let path = format!("{LIST}/{}", added.json()["id"].as_str().unwrap());
    let answers = json!({ "answers": { "diet": "vegan" } });
    let corrected = app.organise("PATCH", &path, &answers).await;
    assert_eq!(corrected.json()["answers"], json!({ "diet": "vegan" }));
    let answers = json!({ "answers": { "diet": null } });
    let corrected = app.organise("PATCH", &path, &answers).await;
    assert_eq!(
        (corrected.status, &corrected.json()["answers"]),
        (200, &json!({}))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_key_adds_one_person() {
    let app = gala(json!({})).await;
    let bearer = bearer();
    let call = async |body: Value| {
        let headers = [JSON, ("authorization", &*bearer), ("idempotency-key", "k1")];
        app.call("POST", ADD, &headers, &body.to_string()).await
    };
    let first = call(json!({ "name": "Ada" })).await;
    let again = call(json!({ "name": "Ada" })).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json()["token"], again.json()["token"]);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    refused(
        &call(json!({ "name": "Bob" })).await,
        422,
        "idempotency-mismatch",
    );
    assert_eq!(count(&app).await, (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_organiser_adds_corrects_and_restores() {
    let app = gala(json!({})).await;
    let ada = app.register("gala", "Ada", "ada@example.org").await.json();
    let own = format!("{LIST}/{}", ada["id"].as_str().unwrap());
    let body = json!({ "name": "Eve" }).to_string();
    for (method, path) in [
        ("POST", ADD.to_owned()),
        ("PATCH", own.clone()),
        ("POST", format!("{own}/restore")),
    ] {
        let answer = app.call(method, &path, &[JSON], &body).await;
        refused(&answer, 401, "unauthorized");
    }
    for id in ["7-1-1", "nothing", "1-1-9"] {
        let path = format!("{LIST}/{id}");
        let name = json!({ "name": "Eve" });
        refused(
            &app.organise("PATCH", &path, &name).await,
            404,
            "registration-not-found",
        );
        let path = format!("{path}/restore");
        refused(
            &app.organise("POST", &path, &Value::Null).await,
            404,
            "registration-not-found",
        );
    }
    assert_eq!(count(&app).await, (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_organiser_corrects_by_the_rules_of_the_visitor() {
    let app = gala(json!({ "waitlist": true, "capacity": 3 })).await;
    let ada = app.register("gala", "Ada", "ada@example.org").await.json();
    let path = format!("{LIST}/{}", ada["id"].as_str().unwrap());
    let correct = async |body: Value| app.organise("PATCH", &path, &body).await;
    let corrected = correct(json!({ "name": "Ada Lovelace", "party_size": 3 })).await;
    assert_eq!(
        (
            corrected.status,
            &corrected.json()["name"],
            &corrected.json()["party_size"]
        ),
        (200, &json!("Ada Lovelace"), &json!(3))
    );
    assert_eq!(count(&app).await, (3, 0, 0));
    assert_eq!(actions(&app).await[0], "change");
    refused(
        &correct(json!({ "party_size": 4 })).await,
        409,
        "event-full",
    );
    assert_eq!(
        fields(&correct(json!({ "party_size": 6 })).await),
        ["party_size"]
    );
    assert_eq!(fields(&correct(json!({ "name": "" })).await), ["name"]);
    // Somebody who waits is shown with the place in the list.
    let bob = app.register("gala", "Bob", "bob@example.org").await.json();
    let path = format!("{LIST}/{}", bob["id"].as_str().unwrap());
    let renamed = app
        .organise("PATCH", &path, &json!({ "name": "Rob" }))
        .await;
    assert_eq!(renamed.json()["waiting_position"], 1);
    let bearer = bearer();
    let stale = [
        JSON,
        ("authorization", &*bearer),
        ("if-match", "\"aaaaaaaa-1\""),
    ];
    let name = json!({ "name": "Bob" }).to_string();
    refused(
        &app.call("PATCH", &path, &stale, &name).await,
        412,
        "changed-meanwhile",
    );
    app.organise("DELETE", &path, &Value::Null).await;
    let cancelled = app
        .organise("PATCH", &path, &json!({ "name": "Bob" }))
        .await;
    refused(&cancelled, 409, "registration-cancelled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_place_is_restored_if_it_is_free() {
    let app = gala(json!({})).await;
    let ada = app.register("gala", "Ada", "ada@example.org").await.json();
    let own = format!("/api/v1/registrations/{}", ada["token"].as_str().unwrap());
    app.call("DELETE", &own, &[], "").await;
    let path = format!("{LIST}/{}/restore", ada["id"].as_str().unwrap());
    for _ in 0..2 {
        let restored = app.organise("POST", &path, &Value::Null).await;
        assert_eq!(
            (restored.status, &restored.json()["status"]),
            (200, &json!("confirmed"))
        );
    }
    assert_eq!(count(&app).await, (1, 0, 0));
    assert_eq!(actions(&app).await, ["restore", "cancel", "create"]);
    assert_eq!(app.get(&own).await.json()["status"], "confirmed");

    app.call("DELETE", &own, &[], "").await;
    for person in ["bob", "cem"] {
        app.register("gala", person, &format!("{person}@example.org"))
            .await;
    }
    let full = app.organise("POST", &path, &Value::Null).await;
    refused(&full, 409, "event-full");
    let more = json!({ "capacity": 5 });
    app.organise("PATCH", "/api/v1/events/gala", &more).await;
    app.register("gala", "Ada", "ada@example.org").await;
    let again = app.organise("POST", &path, &Value::Null).await;
    refused(&again, 409, "already-registered");
    assert_eq!(count(&app).await, (3, 0, 0));
}
