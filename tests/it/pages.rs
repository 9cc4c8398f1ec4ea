//! The pages, as a browser without JavaScript meets them: whole answers, forms, cookies, redirects.

use headcount::domain::clock::Clock;
use serde_json::json;

use super::support::app::{App, Database, PASSWORD};
use super::support::wire::Wire;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

/// A browser: it prefers HTML, keeps cookies and says where its forms come from.
struct Browser<'a> {
    app: &'a App,
    cookies: Vec<(String, String)>,
    language: &'static str,
}

/// An answer with its bytes as they were sent.
struct Page {
    status: u16,
    head: String,
    body: String,
}

impl<'a> Browser<'a> {
    fn new(app: &'a App) -> Self {
        Self { app, cookies: Vec::new(), language: "en" }
    }

    async fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, "", &[]).await
    }

    async fn post(&mut self, path: &str, body: &str) -> Page {
        let origin = format!("http://{}", self.app.address());
        self.send("POST", path, body, &[("origin", &origin)]).await
    }

    async fn send(&mut self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Page {
        let mut wire = Wire::connect(self.app.address()).await;
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let typed = headers.iter().any(|(name, _)| *name == "content-type");
        let kind = if typed { "" } else { "content-type: application/x-www-form-urlencoded\r\n" };
        let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        wire.send(format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\naccept: text/html,*/*;q=0.8\r\naccept-language: {}\r\ncookie: {}\r\n\
             content-length: {}\r\n{kind}{more}\r\n{body}",
            self.app.address(),
            self.language,
            cookies.join("; "),
            body.len()
        ))
        .await;
        let head = String::from_utf8(wire.read_to(b"\r\n\r\n").await).expect("a head");
        let page = Page { status: head[9..12].parse().expect("a status"), head, body: String::from_utf8(wire.rest().await.0).expect("text") };
        for cookie in page.headers("set-cookie") {
            let (name, rest) = cookie.split_once('=').expect("a cookie");
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), rest.split(';').next().unwrap_or_default().to_owned()));
        }
        page
    }

    /// Signs in; the forms' proof.
    async fn sign_in(&mut self) -> String {
        let page = self.post("/admin/login", &format!("password={}", PASSWORD.replace(' ', "+"))).await;
        assert_eq!((page.status, page.location()), (303, "/admin"), "{}", page.body);
        let cookie = page.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
        self.get("/admin").await.value("csrf")
    }
}

impl Page {
    fn headers(&self, name: &str) -> Vec<&str> {
        self.head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
    }

    #[track_caller]
    fn header(&self, name: &str) -> &str {
        self.headers(name).first().unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    #[track_caller]
    fn location(&self) -> &str {
        self.header("location")
    }

    /// The value of the first field of that name.
    #[track_caller]
    fn value(&self, name: &str) -> String {
        let field =
            self.body.split("<input").find(|field| field.contains(&format!("name=\"{name}\""))).unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        field.split(" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned()
    }

    /// The number that stands in the page.
    #[track_caller]
    fn registered(&self) -> &str {
        self.body.split("data-count-registered>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_else(|| panic!("no number in {}", self.body))
    }

    /// A whole page of this site, with everything that every page carries.
    #[track_caller]
    fn is_page(&self, status: u16, keep: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(self.header("content-security-policy"), POLICY);
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.header("referrer-policy"), "same-origin");
        assert_eq!(self.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(self.header("cache-control"), keep);
        assert!(self.body.starts_with("<!doctype html>") && self.body.trim_end().ends_with("</html>"), "{}", self.body);
        for inline in ["<style", " style=\"", " onclick", "javascript:"] {
            assert!(!self.body.contains(inline), "{inline} would be refused by the page's own policy");
        }
        balanced(&self.body);
    }
}

/// Every element that is opened is closed, in order.
#[track_caller]
fn balanced(html: &str) {
    const VOID: [&str; 6] = ["meta", "link", "input", "br", "img", "hr"];
    let (mut open, mut rest) = (Vec::new(), html);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[..end];
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap_or_default();
        if tag.starts_with('!') || tag.ends_with('/') || VOID.contains(&name) {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes another element in {html}");
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_public_page_is_whole_and_says_its_number() {
    let app = App::sqlite().await;
    app.event("gala", 1234).await;
    app.register("gala", "Ada", "ada@example.org").await;
    for language in ["en", "zh-CN"] {
        let mut browser = Browser { language, ..Browser::new(&app) };
        for path in ["/", "/e/gala", "/e/gala/wall", "/problems", "/admin", "/admin/login"] {
            let page = browser.get(path).await;
            page.is_page(200, if path.starts_with("/admin") { "no-store" } else { "no-cache" });
            assert_eq!(page.header("content-language"), language);
            assert!(page.body.contains(&format!("<html lang=\"{language}\"")), "{path}");
        }
        assert_eq!(browser.get("/e/gala").await.registered(), "1");
        let wall = browser.get("/e/gala/wall").await;
        assert_eq!(wall.registered(), "1");
        assert!(wall.body.contains("1,234") && wall.body.contains("<svg xmlns") && wall.body.contains(&format!("http://{}/e/gala", app.address())));
        for (path, code) in [("/e/nothing", "event-not-found"), ("/nowhere", "not-found"), ("/r/1-1-1-aaaaaaaaaaaaaaaaaaaaaa", "registration-not-found")] {
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
    assert_eq!((badge.status, badge.header("content-type"), badge.header("cache-control")), (200, Some("image/svg+xml"), Some("no-cache")));
    assert!(badge.body.contains("0 / 100") && badge.body.starts_with("<svg "), "{}", badge.body);
    let etag = badge.header("etag").expect("an etag").to_owned();
    let position = app.get("/api/v1/events/welcome").await.json()["position"].clone();
    assert_eq!(etag, format!("\"{}\"", position.as_str().unwrap()));
    assert_eq!(app.call("GET", "/e/welcome/badge.svg", &[("if-none-match", &etag)], "").await.status, 304);
    app.register("welcome", "Ada", "ada@example.org").await;
    assert_eq!(app.call("GET", "/e/welcome/badge.svg", &[("if-none-match", &etag)], "").await.status, 200);
    let script = app.get("/embed.js").await;
    assert_eq!(
        (script.status, script.header("access-control-allow-origin"), script.header("cross-origin-resource-policy")),
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
        let form = format!("name=Ada+%3Cb%3E&email=ada%40example.org&website=&idempotency_key={key}");
        let sent = browser.post("/e/welcome/register", &form).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        let private = sent.location().to_owned();
        assert!(private.starts_with("/r/"), "{private}");
        assert_eq!((sent.header("cache-control"), sent.header("referrer-policy")), ("no-store", "same-origin"));
        // A double click is the same registration.
        assert_eq!(browser.post("/e/welcome/register", &form).await.location(), private);

        let page = browser.get(&private).await;
        page.is_page(200, "no-store");
        assert_eq!(page.registered(), "1", "never an older number than one's own");
        assert!(page.body.contains("No. 1") && page.body.contains("Ada &#60;b&#62;") && page.body.contains(&format!("http://{}{private}", app.address())));
        assert_eq!(browser.get("/e/welcome").await.registered(), "1");

        // Following a link changes nothing; the button does, and twice is once.
        assert_eq!(browser.get(&format!("{private}/cancel")).await.status, 405);
        for _ in 0..2 {
            assert_eq!(browser.post(&format!("{private}/cancel"), "").await.location(), private);
        }
        let page = browser.get(&private).await;
        assert!(page.body.contains("data-status=\"cancelled\"") && !page.body.contains("/cancel\""), "{}", page.body);
        assert_eq!(page.registered(), "0");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_form_keeps_what_was_typed() {
    let app = App::sqlite().await;
    app.event("small", 1).await;
    let mut browser = Browser::new(&app);
    let refused = browser.post("/e/small/register", "name=%22%3E%3Cscript%3E&email=nobody&idempotency_key=k-1").await;
    refused.is_page(422, "no-store");
    assert_eq!(
        (refused.value("name").as_str(), refused.value("email").as_str(), refused.value("idempotency_key").as_str()),
        ("&#34;&#62;&#60;script&#62;", "nobody", "k-1")
    );
    assert!(refused.body.contains("Enter an address like name@example.org.</p>"), "{}", refused.body);
    assert!(refused.body.contains("href=\"/e/small?lang=zh-CN\""), "the language link leads to a page that can be read");

    assert_eq!(browser.post("/e/small/register", "name=Ada&email=ada%40example.org&idempotency_key=k-2").await.status, 303);
    let mismatch = browser.post("/e/small/register", "name=Bob&email=bob%40example.org&idempotency_key=k-2").await;
    mismatch.is_page(422, "no-store");
    assert_ne!(mismatch.value("idempotency_key"), "k-2", "the key belongs to somebody else's registration");
    let full = browser.post("/e/small/register", "name=Bob&email=bob%40example.org&idempotency_key=k-3").await;
    full.is_page(409, "no-store");
    assert_eq!((full.value("name").as_str(), full.value("idempotency_key").as_str(), full.registered()), ("Bob", "k-3", "1"));

    // The field that people do not see.
    let trapped = browser.post("/e/welcome/register", "name=Bot&email=bot%40example.org&website=http%3A%2F%2Fspam.example").await;
    trapped.is_page(422, "no-store");
    assert_eq!(trapped.registered(), "0");
    // Another site's form in this browser.
    let foreign = browser.send("POST", "/e/welcome/register", "name=Eve&email=eve%40example.org", &[("origin", "https://evil.example")]).await;
    foreign.is_page(403, "no-store");
    browser.send("POST", "/e/welcome/register", "{\"name\":\"Eve\"}", &[("content-type", "application/json")]).await.is_page(415, "no-store");
    browser.post("/e/welcome/register", &format!("name={}", "x".repeat(20_000))).await.is_page(413, "no-store");
    browser.post("/e/nothing/register", "name=Ada&email=ada%40example.org").await.is_page(404, "no-store");
    assert_eq!(browser.get("/e/welcome").await.registered(), "0");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_in_a_hurry_keeps_what_it_typed() {
    let app = App::start(Database::Sqlite, &["--register-rate-per-ip", "1"], Clock::System).await;
    let mut browser = Browser::new(&app);
    let mut last = browser.post("/e/welcome/register", "name=Ada&email=ada%40example.org&idempotency_key=k").await;
    for _ in 0..3 {
        if last.status == 429 {
            break;
        }
        last = browser.post("/e/welcome/register", "name=Bob&email=bob%40example.org&idempotency_key=k-2").await;
    }
    last.is_page(429, "no-store");
    assert!(last.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
    assert_eq!((last.value("name").as_str(), last.value("idempotency_key").as_str()), ("Bob", "k-2"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_language_is_chosen_and_kept() {
    let app = App::sqlite().await;
    let mut browser = Browser::new(&app);
    let switch = browser.get("/e/welcome?lang=zh-CN&x=1").await;
    assert_eq!((switch.status, switch.location()), (303, "/e/welcome?x=1"));
    assert_eq!(browser.get("/e/welcome").await.header("content-language"), "zh-CN");
    browser.get("/?lang=en").await;
    assert_eq!(browser.get("/e/welcome").await.header("content-language"), "en");
    // An open redirect would have to begin like this.
    let elsewhere = browser.get("//evil.example/?lang=en").await;
    assert!(elsewhere.headers("location").is_empty(), "{}", elsewhere.head);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_organiser_works_without_scripts() {
    for database in [Database::Sqlite, Database::Postgres] {
        let app = App::start(database, &[], Clock::System).await;
        let mut browser = Browser::new(&app);
        let csrf = browser.sign_in().await;
        let create = |slug: &str, capacity: &str| {
            format!("csrf={csrf}&slug={slug}&title=Ball+%26+%3Ci%3E&description=&capacity={capacity}&waitlist=true&opens_at=&closes_at=2999-01-01T10%3A00")
        };
        assert_eq!(browser.post("/admin/events", &create("ball", "2")).await.location(), "/admin/events/ball?done=created");
        let taken = browser.post("/admin/events", &create("ball", "7")).await;
        taken.is_page(409, "no-store");
        assert_eq!((taken.value("slug").as_str(), taken.value("capacity").as_str(), taken.value("closes_at").as_str()), ("ball", "7", "2999-01-01T10:00"));
        browser.post("/admin/events", &create("Ball!", "7")).await.is_page(422, "no-store");
        for n in 1..=4 {
            let sent = browser.post("/e/ball/register", &format!("name=Person+{n}&email=p{n}%40example.org")).await;
            assert_eq!(sent.status, 303, "{}", sent.body);
        }

        // Two have places, two wait; every action answers with a page that says what came of it.
        let desk = browser.get("/admin/events/ball?done=created").await;
        desk.is_page(200, "no-store");
        assert!(desk.body.contains("The event is created.") && desk.body.contains("Ball &#38; &#60;i&#62;"), "{}", desk.body);
        assert_eq!((desk.value("capacity").as_str(), desk.value("closes_at").as_str(), desk.registered()), ("2", "2999-01-01T10:00", "2"));
        for (action, fields, location) in [
            ("capacity", "capacity=3", "?done=capacity"),
            ("capacity", "capacity=many", "?error=capacity"),
            ("edit", "title=Ball&description=Dance&opens_at=&closes_at=&waitlist=true", "?done=edited"),
            ("close", "", "?done=closed"),
            ("open", "", "?done=opened"),
            ("announce", "text=Doors+open", "?done=announced"),
            ("undo", "", "?error=not-empty"),
            ("registrations/1-1-999/cancel", "", "?error=not-found"),
            ("reset", "confirm=wrong", "?error=confirm"),
            ("delete", "confirm=", "?error=confirm"),
        ] {
            let page = browser.post(&format!("/admin/events/ball/{action}"), &format!("csrf={csrf}&{fields}")).await;
            assert_eq!(
                (page.status, page.headers("location").first().copied()),
                (303, Some(format!("/admin/events/ball{location}").as_str())),
                "{action} {fields}"
            );
        }

        // What takes long to type is not lost when it is refused.
        let mut refused = async |action: &str, fields: &str| {
            let page = browser.post(&format!("/admin/events/ball/{action}"), &format!("csrf={csrf}&{fields}")).await;
            page.is_page(422, "no-store");
            page
        };
        let edited = refused("edit", "title=&description=Long+%26+wide&opens_at=2999-01-01T10%3A00&closes_at=").await;
        assert!(edited.body.contains(">Long &#38; wide</textarea>") && edited.body.contains("Some entries cannot be accepted."), "{}", edited.body);
        assert_eq!((edited.value("title").as_str(), edited.value("opens_at").as_str()), ("", "2999-01-01T10:00"));
        let turned = refused("edit", "title=Ball&opens_at=2999-01-02T10%3A00&closes_at=2999-01-01T10%3A00").await;
        assert!(turned.body.contains("Registration must close later than it opens."), "{}", turned.body);
        let untold = refused("announce", &format!("text={}", "x".repeat(600))).await;
        assert_eq!(untold.value("text"), "x".repeat(600));
        // The longest description, as a form sends it.
        let long = format!("csrf={csrf}&title=Ball&description={}&waitlist=true", "%E6%B1%89".repeat(4_000));
        assert_eq!(browser.post("/admin/events/ball/edit", &long).await.location(), "/admin/events/ball?done=edited");

        // The table: search, status, and a place given to the next.
        let waiting = browser.get("/admin/events/ball?status=waiting").await.body;
        assert!(waiting.contains(">Person 4<") && !waiting.contains(">Person 3<"), "{waiting}");
        let found = browser.get("/admin/events/ball?q=P1%40EXAMPLE").await.body;
        assert!(found.contains(">Person 1<") && !found.contains(">Person 2<"));
        let id = found.split("/registrations/").nth(1).and_then(|rest| rest.split("/cancel").next()).expect("a button to cancel").to_owned();
        assert_eq!(
            browser.post(&format!("/admin/events/ball/registrations/{id}/cancel"), &format!("csrf={csrf}")).await.location(),
            "/admin/events/ball?done=cancelled"
        );
        assert_eq!(browser.get("/admin/events/ball").await.registered(), "3", "the next one got the place");
        assert!(!browser.get("/admin/events/ball").await.body.contains("/undo"), "there is nothing to undo yet");

        assert_eq!(browser.post("/admin/events/ball/reset", &format!("csrf={csrf}&confirm=ball&capacity=9")).await.location(), "/admin/events/ball?done=reset");
        let desk = browser.get("/admin/events/ball").await;
        assert_eq!((desk.registered(), desk.value("capacity").as_str()), ("0", "9"));
        assert!(desk.body.contains("/undo\"") && browser.get("/admin/events/ball?round=1").await.body.contains(">Person 2<"));
        assert_eq!(browser.post("/admin/events/ball/undo", &format!("csrf={csrf}")).await.location(), "/admin/events/ball?done=undone");
        assert_eq!(browser.get("/admin/events/ball").await.registered(), "3");

        let audit = browser.get("/admin/events/ball/audit").await;
        audit.is_page(200, "no-store");
        assert!(audit.body.contains("<code>capacity 2, ") && audit.body.contains("<code>capacity 3, "), "{}", audit.body);
        assert!(!audit.body.contains("revision"), "what always differs is left out");

        assert_eq!(browser.post("/admin/events/ball/delete", &format!("csrf={csrf}&confirm=ball")).await.location(), "/admin?done=deleted");
        browser.get("/e/ball").await.is_page(404, "no-store");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_table_has_pages() {
    let app = App::sqlite().await;
    for n in 1..=60 {
        assert_eq!(app.register("welcome", &format!("Person {n}"), &format!("p{n}@example.org")).await.status, 201);
    }
    let mut browser = Browser::new(&app);
    browser.sign_in().await;
    let first = browser.get("/admin/events/welcome?q=person").await.body;
    assert_eq!(first.matches("<tr data-status").count(), 50);
    assert!(first.contains("/admin/events/welcome?q=person&amp;status=&amp;round=1&amp;after=50#registrations"), "{first}");
    let second = browser.get("/admin/events/welcome?q=person&status=&round=1&after=50").await.body;
    assert_eq!(second.matches("<tr data-status").count(), 10);
    assert!(!second.contains("after="));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_organiser_s_own_forms_work() {
    let app = App::sqlite().await;
    let mut browser = Browser::new(&app);
    let posts = ["/admin/events", "/admin/events/welcome/reset", "/admin/events/welcome/close", "/admin/events/welcome/delete"];
    // Signed out: the way to the sign-in, and nothing happens.
    for path in posts {
        let page = browser.post(path, "csrf=x&confirm=welcome").await;
        assert_eq!((page.status, page.location()), (303, "/admin/login"), "{path}");
    }
    for path in ["/admin/events/welcome", "/admin/events/welcome/audit"] {
        assert_eq!(browser.get(path).await.location(), "/admin/login");
    }
    let wrong = browser.post("/admin/login", "password=wrong").await;
    wrong.is_page(401, "no-store");
    assert!(wrong.headers("set-cookie").is_empty() && wrong.body.contains("That password is not right."));
    let foreign = browser.send("POST", "/admin/login", "password=x", &[("origin", "https://evil.example")]).await;
    foreign.is_page(403, "no-store");

    let csrf = browser.sign_in().await;
    for path in posts {
        for proof in ["", "csrf=", "csrf=0000", "other=x"] {
            browser.post(path, &format!("{proof}&confirm=welcome")).await.is_page(403, "no-store");
        }
        // The right proof, but from another site's page.
        let page = browser.send("POST", path, &format!("csrf={csrf}&confirm=welcome"), &[("sec-fetch-site", "cross-site")]).await;
        page.is_page(403, "no-store");
        assert_eq!(browser.get(path).await.status, 405, "looking at it does nothing");
    }
    assert_eq!(app.get("/api/v1/events/welcome").await.json()["revision"], json!(1), "nothing has happened");

    assert_eq!(browser.post("/admin/logout", &format!("csrf={csrf}")).await.location(), "/admin/login");
    assert_eq!(browser.post(posts[2], &format!("csrf={csrf}")).await.location(), "/admin/login");
    app.stop().await;
}

/// A password keeper files a password under a name, and nobody else is to be troubled with one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_password_has_a_name_beside_it_that_nobody_meets() {
    let app = App::sqlite().await;
    let page = Browser::new(&app).get("/admin/login").await.body;
    let fields: Vec<_> = page.split("<input ").skip(1).filter_map(|rest| rest.split('>').next()).filter(|field| field.contains("autocomplete=")).collect();
    let [name, password] = fields.as_slice() else { panic!("{fields:?}") };
    assert!(name.contains("autocomplete=\"username\"") && name.contains("type=\"text\"") && name.contains("value=\"organiser\""), "{name}");
    assert!(name.ends_with(" readonly hidden"), "neither shown nor read out nor reached by a key: {name}");
    assert!(!name.contains(" name="), "it is not sent: {name}");
    assert!(password.contains("autocomplete=\"current-password\"") && password.contains("type=\"password\""), "{password}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_compare_page_has_a_lab_of_its_own() {
    let app = App::sqlite().await;
    app.register("welcome", "Ada", "ada@example.org").await;
    for language in ["en", "zh-CN"] {
        let mut browser = Browser { language, ..Browser::new(&app) };
        let page = browser.get("/e/welcome/compare").await;
        assert_eq!((page.status, page.registered()), (200, "1"), "{}", page.body);
        // The frame is this page's alone.
        assert_eq!(page.header("content-security-policy"), format!("{POLICY}; frame-src 'self'"));
        assert_eq!(page.body.matches("data-lane=").count(), 6);
        balanced(&page.body);
        assert!(page.body.contains("action=\"/compare/lab\"") && !page.body.contains("data-register="), "a real event gets no made-up people");
        assert!(!page.body.contains("technique-") && !page.body.contains("Unknown localization"), "every word is there: {}", page.body);
    }
    let mut browser = Browser::new(&app);
    browser.get("/e/lab/compare").await.is_page(404, "no-store");
    browser.get("/compare/lab").await.is_page(405, "no-store");
    assert_eq!(browser.send("POST", "/compare/lab", "", &[("origin", "https://evil.example")]).await.status, 403);
    assert_eq!(app.get("/api/v1/events/lab").await.status, 404, "another site makes nothing");
    for _ in 0..2 {
        let made = browser.post("/compare/lab", "").await;
        assert_eq!((made.status, made.location()), (303, "/e/lab/compare"), "{}", made.body);
    }
    let lab = browser.get("/e/lab/compare").await;
    assert!(lab.status == 200 && lab.body.contains("data-register=\"50\"") && !lab.body.contains("action=\"/compare/lab\""));
    // Open to everybody who looks for it, but not on offer.
    assert!(app.get("/api/v1/events/lab").await.json()["capacity"].is_null());
    assert!(app.get("/api/v1/events").await.body.contains("\"lab\""));
    let list = browser.get("/").await.body;
    assert!(list.contains("/e/welcome") && !list.contains("/e/lab"), "{list}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn making_the_lab_counts_as_registering() {
    let app = App::start(Database::Sqlite, &["--register-rate-per-ip", "2"], Clock::System).await;
    let mut browser = Browser::new(&app);
    for status in [303, 303, 429] {
        assert_eq!(browser.post("/compare/lab", "").await.status, status);
    }
    app.stop().await;
}
