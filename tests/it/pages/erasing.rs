//! Erasing on the private page and in the console, without JavaScript.

use headcount::domain::clock::Clock;
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;

use super::super::support::app::Database;
use super::super::support::sqlite::File;
use super::*;

/// What nobody else is called.
const NAME: &str = "Qwyndolfa";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_erases_what_the_private_page_shows() {
    let app = App::start(Database::Sqlite, &[], Clock::System).await;
    let question = json!({ "key": "diet", "label": "Diet", "kind": "text" });
    let new = json!({ "slug": "gala", "title": "Gala", "capacity": 2, "questions": [question] });
    app.organise("POST", "/api/v1/events", &new).await;
    let body = json!({ "name": NAME, "email": "q@example.org", "answers": { "diet": "kumquat" } });
    let mine = app
        .call(
            "POST",
            "/api/v1/events/gala/registrations",
            &[("content-type", "application/json")],
            &body.to_string(),
        )
        .await
        .json();
    let private = format!("/r/{}", mine["token"].as_str().unwrap());
    let mut browser = Browser::new(&app);
    let before = browser.get(&private).await;
    for words in [
        "Nobody can bring them back",
        "Afterwards you can only cancel.",
    ] {
        assert!(before.body.contains(words), "{words} in {}", before.body);
    }
    let refused = browser
        .send(
            "POST",
            &format!("{private}/erase"),
            "",
            &[("origin", "https://elsewhere.example")],
        )
        .await;
    assert_eq!(refused.status, 403);
    for _ in 0..2 {
        let done = browser.post(&format!("{private}/erase"), "").await;
        let after = format!("{private}?done=erased");
        assert_eq!((done.status, done.location()), (303, after.as_str()));
    }
    for (language, words, done, change) in [
        (
            "en",
            "Erased",
            "Your data are erased.",
            "see, change and cancel",
        ),
        ("zh-CN", "清除", "您的信息已清除。", "查看、修改和取消"),
    ] {
        browser.language = language;
        let page = browser.get(&format!("{private}?done=erased")).await;
        page.is_page(200, "no-store");
        assert!(page.body.contains(done), "{done} in {}", page.body);
        assert!(!page.body.contains(change), "{change} in {}", page.body);
        for gone in [NAME, "q@example.org", "kumquat", "/erase\"", "/change\""] {
            assert!(!page.body.contains(gone), "{gone} in {}", page.body);
        }
        assert!(page.body.contains(words), "{words} in {}", page.body);
        assert!(page.body.contains("/cancel\""), "the place is still there");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organiser_erases_a_person_in_the_list() {
    let file = File::new();
    let running = App::on(&file.text(), &[], Clock::System).await;
    let app = App::of(running);
    app.event("gala", 2).await;
    app.register("gala", NAME, "q@example.org").await;
    app.register("gala", "Zoe", "z@example.org").await;
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let list = browser
        .get("/admin/events/gala/people?q=qwyndolfa&sort=name")
        .await;
    assert!(list.body.contains("Erase for good"), "{}", list.body);
    let path = list
        .body
        .split("action=\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|path| path.ends_with("/erase"))
        .expect("a form")
        .to_owned();
    let once = list.value("once");
    let form = format!("csrf={csrf}&once={once}&list=q%3Dqwyndolfa%26sort%3Dname");
    // A second click ends at the same place.
    for _ in 0..2 {
        let done = browser.post(&path, &form).await;
        assert_eq!(
            done.location(),
            "/admin/events/gala/people?done=erased&q=qwyndolfa&sort=name"
        );
    }
    let again = browser.post(&path, &format!("csrf={csrf}")).await;
    assert_eq!(
        again.location(),
        "/admin/events/gala/people?done=erased",
        "repeating it changes nothing"
    );
    let page = browser.get(again.location()).await;
    page.is_page(200, "no-store");
    assert!(page.body.contains("The person’s data are erased."));
    let erased = "<th scope=\"row\"><span class=\"table-quiet\">erased</span></th>";
    assert!(page.body.contains(erased), "{}", page.body);
    assert!(!page.body.contains(NAME) && page.body.contains("Zoe"));
    let door = browser.get("/admin/events/gala/door").await;
    assert!(door.body.contains(">erased</span>"), "{}", door.body);
    let audit = browser.get("/admin/events/gala/audit").await;
    assert!(audit.body.contains("erase people’s data"), "{}", audit.body);
    // Neither the form's outcome nor anything else keeps what was searched for.
    let headcount::store::DatabaseUrl::Sqlite(options) = file.url() else {
        panic!("a file");
    };
    let mut connection = options.connect().await.unwrap();
    let outcomes: Vec<Option<String>> = sqlx::query_scalar("SELECT outcome FROM forms")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let outcomes: Vec<_> = outcomes.into_iter().flatten().collect();
    assert!(!outcomes.is_empty());
    assert!(
        outcomes
            .iter()
            .all(|outcome| !outcome.contains("qwyndolfa")),
        "{outcomes:?}"
    );
    app.stop().await;
}

/// The fields of the details' form that these tests leave as they are.
const UNCHANGED: &str =
    "title=gala&was_title=gala&description=&was_description=&was_waitlist=false";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_for_keeping_is_a_field_of_the_details() {
    let app = App::sqlite().await;
    app.event("gala", 2).await;
    let times = json!({ "starts_at": "2099-05-01T18:00:00Z", "ends_at": "2099-05-01T22:00:00Z" });
    app.organise("PATCH", "/api/v1/events/gala", &times).await;
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let page = browser.get("/admin/events/gala/settings").await;
    assert_eq!(page.value("erase_after_days"), "");
    let send = |days: &str, was: &str| {
        format!("csrf={csrf}&{UNCHANGED}&erase_after_days={days}&was_erase_after_days={was}")
    };
    let edit = "/admin/events/gala/edit";
    let done = browser.post(edit, &send("30", "")).await;
    assert_eq!(done.location(), "/admin/events/gala/settings?done=edited");
    let page = browser.get("/admin/events/gala/settings").await;
    assert_eq!(page.value("erase_after_days"), "30");
    let wrong = browser.post(edit, &send("0", "30")).await;
    wrong.is_page(422, "no-store");
    assert!(wrong.body.contains("whole number from 1 to"));
    assert_eq!(wrong.value("erase_after_days"), "0", "what was typed stays");
    // Without an end the time would never be over.
    let endless = format!("{}&ends_at=&was_ends_at=x", send("30", "30"));
    let wrong = browser.post(edit, &endless).await;
    wrong.is_page(422, "no-store");
    assert!(
        wrong.body.contains("Say when the event ends"),
        "{}",
        wrong.body
    );
    browser.post(edit, &send("", "30")).await;
    let details = app.get("/api/v1/events/gala/details").await.json();
    assert_eq!(details["erase_after_days"], Value::Null);
    let new = format!("csrf={csrf}&slug=ball&title=Ball&erase_after_days=30");
    let wrong = browser.post("/admin/events", &new).await;
    wrong.is_page(422, "no-store");
    assert!(
        wrong.body.contains("Say when the event ends"),
        "{}",
        wrong.body
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_details_ask_before_they_erase_registrations_at_once() {
    let app = App::sqlite().await;
    app.event("gala", 3).await;
    let times = json!({ "time_zone": "UTC", "starts_at": "2026-05-01T18:00:00Z", "ends_at": "2026-05-01T22:00:00Z" });
    app.organise("PATCH", "/api/v1/events/gala", &times).await;
    app.register("gala", NAME, "q@example.org").await;
    app.register("gala", "Zoe", "z@example.org").await;
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let edit = "/admin/events/gala/edit";
    let shorten = format!("csrf={csrf}&{UNCHANGED}&erase_after_days=10&was_erase_after_days=");
    for (language, number, date) in [
        ("zh-CN", "2 条报名", "2026年5月11日"),
        ("en", "erases 2 registrations at once", "11 May 2026"),
    ] {
        browser.language = language;
        let asked = browser.post(edit, &shorten).await;
        asked.is_page(422, "no-store");
        assert!(asked.body.contains(number), "{}", asked.body);
        assert!(asked.body.contains(date), "{}", asked.body);
        assert_eq!(asked.value("erase_after_days"), "10");
        assert_eq!(asked.value("erase_now"), "2026-05-11T22:00:00.000Z");
    }
    let details = app.get("/api/v1/events/gala/details").await.json();
    assert_eq!(details["erase_after_days"], Value::Null, "nothing is saved");
    // What was confirmed is another moment.
    let other = format!("{shorten}&erase_now=2026-05-12T22:00:00.000Z");
    browser.post(edit, &other).await.is_page(422, "no-store");
    // A date that is still to come needs no confirmation.
    let long = shorten.replace("erase_after_days=10", "erase_after_days=3650");
    let saved = browser.post(edit, &long).await;
    assert_eq!(saved.location(), "/admin/events/gala/settings?done=edited");
    // An earlier end has the same effect as a shorter time.
    let earlier = format!(
        "csrf={csrf}&{UNCHANGED}&starts_at=2001-05-01T18:00&was_starts_at=2026-05-01T18:00\
         &ends_at=2001-05-01T22:00&was_ends_at=2026-05-01T22:00"
    );
    let asked = browser.post(edit, &earlier).await;
    asked.is_page(422, "no-store");
    assert!(asked.body.contains("erases 2 registrations at once"));
    let due = asked.value("erase_now");
    let page = browser.get("/admin/events/gala/people").await;
    assert!(page.body.contains(NAME), "nobody is erased yet");
    let page = browser.get("/admin/events/gala/settings").await;
    assert!(!page.body.contains("name=\"erase_now\""));
    let saved = browser
        .post(edit, &format!("{earlier}&erase_now={due}"))
        .await;
    assert_eq!(saved.location(), "/admin/events/gala/settings?done=edited");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_tab_shows_its_outcomes_above_its_content_and_old_addresses_lead_to_it() {
    let app = App::sqlite().await;
    app.event("gala", 2).await;
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let person = app.register("gala", "Ada", "ada@example.org").await;
    let id = person.json()["id"].as_str().unwrap().to_owned();
    for (action, fields, address, content) in [
        (
            format!("registrations/{id}/cancel"),
            "",
            format!("/people?done=cancelled&undo={id}"),
            "registrations",
        ),
        (
            "registrations/1-1-9/cancel".to_owned(),
            "",
            "/people?error=not-found".to_owned(),
            "registrations",
        ),
        (
            "edit".to_owned(),
            "&title=gala",
            "/settings?done=edited".to_owned(),
            "edit",
        ),
        (
            "undo".to_owned(),
            "",
            "/settings?error=not-empty".to_owned(),
            "edit",
        ),
        (
            "close".to_owned(),
            "",
            "?done=closed".to_owned(),
            "capacity",
        ),
    ] {
        let path = format!("/admin/events/gala/{action}");
        let sent = browser.post(&path, &format!("csrf={csrf}{fields}")).await;
        assert_eq!(sent.location(), format!("/admin/events/gala{address}"));
        let page = browser.get(sent.location()).await;
        let (before, _) = page
            .body
            .split_once(&format!("id=\"{content}\""))
            .expect("the tab's content");
        assert!(before.contains("data-flash"), "{address}");
        assert_eq!(page.body.matches("aria-current=\"page\"").count(), 1);
    }
    for (old, tab) in [
        ("?q=ada&sort=name&after=3", "people?q=ada&sort=name&after=3"),
        ("/questions", "form"),
        ("/edit", "settings"),
        ("/reset", "settings"),
        ("/delete", "settings"),
    ] {
        let moved = browser.get(&format!("/admin/events/gala{old}")).await;
        assert_eq!(moved.location(), format!("/admin/events/gala/{tab}"));
    }
    app.stop().await;
}
