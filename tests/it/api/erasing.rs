//! Erasing and keeping data, call by call. `tests/it/erasing` looks for what is left.

use serde_json::{Value, json};

use super::super::support::app::{Answer, App};
use super::{JSON, fields, refused, register_with_key};

async fn own(app: &App, method: &str, registration: &Answer, rest: &str, body: &str) -> Answer {
    let token = registration.json()["token"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/registrations/{token}{rest}");
    app.call(method, &path, &[JSON], body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_erases_once_and_keeps_the_place() {
    let app = App::sqlite().await;
    app.event("gala", 2).await;
    let ada = app.register("gala", "Ada", "ada@example.org").await;
    let first = own(&app, "POST", &ada, "/erase", "").await;
    assert_eq!(first.status, 200, "{}", first.body);
    let (before, now) = (ada.json(), first.json());
    assert_eq!((&now["name"], &now["answers"]), (&json!(""), &json!({})));
    assert!(now["erased_at"].is_string() && before["erased_at"].is_null());
    for kept in ["id", "number", "status", "round", "party_size", "token"] {
        assert_eq!(now[kept], before[kept], "{kept}");
    }
    assert_ne!(now["position"], before["position"], "caches must see it");
    for again in [
        own(&app, "POST", &ada, "/erase", "").await,
        own(&app, "GET", &ada, "", "").await,
    ] {
        assert_eq!((again.status, again.json()), (200, now.clone()));
    }
    assert_eq!(app.get("/api/v1/events/gala").await.json()["registered"], 1);
    // What is gone cannot be written again; the place can still be given back.
    let named = own(&app, "PATCH", &ada, "", r#"{"name":"Ada"}"#).await;
    refused(&named, 409, "registration-erased");
    let cancelled = own(&app, "DELETE", &ada, "", "").await.json();
    assert_eq!(
        (&cancelled["status"], &cancelled["erased_at"]),
        (&json!("cancelled"), &now["erased_at"])
    );
    let again = app.register("gala", "Ada", "ada@example.org").await;
    assert_eq!((again.status, &again.json()["number"]), (201, &json!(2)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_organiser_erases_anybody_of_any_round() {
    let app = App::sqlite().await;
    app.event("gala", 1).await;
    let waiting = json!({ "waitlist": true });
    app.organise("PATCH", "/api/v1/events/gala", &waiting).await;
    let body = json!({ "name": "Ada", "email": "ada@example.org" });
    let ada = register_with_key(&app, "gala", "a key", &body).await;
    let bob = app.register("gala", "Bob", "bob@example.org").await;
    own(&app, "DELETE", &ada, "", "").await;
    app.register("gala", "Cem", "cem@example.org").await;
    let erase = async |row: &Answer| {
        let id = row.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/events/gala/registrations/{id}/erase");
        app.organise("POST", &path, &Value::Null).await
    };
    let erased = erase(&ada).await;
    assert_eq!(erased.status, 200, "{}", erased.body);
    let row = erased.json();
    assert_eq!(
        (&row["name"], &row["email"], &row["status"]),
        (&json!(""), &Value::Null, &json!("cancelled"))
    );
    let again = erase(&ada).await;
    assert_eq!((again.status, again.json()), (200, row));
    // The key is gone as well: it was the person's.
    let same = register_with_key(&app, "gala", "a key", &body).await;
    assert_eq!(same.status, 201);
    assert_ne!(same.json()["id"], ada.json()["id"]);
    app.organise(
        "POST",
        "/api/v1/events/gala/reset",
        &json!({ "confirm": "gala" }),
    )
    .await;
    assert_eq!(erase(&bob).await.json()["status"], "confirmed");
    let list = app
        .organise(
            "GET",
            "/api/v1/events/gala/registrations?round=1&sort=name",
            &Value::Null,
        )
        .await
        .json();
    let names = list["registrations"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["", "", "Ada", "Cem"]);
    let csv = app
        .organise(
            "GET",
            "/api/v1/events/gala/registrations.csv?round=1",
            &Value::Null,
        )
        .await;
    assert!(csv.body.contains("\r\n1,,,cancelled,"), "{}", csv.body);
    let audit = app
        .organise("GET", "/api/v1/events/gala/audit", &Value::Null)
        .await
        .json();
    let erasures = audit["entries"].as_array().unwrap().iter();
    let erasures: Vec<_> = erasures
        .filter(|entry| entry["action"] == "erase")
        .map(|entry| {
            assert_eq!(entry["who"], "token");
            assert!(entry["after"]["erased_at"].is_string(), "{entry}");
            entry["after"]["number"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(erasures, [2, 1], "a second time changes nothing");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_erases() {
    let app = App::sqlite().await;
    app.event("gala", 2).await;
    app.event("ball", 2).await;
    let ada = app.register("gala", "Ada", "ada@example.org").await;
    let (token, id) = (ada.json()["token"].clone(), ada.json()["id"].clone());
    let (token, id) = (token.as_str().unwrap(), id.as_str().unwrap());
    let path = format!("/api/v1/registrations/{token}/erase");
    let foreign = [("sec-fetch-site", "cross-site")];
    refused(
        &app.call("POST", &path, &foreign, "").await,
        403,
        "forbidden",
    );
    let stale = [("if-match", "\"x1y2z3-1\"")];
    refused(
        &app.call("POST", &path, &stale, "").await,
        412,
        "changed-meanwhile",
    );
    let forged = format!("/api/v1/registrations/{id}-{}/erase", "a".repeat(22));
    refused(
        &app.call("POST", &forged, &[], "").await,
        404,
        "registration-not-found",
    );
    let theirs = format!("/api/v1/events/gala/registrations/{id}/erase");
    refused(
        &app.call("POST", &theirs, &[], "").await,
        401,
        "unauthorized",
    );
    for (path, code) in [
        (
            format!("/api/v1/events/ball/registrations/{id}/erase"),
            "registration-not-found",
        ),
        (
            "/api/v1/events/gala/registrations/1-1-99/erase".to_owned(),
            "registration-not-found",
        ),
        (
            format!("/api/v1/events/none/registrations/{id}/erase"),
            "event-not-found",
        ),
    ] {
        refused(&app.organise("POST", &path, &Value::Null).await, 404, code);
    }
    assert_eq!(app.get(&path).await.status, 405);
    let still = app.get(&format!("/api/v1/registrations/{token}")).await;
    assert_eq!(still.json()["name"], "Ada");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_for_keeping_is_a_setting_in_days() {
    let app = App::sqlite().await;
    let mut new = json!({ "slug": "gala", "title": "Gala", "capacity": 1 });
    for bad in [
        json!(0),
        json!(-1),
        json!(3651),
        json!(1.5),
        json!("30"),
        json!(true),
        json!([30]),
        json!(1e20),
    ] {
        new["erase_after_days"] = bad.clone();
        let answer = app.organise("POST", "/api/v1/events", &new).await;
        assert_eq!(fields(&answer), ["erase_after_days"], "{bad}");
    }
    new["erase_after_days"] = json!(3650);
    let created = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(
        (created.status, &created.json()["erase_after_days"]),
        (201, &json!(3650))
    );
    let path = "/api/v1/events/gala";
    for days in [json!(1), Value::Null, json!(30)] {
        let edit = json!({ "erase_after_days": days });
        let edited = app.organise("PATCH", path, &edit).await;
        assert_eq!(edited.json()["erase_after_days"], days, "{}", edited.body);
        let details = app.get(&format!("{path}/details")).await.json();
        assert_eq!(details["erase_after_days"], days);
        let list = app.get("/api/v1/events").await.json();
        let gala = list["events"].as_array().unwrap().iter();
        let gala = gala.filter(|event| event["event"] == "gala");
        let listed: Vec<_> = gala
            .map(|event| event["erase_after_days"].clone())
            .collect();
        assert_eq!(listed, [days]);
    }
    assert_eq!(
        fields(
            &app.organise("PATCH", path, &json!({ "erase_after_days": 0 }))
                .await
        ),
        ["erase_after_days"]
    );
    let other = app
        .organise("PATCH", path, &json!({ "title": "Ball" }))
        .await;
    assert_eq!(
        other.json()["erase_after_days"],
        30,
        "an absent field stays"
    );
    let audit = app
        .organise("GET", &format!("{path}/audit"), &Value::Null)
        .await;
    assert!(
        audit.body.contains("\"erase_after_days\":30"),
        "{}",
        audit.body
    );
    assert!(app.get(path).await.json()["erase_after_days"].is_null());
    app.stop().await;
}
