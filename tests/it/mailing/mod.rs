//! Mail from outside: a server in this process, and a mail server that keeps what it gets.

mod confirming;
mod console;
mod hanging;
mod kinds;
mod links;
mod mailbox;
mod reminders;
mod strangers;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use headcount::domain::clock::Clock;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::pages::Browser;
use super::support::app::{Answer, App, Database, PASSWORD};
use mailbox::Mailbox;

/// The address in mails.
const PUBLIC: &str = "https://tickets.example.org";
/// 2026-11-21T09:00:00Z.
const NOON: i64 = 1_795_251_600_000;

/// A server that sends to a mailbox, on a clock that the test sets.
struct Stage {
    app: App,
    mailbox: Mailbox,
    hand: Arc<AtomicI64>,
}

impl Stage {
    async fn new(database: Database, more: &[&str]) -> Self {
        let (mailbox, hand) = (Mailbox::open().await, Arc::new(AtomicI64::new(NOON)));
        let url = mailbox.url();
        let flags = [
            "--smtp-url",
            &url,
            "--public-url",
            PUBLIC,
            "--register-rate-per-ip",
            "0",
        ];
        let flags = [&flags[..], more].concat();
        let app = App::start(database, &flags, Clock::Manual(Arc::clone(&hand))).await;
        Self { app, mailbox, hand }
    }

    /// A later moment.
    fn pass(&self, hours: i64) {
        let millis = hours * 3_600_000;
        self.hand
            .fetch_add(millis, std::sync::atomic::Ordering::SeqCst);
    }

    /// An event with these settings besides its name.
    async fn event(&self, slug: &str, more: Value) {
        let mut new = json!({ "slug": slug, "title": slug, "capacity": null });
        new.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let made = self.app.organise("POST", "/api/v1/events", &new).await;
        assert_eq!(made.status, 201, "{}", made.body);
    }

    async fn edit(&self, slug: &str, edit: Value) {
        let path = format!("/api/v1/events/{slug}");
        let edited = self.app.organise("PATCH", &path, &edit).await;
        assert_eq!(edited.status, 200, "{}", edited.body);
    }

    /// Somebody registers; returns the answer's document.
    async fn registers(&self, slug: &str, who: &str) -> Value {
        let email = format!("{who}@example.org");
        let answer = self
            .app
            .register(slug, &format!("Name of {who}"), &email)
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()
    }

    /// Opens a private link, as a page or by the API.
    async fn opens(&self, token: &str) -> Answer {
        let answer = self.app.get(&format!("/r/{token}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    }

    async fn ask_link(&self, slug: &str, email: &str) -> Answer {
        let path = format!("/api/v1/events/{slug}/links");
        let kind = [("content-type", "application/json")];
        let body = json!({ "email": email }).to_string();
        self.app.call("POST", &path, &kind, &body).await
    }

    /// A person asks for the link, whose mail is the `count`th, and opens it.
    async fn proves(&self, slug: &str, who: &str, count: usize) {
        self.ask_link(slug, &format!("{who}@example.org")).await;
        let mails = self.mailbox.wait(count).await;
        assert_eq!(mails[count - 1].to, format!("{who}@example.org"));
        self.opens(&mails[count - 1].token()).await;
    }

    /// The organiser, signed in to the console. The public address is this site's only origin.
    async fn organiser(&self) -> Browser<'_> {
        let mut browser = Browser::new(&self.app);
        let password = format!("password={}", PASSWORD.replace(' ', "+"));
        let origin = [("origin", PUBLIC)];
        let signed_in = browser.send("POST", "/admin/login", &password, &origin);
        let signed_in = signed_in.await;
        assert_eq!(signed_in.status, 303, "{}", signed_in.body);
        browser
    }

    /// Waits until the console's page of mails has this text.
    async fn waits_for(&self, slug: &str, text: &str) {
        let mut browser = self.organiser().await;
        let shown = async {
            let path = format!("/admin/events/{slug}/mail");
            while !browser.get(&path).await.body.contains(text) {
                sleep(Duration::from_millis(50)).await;
            }
        };
        let shown = timeout(Duration::from_secs(30), shown).await;
        assert!(shown.is_ok(), "{text}");
    }

    /// The organiser's row of a registration.
    async fn row(&self, slug: &str, number: usize) -> Value {
        let path = format!("/api/v1/events/{slug}/registrations");
        let list = self.app.organise("GET", &path, &Value::Null).await.json();
        list["registrations"][number - 1].clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_mail_server_nothing_says_mail() {
    let app = App::sqlite().await;
    let event = app.event("gala", 5).await;
    app.register("gala", "Ada", "ada@example.org").await;
    for name in ["remind_hours_before", "mails"] {
        assert!(event.get(name).is_none(), "{name} in {event}");
    }
    let details = app.get("/api/v1/events/gala/details").await.json();
    assert!(details.get("mails").is_none(), "{details}");
    let path = "/api/v1/events/gala/registrations";
    let list = app.organise("GET", path, &Value::Null).await.json();
    assert!(
        list["registrations"][0].get("email_proven").is_none(),
        "{list}"
    );
    let kind = [("content-type", "application/json")];
    let body = r#"{"email":"ada@example.org"}"#;
    let lost = app
        .call("POST", "/api/v1/events/gala/links", &kind, body)
        .await;
    assert_eq!((lost.status, lost.code().as_str()), (404, "not-found"));
    for path in ["/e/gala/link", "/admin/events/gala/mail"] {
        let status = app.get(path).await.status;
        assert!([303, 404].contains(&status), "{path}: {status}");
    }
    let page = app.get("/e/gala").await.body;
    assert!(!page.contains("/e/gala/link"), "{page}");
    let mail = json!({ "text": "Doors", "mail": true });
    let path = "/api/v1/events/gala/announcements";
    assert_eq!(app.organise("POST", path, &mail).await.status, 422);
    app.stop().await;
}
