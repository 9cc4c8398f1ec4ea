//! The console.

use headcount::domain::clock::Clock;
use serde_json::json;

use super::super::support::app::Database;
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(
    clippy::too_many_lines,
    reason = "one journey, from creating to deleting"
)]
async fn the_organiser_works_without_scripts() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        let mut browser = Browser::new(&app);
        let csrf = browser.sign_in().await;
        let create = |slug: &str, capacity: &str| {
            format!(
                "csrf={csrf}&slug={slug}&title=Ball+%26+%3Ci%3E&description=&capacity={capacity}&waitlist=true&opens_at=&closes_at=2999-01-01T10%3A00"
            )
        };
        assert_eq!(
            browser
                .post("/admin/events", &create("ball", "2"))
                .await
                .location(),
            "/admin/events/ball?done=created"
        );
        let taken = browser.post("/admin/events", &create("ball", "7")).await;
        taken.is_page(409, "no-store");
        assert_eq!(
            (
                taken.value("slug").as_str(),
                taken.value("capacity").as_str(),
                taken.value("closes_at").as_str()
            ),
            ("ball", "7", "2999-01-01T10:00")
        );
        browser
            .post("/admin/events", &create("Ball!", "7"))
            .await
            .is_page(422, "no-store");
        for n in 1..=4 {
            let sent = browser
                .post(
                    "/e/ball/register",
                    &format!("name=Person+{n}&email=p{n}%40example.org"),
                )
                .await;
            assert_eq!(sent.status, 303, "{}", sent.body);
        }

        // Two have places, two wait; every action answers with a page that shows its outcome.
        let desk = browser.get("/admin/events/ball?done=created").await;
        desk.is_page(200, "no-store");
        assert!(
            desk.body.contains("The event is created.")
                && desk.body.contains("Ball &#38; &#60;i&#62;"),
            "{}",
            desk.body
        );
        assert_eq!(
            (desk.value("capacity").as_str(), desk.registered()),
            ("2", "2")
        );
        let settings = browser.get("/admin/events/ball/settings").await;
        assert_eq!(settings.value("closes_at"), "2999-01-01T10:00");
        for (action, fields, location) in [
            ("capacity", "capacity=3", "?done=capacity"),
            (
                "edit",
                "title=Ball&description=Dance&opens_at=&closes_at=&waitlist=true",
                "/settings?done=edited",
            ),
            ("close", "", "?done=closed"),
            ("open", "", "?done=opened"),
            ("announce", "text=Doors+open", "?done=announced"),
            ("undo", "", "/settings?error=not-empty"),
            (
                "registrations/1-1-999/cancel",
                "",
                "/people?error=not-found",
            ),
        ] {
            let page = browser
                .post(
                    &format!("/admin/events/ball/{action}"),
                    &format!("csrf={csrf}&{fields}"),
                )
                .await;
            assert_eq!(
                (page.status, page.location()),
                (303, format!("/admin/events/ball{location}").as_str()),
                "{action} {fields}"
            );
        }

        // A refused form keeps a long text.
        let mut refused = async |action: &str, fields: &str| {
            let page = browser
                .post(
                    &format!("/admin/events/ball/{action}"),
                    &format!("csrf={csrf}&{fields}"),
                )
                .await;
            page.is_page(422, "no-store");
            page
        };
        // Each form says at its field what is wrong, and keeps what was typed.
        for (form, fields, id, words) in [
            (
                "capacity",
                "capacity=many",
                "capacity-error",
                "Enter a whole number from 0 to 1,000,000",
            ),
            (
                "reset",
                "confirm=wrong",
                "reset-confirm-error",
                "This is not the event’s short name.",
            ),
            (
                "reset",
                "confirm=ball&capacity=many",
                "reset-capacity-error",
                "Enter a whole number from 0 to 1,000,000",
            ),
            (
                "delete",
                "confirm=",
                "delete-confirm-error",
                "This is not the event’s short name.",
            ),
            ("announce", "text=", "announce-error", "Write a message"),
            (
                "edit",
                "title=Ball&time_zone=Mars",
                "edit-time-zone-error",
                "That time zone is unknown.",
            ),
            (
                "edit",
                "title=Ball&starts_at=2999-01-02T10%3A00&ends_at=2999-01-02T09%3A00",
                "edit-ends-error",
                "The event must end after it starts.",
            ),
            (
                "edit",
                "title=Ball&starts_at=&ends_at=2999-01-02T09%3A00",
                "edit-ends-error",
                "Say when the event starts as well",
            ),
        ] {
            let page = refused(form, fields).await;
            let at_field = format!("id=\"{id}\">{words}");
            assert!(page.body.contains(&at_field), "{at_field} in {}", page.body);
            assert_eq!(page.body.matches("aria-invalid=\"true\"").count(), 1);
            assert_eq!(page.body.matches("data-refused").count(), 1);
        }
        let edited = refused(
            "edit",
            "title=&description=Long+%26+wide&opens_at=2999-01-01T10%3A00&closes_at=",
        )
        .await;
        assert!(
            edited.body.contains(">Long &#38; wide</textarea>")
                && edited.body.contains("Some entries cannot be accepted."),
            "{}",
            edited.body
        );
        assert_eq!(
            (
                edited.value("title").as_str(),
                edited.value("opens_at").as_str()
            ),
            ("", "2999-01-01T10:00")
        );
        let turned = refused(
            "edit",
            "title=Ball&opens_at=2999-01-02T10%3A00&closes_at=2999-01-01T10%3A00",
        )
        .await;
        assert!(
            turned
                .body
                .contains("Registration must close later than it opens."),
            "{}",
            turned.body
        );
        let untold = refused("announce", &format!("text={}", "x".repeat(600))).await;
        assert_eq!(untold.value("text"), "x".repeat(600));
        // The longest description, as a form sends it.
        let long = format!(
            "csrf={csrf}&title=Ball&description={}&waitlist=true",
            "%E6%B1%89".repeat(4_000)
        );
        assert_eq!(
            browser
                .post("/admin/events/ball/edit", &long)
                .await
                .location(),
            "/admin/events/ball/settings?done=edited"
        );

        // The table: search, status, and a place given to the next.
        let waiting = browser
            .get("/admin/events/ball/people?status=waiting")
            .await
            .body;
        assert!(
            waiting.contains(">Person 4<") && !waiting.contains(">Person 3<"),
            "{waiting}"
        );
        let found = browser
            .get("/admin/events/ball/people?q=P1%40EXAMPLE")
            .await
            .body;
        assert!(found.contains(">Person 1<") && !found.contains(">Person 2<"));
        let id = found
            .split("/registrations/")
            .nth(1)
            .and_then(|rest| rest.split("/cancel").next())
            .expect("a button to cancel")
            .to_owned();
        assert_eq!(
            browser
                .post(
                    &format!("/admin/events/ball/registrations/{id}/cancel"),
                    &format!("csrf={csrf}")
                )
                .await
                .location(),
            format!("/admin/events/ball/people?done=cancelled&undo={id}")
        );
        assert_eq!(
            browser.get("/admin/events/ball").await.registered(),
            "3",
            "the next one got the place"
        );
        assert!(
            !browser
                .get("/admin/events/ball/settings")
                .await
                .body
                .contains("/undo"),
            "there is nothing to undo yet"
        );

        assert_eq!(
            browser
                .post(
                    "/admin/events/ball/reset",
                    &format!("csrf={csrf}&confirm=ball&capacity=9")
                )
                .await
                .location(),
            "/admin/events/ball/settings?done=reset"
        );
        let desk = browser.get("/admin/events/ball").await;
        assert_eq!(
            (desk.registered(), desk.value("capacity").as_str()),
            ("0", "9")
        );
        assert!(
            browser
                .get("/admin/events/ball/settings")
                .await
                .body
                .contains("/undo\"")
        );
        assert!(
            browser
                .get("/admin/events/ball/people?round=1")
                .await
                .body
                .contains(">Person 2<")
        );
        assert_eq!(
            browser
                .post("/admin/events/ball/undo", &format!("csrf={csrf}"))
                .await
                .location(),
            "/admin/events/ball/settings?done=undone"
        );
        assert_eq!(browser.get("/admin/events/ball").await.registered(), "3");

        let audit = browser.get("/admin/events/ball/audit").await;
        audit.is_page(200, "no-store");
        assert!(
            audit.body.contains("<code>capacity 2, ") && audit.body.contains("<code>capacity 3, "),
            "{}",
            audit.body
        );
        let (_, table) = audit.body.split_once("<table").expect("a table");
        let (table, _) = table.split_once("</table>").expect("its end");
        assert!(
            !table.contains("revision"),
            "what always differs is left out"
        );

        assert_eq!(
            browser
                .post(
                    "/admin/events/ball/delete",
                    &format!("csrf={csrf}&confirm=ball")
                )
                .await
                .location(),
            "/admin?done=deleted"
        );
        browser.get("/e/ball").await.is_page(404, "no-store");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_forms_of_the_organisers_own_session_work() {
    let app = App::sqlite().await;
    let mut browser = Browser::new(&app);
    let posts = [
        "/admin/events",
        "/admin/events/welcome/reset",
        "/admin/events/welcome/close",
        "/admin/events/welcome/delete",
    ];
    // Signed out: it leads to the sign-in, and nothing happens.
    for path in posts {
        let page = browser.post(path, "csrf=x&confirm=welcome").await;
        assert_eq!(
            (page.status, page.location()),
            (303, "/admin/login"),
            "{path}"
        );
    }
    for tab in ["", "/people", "/form", "/share", "/settings", "/audit"] {
        let path = &format!("/admin/events/welcome{tab}");
        assert_eq!(browser.get(path).await.location(), signs_in_for(path));
    }
    let wrong = browser.post("/admin/login", "password=wrong").await;
    wrong.is_page(401, "no-store");
    assert!(
        wrong.headers("set-cookie").is_empty()
            && wrong.body.contains("That name or password is wrong.")
    );
    let foreign = browser
        .send(
            "POST",
            "/admin/login",
            "password=x",
            &[("origin", "https://evil.example")],
        )
        .await;
    foreign.is_page(403, "no-store");

    let csrf = browser.sign_in().await;
    for path in posts {
        for proof in ["", "csrf=", "csrf=0000", "other=x"] {
            browser
                .post(path, &format!("{proof}&confirm=welcome"))
                .await
                .is_page(403, "no-store");
        }
        // The right proof, but from another site's page.
        let page = browser
            .send(
                "POST",
                path,
                &format!("csrf={csrf}&confirm=welcome"),
                &[("sec-fetch-site", "cross-site")],
            )
            .await;
        page.is_page(403, "no-store");
        // A `GET` changes nothing; it leads to the form's page.
        let page = browser.get(path).await;
        assert_eq!(page.status, 303, "{path}");
        let form = match path.rsplit('/').next() {
            Some("events") => "/admin",
            Some("close") => "/admin/events/welcome",
            _ => "/admin/events/welcome/settings",
        };
        assert_eq!(page.location(), form, "{path}");
    }
    assert_eq!(
        app.get("/api/v1/events/welcome").await.json()["revision"],
        json!(1),
        "nothing has happened"
    );

    assert_eq!(
        browser
            .post("/admin/logout", &format!("csrf={csrf}"))
            .await
            .location(),
        "/admin/login"
    );
    assert_eq!(
        browser
            .post(posts[2], &format!("csrf={csrf}"))
            .await
            .location(),
        "/admin/login"
    );
    app.stop().await;
}
