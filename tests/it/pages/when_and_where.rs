//! When and where an event is: on its pages, and in the console's fields.

use serde_json::{Value, json};

use super::*;

const DINNER: &str = "/api/v1/events/dinner";

async fn dinner(app: &App) {
    let new = json!({
        "slug": "dinner", "title": "Dinner </script><b>", "capacity": 5,
        "starts_at": "2026-12-12T18:00:00Z", "ends_at": "2026-12-12T21:00:00Z",
        "closes_at": "2026-12-11T17:00:00Z", "time_zone": "Europe/Berlin",
        "location": "Town <hall>", "contact": "ada@example.org",
        "online_url": "https://meet.example.org/s3cret",
    });
    let created = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(created.status, 201, "{}", created.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_says_when_and_where_in_the_zone_of_the_event() {
    let app = App::sqlite().await;
    dinner(&app).await;
    let own = app
        .register("dinner", "Ada", "ada@example.org")
        .await
        .json();
    let own = format!("/r/{}", own["token"].as_str().unwrap());
    for path in ["/", "/e/dinner", "/e/dinner/wall", &own] {
        let page = app.get(path).await.body;
        assert!(
            page.contains("Sat 12 Dec 2026, 19:00–\u{2060}22:00 CET"),
            "{path}"
        );
        assert!(page.contains("Town &#60;hall&#62;"), "{path}");
        assert!(page.contains("href=\"mailto:ada@example.org\""), "{path}");
        assert_eq!(page.contains("s3cret"), path == own, "{path}");
        let chinese = app.call("GET", path, &[("cookie", "lang=zh-CN")], "").await;
        assert!(
            chinese
                .body
                .contains("2026年12月12日（周六）19:00–\u{2060}22:00（CET）"),
            "{path}"
        );
    }
    let page = app.get("/e/dinner").await.body;
    assert!(page.contains("Fri 11 Dec 2026, 18:00 CET"), "closes");
    assert!(page.contains("/e/dinner/event.ics"));
    let start =
        page.find("application/ld+json\">").expect("JSON-LD") + "application/ld+json\">".len();
    let end = start + page[start..].find("</script>").unwrap();
    let data: Value = serde_json::from_str(&page[start..end]).unwrap();
    assert_eq!(data["name"], "Dinner </script><b>");
    assert_eq!(
        (&data["startDate"], &data["remainingAttendeeCapacity"]),
        (&json!("2026-12-12T19:00:00+01:00"), &json!(4))
    );
    let address = format!("http://{}/e/dinner", app.address());
    assert!(page.contains(&format!("property=\"og:url\" content=\"{address}\"")));
    assert_eq!(data["url"], address);

    let script = json!({ "contact": "Ask \"Ada\" <b>" });
    app.organise("PATCH", DINNER, &script).await;
    let page = app.get("/e/dinner").await.body;
    assert!(page.contains("Ask &#34;Ada&#34; &#60;b&#62;") && !page.contains("mailto:"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_takes_local_times_and_says_which_it_took() {
    let app = App::sqlite().await;
    dinner(&app).await;
    let mut browser = Browser::new(&app);
    browser.sign_in().await;
    let edit = "/admin/events/dinner/edit";
    for (typed, at, done) in [
        (
            "2027-03-28T02:30",
            "2027-03-28T01:30:00.000Z",
            "edited-moved",
        ),
        (
            "2026-10-25T02:30",
            "2026-10-25T00:30:00.000Z",
            "edited-first",
        ),
        ("2026-12-12T20:00", "2026-12-12T19:00:00.000Z", "edited"),
    ] {
        let page = browser.get("/admin/events/dinner/settings").await;
        let (csrf, was) = (page.value("csrf"), page.value("was_ends_at"));
        let sent = browser
            .post(
                edit,
                &format!("csrf={csrf}&title=Dinner&starts_at={typed}&ends_at=&was_ends_at={was}"),
            )
            .await;
        assert_eq!(
            sent.location(),
            format!("/admin/events/dinner/settings?done={done}"),
            "{}",
            sent.body
        );
        let details = app.get(&format!("{DINNER}/details")).await.json();
        assert_eq!(details["starts_at"], at);
        assert_eq!(
            (&details["location"], &details["contact"]),
            (&json!("Town <hall>"), &json!("ada@example.org"))
        );
        let said = browser.get(sent.location()).await;
        assert!(said.body.contains("data-flash"), "{done}");
        app.organise(
            "PATCH",
            DINNER,
            &json!({ "ends_at": "2027-12-12T21:00:00Z" }),
        )
        .await;
    }
    let page = browser.get("/admin/events/dinner/settings").await;
    assert_eq!(page.value("starts_at"), "2026-12-12T20:00");
    assert_eq!(page.value("online_url"), "https://meet.example.org/s3cret");
    let csrf = page.value("csrf");
    let refused = browser
        .post(
            edit,
            &format!("csrf={csrf}&title=Dinner&time_zone=Mars&was_time_zone=Europe/Berlin"),
        )
        .await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("That time zone is unknown")
            && refused.body.contains("value=\"Mars\"")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_event_has_its_times_in_its_zone() {
    let app = App::sqlite().await;
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let sent = browser
        .post(
            "/admin/events",
            &format!(
                "csrf={csrf}&slug=walk&title=Walk&capacity=5&time_zone=Australia/Lord_Howe\
                 &starts_at=2026-10-04T02:15&ends_at=&opens_at=&closes_at=2026-10-03T12:00&location=Pier&contact=\
                 &online_url="
            ),
        )
        .await;
    assert_eq!(
        sent.location(),
        "/admin/events/walk?done=created-moved",
        "{}",
        sent.body
    );
    let details = app.get("/api/v1/events/walk/details").await.json();
    assert_eq!(
        (
            &details["starts_at"],
            &details["closes_at"],
            &details["location"]
        ),
        (
            &json!("2026-10-03T15:45:00.000Z"),
            &json!("2026-10-03T01:30:00.000Z"),
            &json!("Pier")
        )
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_console_shows_every_time_in_the_events_zone() {
    let app = App::sqlite().await;
    dinner(&app).await;
    app.register("dinner", "Bea", "bea@example.org").await;
    let announcement = json!({ "text": "Doors open", "ends_at": "2999-07-01T10:00:00Z" });
    let path = format!("{DINNER}/announcements");
    let announced = app.organise("POST", &path, &announcement).await;
    assert!(announced.status < 300, "{}", announced.body);
    let mut browser = Browser::new(&app);
    browser.sign_in().await;
    for page in [
        "/admin/events/dinner",
        "/admin/events/dinner/audit",
        "/e/dinner",
        "/e/dinner/wall",
    ] {
        let body = browser.get(page).await.body;
        // Ages in the feed have no zone.
        let times = body.split("<time").skip(1).filter(|rest| {
            !rest
                .split('>')
                .next()
                .unwrap_or_default()
                .contains("data-ago")
        });
        let texts: Vec<_> = times
            .filter_map(|rest| rest.split("</time>").next()?.rsplit('>').next())
            .collect();
        assert!(!texts.is_empty(), "{page}");
        for text in texts.iter().filter(|text| !text.is_empty()) {
            assert!(text.ends_with(" CET") || text.ends_with(" CEST"), "{text}");
        }
        assert!(!body.contains(" UTC"), "{page}: {body}");
    }
    let desk = browser.get("/admin/events/dinner").await.body;
    assert!(desk.contains("Mon 1 Jul 2999, 12:00 CEST"), "{desk}");
    let desk = browser.get("/admin/events/dinner/settings").await.body;
    let order = [
        "edit-time-zone",
        "edit-starts",
        "edit-ends",
        "edit-opens",
        "edit-closes",
    ];
    let places = order.map(|id| desk.find(&format!("id=\"{id}\"")).unwrap());
    assert!(places.is_sorted(), "the zone says what the times mean");
    assert!(desk.contains(">Registration opens</label>") && desk.contains(">Event starts</label>"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_event_that_is_refused_says_why_at_each_field() {
    let app = App::sqlite().await;
    let mut browser = Browser::new(&app);
    let csrf = browser.sign_in().await;
    let fresh = browser.get("/admin").await;
    assert!(fresh.body.contains("data-zone-own"), "{}", fresh.body);
    assert_eq!(
        fresh.value("time_zone"),
        "UTC",
        "the server's, without scripts"
    );
    let typed = "slug=A+b&title=&capacity=many&time_zone=Mars\
         &starts_at=2999-01-02T10%3A00&ends_at=2999-01-01T10%3A00&online_url=room";
    let refused = browser
        .post("/admin/events", &format!("csrf={csrf}&{typed}"))
        .await;
    refused.is_page(422, "no-store");
    assert!(
        !refused.body.contains("data-zone-own"),
        "what was typed stays"
    );
    for (id, label, words) in [
        ("create-title", "Title", "Give the event a title"),
        ("create-slug", "Short name", "Use 1 to 64 lowercase letters"),
        ("create-capacity", "Places", "Enter a whole number from 0"),
        (
            "create-time-zone",
            "Time zone",
            "That time zone is unknown.",
        ),
        (
            "create-ends",
            "Event ends",
            "The event must end after it starts.",
        ),
        (
            "create-online-url",
            "Web address for taking part online",
            "Enter a complete web address",
        ),
    ] {
        for part in [
            format!("id=\"{id}-error\">{words}"),
            format!("<a href=\"#{id}\">{label}: {words}"),
        ] {
            assert!(refused.body.contains(&part), "{part} in {}", refused.body);
        }
    }
    assert_eq!(refused.value("time_zone"), "Mars");
}
