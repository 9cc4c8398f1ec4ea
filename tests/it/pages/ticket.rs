//! The ticket, without scripts: its answers are changed, and it says no more than is true.

use serde_json::json;

use super::*;

async fn dinner(app: &App) {
    let questions = json!([
        { "key": "dish", "label": "Dish", "kind": "choice", "required": true, "options": ["Fish", "Leek"] },
        { "key": "sides", "label": "Sides", "kind": "choices", "options": ["Rice", "Salad"] },
        { "key": "note", "label": "Note", "kind": "long-text" },
        { "key": "age", "label": "Age", "kind": "number" },
        { "key": "late", "label": "I come late", "kind": "checkbox" },
    ]);
    let event = json!({
        "slug": "dinner", "title": "Dinner", "capacity": 9, "max_party_size": 4, "waitlist": true,
        "starts_at": "2026-12-12T18:00:00Z", "questions": questions,
    });
    let created = app.organise("POST", "/api/v1/events", &event).await;
    assert_eq!(created.status, 201, "{}", created.body);
}

const ALL: &str =
    "answer.dish=Fish&answer.sides=Rice&answer.note=One%0D%0Atwo&answer.age=7&answer.late=true";

async fn come(browser: &mut Browser<'_>, more: &str) -> String {
    let form = format!("name=Ada&email=ada%40example.org&{more}");
    let sent = browser.post("/e/dinner/register", &form).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    sent.location().to_owned()
}

async fn answers(app: &App, private: &str) -> serde_json::Value {
    let token = private.trim_start_matches("/r/");
    let read = app.get(&format!("/api/v1/registrations/{token}")).await;
    read.json()["answers"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_changes_the_answers_without_scripts() {
    let app = App::sqlite().await;
    dinner(&app).await;
    for language in ["en", "zh-CN"] {
        let mut browser = Browser {
            language,
            ..Browser::new(&app)
        };
        let private = come(&mut browser, ALL).await;
        let change = format!("{private}/change");
        let page = browser.get(&private).await;
        page.is_page(200, "no-store");
        for filled in [
            "value=\"Fish\" checked",
            "value=\"Rice\" checked",
            "One two</textarea>",
            "value=\"7\"",
            "value=\"true\" checked",
        ] {
            assert!(page.body.contains(filled), "{filled} in {}", page.body);
        }
        let was = page.value("was_answers").replace(' ', "+");
        // As a browser sends it: an empty box is left out, its hidden field is not.
        let sent = |dish: &str, rest: &str| {
            format!(
                "name=Ada&was_name=Ada&party_size=1&was_party_size=1&was_answers={was}\
                 &answer.dish={dish}&answer.sides=&answer.late=&{rest}"
            )
        };
        let refused = browser
            .post(&change, &sent("Soup", "answer.note=New&answer.age=old"))
            .await;
        refused.is_page(422, "no-store");
        let (words, number, age) = if language == "en" {
            ("This answer cannot be used.", "Enter a number", "Age: ")
        } else {
            ("这个回答无法使用", "请填写数字", "Age：")
        };
        for part in [
            format!("id=\"answer-dish-error\">{words}"),
            format!("id=\"answer-age-error\">{number}"),
            format!("<a href=\"#answer-age\">{age}{number}"),
            "value=\"old\"".to_owned(),
            "New</textarea>".to_owned(),
            "id=\"change\" data-change open".to_owned(),
        ] {
            assert!(refused.body.contains(&part), "{part} in {}", refused.body);
        }
        let all = json!({ "dish": "Fish", "sides": ["Rice"], "note": "One\ntwo", "age": 7, "late": true });
        assert_eq!(answers(&app, &private).await, all, "nothing was stored");

        // Somebody changes the note on another device; this form has not touched it.
        let token = private.trim_start_matches("/r/");
        let elsewhere = json!({ "answers": { "note": "Elsewhere" } });
        let path = format!("/api/v1/registrations/{token}");
        let patched = app
            .call(
                "PATCH",
                &path,
                &[("content-type", "application/json")],
                &elsewhere.to_string(),
            )
            .await;
        assert_eq!(patched.status, 200, "{}", patched.body);
        let saved = browser
            .post(
                &change,
                &sent("Leek", "answer.note=One%0D%0Atwo&answer.age=8"),
            )
            .await;
        assert_eq!(saved.location(), format!("{private}?done=changed"));
        assert_eq!(
            answers(&app, &private).await,
            json!({ "dish": "Leek", "note": "Elsewhere", "age": 8 })
        );
        let page = browser.get(saved.location()).await;
        assert!(page.body.contains("<dd class=\"answer\">Leek</dd>"));
        let missing = browser
            .post(&change, &sent("", "answer.note=&answer.age="))
            .await;
        assert_eq!(missing.status, 422, "a required question stays answered");
        let gone = browser.post(&change, &sent("Fish", "answer.gone=1")).await;
        let changed = if language == "en" {
            "changed the questions"
        } else {
            "修改了问题"
        };
        assert!(gone.body.contains(changed), "{}", gone.body);
        browser.post(&format!("{private}/cancel"), "").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_answer_is_changed_where_it_was_given() {
    let app = App::sqlite().await;
    dinner(&app).await;
    let mut browser = Browser::new(&app);
    let note = |letter: &str| format!("answer.dish=Fish&answer.note={}", letter.repeat(4_000));
    let private = come(&mut browser, &note("%E9%95%BF")).await;
    let form = format!("name=Ada&party_size=1&{}", note("%E7%9F%AD"));
    assert!(form.len() > 30_000);
    let changed = browser.post(&format!("{private}/change"), &form).await;
    assert_eq!(changed.status, 303, "{}", changed.body);
    let note = answers(&app, &private).await["note"].clone();
    assert_eq!(note, "短".repeat(4_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_names_the_party_and_offers_a_calendar_only_while_it_counts() {
    let app = App::sqlite().await;
    dinner(&app).await;
    let mut browser = Browser::new(&app);
    let private = come(&mut browser, "answer.dish=Fish&party_size=3").await;
    let page = browser.get(&private).await;
    let number = page.body.split("class=\"stub-number\">").nth(1).unwrap();
    let number = number.split("</p>").next().unwrap();
    assert!(
        number.contains("No. 1") && number.contains(">3 people<"),
        "{number}"
    );
    let calendar = "/event.ics\">";
    assert!(page.body.contains(calendar));
    assert!(
        page.body
            .contains("All 3 places of your group go to the next people"),
        "{}",
        page.body
    );
    browser.post(&format!("{private}/cancel"), "").await;
    let cancelled = browser.get(&private).await;
    assert!(
        cancelled.body.contains("This registration is cancelled")
            && !cancelled.body.contains(calendar),
        "{}",
        cancelled.body
    );
    let alone = come(&mut browser, "answer.dish=Fish&idempotency_key=2").await;
    let page = browser.get(&alone).await;
    assert!(page.body.contains("Your place goes to the next person"));
    app.organise(
        "POST",
        "/api/v1/events/dinner/reset",
        &json!({ "confirm": "dinner" }),
    )
    .await;
    let archived = browser.get(&alone).await;
    assert!(
        archived.body.contains("from an earlier round") && !archived.body.contains(calendar),
        "{}",
        archived.body
    );
}
