//! Questions: asked by the organiser, answered by people who register, listed and exported.

use headcount::domain::clock::Clock;
use serde_json::{Value, json};

use super::super::support::app::{Answer, App, Database};
use super::super::support::sse::Stream;
use super::{JSON, bearer, fields, form, refused, register_with_key};

fn dinner() -> Value {
    json!([
        { "key": "diet", "label": "What do you eat?", "kind": "choices", "required": true,
          "options": ["Fish", "=Leek", "Nuts"], "help": "Any of these" },
        { "key": "rules", "label": "I keep quiet", "kind": "checkbox", "required": true },
        { "key": "note", "label": "A note, \"please\"", "kind": "long-text" },
        { "key": "age", "label": "Age", "kind": "number" },
    ])
}

/// Both databases, each with an event that asks.
async fn both(case: impl AsyncFn(&App)) {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        let event =
            json!({ "slug": "gala", "title": "Gala", "capacity": 50, "questions": dinner() });
        let created = app.organise("POST", "/api/v1/events", &event).await;
        assert_eq!(created.status, 201, "{}", created.body);
        case(&app).await;
        app.stop().await;
    }
}

async fn register(app: &App, key: &str, person: &str, answers: &Value) -> Answer {
    let body =
        json!({ "name": "Ada", "email": format!("{person}@example.org"), "answers": answers });
    register_with_key(app, "gala", key, &body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_kept_shown_to_their_owner_listed_and_exported() {
    both(async |app| {
        let kept = json!({ "diet": ["Fish", "=Leek"], "rules": true, "note": "One\ntwo", "age": -3.5 });
        let sent = json!({ "diet": ["=Leek", "Fish"], "rules": true, "note": " One\r\ntwo ", "age": -3.5 });
        let first = register(app, "k1", "ada", &sent).await;
        assert_eq!((first.status, &first.json()["answers"]), (201, &kept), "{}", first.body);
        let token = first.json()["token"].as_str().unwrap().to_owned();
        let own = format!("/api/v1/registrations/{token}");
        assert_eq!(app.get(&own).await.json()["answers"], kept);
        let again = register(app, "k1", "ada", &kept).await;
        assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
        let other = register(app, "k1", "ada", &json!({ "diet": ["Fish"], "rules": true })).await;
        refused(&other, 422, "idempotency-mismatch");
        let typed = "name=Bob&email=bob%40example.org&answer.diet=Nuts&answer.diet=Fish\
            &answer.rules=on&answer.note=&answer.age=%207%20";
        let by_form = form(app, "/api/v1/events/gala/registrations", &[], typed).await;
        assert_eq!(by_form.status, 201, "{}", by_form.body);
        assert_eq!(by_form.json()["answers"], json!({ "diet": ["Fish", "Nuts"], "rules": true, "age": 7 }));

        let list = app.organise("GET", "/api/v1/events/gala/registrations", &Value::Null).await.json();
        assert_eq!(list["registrations"][0]["answers"], kept);
        let csv = app.organise("GET", "/api/v1/events/gala/registrations.csv", &Value::Null).await.body;
        let mut csv = csv::Reader::from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
        let head: Vec<_> = csv.headers().unwrap().iter().skip(10).map(str::to_owned).collect();
        assert_eq!(head, ["What do you eat?", "I keep quiet", "A note, \"please\"", "Age"]);
        let answers = |row: csv::StringRecord| row.iter().skip(10).map(str::to_owned).collect();
        let rows: Vec<Vec<String>> = csv.records().map(|row| answers(row.unwrap())).collect();
        let first = vec!["Fish|'=Leek", "true", "One\ntwo", "-3.5"];
        assert_eq!(rows, [first, vec!["Fish|Nuts", "true", "", "7"]]);

        // An answer that is not named stays; a required one cannot be removed.
        let change = |answers: &Value| {
            let (own, change) = (own.clone(), json!({ "answers": answers }).to_string());
            async move { app.call("PATCH", &own, &[JSON], &change).await }
        };
        let changed = change(&json!({ "age": 8, "note": null })).await;
        let expected = json!({ "diet": ["Fish", "=Leek"], "rules": true, "age": 8 });
        assert_eq!((changed.status, &changed.json()["answers"]), (200, &expected));
        let denied = change(&json!({ "diet": [], "why": 1 })).await;
        assert_eq!(fields(&denied), ["answers.diet", "answers.why"]);
        let revision = async || app.get("/api/v1/events/gala").await.json()["revision"].as_i64().unwrap();
        let before = revision().await;
        change(&kept).await;
        change(&kept).await;
        assert_eq!(revision().await, before + 1);

        // Removing a question keeps what was answered.
        let fewer: Vec<_> = dinner().as_array().unwrap()[1..].to_vec();
        let edited = app.organise("PATCH", "/api/v1/events/gala", &json!({ "questions": fewer })).await;
        assert_eq!(edited.json()["questions"].as_array().unwrap().len(), 3, "{}", edited.body);
        let list = app.organise("GET", "/api/v1/events/gala/registrations", &Value::Null).await.json();
        assert_eq!(list["registrations"][0]["answers"], kept);
        let csv = app.organise("GET", "/api/v1/events/gala/registrations.csv", &Value::Null).await.body;
        assert!(csv.contains("Age,What do you eat?\r\n") && csv.contains("Fish|'=Leek\r\n"), "{csv}");
        let late = register(app, "k3", "cy", &json!({ "rules": true, "diet": ["Fish"] })).await;
        assert_eq!(fields(&late), ["answers.diet"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_does_not_fit_is_refused_at_its_question() {
    both(async |app| {
        let fine = json!({ "diet": ["Fish"], "rules": true });
        for (change, places) in [
            (
                json!({ "diet": null, "rules": false }),
                vec!["answers.diet", "answers.rules"],
            ),
            (json!({ "diet": ["Soup"] }), vec!["answers.diet"]),
            (
                json!({ "diet": "Fish", "age": "7" }),
                vec!["answers.diet", "answers.age"],
            ),
            (json!({ "note": "x".repeat(4_001) }), vec!["answers.note"]),
            (json!({ "why": "x" }), vec!["answers.why"]),
        ] {
            let mut answers = fine.clone();
            answers
                .as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
            let answer = register(app, "k", "ada", &answers).await;
            assert_eq!(fields(&answer), places, "{change}");
        }
        let path = "/api/v1/events/gala/registrations";
        let huge =
            json!({ "name": "Ada", "email": "ada@example.org", "answers": fine }).to_string();
        let huge = huge.replace("true", "true,\"age\":1e400");
        let huge = app.call("POST", path, &[JSON], &huge).await;
        assert_eq!(fields(&huge), ["answers.age"]);
        let person = json!({ "name": "", "email": "ada@example.org", "answers": [1] });
        let person = app.call("POST", path, &[JSON], &person.to_string()).await;
        assert_eq!(fields(&person), ["name", "answers"]);
        let by_form = form(
            app,
            path,
            &[],
            "name=Ada&email=ada%40example.org&answer.age=x&answer.why=1",
        )
        .await;
        assert_eq!(
            fields(&by_form),
            [
                "answers.diet",
                "answers.rules",
                "answers.age",
                "answers.why"
            ]
        );
        let none = app.register("welcome", "Ada", "ada@example.org").await;
        assert_eq!(none.json()["answers"], json!({}));
        let asked =
            json!({ "name": "Bob", "email": "bob@example.org", "answers": { "diet": "Fish" } });
        let unasked = register_with_key(app, "welcome", "k2", &asked).await;
        assert_eq!(fields(&unasked), ["answers.diet"]);
        let count = app.get("/api/v1/events/gala").await.json();
        assert_eq!(count["registered"], 0);
    })
    .await;
}

/// Long answers need longer bodies, but only where there are questions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_event_with_questions_takes_a_long_body() {
    let app = App::sqlite().await;
    let notes: Vec<_> = (0..20)
        .map(|n| json!({ "key": format!("n{n}"), "label": "Note", "kind": "long-text" }))
        .collect();
    app.event("plain", 5).await;
    let event = json!({ "slug": "gala", "title": "Gala", "capacity": 50, "questions": notes });
    app.organise("POST", "/api/v1/events", &event).await;
    let answers = |count: usize| -> Value {
        let notes = (0..count).map(|n| (format!("n{n}"), json!("x".repeat(4_000))));
        Value::Object(notes.collect())
    };
    let all = register(&app, "k", "ada", &answers(20)).await;
    assert_eq!(all.status, 201, "{}", all.body);
    let mut over = answers(20);
    over["n0"] = json!("x".repeat(60_000));
    refused(
        &register(&app, "k2", "bob", &over).await,
        413,
        "body-too-large",
    );
    let body = json!({ "name": "Ada", "email": "ada@example.org", "answers": answers(5) });
    refused(
        &register_with_key(&app, "plain", "k", &body).await,
        413,
        "body-too-large",
    );
    // The page takes the same form.
    let note = |count: usize| "x".repeat(count);
    let page = |slug: &str, count: usize| {
        let fields = format!(
            "name=Bob&email=bob%40example.org&answer.n1={}&website={}",
            note(4_000),
            note(count)
        );
        let path = format!("/e/{slug}/register");
        let app = &app;
        async move { form(app, &path, &[], &fields).await.status }
    };
    assert_eq!(
        (page("gala", 50_000).await, page("plain", 50_000).await),
        (422, 413)
    );
    assert_eq!(
        (page("gala", 0).await, page("gala", 130_000).await),
        (303, 413)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_details_that_watchers_hear_of_and_personal_data_stays_out() {
    let app = App::sqlite().await;
    app.event("gala", 5).await;
    let mut stream = Stream::open(&app, "/api/v1/events/gala/stream", "").await;
    let edited = app
        .organise(
            "PATCH",
            "/api/v1/events/gala",
            &json!({ "questions": dinner() }),
        )
        .await;
    assert_eq!(edited.status, 200, "{}", edited.body);
    stream.next("details").await;
    let details = app.get("/api/v1/events/gala/details").await.json();
    let mut shown = dinner();
    for question in shown.as_array_mut().unwrap() {
        for (member, default) in [
            ("required", json!(false)),
            ("options", json!([])),
            ("help", json!("")),
        ] {
            let question = question.as_object_mut().unwrap();
            question.entry(member).or_insert(default);
        }
    }
    assert_eq!(details["questions"], shown);
    let events = app.get("/api/v1/events").await.json();
    assert_eq!(events["events"][1]["questions"], shown);
    // What is shown can be sent back, and changes nothing.
    let same = app
        .organise(
            "PATCH",
            "/api/v1/events/gala",
            &json!({ "questions": shown }),
        )
        .await;
    assert_eq!(same.json()["revision"], edited.json()["revision"]);
    register(
        &app,
        "k",
        "ada",
        &json!({ "diet": ["Nuts"], "rules": true, "note": "Zebra" }),
    )
    .await;
    app.organise(
        "PATCH",
        "/api/v1/events/gala",
        &json!({ "questions": null }),
    )
    .await;
    for path in ["", "/details", "/changes"] {
        let text = app.get(&format!("/api/v1/events/gala{path}")).await.body;
        assert!(!text.contains("Zebra"), "{path}: {text}");
    }
    let audit = app
        .organise("GET", "/api/v1/events/gala/audit", &Value::Null)
        .await;
    assert!(audit.body.contains("What do you eat?") && !audit.body.contains("Zebra"));
    let head = [("authorization", bearer())];
    let head = [(head[0].0, head[0].1.as_str()), JSON];
    for (list, place) in [
        (
            json!([
                { "key": "a", "label": "A", "kind": "text" },
                { "key": "a", "label": "A", "kind": "text" },
            ]),
            "questions.1.key",
        ),
        (
            json!([{ "key": "a", "label": "A", "kind": "choice", "options": ["x"] }]),
            "questions.0.options",
        ),
        (json!("x"), "questions"),
    ] {
        let patch = json!({ "questions": list }).to_string();
        let answer = app
            .call("PATCH", "/api/v1/events/gala", &head, &patch)
            .await;
        assert_eq!(fields(&answer), [place], "{list}");
        let create =
            json!({ "slug": "ball", "title": "", "capacity": 1, "questions": list }).to_string();
        let answer = app.call("POST", "/api/v1/events", &head, &create).await;
        assert_eq!(fields(&answer), ["title", place], "{list}");
    }
}
