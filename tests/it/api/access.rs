//! Who may do what: every call of the API, with every role and every scope.

use serde_json::{Value, json};

use super::super::support::app::{Answer, App, PASSWORD};
use super::{JSON, bearer, form, refused};

/// Somebody who sends requests.
pub(super) struct Caller {
    pub(super) who: &'static str,
    /// The header that proves it.
    pub(super) proof: (&'static str, String),
}

impl Caller {
    pub(super) async fn call(&self, app: &App, method: &str, path: &str, body: &Value) -> Answer {
        self.call_with(app, method, path, &[], body).await
    }

    pub(super) async fn call_with(
        &self,
        app: &App,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let own = [
            JSON,
            (self.proof.0, self.proof.1.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        let headers: Vec<_> = own.into_iter().chain(headers.iter().copied()).collect();
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        app.call(method, path, &headers, &body).await
    }
}

/// Makes an account and signs it in through its link.
pub(super) async fn account(app: &App, name: &'static str, role: &str) -> Caller {
    let new = json!({ "name": name, "role": role });
    let made = app.organise("POST", "/api/v1/accounts", &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let link = made.json()["link"].as_str().unwrap().to_owned();
    let path = &link[link.find("/admin/").expect("a page of the console")..];
    let entered = form(app, path, &[], "password=correct+horse").await;
    assert_eq!(entered.status, 303, "{}", entered.body);
    Caller {
        who: name,
        proof: ("cookie", cookie(&entered)),
    }
}

pub(super) fn cookie(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").expect("a cookie");
    cookie.split(';').next().unwrap().to_owned()
}

/// Makes a token.
pub(super) async fn token(app: &App, who: &'static str, more: Value) -> Caller {
    let mut new = json!({ "name": who });
    let members = more.as_object().unwrap().clone();
    new.as_object_mut().unwrap().extend(members);
    let made = app.organise("POST", "/api/v1/tokens", &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let secret = made.json()["token"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("hc_"), "{secret}");
    Caller {
        who,
        proof: ("authorization", format!("Bearer {secret}")),
    }
}

/// Who may send a call. A token for another event may send none about `gala`.
fn allowed(method: &str, path: &str) -> Option<&'static [&'static str]> {
    const READ: &[&str] = &["owner", "boss", "ada", "eve", "read", "manage", "gala"];
    const ADD: &[&str] = &["owner", "boss", "ada", "register", "manage", "gala"];
    const MANAGE: &[&str] = &["owner", "boss", "ada", "manage", "gala"];
    const EVERYWHERE: &[&str] = &["owner", "boss", "ada", "manage"];
    const SESSIONS: &[&str] = &["owner", "boss", "ada", "eve"];
    const OWN: &[&str] = &["owner", "boss"];
    let rest = path.strip_prefix("/api/v1")?;
    let own = ["/accounts", "/audit", "/tokens", "/webhooks"];
    let below = rest.strip_prefix("/events/{slug}");
    Some(match (method, rest, below) {
        ("GET", _, Some("/registrations" | "/registrations.csv" | "/audit")) => READ,
        ("POST", _, Some("/registrations/add")) => ADD,
        ("POST", "/events", _) => EVERYWHERE,
        (_, rest, _) if rest.starts_with("/sessions") => SESSIONS,
        (_, rest, _) if own.iter().any(|own| rest.starts_with(own)) => OWN,
        ("PATCH" | "DELETE", _, Some("" | "/registrations/{id}" | "/announcements"))
        | (
            "POST",
            _,
            Some(
                "/reset"
                | "/reset/undo"
                | "/announcements"
                | "/registrations/import"
                | "/registrations/{id}/restore"
                | "/registrations/{id}/erase",
            ),
        ) => MANAGE,
        _ => return None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_is_open_to_those_who_may_and_to_nobody_else() {
    let app = App::sqlite().await;
    app.event("gala", 100).await;
    app.event("ball", 100).await;
    let signed_in = form(
        &app,
        "/admin/login",
        &[],
        &format!("password={}", PASSWORD.replace(' ', "+")),
    )
    .await;
    let callers = [
        Caller {
            who: "owner",
            proof: ("cookie", cookie(&signed_in)),
        },
        account(&app, "boss", "owner").await,
        account(&app, "ada", "manager").await,
        account(&app, "eve", "viewer").await,
        token(&app, "read", json!({ "scopes": ["read"] })).await,
        token(&app, "register", json!({ "scopes": ["register"] })).await,
        token(&app, "manage", json!({ "scopes": ["manage"] })).await,
        token(
            &app,
            "gala",
            json!({ "scopes": ["manage", "read"], "event": "gala" }),
        )
        .await,
        token(
            &app,
            "ball",
            json!({ "scopes": ["manage"], "event": "ball" }),
        )
        .await,
    ];
    let document = app.get("/api/v1/openapi.json").await.json();
    let mut checked = 0;
    for (pattern, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            let needs_proof = operation["security"]
                .as_array()
                .is_some_and(|any| !any.is_empty());
            let Some(may) = allowed(&method, pattern).filter(|_| needs_proof) else {
                continue;
            };
            checked += 1;
            let id = if pattern.contains("/events/") {
                "1-1-1"
            } else {
                "999"
            };
            let path = pattern.replace("{slug}", "gala").replace("{id}", id);
            // No state fulfils this condition, so a call that may write changes nothing.
            let condition = [("if-match", "\"none-1\"")];
            let headers = if method == "GET" { &[][..] } else { &condition };
            for caller in &callers {
                let answer = caller
                    .call_with(&app, &method, &path, headers, &json!({}))
                    .await;
                let what = format!("{} {method} {path}: {}", caller.who, answer.body);
                if may.contains(&caller.who) {
                    assert!(!matches!(answer.status, 401 | 403 | 429 | 500..), "{what}");
                } else {
                    assert_eq!(
                        (answer.status, answer.code().as_str()),
                        (403, "forbidden"),
                        "{what}"
                    );
                }
            }
            let nobody = app.call(&method, &path, &[JSON], "{}").await;
            assert_eq!(nobody.status, 401, "{method} {path}: {}", nobody.body);
        }
    }
    assert!(checked >= 28, "{checked} calls");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_opens_the_public_call_only_with_its_scope_and_event() {
    let app = App::sqlite().await;
    app.event("gala", 100).await;
    app.event("ball", 100).await;
    let register = token(
        &app,
        "register",
        json!({ "scopes": ["register"], "event": "gala" }),
    )
    .await;
    let read = token(&app, "read", json!({ "scopes": ["read"] })).await;
    let unknown = Caller {
        who: "unknown",
        proof: ("authorization", format!("Bearer hc_{}", "0".repeat(64))),
    };
    let admin = Caller {
        who: "admin",
        proof: ("authorization", bearer()),
    };
    let path = |slug: &str| format!("/api/v1/events/{slug}/registrations");
    let person = |n: u8| json!({ "name": "Ada", "email": format!("p{n}@example.org") });
    for (n, caller, slug, status) in [
        (1, &register, "gala", 201),
        (2, &register, "ball", 403),
        (3, &read, "gala", 403),
        (4, &unknown, "gala", 401),
        (5, &admin, "gala", 201),
    ] {
        let answer = caller.call(&app, "POST", &path(slug), &person(n)).await;
        assert_eq!(
            answer.status, status,
            "{} {slug}: {}",
            caller.who, answer.body
        );
    }
    let added = format!("{}/add", path("gala"));
    let answer = register.call(&app, "POST", &added, &person(6)).await;
    assert_eq!(
        (answer.status, &answer.json()["added_by"]),
        (201, &json!("token"))
    );
    let audit = app
        .organise("GET", "/api/v1/events/gala/audit?limit=1", &Value::Null)
        .await;
    assert_eq!(audit.json()["entries"][0]["who"], "token:register");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_reads_names_and_no_address() {
    let app = App::sqlite().await;
    app.event("gala", 100).await;
    app.register("gala", "Ada Lovelace", "ada@example.org")
        .await;
    app.register("gala", "Grace", "hopper@example.org").await;
    let readers = [
        account(&app, "eve", "viewer").await,
        token(&app, "read", json!({ "scopes": ["read"] })).await,
    ];
    let list = "/api/v1/events/gala/registrations";
    for reader in &readers {
        let rows = reader.call(&app, "GET", list, &Value::Null).await.json();
        assert_eq!(rows["registrations"][0]["name"], "Ada Lovelace");
        assert_eq!(rows["registrations"][0]["email"], Value::Null);
        let csv = reader
            .call(&app, "GET", &format!("{list}.csv"), &Value::Null)
            .await
            .body;
        assert!(csv.contains("\r\n1,Ada Lovelace,,confirmed"), "{csv}");
        // Whether somebody is found must not give an address away.
        for (query, found) in [
            ("love", 1),
            ("grace", 1),
            ("hopper", 0),
            ("example.org", 0),
            ("ada%40example.org", 0),
            ("No.+2", 1),
        ] {
            let page = reader
                .call(&app, "GET", &format!("{list}?q={query}"), &Value::Null)
                .await
                .json();
            assert_eq!(page["total"], found, "{}: {query}", reader.who);
            let csv = reader
                .call(&app, "GET", &format!("{list}.csv?q={query}"), &Value::Null)
                .await
                .body;
            assert_eq!(
                csv.lines().count(),
                1 + found,
                "{}: {query}: {csv}",
                reader.who
            );
            assert!(!csv.contains('@'), "{csv}");
        }
    }
    let manager = account(&app, "ada", "manager").await;
    let page = manager
        .call(&app, "GET", &format!("{list}?q=hopper"), &Value::Null)
        .await
        .json();
    assert_eq!(page["registrations"][0]["email"], "hopper@example.org");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_or_deleted_token_opens_nothing() {
    let app = App::sqlite().await;
    let end = headcount::domain::clock::Clock::System
        .now()
        .plus(std::time::Duration::from_secs(2));
    let short = token(
        &app,
        "short",
        json!({ "scopes": ["read"], "expires_at": end }),
    )
    .await;
    let long = token(&app, "long", json!({ "scopes": ["read"] })).await;
    let path = "/api/v1/events/welcome/audit";
    assert_eq!(long.call(&app, "GET", path, &Value::Null).await.status, 200);
    let tokens = app
        .organise("GET", "/api/v1/tokens", &Value::Null)
        .await
        .json();
    let tokens = tokens["tokens"].as_array().unwrap();
    assert!(
        tokens.iter().all(|token| token.get("token").is_none()),
        "shown once"
    );
    assert!(tokens[1]["last_used_at"].is_string(), "{}", tokens[1]);
    assert_eq!(tokens[0]["expires_at"], json!(end));
    while headcount::domain::clock::Clock::System.now() <= end {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    refused(
        &short.call(&app, "GET", path, &Value::Null).await,
        401,
        "unauthorized",
    );
    let id = tokens[1]["id"].as_str().unwrap();
    let gone = app
        .organise("DELETE", &format!("/api/v1/tokens/{id}"), &Value::Null)
        .await;
    assert_eq!(gone.status, 204);
    refused(
        &long.call(&app, "GET", path, &Value::Null).await,
        401,
        "unauthorized",
    );
    app.stop().await;
}
