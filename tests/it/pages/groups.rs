//! Groups, without scripts: the form, the private page and the console.

use super::*;

async fn gala(app: &App, capacity: u32, most: u32) {
    let new = serde_json::json!({
        "slug": "gala", "title": "Gala", "capacity": capacity, "waitlist": true, "max_party_size": most,
    });
    let created = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(created.status, 201, "{}", created.body);
}

async fn come(browser: &mut Browser<'_>, person: &str, people: u32) -> String {
    let form = format!("name={person}&email={person}%40example.org&party_size={people}");
    let sent = browser.post("/e/gala/register", &form).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    sent.location().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_asks_for_the_party_where_groups_may_come() {
    let app = App::sqlite().await;
    gala(&app, 5, 1).await;
    let mut browser = Browser::new(&app);
    let hidden = "data-detail=\"max_party_size\" hidden>";
    let page = browser.get("/e/gala").await;
    assert!(page.body.contains(hidden), "{}", page.body);
    assert_eq!(page.value("party_size"), "1");
    let edit = serde_json::json!({ "max_party_size": 4 });
    app.organise("PATCH", "/api/v1/events/gala", &edit).await;
    let page = browser.get("/e/gala").await;
    page.is_page(200, "no-cache");
    assert!(!page.body.contains(hidden) && page.body.contains("max=\"4\""));
    let refused = browser
        .post(
            "/e/gala/register",
            "name=Ada&email=ada%40example.org&party_size=5",
        )
        .await;
    refused.is_page(422, "no-store");
    assert!(refused.body.contains("Enter a whole number from 1 to 4."));
    assert_eq!(refused.value("party_size"), "5", "what was typed stays");
    let private = come(&mut browser, "ada", 3).await;
    let page = browser.get(&private).await;
    page.is_page(200, "no-store");
    assert!(
        page.body.contains("data-registration-party>3 people<"),
        "{}",
        page.body
    );
    let edit = serde_json::json!({ "waitlist": false });
    app.organise("PATCH", "/api/v1/events/gala", &edit).await;
    let full = browser
        .post(
            "/e/gala/register",
            "name=Bob&email=bob%40example.org&party_size=3",
        )
        .await;
    full.is_page(409, "no-store");
    assert!(
        full.body.contains("Only 2 places are free."),
        "{}",
        full.body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_with_free_places_says_why_they_are_not_given() {
    let app = App::sqlite().await;
    gala(&app, 5, 4).await;
    let mut browser = Browser::new(&app);
    let first = come(&mut browser, "ada", 3).await;
    let head = come(&mut browser, "bob", 3).await;
    let behind = come(&mut browser, "cem", 1).await;
    let held = "2 places are free, but the next group waiting needs more";
    let blocked = "2 places are free; the next group needs 3.";
    let own = "2 places are free; your group of 3 waits for 1 more.";
    for path in ["/", "/e/gala", "/e/gala/wall", &first, &head, &behind] {
        let page = browser.get(path).await;
        assert!(page.body.contains(held), "{path}: {}", page.body);
        assert!(!page.body.contains("2 places left"), "{path}");
        assert_eq!(page.body.contains(blocked), path == behind, "{path}");
        assert_eq!(page.body.contains(own), path == head, "{path}");
    }
    let grows = browser
        .post(&format!("{head}/change"), "name=bob&party_size=4")
        .await;
    assert!(
        grows
            .body
            .contains("A group on the waiting list can only become smaller."),
        "{}",
        grows.body
    );
    browser.sign_in().await;
    let console = browser.get("/admin/events/gala").await;
    console.is_page(200, "no-store");
    assert!(
        console.body.contains(held) && console.body.contains(blocked),
        "{}",
        console.body
    );
    let settings = browser.get("/admin/events/gala/settings").await;
    assert_eq!(settings.value("max_party_size"), "4");
    let mut chinese = Browser {
        language: "zh-CN",
        ..Browser::new(&app)
    };
    let page = chinese.get(&head).await;
    assert!(
        page.body
            .contains("目前空出 2 个名额，你们 3 人还差 1 个。"),
        "{}",
        page.body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_page_changes_the_party_and_the_name() {
    let app = App::sqlite().await;
    gala(&app, 5, 4).await;
    let mut browser = Browser::new(&app);
    let first = come(&mut browser, "ada", 3).await;
    let head = come(&mut browser, "bob", 3).await;
    let change = format!("{first}/change");
    let larger = browser.post(&change, "name=Ada+L&party_size=4").await;
    larger.is_page(409, "no-store");
    assert!(
        larger
            .body
            .contains("Other people are waiting for the free places"),
        "{}",
        larger.body
    );
    assert_eq!(
        (
            larger.value("name").as_str(),
            larger.value("party_size").as_str()
        ),
        ("Ada L", "4")
    );
    // What was not touched here may have been changed elsewhere.
    let untouched = "name=Ada+L&was_name=Ada+L&party_size=1&was_party_size=1";
    let kept = browser.post(&change, untouched).await;
    assert_eq!(kept.status, 303, "{}", kept.body);
    let page = browser.get(&first).await;
    assert!(page.body.contains(r#"name="was_party_size""#));
    assert!(
        page.body.contains("data-registration-name>ada<") && page.body.contains(">3 people<"),
        "{}",
        page.body
    );
    let wrong = browser.post(&change, "name=+&party_size=3").await;
    wrong.is_page(422, "no-store");
    assert!(wrong.body.contains("Enter your name."));
    let many = browser.post(&change, "name=Ada&party_size=9").await;
    assert!(
        many.body.contains("Enter a whole number from 1 to 4."),
        "{}",
        many.body
    );
    let smaller = browser.post(&change, "name=Ada+L&party_size=2").await;
    assert_eq!(smaller.status, 303);
    assert_eq!(smaller.location(), format!("{first}?done=changed"));
    let page = browser.get(smaller.location()).await;
    let saved = r#"role="status" tabindex="-1" autofocus>Saved.</p>"#;
    assert!(page.body.contains(saved), "{}", page.body);
    let page = browser.get(&first).await;
    assert!(!page.body.contains("Saved."));
    assert!(
        page.body.contains("data-registration-name>Ada L<") && page.body.contains(">2 people<")
    );
    assert_eq!(
        page.registered(),
        "5",
        "the group that waited has its places"
    );
    let larger = browser.post(&change, "name=Ada+L&party_size=4").await;
    assert!(
        larger
            .body
            .contains("id=\"change-party-error\">No place is free, so your group cannot grow."),
        "{}",
        larger.body
    );
    let promoted = browser.get(&head).await;
    assert!(
        promoted.body.contains("You have a place"),
        "{}",
        promoted.body
    );
    browser.post(&format!("{first}/cancel"), "").await;
    let cancelled = browser.post(&change, "name=Ada&party_size=1").await;
    cancelled.is_page(409, "no-store");
    let elsewhere = [
        ("origin", "https://elsewhere.example"),
        ("sec-fetch-site", "cross-site"),
    ];
    let foreign = browser
        .send("POST", &change, "name=Eve&party_size=1", &elsewhere)
        .await;
    assert_eq!(foreign.status, 403);
    assert!(!foreign.body.contains("Eve"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_sets_the_largest_party_and_lists_the_sizes() {
    let app = App::sqlite().await;
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let create = format!("csrf={csrf}&slug=gala&title=Gala&capacity=9&max_party_size=");
    let refused = browser.post("/admin/events", &format!("{create}21")).await;
    refused.is_page(422, "no-store");
    let created = browser.post("/admin/events", &format!("{create}3")).await;
    assert_eq!(created.status, 303, "{}", created.body);
    come(&mut browser, "ada", 3).await;
    let page = browser.get("/admin/events/gala/people").await;
    assert!(
        page.body
            .contains("<td class=\"table-party\" data-label=\"People\">3</td>"),
        "{}",
        page.body
    );
    let edit = format!(
        "csrf={csrf}&title=Gala&was_title=Gala&description=&was_description=&was_waitlist=false&opens_at=&was_opens_at=&closes_at=&was_closes_at=&was_max_party_size=3&max_party_size="
    );
    let refused = browser
        .post("/admin/events/gala/edit", &format!("{edit}0"))
        .await;
    refused.is_page(422, "no-store");
    let edited = browser
        .post("/admin/events/gala/edit", &format!("{edit}2"))
        .await;
    assert_eq!(edited.location(), "/admin/events/gala/settings?done=edited");
    assert_eq!(
        browser
            .get("/admin/events/gala/settings")
            .await
            .value("max_party_size"),
        "2"
    );
    let audit = browser.get("/admin/events/gala/audit").await;
    assert!(
        audit.body.contains("most people in one registration 2"),
        "{}",
        audit.body
    );
}
