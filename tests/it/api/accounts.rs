//! Accounts, their links and sessions, and tokens.

use serde_json::{Value, json};

use super::super::support::app::{App, Database, PASSWORD};
use super::access::{Caller, account, cookie, token};
use super::{fields, form, refused};

pub(super) const ACCOUNTS: &str = "/api/v1/accounts";
pub(super) const SESSIONS: &str = "/api/v1/sessions";
pub(super) const TOKENS: &str = "/api/v1/tokens";

async fn sign_in(app: &App, name: &str, password: &str) -> Option<Caller> {
    let fields = format!("name={name}&password={}", password.replace(' ', "+"));
    let answer = form(app, "/admin/login", &[], &fields).await;
    (answer.status == 303).then(|| Caller {
        who: "signed in",
        proof: ("cookie", cookie(&answer)),
    })
}

pub(super) async fn both(check: impl AsyncFn(App)) {
    use headcount::domain::clock::Clock;
    for database in [Database::Sqlite, Database::Postgres] {
        check(App::start(database, &[], Clock::System).await).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_sets_its_password_once_and_signs_in_by_its_name() {
    both(async |app| {
        let new = json!({ "name": "Ada", "role": "manager" });
        let made = app.organise("POST", ACCOUNTS, &new).await.json();
        assert_eq!(
            (&made["name"], &made["role"], &made["has_password"]),
            (&json!("Ada"), &json!("manager"), &json!(false))
        );
        let link = made["link"].as_str().unwrap();
        let path = &link[link.find("/admin/").unwrap()..];
        assert!(sign_in(&app, "ada", "").await.is_none(), "no password yet");
        assert_eq!(app.get(path).await.status, 200);
        assert_eq!(form(&app, path, &[], "password=short").await.status, 422);
        assert_eq!(
            form(&app, path, &[], "password=correct+horse").await.status,
            303
        );
        assert_eq!(app.get(path).await.status, 404, "it works once");
        assert_eq!(
            form(&app, path, &[], "password=another+horse").await.status,
            404
        );
        for (name, password, is_in) in [
            ("ada", "correct horse", true),
            ("ADA", "correct horse", true),
            ("ada", "another horse", false),
            ("ada", PASSWORD, false),
            ("nobody", "correct horse", false),
            ("nobody", PASSWORD, false),
            ("", PASSWORD, true),
            ("owner", PASSWORD, true),
            ("", "correct horse", false),
        ] {
            let signed_in = sign_in(&app, name, password).await;
            assert_eq!(signed_in.is_some(), is_in, "{name} {password}");
        }
        let ada = sign_in(&app, "ada", "correct horse").await.unwrap();
        let edit = json!({ "capacity": 7 });
        ada.call(&app, "PATCH", "/api/v1/events/welcome", &edit)
            .await;
        let audit = app
            .organise("GET", "/api/v1/events/welcome/audit?limit=1", &Value::Null)
            .await;
        assert_eq!(audit.json()["entries"][0]["who"], "account:Ada");
        let list = app.organise("GET", ACCOUNTS, &Value::Null).await.json();
        let names: Vec<_> = list["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|each| each["name"].clone())
            .collect();
        assert_eq!(names, ["owner", "Ada"]);
        assert!(list["accounts"][1].get("link").is_none(), "shown once");
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_role_a_new_link_and_a_deletion_hold_at_once() {
    both(async |app| {
        let ada = account(&app, "ada", "manager").await;
        let list = app.organise("GET", ACCOUNTS, &Value::Null).await.json();
        let path = format!("{ACCOUNTS}/{}", list["accounts"][1]["id"].as_str().unwrap());
        let edit = || json!({ "capacity": 7 });
        let edits = async |ada: &Caller| {
            ada.call(&app, "PATCH", "/api/v1/events/welcome", &edit())
                .await
                .status
        };
        assert_eq!(edits(&ada).await, 200);
        let lower = app
            .organise("PATCH", &path, &json!({ "role": "viewer" }))
            .await;
        assert_eq!(
            (lower.status, &lower.json()["role"]),
            (200, &json!("viewer"))
        );
        assert_eq!(edits(&ada).await, 403);
        let renamed = app
            .organise(
                "PATCH",
                &path,
                &json!({ "name": "Countess", "role": "manager" }),
            )
            .await;
        assert_eq!(renamed.json()["name"], "Countess");
        assert_eq!(edits(&ada).await, 200);

        let renewed = app
            .organise("POST", &format!("{path}/link"), &Value::Null)
            .await;
        let link = renewed.json()["link"].as_str().unwrap().to_owned();
        assert_eq!(edits(&ada).await, 200, "until the link is used");
        let page = &link[link.find("/admin/").unwrap()..];
        assert_eq!(
            form(&app, page, &[], "password=battery+staple")
                .await
                .status,
            303
        );
        assert_eq!(edits(&ada).await, 401, "a new password ends the sessions");
        let ada = sign_in(&app, "countess", "battery staple").await.unwrap();
        assert_eq!(edits(&ada).await, 200);
        assert_eq!(
            app.organise("DELETE", &path, &Value::Null).await.status,
            204
        );
        assert_eq!(edits(&ada).await, 401);
        assert!(sign_in(&app, "countess", "battery staple").await.is_none());
        refused(
            &app.organise("DELETE", &path, &Value::Null).await,
            404,
            "not-found",
        );
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_name_their_field() {
    let app = App::sqlite().await;
    let post = async |path, body| app.organise("POST", path, &body).await;
    assert_eq!(fields(&post(ACCOUNTS, json!({})).await), ["name", "role"]);
    assert_eq!(
        fields(&post(ACCOUNTS, json!({ "name": "", "role": "king" })).await),
        ["name", "role"]
    );
    assert_eq!(
        fields(&post(ACCOUNTS, json!({ "name": "ada", "role": "door" })).await),
        ["role"]
    );
    assert_eq!(
        post(ACCOUNTS, json!({ "name": "ada", "role": "viewer" }))
            .await
            .status,
        201
    );
    for name in ["ada", "ADA", "owner", "Owner"] {
        refused(
            &post(ACCOUNTS, json!({ "name": name, "role": "viewer" })).await,
            409,
            "name-taken",
        );
    }
    for id in ["0", "999", "x"] {
        let answer = app
            .organise(
                "PATCH",
                &format!("{ACCOUNTS}/{id}"),
                &json!({ "role": "viewer" }),
            )
            .await;
        let (status, code) = if id == "0" {
            (403, "forbidden")
        } else {
            (404, "not-found")
        };
        refused(&answer, status, code);
    }
    assert_eq!(fields(&post(TOKENS, json!({})).await), ["name", "scopes"]);
    for scopes in [json!([]), json!("read"), json!(["own"]), json!(["read", 1])] {
        assert_eq!(
            fields(&post(TOKENS, json!({ "name": "t", "scopes": scopes })).await),
            ["scopes"]
        );
    }
    for (more, field) in [
        (json!({ "event": "none" }), "event"),
        (json!({ "event": "NO SLUG" }), "event"),
        (json!({ "event": 1 }), "event"),
        (
            json!({ "expires_at": "2020-01-01T00:00:00Z" }),
            "expires_at",
        ),
        (json!({ "expires_at": "soon" }), "expires_at"),
    ] {
        let mut new = json!({ "name": "t", "scopes": ["read"] });
        new.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        assert_eq!(fields(&post(TOKENS, new).await), [field]);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_lists_and_ends_their_own_sessions() {
    both(async |app| {
        let first = account(&app, "ada", "viewer").await;
        let second = sign_in(&app, "ada", "correct horse").await.unwrap();
        let owner = sign_in(&app, "", PASSWORD).await.unwrap();
        let own = async |caller: &Caller| caller.call(&app, "GET", SESSIONS, &Value::Null).await;
        let listed = own(&second).await.json();
        let rows = listed["sessions"].as_array().unwrap();
        assert_eq!(rows.len(), 2);
        let current = |current: bool| {
            rows.iter().find(|row| row["current"] == current).unwrap()["id"]
                .as_str()
                .unwrap()
        };
        let (this, other) = (current(true), current(false));
        let end = async |caller: &Caller, id: &str| {
            caller
                .call(&app, "DELETE", &format!("{SESSIONS}/{id}"), &Value::Null)
                .await
                .status
        };
        assert_eq!(end(&owner, other).await, 404, "somebody else's");
        assert_eq!(end(&second, other).await, 204);
        assert_eq!(
            (own(&first).await.status, own(&second).await.status),
            (401, 200)
        );
        assert_eq!(end(&second, this).await, 204);
        assert_eq!(own(&second).await.status, 401);

        // The admin token stands for the owner.
        let listed = app.organise("GET", SESSIONS, &Value::Null).await.json();
        assert_eq!(listed["sessions"].as_array().unwrap().len(), 1);
        assert_eq!(
            app.organise("DELETE", SESSIONS, &Value::Null).await.status,
            204
        );
        assert_eq!(own(&owner).await.status, 401);
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_links_stops_no_program_at_the_same_address() {
    let app = App::sqlite().await;
    let wrong = format!("/admin/password/{}", "0".repeat(64));
    let mut last = 0;
    for _ in 0..12 {
        last = app.get(&wrong).await.status;
    }
    assert_eq!(last, 429);
    let program = app.organise("GET", ACCOUNTS, &Value::Null).await;
    assert_eq!(program.status, 200, "{}", program.body);
    let reads = token(&app, "reads", json!({ "scopes": ["read"] })).await;
    let path = "/api/v1/events/welcome/registrations";
    assert_eq!(
        reads.call(&app, "GET", path, &Value::Null).await.status,
        200
    );
    app.stop().await;
}
