//! The console's desk: groups of events, the archive, duplicates, and what takes an action back.

use serde_json::json;

use super::*;

/// Whether an event stands in that group of the overview.
fn is_in(page: &Page, group: &str, slug: &str) -> bool {
    let list = page.body.split(&format!("data-events=\"{group}\"")).nth(1);
    let list = list.and_then(|rest| rest.split("</ul>").next());
    list.is_some_and(|list| list.contains(&format!("data-details=\"{slug}\"")))
}

async fn gala(app: &App) {
    let new = json!({ "slug": "gala", "title": "Gala", "capacity": 10 });
    let made = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(made.status, 201, "{}", made.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_overview_has_current_events_drafts_and_the_archive() {
    let app = App::sqlite().await;
    gala(&app).await;
    assert_eq!(
        app.register("gala", "Ada", "ada@example.org").await.status,
        201
    );
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let overview = browser.get("/admin").await;
    overview.is_page(200, "no-store");
    assert!(is_in(&overview, "current", "gala"));
    assert!(
        overview.body.contains("1 new in 7 days"),
        "{}",
        overview.body
    );

    let csrf = format!("csrf={csrf}");
    let archived = browser.post("/admin/events/gala/archive", &csrf).await;
    let shown = browser.get(archived.location()).await;
    shown.is_page(200, "no-store");
    assert!(
        shown
            .body
            .contains("action=\"/admin/events/gala/unarchive\"")
    );
    let overview = browser.get("/admin").await;
    assert!(is_in(&overview, "archive", "gala") && !is_in(&overview, "current", "gala"));
    let dashboard = browser.get("/admin/events/gala").await;
    assert!(
        dashboard.body.contains("stays closed"),
        "it cannot be opened"
    );

    browser.post("/admin/events/gala/unarchive", &csrf).await;
    let edit = json!({ "visibility": "draft" });
    app.organise("PATCH", "/api/v1/events/gala", &edit).await;
    let overview = browser.get("/admin").await;
    assert!(is_in(&overview, "drafts", "gala") && !is_in(&overview, "current", "gala"));
    let preview = browser.get("/e/gala").await;
    preview.is_page(200, "no-store");
    assert!(preview.body.contains("This is a draft"), "{}", preview.body);
    let heading = preview.body.split_once("id=\"register-heading\"").unwrap();
    let (attributes, _) = heading.1.split_once('>').unwrap();
    assert!(attributes.contains("hidden"), "nobody can register for it");
    Browser::new(&app)
        .get("/e/gala")
        .await
        .is_page(404, "no-store");
    let sent = browser
        .post("/e/gala/register", "name=Bo&email=bo%40example.org")
        .await;
    sent.is_page(404, "no-store");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_is_made_in_the_console_and_says_what_is_wrong() {
    let app = App::sqlite().await;
    gala(&app).await;
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let path = "/admin/events/gala/duplicate";
    let page = browser.get(path).await;
    page.is_page(200, "no-store");
    assert_eq!(
        (page.value("title").as_str(), page.value("slug").as_str()),
        ("Gala", "gala-copy")
    );
    let send =
        |slug: &str| format!("csrf={csrf}&title=Ball&slug={slug}&visibility=draft&keep_times=true");
    for (slug, status) in [("gala", 409), ("Not+a+slug", 422)] {
        let refused = browser.post(path, &send(slug)).await;
        refused.is_page(status, "no-store");
        assert_eq!(refused.value("title"), "Ball", "what was typed is kept");
        assert!(refused.body.contains("id=\"slug-error\""));
    }
    let made = browser.post(path, &send("ball")).await;
    assert_eq!(made.location(), "/admin/events/ball?done=duplicated");
    let shown = browser.get(made.location()).await;
    assert!(shown.body.contains("The duplicate is created.") && shown.body.contains(">Draft<"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_and_a_capacity_are_undone_from_their_message() {
    let app = App::sqlite().await;
    gala(&app).await;
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let closed = browser
        .post("/admin/events/gala/close", &format!("csrf={csrf}"))
        .await;
    let shown = browser.get(closed.location()).await;
    assert!(
        shown
            .body
            .contains("class=\"flash-undo\" method=\"post\" action=\"/admin/events/gala/open\"")
    );
    browser
        .post("/admin/events/gala/open", &format!("csrf={csrf}"))
        .await;
    let shown = browser.get(closed.location()).await;
    assert!(
        !shown.body.contains("flash-undo"),
        "somebody has opened it since"
    );

    let fields = format!("csrf={csrf}&capacity=4&was_capacity=10");
    let changed = browser.post("/admin/events/gala/capacity", &fields).await;
    assert_eq!(
        changed.location(),
        "/admin/events/gala?done=capacity&was=10&set=4"
    );
    let shown = browser.get(changed.location()).await;
    assert!(
        shown.body.contains("name=\"capacity\" value=\"10\""),
        "{}",
        shown.body
    );
    let fields = format!("csrf={csrf}&capacity=10&was_capacity=4");
    browser.post("/admin/events/gala/capacity", &fields).await;
    assert_eq!(app.get("/api/v1/events/gala").await.json()["capacity"], 10);
    let shown = browser.get(changed.location()).await;
    assert!(!shown.body.contains("flash-undo"), "it was set since");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_made_up_address_shows_no_outcome_and_offers_no_undo() {
    let app = App::sqlite().await;
    gala(&app).await;
    let person = app.register("gala", "Ada", "ada@example.org").await.json();
    let id = person["id"].as_str().unwrap();
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    for address in [
        "?done=capacity&was=3".to_owned(),
        "?done=opened".to_owned(),
        "/settings?error=unavailable".to_owned(),
        "/settings?done=reset&sig=00000000000000000000000000000000".to_owned(),
        format!("/people?done=cancelled&undo={id}"),
        format!("/add?done=added&added={id}"),
    ] {
        let page = browser.get(&format!("/admin/events/gala{address}")).await;
        assert_eq!(page.status, 200, "{address}");
        for said in [
            "data-flash",
            "class=\"flash-undo\"",
            "class=\"undo\"",
            "Ada is",
        ] {
            assert!(!page.body.contains(said), "{address}: {said}");
        }
    }
    // Signing in leads on to what the address asked for, and proves nothing either.
    let mut other = Browser::new(&app);
    let next = "%2Fadmin%2Fevents%2Fgala%3Fdone%3Dcapacity%26was%3D3";
    let password = PASSWORD.replace(' ', "+");
    let form = format!("password={password}&next={next}");
    let sent = other.post("/admin/login", &form).await;
    let page = other.get(sent.location()).await;
    assert!(page.body.contains("Gala") && !page.body.contains("data-flash"));
    // Nor does the address that another session was led to.
    let fields = format!("csrf={csrf}&capacity=4&was_capacity=10");
    let changed = browser.post("/admin/events/gala/capacity", &fields).await;
    let whole = changed.header("location").to_owned();
    assert!(browser.get(&whole).await.body.contains("data-flash"));
    assert!(!other.get(&whole).await.body.contains("data-flash"));
    app.stop().await;
}
