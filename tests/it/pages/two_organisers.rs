//! Two organisers at one event, and one who clicks twice.

use headcount::domain::clock::Clock;
use serde_json::json;

use super::super::support::app::Database;
use super::*;

/// A page's form as a browser sends it: every field with its value, except those in `typed`.
fn filled(page: &Page, action: &str, typed: &[(&str, &str)]) -> String {
    let form = page
        .body
        .split("<form")
        .find(|form| form.contains(&format!("action=\"{action}\"")))
        .unwrap_or_else(|| panic!("no form {action} in {}", page.body));
    let form = form.split("</form>").next().unwrap_or_default();
    let attribute = |tag: &str, name: &str| {
        let value = tag.split(&format!(" {name}=\"")).nth(1)?;
        Some(value.split('"').next().unwrap_or_default().to_owned())
    };
    let mut fields: Vec<(String, String)> = Vec::new();
    for tag in form.split("<input").skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        if tag.contains("type=\"checkbox\"") && !tag.contains(" checked") {
            continue;
        }
        fields.push((
            attribute(tag, "name").unwrap_or_default(),
            attribute(tag, "value").unwrap_or_default(),
        ));
    }
    for area in form.split("<textarea").skip(1) {
        let text = area.split('>').nth(1).unwrap_or_default();
        let text = text.split("</textarea").next().unwrap_or_default().trim();
        fields.push((attribute(area, "name").unwrap_or_default(), text.to_owned()));
    }
    for (name, value) in typed {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    serde_urlencoded::to_string(fields).expect("a form")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn organisers_who_edit_different_settings_do_not_undo_each_other() {
    let app = App::sqlite().await;
    app.event("gala", 5).await;
    let mut one = Browser::new(&app);
    one.sign_in().await;
    let edit = "/admin/events/gala/edit";
    let page = one.get("/admin/events/gala/settings").await;
    // Somebody registers, and the other organiser saves a description and a moment with seconds.
    app.register("gala", "Ada", "ada@example.org").await;
    let other = json!({ "description": "Bring a torch", "closes_at": "2999-01-01T10:00:05.120Z" });
    let saved = app.organise("PATCH", "/api/v1/events/gala", &other).await;
    assert_eq!(saved.status, 200);
    let sent = one
        .post(edit, &filled(&page, edit, &[("title", "Ball")]))
        .await;
    assert_eq!(
        sent.location(),
        "/admin/events/gala/settings?done=edited",
        "{}",
        sent.body
    );
    let details = app.get("/api/v1/events/gala/details").await.json();
    assert_eq!(
        (
            &details["title"],
            &details["description"],
            &details["closes_at"]
        ),
        (&json!("Ball"), &other["description"], &other["closes_at"])
    );
    // An untouched form changes nothing, not even the milliseconds of a time.
    let page = one.get("/admin/events/gala/settings").await;
    assert_eq!(page.value("closes_at"), "2999-01-01T10:00:05.120");
    assert!(page.body.contains("step=\"any\""));
    let position = details["position"].clone();
    one.post(edit, &filled(&page, edit, &[])).await;
    let details = app.get("/api/v1/events/gala/details").await.json();
    assert_eq!(details["position"], position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_shows_both_values_and_keeps_what_was_typed() {
    for (action, field, patch, typed, theirs) in [
        (
            "edit",
            "title",
            json!({ "title": "Dance" }),
            "Ball",
            "Dance",
        ),
        (
            "edit",
            "description",
            json!({ "description": "Long" }),
            "Short",
            "Long",
        ),
        (
            "edit",
            "opens_at",
            json!({ "opens_at": "2026-01-01T10:00:00Z" }),
            "2026-02-01T10:00",
            "2026-01-01T10:00",
        ),
        (
            "capacity",
            "capacity",
            json!({ "capacity": 77 }),
            "88",
            "77",
        ),
    ] {
        let app = App::sqlite().await;
        app.event("gala", 5).await;
        let mut browser = Browser::new(&app);
        browser.sign_in().await;
        let tab = if action == "edit" { "/settings" } else { "" };
        let action = format!("/admin/events/gala/{action}");
        let page = browser.get(&format!("/admin/events/gala{tab}")).await;
        let form = filled(&page, &action, &[(field, typed)]);
        let saved = app.organise("PATCH", "/api/v1/events/gala", &patch).await;
        assert_eq!(saved.status, 200);

        let refused = browser.post(&action, &form).await;
        refused.is_page(412, "no-store");
        assert!(
            refused
                .body
                .contains("Someone else has changed the same setting")
        );
        assert!(
            refused.body.contains(&format!("It is now “{theirs}”.")),
            "{field}: {}",
            refused.body
        );
        let again = filled(&refused, &action, &[]);
        assert!(
            again.contains(&serde_urlencoded::to_string([(field, typed)]).unwrap()),
            "{field}: {again}"
        );
        let kept = app.get("/api/v1/events/gala/details").await.json();
        assert_eq!(kept[field], saved.json()[field], "nothing was saved");
        // An organiser who has seen both values decides.
        let decided = browser.post(&action, &again).await;
        assert_eq!(decided.status, 303, "{field}: {}", decided.body);
        let now = app.get("/api/v1/events/gala/details").await.json();
        assert_ne!(now[field], kept[field], "{field}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_the_console_that_is_sent_twice_acts_once() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        app.event("gala", 5).await;
        app.event("other", 5).await;
        let mut browser = Browser::new(&app);
        browser.sign_in().await;
        let actions = async |slug: &str| -> Vec<String> {
            let audit = format!("/api/v1/events/{slug}/audit");
            let audit = app.organise("GET", &audit, &json!(null)).await.json();
            let entries = audit["entries"].as_array().expect("entries").iter();
            entries
                .rev()
                .map(|entry| entry["action"].as_str().expect("a word").to_owned())
                .collect()
        };
        let console = browser.get("/admin").await;
        let create = filled(
            &console,
            "/admin/events",
            &[("slug", "ball"), ("title", "Ball"), ("capacity", "3")],
        );
        for _ in 0..2 {
            let sent = browser.post("/admin/events", &create).await;
            assert_eq!(sent.location(), "/admin/events/ball?done=created");
        }
        let page = browser.get("/admin/events/gala").await;
        let settings = browser.get("/admin/events/gala/settings").await;
        for (action, from, typed) in [
            ("announce", &page, &[("text", "Doors open")][..]),
            ("close", &page, &[]),
            ("reset", &settings, &[("confirm", "gala")]),
        ] {
            let path = format!("/admin/events/gala/{action}");
            let form = filled(from, &path, typed);
            // Both at the same moment, as a double click sends them.
            let mut again = Browser::new(&app);
            again.cookies.clone_from(&browser.cookies);
            let (first, second) =
                tokio::join!(browser.post(&path, &form), again.post(&path, &form));
            assert_eq!(first.location(), second.location(), "{action}");
            assert!(first.location().contains("?done="), "{}", first.location());
            assert_eq!(
                browser.post(&path, &form).await.location(),
                first.location()
            );
        }
        assert_eq!(
            actions("gala").await,
            ["create", "announce", "edit", "reset"]
        );
        // The same page with another text is another form.
        let path = "/admin/events/gala/announce";
        browser
            .post(path, &filled(&page, path, &[("text", "Doors close")]))
            .await;
        assert_eq!(actions("gala").await.last().unwrap(), "announce");
        // A refused form may be sent again, and is refused again.
        let path = "/admin/events/gala/reset";
        let wrong = filled(&settings, path, &[("confirm", "ball")]);
        for _ in 0..2 {
            let refused = browser.post(path, &wrong).await;
            refused.is_page(422, "no-store");
        }
        // The repeated form reports the deletion, not a missing event.
        let page = browser.get("/admin/events/other/settings").await;
        let path = "/admin/events/other/delete";
        let form = filled(&page, path, &[("confirm", "other")]);
        for _ in 0..2 {
            assert_eq!(
                browser.post(path, &form).await.location(),
                "/admin?done=deleted"
            );
        }
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_again_after_the_deadline_is_one_button() {
    let app = App::sqlite().await;
    let ended = json!({
        "slug": "over", "title": "Over", "capacity": 5, "closes_at": "2020-01-01T00:00:00Z",
    });
    assert_eq!(
        app.organise("POST", "/api/v1/events", &ended).await.status,
        201
    );
    let mut browser = Browser::new(&app);
    browser.sign_in().await;
    let page = browser.get("/admin/events/over").await;
    let open = "/admin/events/over/open";
    let button = page.body.split(&format!("action=\"{open}\"")).nth(1);
    let tag = button.expect("the form").split('>').next().unwrap();
    assert!(!tag.contains(" hidden"), "{tag}");
    let sent = browser.post(open, &filled(&page, open, &[])).await;
    assert_eq!(sent.location(), "/admin/events/over?done=opened");
    let details = app.get("/api/v1/events/over/details").await.json();
    assert_eq!(
        (&details["state"], &details["closes_at"]),
        (&json!("open"), &json!(null))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_announces_for_a_time_and_takes_it_back() {
    let app = App::sqlite().await;
    let mut browser = Browser::new(&app);
    browser.sign_in().await;
    let page = browser.get("/admin/events/welcome").await;
    let announce = "/admin/events/welcome/announce";
    let form = filled(
        &page,
        announce,
        &[("text", "Doors <open>"), ("hours", "72")],
    );
    assert_eq!(
        browser.post(announce, &form).await.location(),
        "/admin/events/welcome?done=announced"
    );
    // Later visitors find it on every page.
    for path in [
        "/",
        "/e/welcome",
        "/e/welcome/wall",
        "/admin",
        "/admin/events/welcome",
    ] {
        let page = browser.get(path).await;
        assert!(
            page.body.contains("Doors &#60;open&#62;"),
            "{path}: {}",
            page.body
        );
    }
    let page = browser.get("/admin/events/welcome").await;
    assert!(page.body.contains("Shown until"));
    let withdraw = "/admin/events/welcome/withdraw";
    assert_eq!(
        browser
            .post(withdraw, &filled(&page, withdraw, &[]))
            .await
            .location(),
        "/admin/events/welcome?done=withdrawn"
    );
    assert!(
        !browser
            .get("/e/welcome")
            .await
            .body
            .contains("Doors &#60;open&#62;")
    );
    let audit = browser.get("/admin/events/welcome/audit").await;
    assert!(audit.body.contains("take back the announcement"));
}
