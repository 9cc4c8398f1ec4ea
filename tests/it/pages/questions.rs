//! Questions in the form, on the ticket and in the console, without JavaScript.

use serde_json::{Value, json};

use super::*;

async fn dinner(app: &App) {
    let options: Vec<_> = (1..=9).map(|n| format!("Table {n}")).collect();
    let questions = json!([
        { "key": "dish", "label": "Which <dish>?", "kind": "choice", "required": true,
          "options": ["Fish", "Leek"], "help": "Both are \"hot\"" },
        { "key": "sides", "label": "Sides", "kind": "choices", "options": ["Rice", "Salad"] },
        { "key": "table", "label": "Table", "kind": "choice", "options": options },
        { "key": "note", "label": "Note", "kind": "long-text" },
        { "key": "age", "label": "Age", "kind": "number", "required": true },
        { "key": "rules", "label": "I keep quiet", "kind": "checkbox", "required": true },
    ]);
    let event =
        json!({ "slug": "dinner", "title": "Dinner", "capacity": 9, "questions": questions });
    let created = app.organise("POST", "/api/v1/events", &event).await;
    assert_eq!(created.status, 201, "{}", created.body);
}

async fn asked(app: &App) -> Vec<Value> {
    let details = app.get("/api/v1/events/dinner/details").await.json();
    details["questions"].as_array().unwrap().clone()
}

