//! Tokens, the names of accounts and tokens, and the log of who changed them.

use serde_json::{Value, json};

use super::super::support::app::App;
use super::access::{account, token};
use super::accounts::{ACCOUNTS, SESSIONS, TOKENS, both};
use super::{fields, form};

/// A program goes on working when a colleague leaves. Owners see who made its token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_outlives_the_account_that_made_it_and_names_its_maker() {
    both(async |app| {
        let ada = account(&app, "ada", "owner").await;
        let new = json!({ "name": "nightly", "scopes": ["read"] });
        let made = ada.call(&app, "POST", TOKENS, &new).await.json();
        let secret = format!("Bearer {}", made["token"].as_str().unwrap());
        let list = app.organise("GET", ACCOUNTS, &Value::Null).await.json();
        let path = format!("{ACCOUNTS}/{}", list["accounts"][1]["id"].as_str().unwrap());
        assert_eq!(
            app.organise("DELETE", &path, &Value::Null).await.status,
            204
        );
        assert_eq!(
            ada.call(&app, "GET", TOKENS, &Value::Null).await.status,
            401
        );
        let reads = async || {
            let path = "/api/v1/events/welcome/registrations";
            let headers = [("authorization", secret.as_str())];
            app.call("GET", path, &headers, "").await.status
        };
        assert_eq!(reads().await, 200);
        let listed = app.organise("GET", TOKENS, &Value::Null).await.json();
        assert_eq!(listed["tokens"][0]["created_by"], "account:ada");
        let path = format!("{TOKENS}/{}", made["id"].as_str().unwrap());
        assert_eq!(
            app.organise("DELETE", &path, &Value::Null).await.status,
            204
        );
        assert_eq!(reads().await, 401);
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_look_like_others_are_refused() {
    let app = App::sqlite().await;
    for name in [
        "ow\u{ad}ner",
        "ow\u{34f}ner",
        "\u{43e}wner",
        "Ad\u{430}",
        "a\u{200d}b",
    ] {
        let new = json!({ "name": name, "role": "viewer" });
        let refused = app.organise("POST", ACCOUNTS, &new).await;
        assert_eq!(fields(&refused), ["name"], "{name:?}");
        let new = json!({ "name": name, "scopes": ["read"] });
        let refused = app.organise("POST", TOKENS, &new).await;
        assert_eq!(fields(&refused), ["name"], "{name:?}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_event_takes_its_tokens_along() {
    both(async |app| {
        app.event("gala", 5).await;
        token(&app, "gala", json!({ "scopes": ["read"], "event": "gala" })).await;
        token(&app, "every", json!({ "scopes": ["read"] })).await;
        let gone = app
            .organise("DELETE", "/api/v1/events/gala?confirm=gala", &Value::Null)
            .await;
        assert_eq!(gone.status, 204);
        let tokens = app.organise("GET", TOKENS, &Value::Null).await.json();
        let names: Vec<_> = tokens["tokens"]
            .as_array()
            .unwrap()
            .iter()
            .map(|each| each["name"].clone())
            .collect();
        assert_eq!(names, ["every"]);
        app.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_servers_log_says_who_changed_accounts_tokens_and_sessions() {
    both(async |app| {
        let boss = account(&app, "boss", "owner").await;
        let new = json!({ "name": "eve", "role": "viewer" });
        let made = boss.call(&app, "POST", ACCOUNTS, &new).await.json();
        let eve = format!("{ACCOUNTS}/{}", made["id"].as_str().unwrap());
        let role = json!({ "role": "manager" });
        assert_eq!(boss.call(&app, "PATCH", &eve, &role).await.status, 200);
        // What changes nothing is no entry.
        assert_eq!(boss.call(&app, "PATCH", &eve, &role).await.status, 200);
        let renewed = boss
            .call(&app, "POST", &format!("{eve}/link"), &json!({}))
            .await;
        let link = renewed.json()["link"].as_str().unwrap().to_owned();
        let path = &link[link.find("/admin/").unwrap()..];
        assert_eq!(
            form(&app, path, &[], "password=correct+horse").await.status,
            303
        );
        let wanted = json!({ "name": "import", "scopes": ["read"] });
        let token = app.organise("POST", TOKENS, &wanted).await.json();
        let secret = token["token"].as_str().unwrap().to_owned();
        let token = format!("{TOKENS}/{}", token["id"].as_str().unwrap());
        assert_eq!(
            boss.call(&app, "DELETE", &token, &json!({})).await.status,
            204
        );
        assert_eq!(
            boss.call(&app, "DELETE", &eve, &json!({})).await.status,
            204
        );
        assert_eq!(
            boss.call(&app, "DELETE", SESSIONS, &json!({})).await.status,
            204
        );

        let log = app
            .organise("GET", "/api/v1/audit?limit=9", &Value::Null)
            .await;
        let (text, log) = (log.body.clone(), log.json());
        let entries = log["entries"].as_array().unwrap().iter();
        let did: Vec<_> = entries
            .map(|entry| {
                (
                    entry["who"].as_str().unwrap(),
                    entry["action"].as_str().unwrap(),
                )
            })
            .collect();
        assert_eq!(
            did,
            [
                ("account:boss", "sessions-end"),
                ("account:boss", "account-delete"),
                ("account:boss", "token-delete"),
                ("token", "token-create"),
                ("account:eve", "account-password"),
                ("account:boss", "account-link"),
                ("account:boss", "account-edit"),
                ("account:boss", "account-create"),
                ("account:boss", "account-password"),
            ]
        );
        assert_eq!(log["entries"][6]["before"]["role"], "viewer");
        assert_eq!(log["entries"][6]["after"]["role"], "manager");
        for hidden in [
            &secret,
            path.rsplit('/').next().unwrap(),
            "argon2",
            "correct",
        ] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
        let after = log["next"].as_str().expect("another page");
        let rest = app
            .organise("GET", &format!("/api/v1/audit?after={after}"), &Value::Null)
            .await;
        assert_eq!(rest.json()["entries"][0]["action"], "account-create");
        app.stop().await;
    })
    .await;
}
