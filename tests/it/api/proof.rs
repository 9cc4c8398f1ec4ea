//! The bot check: who needs a proof of work, and which proofs hold.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use headcount::domain::clock::Clock;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::support::app::{Answer, App, Database};
use super::super::support::postgres;
use super::{JSON, bearer, fields, form};

const NOON: i64 = 1_795_251_600_000;
const CHALLENGE: &str = "/api/v1/events/gala/challenge";
const REGISTER: &str = "/api/v1/events/gala/registrations";

async fn gala(app: &App, setting: &str) {
    let new = json!({ "slug": "gala", "title": "Gala", "capacity": 500, "proof_of_work": setting });
    let created = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(
        (created.status, &created.json()["proof_of_work"]),
        (201, &json!(setting))
    );
}

/// The solution of a challenge, found by trying.
fn solve(challenge: &Value) -> String {
    let salt = challenge["salt"].as_str().expect("a salt");
    let most = challenge["maxnumber"].as_u64().expect("a number");
    let hash = |number: &u64| {
        let digest = Sha256::digest(format!("{salt}{number}"));
        digest.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    let number = (0..=most).find(|number| challenge["challenge"] == hash(number));
    let mut solution = challenge.clone();
    solution["number"] = json!(number.expect("a solution"));
    STANDARD.encode(solution.to_string())
}

async fn proof(app: &App) -> String {
    let challenge = app.get(CHALLENGE).await;
    assert_eq!(
        (challenge.status, challenge.header("cache-control")),
        (200, Some("no-store"))
    );
    let challenge = challenge.json();
    assert_eq!(challenge["algorithm"], "SHA-256");
    solve(&challenge)
}

async fn register(app: &App, n: u32, proof: Option<&str>, headers: &[(&str, &str)]) -> Answer {
    let mut body = json!({ "name": "Ada", "email": format!("p{n}@example.org") });
    if let Some(proof) = proof {
        body["proof"] = json!(proof);
    }
    let headers: Vec<_> = [JSON].into_iter().chain(headers.iter().copied()).collect();
    app.call("POST", REGISTER, &headers, &body.to_string())
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_registers_one_person_and_others_need_one_of_their_own() {
    let now = Arc::new(AtomicI64::new(NOON));
    let app = App::start(Database::Sqlite, &[], Clock::Manual(Arc::clone(&now))).await;
    gala(&app, "on").await;
    assert_eq!(fields(&register(&app, 1, None, &[]).await), ["proof"]);
    let first = proof(&app).await;
    let registered = register(&app, 1, Some(&first), &[]).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    assert_eq!(
        fields(&register(&app, 2, Some(&first), &[]).await),
        ["proof"],
        "replayed"
    );
    for wrong in ["", "e30=", "nonsense", &first[..first.len() - 8]] {
        let refused = register(&app, 2, Some(wrong), &[]).await;
        assert_eq!(fields(&refused), ["proof"], "{wrong:?}");
    }
    let body = json!({ "name": "", "email": "p2@example.org", "proof": 7 });
    let refused = app.call("POST", REGISTER, &[JSON], &body.to_string()).await;
    assert_eq!(fields(&refused), ["name", "proof"], "all mistakes at once");
    let late = proof(&app).await;
    now.fetch_add(10 * 60 * 1_000, Ordering::SeqCst);
    assert_eq!(
        fields(&register(&app, 2, Some(&late), &[]).await),
        ["proof"],
        "expired"
    );
    // Another event's challenge.
    let new = json!({ "slug": "ball", "title": "Ball", "capacity": null, "proof_of_work": "on" });
    app.organise("POST", "/api/v1/events", &new).await;
    let foreign = solve(&app.get("/api/v1/events/ball/challenge").await.json());
    assert_eq!(
        fields(&register(&app, 2, Some(&foreign), &[]).await),
        ["proof"]
    );
    assert_eq!(app.get("/api/v1/events/gala").await.json()["registered"], 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_attempt_may_be_sent_again_with_its_proof() {
    let app = App::sqlite().await;
    gala(&app, "on").await;
    let proof = proof(&app).await;
    let key = |key: &'static str| [("idempotency-key", key)];
    let first = register(&app, 1, Some(&proof), &key("one")).await;
    let again = register(&app, 1, Some(&proof), &key("one")).await;
    assert_eq!((first.status, again.status), (201, 201), "{}", again.body);
    assert_eq!(first.json()["token"], again.json()["token"]);
    let other = register(&app, 2, Some(&proof), &key("two")).await;
    assert_eq!(fields(&other), ["proof"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_gives_nothing_new_once_its_registration_is_erased_or_cancelled() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        gala(&app, "on").await;
        let key = [("idempotency-key", "one")];
        let erased = proof(&app).await;
        let first = register(&app, 1, Some(&erased), &key).await.json();
        let own = format!("/api/v1/registrations/{}", first["token"].as_str().unwrap());
        let gone = app.call("POST", &format!("{own}/erase"), &[], "").await;
        assert_eq!(gone.status, 200, "{}", gone.body);
        for n in [1, 2] {
            let again = register(&app, n, Some(&erased), &key).await;
            assert_eq!(fields(&again), ["proof"], "erased, then p{n}");
        }
        let key = [("idempotency-key", "two")];
        let cancelled = proof(&app).await;
        let second = register(&app, 3, Some(&cancelled), &key).await.json();
        let own = format!(
            "/api/v1/registrations/{}",
            second["token"].as_str().unwrap()
        );
        assert_eq!(app.call("DELETE", &own, &[], "").await.status, 200);
        let again = register(&app, 3, Some(&cancelled), &key).await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.json()["status"], "cancelled");
        let other = register(&app, 4, Some(&cancelled), &key).await;
        assert_eq!(fields(&other), ["proof"]);
        // The key is of the round, and the proof of its registration.
        let path = "/api/v1/events/gala/reset";
        let confirm = json!({ "confirm": "gala" });
        assert_eq!(app.organise("POST", path, &confirm).await.status, 200);
        let again = register(&app, 3, Some(&cancelled), &key).await;
        assert_eq!(fields(&again), ["proof"], "a new round");
        assert_eq!(app.get("/api/v1/events/gala").await.json()["registered"], 0);
        app.stop().await;
    }
}

/// A client with an idempotency key could otherwise ask about any number of addresses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_asks_about_one_address() {
    let app = App::sqlite().await;
    gala(&app, "on").await;
    let add = format!("{REGISTER}/add");
    for n in 1..=2 {
        let person = json!({ "name": "Ada", "email": format!("p{n}@example.org") });
        assert_eq!(app.organise("POST", &add, &person).await.status, 201);
    }
    let key = [("idempotency-key", "probe")];
    let proof = proof(&app).await;
    for _ in 0..2 {
        let known = register(&app, 1, Some(&proof), &key).await;
        assert_eq!(known.code(), "already-registered", "the same request");
    }
    for n in 2..=3 {
        let other = register(&app, n, Some(&proof), &key).await;
        assert_eq!(fields(&other), ["proof"], "p{n}");
    }
    for more in [
        json!({ "name": "Eve" }),
        json!({ "party_size": 1, "name": "Ada " , "answers": {} , "website": "" , "email": "p9@example.org" }),
    ] {
        let mut body = json!({ "name": "Ada", "email": "p1@example.org", "proof": proof });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let headers = [JSON, key[0]];
        let other = app
            .call("POST", REGISTER, &headers, &body.to_string())
            .await;
        assert_eq!(fields(&other), ["proof"], "{body}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_take_a_proof_and_programs_with_a_token_need_none() {
    let app = App::sqlite().await;
    gala(&app, "on").await;
    let program = register(&app, 1, None, &[("authorization", &bearer())]).await;
    assert_eq!(program.status, 201, "{}", program.body);
    let guess = register(&app, 2, None, &[("authorization", "Bearer guess")]).await;
    assert_eq!(fields(&guess), ["proof"], "a wrong token exempts nobody");
    let person = json!({ "name": "At the door", "email": null });
    let added = format!("{REGISTER}/add");
    assert_eq!(app.organise("POST", &added, &person).await.status, 201);
    let proof = proof(&app).await;
    let encoded = proof
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let sent = format!("name=Ada&email=p3%40example.org&proof={encoded}");
    let refused = form(&app, REGISTER, &[], "name=Ada&email=p3%40example.org").await;
    assert_eq!(fields(&refused), ["proof"]);
    assert_eq!(form(&app, REGISTER, &[], &sent).await.status, 201);
    // The page says what is missing, because only a browser without scripts sends it.
    let page = app.get("/e/gala").await;
    assert!(page.body.contains("that needs JavaScript"), "{}", page.body);
    let sent = form(
        &app,
        "/e/gala/register",
        &[("accept", "text/html")],
        "name=Ada&email=p4%40example.org",
    );
    let page = sent.await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("that needs JavaScript"), "{}", page.body);
    assert!(page.body.contains("p4@example.org"), "what was typed stays");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_setting_is_checked_shown_and_changed() {
    let app = App::sqlite().await;
    gala(&app, "auto").await;
    let path = "/api/v1/events/gala";
    for bad in [json!("yes"), json!(true), json!(""), Value::Null, json!(1)] {
        let edit = app
            .organise("PATCH", path, &json!({ "proof_of_work": bad }))
            .await;
        assert_eq!(fields(&edit), ["proof_of_work"], "{bad}");
    }
    let details = format!("{path}/details");
    assert_eq!(app.get(&details).await.json()["proof_of_work"], "auto");
    let edit = json!({ "proof_of_work": "off" });
    let edited = app.organise("PATCH", path, &edit).await;
    assert_eq!(edited.json()["proof_of_work"], "off");
    assert_eq!(app.get(&details).await.json()["proof_of_work"], "off");
    assert_eq!(register(&app, 1, Some("ignored"), &[]).await.status, 201);
    assert!(app.get(path).await.json()["proof_of_work"].is_null());
    let old = json!({ "slug": "old", "title": "Old", "capacity": 1 });
    let old = app.organise("POST", "/api/v1/events", &old).await;
    assert_eq!(old.json()["proof_of_work"], "off", "unless said otherwise");
    assert_eq!(app.get("/api/v1/events/none/challenge").await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn auto_asks_once_many_addresses_fail_and_only_for_a_while() {
    let now = Arc::new(AtomicI64::new(NOON));
    let flags = ["--trusted-proxies", "127.0.0.1"];
    let app = App::start(Database::Sqlite, &flags, Clock::Manual(Arc::clone(&now))).await;
    gala(&app, "auto").await;
    let from = |n: u32| format!("198.51.{}.{}", n / 200, n % 200);
    for n in 0..20 {
        let address = from(1);
        let fails = register(&app, 0, Some(""), &[("x-forwarded-for", &address)]).await;
        assert_eq!(fails.status, if n == 0 { 201 } else { 409 });
    }
    let calm = register(&app, 100, None, &[("x-forwarded-for", &from(2))]).await;
    assert_eq!(calm.status, 201, "one address fails");
    let mistyped = json!({ "name": "Bot", "email": "nobody" }).to_string();
    for n in 10..22 {
        let headers = [JSON, ("x-forwarded-for", &*from(n))];
        app.call("POST", REGISTER, &headers, &mistyped).await;
    }
    let asked = register(&app, 101, None, &[("x-forwarded-for", &from(3))]).await;
    assert_eq!(fields(&asked), ["proof"]);
    let solved = proof(&app).await;
    let person = register(&app, 101, Some(&solved), &[("x-forwarded-for", &from(3))]).await;
    assert_eq!(person.status, 201, "{}", person.body);
    let program = [
        ("authorization", &*bearer()),
        ("x-forwarded-for", &*from(4)),
    ];
    assert_eq!(register(&app, 102, None, &program).await.status, 201);
    now.fetch_add(11 * 60 * 1_000, Ordering::SeqCst);
    let after = register(&app, 103, None, &[("x-forwarded-for", &from(5))]).await;
    assert_eq!(after.status, 201, "{}", after.body);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_take_each_others_challenges_and_a_proof_counts_once_for_all() {
    let url = postgres::shared().new_database().await;
    let one = App::of(App::on(&url, &[], Clock::System).await);
    let other = App::of(App::on(&url, &[], Clock::System).await);
    gala(&one, "on").await;
    let solved = proof(&one).await;
    let there = register(&other, 1, Some(&solved), &[]).await;
    assert_eq!(there.status, 201, "{}", there.body);
    for node in [&one, &other] {
        let replayed = register(node, 2, Some(&solved), &[]).await;
        assert_eq!(fields(&replayed), ["proof"]);
    }
    one.stop().await;
    other.stop().await;
}
