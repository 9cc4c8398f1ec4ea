//! The visitors' pages.

use headcount::domain::clock::Clock;

use super::super::support::app::Database;
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_public_page_is_complete_and_shows_its_number() {
    let app = App::sqlite().await;
    app.event("gala", 1234).await;
    app.register("gala", "Ada", "ada@example.org").await;
    for language in ["en", "zh-CN"] {
        let mut browser = Browser {
            language,
            ..Browser::new(&app)
        };
        for path in [
            "/",
            "/e/gala",
            "/e/gala/wall",
            "/problems",
            "/admin",
            "/admin/login",
        ] {
            let page = browser.get(path).await;
            page.is_page(
                200,
                if path.starts_with("/admin") {
                    "no-store"
                } else {
                    "no-cache"
                },
            );
            assert_eq!(page.header("content-language"), language);
            assert!(
                page.body.contains(&format!("<html lang=\"{language}\"")),
                "{path}"
            );
        }
        assert_eq!(browser.get("/e/gala").await.registered(), "1");
        let wall = browser.get("/e/gala/wall").await;
        assert_eq!(wall.registered(), "1");
        assert!(
            wall.body.contains("1,234")
                && wall.body.contains("<svg xmlns")
                && wall
                    .body
                    .contains(&format!("http://{}/e/gala", app.address()))
        );
        for (path, code) in [
            ("/e/nothing", "event-not-found"),
            ("/nowhere", "not-found"),
            ("/r/1-1-1-aaaaaaaaaaaaaaaaaaaaaa", "registration-not-found"),
        ] {
            let page = browser.get(path).await;
            page.is_page(404, "no-store");
            assert!(page.body.contains(&format!("/problems#{code}")), "{path}");
        }
    }
    let page = Browser::new(&app).post("/problems", "").await;
    page.is_page(405, "no-store");
    assert_eq!(page.header("allow"), "GET, HEAD, OPTIONS");
    let anchors = Browser::new(&app).get("/problems").await.body;
    for code in headcount::problem::Code::ALL {
        assert!(anchors.contains(&format!("id=\"{}\"", code.as_str())));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_and_scripts_for_other_sites() {
    let app = App::sqlite().await;
    let badge = app.get("/e/welcome/badge.svg").await;
    assert_eq!(
        (
            badge.status,
            badge.header("content-type"),
            badge.header("cache-control")
        ),
        (200, Some("image/svg+xml"), Some("no-cache"))
    );
    assert!(
        badge.body.contains("0 / 100") && badge.body.starts_with("<svg "),
        "{}",
        badge.body
    );
    let etag = badge.header("etag").expect("an etag").to_owned();
    let position = app.get("/api/v1/events/welcome").await.json()["position"].clone();
    assert_eq!(etag, format!("\"{}\"", position.as_str().unwrap()));
    assert_eq!(
        app.call(
            "GET",
            "/e/welcome/badge.svg",
            &[("if-none-match", &etag)],
            ""
        )
        .await
        .status,
        304
    );
    app.register("welcome", "Ada", "ada@example.org").await;
    assert_eq!(
        app.call(
            "GET",
            "/e/welcome/badge.svg",
            &[("if-none-match", &etag)],
            ""
        )
        .await
        .status,
        200
    );
    let script = app.get("/embed.js").await;
    assert_eq!(
        (
            script.status,
            script.header("access-control-allow-origin"),
            script.header("cross-origin-resource-policy")
        ),
        (200, Some("*"), Some("cross-origin"))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_leads_to_the_private_page_and_back() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        let mut browser = Browser::new(&app);
        let event = browser.get("/e/welcome").await;
        let key = event.value("idempotency_key");
        let form =
            format!("name=Ada+%3Cb%3E&email=ada%40example.org&website=&idempotency_key={key}");
        let sent = browser.post("/e/welcome/register", &form).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let private = sent.location().to_owned();
        assert!(private.starts_with("/r/"), "{private}");
        assert_eq!(
            (sent.header("cache-control"), sent.header("referrer-policy")),
            ("no-store", "same-origin")
        );
        // A double click is the same registration.
        assert_eq!(
            browser.post("/e/welcome/register", &form).await.location(),
            private
        );

        let page = browser.get(&private).await;
        page.is_page(200, "no-store");
        assert_eq!(
            page.registered(),
            "1",
            "never an older number than one's own"
        );
        assert!(
            page.body.contains("No. 1")
                && page.body.contains("Ada &#60;b&#62;")
                && page
                    .body
                    .contains(&format!("http://{}{private}", app.address()))
        );
        assert_eq!(browser.get("/e/welcome").await.registered(), "1");

        // Following a link changes nothing; the button does, and twice is once. A form's address
        // that is reloaded or shared leads to its page.
        for form in [
            format!("{private}/cancel"),
            format!("{private}/change"),
            "/e/welcome/register".to_owned(),
        ] {
            let page = browser.get(&form).await;
            let (expected, _) = form.rsplit_once('/').unwrap();
            assert_eq!((page.status, page.location()), (303, expected), "{form}");
        }
        assert_eq!(browser.get("/compare/lab").await.location(), "/");
        for _ in 0..2 {
            assert_eq!(
                browser
                    .post(&format!("{private}/cancel"), "")
                    .await
                    .location(),
                private
            );
        }
        let page = browser.get(&private).await;
        assert!(
            page.body.contains("data-status=\"cancelled\"") && !page.body.contains("/cancel\""),
            "{}",
            page.body
        );
        assert_eq!(page.registered(), "0");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_form_keeps_what_was_typed() {
    let app = App::sqlite().await;
    app.event("small", 1).await;
    let mut browser = Browser::new(&app);
    let refused = browser
        .post(
            "/e/small/register",
            "name=%22%3E%3Cscript%3E&email=nobody&idempotency_key=k-1",
        )
        .await;
    refused.is_page(422, "no-store");
    assert_eq!(
        (
            refused.value("name").as_str(),
            refused.value("email").as_str(),
            refused.value("idempotency_key").as_str()
        ),
        ("&#34;&#62;&#60;script&#62;", "nobody", "k-1")
    );
    assert!(
        refused
            .body
            .contains("Enter an email address like name@example.org.</p>"),
        "{}",
        refused.body
    );
    assert!(
        refused.body.contains("href=\"/e/small?lang=zh-CN\""),
        "the language link leads to a page that can be read"
    );

    assert_eq!(
        browser
            .post(
                "/e/small/register",
                "name=Ada&email=ada%40example.org&idempotency_key=k-2"
            )
            .await
            .status,
        303
    );
    let mismatch = browser
        .post(
            "/e/small/register",
            "name=Bob&email=bob%40example.org&idempotency_key=k-2",
        )
        .await;
    mismatch.is_page(422, "no-store");
    assert_ne!(
        mismatch.value("idempotency_key"),
        "k-2",
        "the key belongs to somebody else's registration"
    );
    let full = browser
        .post(
            "/e/small/register",
            "name=Bob&email=bob%40example.org&idempotency_key=k-3",
        )
        .await;
    full.is_page(409, "no-store");
    assert_eq!(
        (
            full.value("name").as_str(),
            full.value("idempotency_key").as_str(),
            full.registered()
        ),
        ("Bob", "k-3", "1")
    );

    // The hidden field.
    let trapped = browser
        .post(
            "/e/welcome/register",
            "name=Bot&email=bot%40example.org&website=http%3A%2F%2Fspam.example",
        )
        .await;
    trapped.is_page(422, "no-store");
    assert_eq!(trapped.registered(), "0");
    // Another site's form in this browser.
    let foreign = browser
        .send(
            "POST",
            "/e/welcome/register",
            "name=Eve&email=eve%40example.org",
            &[("origin", "https://evil.example")],
        )
        .await;
    foreign.is_page(403, "no-store");
    browser
        .send(
            "POST",
            "/e/welcome/register",
            "{\"name\":\"Eve\"}",
            &[("content-type", "application/json")],
        )
        .await
        .is_page(415, "no-store");
    browser
        .post(
            "/e/welcome/register",
            &format!("name={}", "x".repeat(20_000)),
        )
        .await
        .is_page(413, "no-store");
    browser
        .post("/e/nothing/register", "name=Ada&email=ada%40example.org")
        .await
        .is_page(404, "no-store");
    assert_eq!(browser.get("/e/welcome").await.registered(), "0");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_over_the_rate_limit_keeps_what_was_typed() {
    let app = App::start(
        Database::Sqlite,
        &["--register-rate-per-ip", "1"],
        Clock::System,
    )
    .await;
    let mut browser = Browser::new(&app);
    let mut last = browser
        .post(
            "/e/welcome/register",
            "name=Ada&email=ada%40example.org&idempotency_key=k",
        )
        .await;
    for _ in 0..3 {
        if last.status == 429 {
            break;
        }
        last = browser
            .post(
                "/e/welcome/register",
                "name=Bob&email=bob%40example.org&idempotency_key=k-2",
            )
            .await;
    }
    last.is_page(429, "no-store");
    assert!(
        last.header("retry-after")
            .parse::<u32>()
            .is_ok_and(|seconds| seconds > 0)
    );
    assert_eq!(
        (
            last.value("name").as_str(),
            last.value("idempotency_key").as_str()
        ),
        ("Bob", "k-2")
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_language_is_chosen_and_kept() {
    let app = App::sqlite().await;
    let mut browser = Browser::new(&app);
    let switch = browser.get("/e/welcome?lang=zh-CN&x=1").await;
    assert_eq!((switch.status, switch.location()), (303, "/e/welcome?x=1"));
    assert_eq!(
        browser.get("/e/welcome").await.header("content-language"),
        "zh-CN"
    );
    browser.get("/?lang=en").await;
    assert_eq!(
        browser.get("/e/welcome").await.header("content-language"),
        "en"
    );
    // An open redirect would have to begin like this.
    let elsewhere = browser.get("//evil.example/?lang=en").await;
    assert!(
        elsewhere.headers("location").is_empty(),
        "{}",
        elsewhere.head
    );
    app.stop().await;
}