fn keys(questions: &[Value]) -> Vec<&str> {
    questions
        .iter()
        .map(|question| question["key"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_asks_keeps_what_was_typed_and_the_ticket_shows_it() {
    let app = App::sqlite().await;
    dinner(&app).await;
    for (language, missing, tick) in [
        ("en", "Please answer this.", "Tick this to register."),
        ("zh-CN", "请回答这个问题。", "请勾选此项后再报名。"),
    ] {
        let mut browser = Browser {
            language,
            ..Browser::new(&app)
        };
        let form = browser.get("/e/dinner").await;
        form.is_page(200, "no-cache");
        for part in [
            "Which &#60;dish&#62;?",
            "Both are &#34;hot&#34;",
            "aria-describedby=\"answer-dish-help answer-dish-error\"",
            "<select id=\"answer-table\" name=\"answer.table\"",
            "<textarea id=\"answer-note\"",
            "type=\"number\"",
        ] {
            assert!(form.body.contains(part), "{part} in {}", form.body);
        }
        let person = format!("name=Ada&email={language}%40example.org&idempotency_key={language}");
        let typed =
            "answer.sides=Salad&answer.table=Table+7&answer.note=%3Cb%3E%0D%0Atwo&answer.age=old";
        let refused = browser
            .post("/e/dinner/register", &format!("{person}&{typed}"))
            .await;
        refused.is_page(422, "no-store");
        assert_eq!(
            (
                refused.body.matches(missing).count(),
                refused.body.matches(tick).count()
            ),
            (3, 3),
            "at the field, in the summary, and in the scripts' words"
        );
        for kept in [
            "value=\"Salad\" checked",
            "<option value=\"Table 7\" selected>",
            "&#60;b&#62;",
            "value=\"old\"",
            "value=\"Ada\"",
        ] {
            assert!(refused.body.contains(kept), "{kept} in {}", refused.body);
        }
        let gone = browser
            .post("/e/dinner/register", &format!("{person}&answer.gone=1"))
            .await;
        let changed = if language == "en" {
            "changed the questions"
        } else {
            "修改了问题"
        };
        assert!(gone.body.contains(changed), "{}", gone.body);
        let right = "answer.dish=Leek&answer.sides=Salad&answer.table=\
                     &answer.note=%3Cb%3E%0D%0Atwo&answer.age=7&answer.rules=true";
        let sent = browser
            .post("/e/dinner/register", &format!("{person}&{right}"))
            .await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let ticket = browser.get(sent.location()).await;
        ticket.is_page(200, "no-store");
        for (label, answer) in [
            ("Which &#60;dish&#62;?", "Leek"),
            ("Sides", "Salad"),
            ("Note", "&#60;b&#62; two"),
            ("Age", "7"),
        ] {
            let line = format!("<dt>{label}</dt><dd class=\"answer\">{answer}</dd>");
            assert!(ticket.body.contains(&line), "{line} in {}", ticket.body);
        }
        assert!(!ticket.body.contains("<dt>Table</dt>"), "not answered");
    }
    let mut browser = Browser::new(&app);
    browser.sign_in().await;
    let desk = browser.get("/admin/events/dinner/people").await;
    desk.is_page(200, "no-store");
    assert_eq!(
        desk.body.matches("<dd class=\"answer\">Leek</dd>").count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_editor_adds_moves_and_removes_without_scripts() {
    let app = App::sqlite().await;
    app.event("dinner", 9).await;
    let mut browser = Browser::new(&app);
    let path = "/admin/events/dinner/form";
    let asks = browser.get(path).await;
    assert_eq!(asks.location(), signs_in_for(path));
    let csrf = browser.sign_in().await;
    let empty = browser.get(path).await;
    empty.is_page(200, "no-store");
    let seen = empty.value("seen");
    let base = format!("csrf={csrf}&seen={seen}");
    let one = browser.post(path, &format!("{base}&do=add")).await;
    one.is_page(200, "no-store");
    assert!(one.body.contains("name=\"label.0\"") && one.body.contains("autofocus"));
    let first =
        "key.0=&label.0=Diet%3F&kind.0=choices&options.0=Fish%0D%0ALeek&help.0=&required.0=true";
    let second = "key.1=&label.1=&kind.1=text&options.1=&help.1=x";
    // Nothing is stored before it is saved, and a fault is shown at its field.
    assert!(asked(&app).await.is_empty());
    let refused = browser
        .post(path, &format!("{base}&{first}&{second}&do=save"))
        .await;
    refused.is_page(422, "no-store");
    assert!(
        refused
            .body
            .contains("id=\"label-1-error\">Write the question.</p>"),
        "{}",
        refused.body
    );
    assert!(refused.body.contains("Fish Leek</textarea>") && refused.value("help.1") == "x");
    assert_eq!(refused.value("key.1"), "", "the label will give it");
    let second = "key.1=&label.1=Anything+else&kind.1=long-text&options.1=&help.1=";
    let moved = browser
        .post(path, &format!("{base}&{first}&{second}&do=up.1"))
        .await;
    assert_eq!(
        (moved.value("label.0"), moved.value("label.1")),
        ("Anything else".into(), "Diet?".into())
    );
    assert!(moved.body.contains("Not saved yet."));
    let saved = browser
        .post(path, &format!("{base}&{first}&{second}&do=save"))
        .await;
    assert_eq!(saved.location(), format!("{path}?done=questions"));
    let stored = asked(&app).await;
    assert_eq!(keys(&stored), ["diet", "anything_else"]);
    assert_eq!(
        (&stored[0]["options"], &stored[0]["required"]),
        (&json!(["Fish", "Leek"]), &json!(true))
    );
    let page = browser.get(saved.location()).await;
    assert!(
        page.body.contains("The questions are saved.") && !page.body.contains("Not saved yet.")
    );

    // Somebody else saves first: nothing that was typed is lost, and theirs is shown.
    let theirs = json!({ "questions": [{ "key": "bus", "label": "Bus?", "kind": "checkbox" }] });
    app.organise("PATCH", "/api/v1/events/dinner", &theirs)
        .await;
    let base = format!("csrf={csrf}&seen={}", page.value("seen"));
    let mine = "key.0=anything_else&label.0=Anything+at+all%3F&kind.0=long-text&options.0=&help.0=";
    let clash = browser.post(path, &format!("{base}&{mine}&do=save")).await;
    clash.is_page(412, "no-store");
    assert!(clash.body.contains("Bus?"), "{}", clash.body);
    assert_eq!(clash.value("label.0"), "Anything at all?");
    assert_eq!(keys(&asked(&app).await), ["bus"]);
    let again = format!("csrf={csrf}&seen={}&{mine}&do=save", clash.value("seen"));
    assert_eq!(browser.post(path, &again).await.status, 303);
    assert_eq!(keys(&asked(&app).await), ["anything_else"]);
    let seen = browser.get(path).await.value("seen");
    let none = browser
        .post(path, &format!("csrf={csrf}&seen={seen}&{mine}&do=remove.0"))
        .await;
    assert!(
        none.body.contains("Nothing else is asked yet.") && none.body.contains("Not saved yet.")
    );
    assert_eq!(
        browser
            .post(path, &format!("csrf={csrf}&seen={seen}&do=save"))
            .await
            .status,
        303
    );
    assert!(asked(&app).await.is_empty());
    assert_eq!(browser.post(path, "csrf=wrong&do=save").await.status, 403);
}
