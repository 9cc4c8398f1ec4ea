//! Calendar files: an event's, one's own, and the feed.

use headcount::domain::clock::Clock;
use serde_json::{Value, json};

use super::super::support::app::{App, Database};

const DINNER: &str = "/e/dinner/event.ics";

async fn dinner(app: &App) {
    let new = json!({
        "slug": "dinner", "title": "Dinner, and dance; late", "capacity": 1, "waitlist": true,
        "description": "Bring a chair.\nAnd a story.",
        "starts_at": "2027-03-27T18:00:00Z", "ends_at": "2027-03-28T02:00:00Z",
        "time_zone": "Europe/Berlin", "location": "Town hall", "online_url": "https://meet.example.org/s3cret",
    });
    let created = app.organise("POST", "/api/v1/events", &new).await;
    assert_eq!(created.status, 201, "{}", created.body);
}

/// The value of the only line with that name.
#[track_caller]
fn value(file: &str, name: &str) -> String {
    let unfolded = file.replace("\r\n ", "");
    let event = unfolded.split("BEGIN:VEVENT").nth(1).expect("an event");
    let found: Vec<_> = event
        .split("\r\n")
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix([':', ';']))
        .collect();
    assert_eq!(found.len(), 1, "{name} in {event}");
    found[0].to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calendar_file_keeps_its_uid_and_raises_its_sequence_with_each_edit() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        assert_eq!(app.get("/e/welcome/event.ics").await.status, 404, "no time");
        assert_eq!(app.get("/e/nothing/event.ics").await.status, 404);
        dinner(&app).await;
        let first = app.get(DINNER).await;
        assert_eq!(
            (first.status, first.header("content-type")),
            (200, Some("text/calendar; charset=utf-8"))
        );
        assert_eq!(
            value(&first.body, "DTSTART"),
            "TZID=Europe/Berlin:20270327T190000"
        );
        assert_eq!(
            value(&first.body, "DTEND"),
            "TZID=Europe/Berlin:20270328T040000"
        );
        assert_eq!(value(&first.body, "SUMMARY"), r"Dinner\, and dance\; late");
        assert_eq!(
            value(&first.body, "DESCRIPTION"),
            r"Bring a chair.\nAnd a story."
        );
        assert_eq!(value(&first.body, "SEQUENCE"), "0");
        assert!(
            first
                .body
                .contains("DTSTART:20270328T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200")
        );
        assert!(!first.body.contains("s3cret"), "not for everybody");

        // A registration is no edit: the file and its tag stay.
        app.register("dinner", "Ada", "ada@example.org").await;
        let etag = first.header("etag").expect("an ETag").to_owned();
        let same = app
            .call("GET", DINNER, &[("if-none-match", &etag)], "")
            .await;
        assert_eq!((same.status, same.body.as_str()), (304, ""));
        for (sequence, edit) in [
            ("1", json!({ "starts_at": "2027-03-27T19:00:00Z" })),
            ("2", json!({ "location": "Library" })),
        ] {
            app.organise("PATCH", "/api/v1/events/dinner", &edit).await;
            let edited = app.get(DINNER).await;
            assert_eq!(value(&edited.body, "SEQUENCE"), sequence);
            assert_eq!(value(&edited.body, "UID"), value(&first.body, "UID"));
        }
        let feed = app.get("/events.ics").await;
        assert_eq!(
            feed.body.matches("BEGIN:VEVENT").count(),
            1,
            "{}",
            feed.body
        );
        assert_eq!(value(&feed.body, "UID"), value(&first.body, "UID"));
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_groups_calendar_file_says_how_many_people_it_is_for() {
    let app = App::sqlite().await;
    let gala = json!({
        "slug": "gala", "title": "Gala", "capacity": 9, "max_party_size": 4,
        "starts_at": "2027-03-27T18:00:00Z",
    });
    app.organise("POST", "/api/v1/events", &gala).await;
    for (party_size, number) in [(3, "No. 1 · 3 people"), (1, "No. 2\\n")] {
        let body = json!({
            "name": "Ada", "email": format!("ada{party_size}@example.org"), "party_size": party_size,
        });
        let json = [("content-type", "application/json")];
        let path = "/api/v1/events/gala/registrations";
        let own = app
            .call("POST", path, &json, &body.to_string())
            .await
            .json();
        let path = format!("/r/{}/event.ics", own["token"].as_str().unwrap());
        let file = app.get(&path).await;
        let description = value(&file.body, "DESCRIPTION");
        assert!(description.contains(number), "{number} in {description}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitors_calendar_file_follows_the_registration() {
    let app = App::sqlite().await;
    dinner(&app).await;
    let mut links = Vec::new();
    for (name, email) in [("Ada", "ada@example.org"), ("Bob", "bob@example.org")] {
        let own = app.register("dinner", name, email).await.json();
        links.push(format!("/r/{}", own["token"].as_str().unwrap()));
    }
    let file = async |link: &str| {
        let answer = app.get(&format!("{link}/event.ics")).await;
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
        let value = |name: &str| value(&answer.body, name);
        let sequence: i64 = value("SEQUENCE").parse().unwrap();
        assert!(value("URL").ends_with(link) && value("DESCRIPTION").contains(link));
        let is_invited = answer.body.contains("s3cret");
        (value("STATUS"), is_invited, value("UID"), sequence)
    };
    let (ada, bob) = (file(&links[0]).await, file(&links[1]).await);
    assert_eq!((ada.0.as_str(), ada.1), ("CONFIRMED", true));
    assert_eq!((bob.0.as_str(), bob.1), ("TENTATIVE", false));
    assert_ne!(ada.2, bob.2);
    let token = links[0].replace("/r/", "/api/v1/registrations/");
    assert_eq!(app.call("DELETE", &token, &[], "").await.status, 200);
    let (ada_now, bob_now) = (file(&links[0]).await, file(&links[1]).await);
    assert_eq!((ada_now.0.as_str(), ada_now.1), ("CANCELLED", false));
    assert_eq!((bob_now.0.as_str(), bob_now.1), ("CONFIRMED", true));
    assert!(ada_now.3 > ada.3 && bob_now.3 > bob.3, "newer versions");
    assert_eq!((ada_now.2, bob_now.2), (ada.2, bob.2));
    let reset = json!({ "confirm": "dinner" });
    app.organise("POST", "/api/v1/events/dinner/reset", &reset)
        .await;
    assert_eq!(
        file(&links[1]).await.0,
        "CANCELLED",
        "of a round that is over"
    );

    let undated = json!({ "starts_at": Value::Null, "ends_at": Value::Null });
    app.organise("PATCH", "/api/v1/events/dinner", &undated)
        .await;
    assert_eq!(
        app.get(&format!("{}/event.ics", links[1])).await.status,
        404
    );
    assert_eq!(
        app.get("/r/1-1-1-aaaaaaaaaaaaaaaaaaaaaa/event.ics")
            .await
            .status,
        404
    );
}
