//! Registering without scripts where the bot check is on: the person confirms from the inbox.

use std::sync::atomic::Ordering;

use tokio::task::JoinSet;

use super::mailbox::Mail;
use super::*;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PAGE: (&str, &str) = ("accept", "text/html");

impl Stage {
    /// Sends the event's form as a browser without scripts does.
    async fn sends_form(&self, slug: &str, fields: &str) -> Answer {
        let path = format!("/e/{slug}/register");
        self.app.call("POST", &path, &[FORM, PAGE], fields).await
    }

    /// Lets time pass until it is dropped. A link leaves a moment after its row was written, which
    /// happens after the answer.
    fn clock_runs(&self) -> JoinSet<()> {
        let hand = Arc::clone(&self.hand);
        let mut running = JoinSet::new();
        running.spawn(async move {
            loop {
                hand.fetch_add(1_000, Ordering::SeqCst);
                sleep(Duration::from_millis(50)).await;
            }
        });
        running
    }

    /// Waits until there are this many mails.
    async fn mails_after(&self, count: usize) -> Vec<Mail> {
        let _running = self.clock_runs();
        self.mailbox.wait(count).await
    }

    async fn registered(&self, slug: &str) -> Value {
        let path = format!("/api/v1/events/{slug}");
        self.app.get(&path).await.json()["registered"].clone()
    }
}

/// The path of the link with which somebody registers.
fn link(mail: &Mail) -> String {
    let text = mail.parsed().part("text/plain").expect("a text part");
    let line = text.lines().find_map(|line| line.strip_prefix(PUBLIC));
    let path = line.expect("a link").trim().to_owned();
    assert!(path.starts_with("/confirm/"), "{path}");
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_scripts_takes_a_place_when_the_mailed_link_is_opened() {
    for database in [Database::Sqlite, Database::Postgres] {
        let stage = Stage::new(database, &[]).await;
        let asked = json!([{ "key": "diet", "label": "Diet", "kind": "text" }]);
        let settings = json!({ "proof_of_work": "on", "capacity": 3, "max_party_size": 2, "questions": asked });
        stage.event("gala", settings).await;
        let page = stage.app.get("/e/gala").await.body;
        assert!(
            page.contains("you confirm your registration from your inbox"),
            "{page}"
        );
        let fields = "name=Spam+Pills&email=ada%40example.org&party_size=2&answer.diet=Fish";
        let sent = stage.sends_form("gala", fields).await;
        assert_eq!(sent.status, 202, "{}", sent.body);
        let notice = sent.body.split("data-form-notice").nth(1).unwrap();
        assert!(notice.contains("look into your inbox"), "{}", sent.body);
        assert!(!sent.body.contains("data-refused"), "nothing is wrong");
        assert!(
            sent.body.contains("data-goes-on"),
            "with scripts it goes on"
        );
        for typed in ["Spam Pills", "ada@example.org", "value=\"2\"", "Fish"] {
            assert!(sent.body.contains(typed), "{typed} stays: {}", sent.body);
        }
        assert_eq!(sent.header("cache-control"), Some("no-store"));
        assert_eq!(stage.registered("gala").await, 0);
        // Sent again, it is corrected, the last one counts, and there is one mail.
        for name in ["A", "Ad", "Adam", "Adah", "Adaa", "Ada"] {
            let fields = fields.replace("Spam+Pills", name);
            assert_eq!(stage.sends_form("gala", &fields).await.status, 202);
        }
        let mails = stage.mails_after(1).await;
        assert_eq!(mails[0].to, "ada@example.org");
        let raw = mails[0].raw.to_lowercase();
        for typed in ["pills", "ada,", "fish"] {
            assert!(!raw.contains(typed), "{raw}");
        }
        let path = link(&mails[0]);
        // A program that only checks links takes no place.
        let mut checker = crate::server::wire::Wire::connect(stage.app.address()).await;
        let head = format!("HEAD {path} HTTP/1.1\r\nHost: test\r\n\r\n");
        checker.send(head).await;
        assert!(checker.head().await.starts_with("http/1.1 204"));
        let forged = format!("{}x", &path[..path.len() - 1]);
        let wrong = stage.app.call("GET", &forged, &[PAGE], "").await;
        assert_eq!(wrong.status, 404);
        assert!(
            wrong.body.contains("does not work any more"),
            "{}",
            wrong.body
        );
        assert_eq!(stage.registered("gala").await, 0);
        // Opened twice, it is one registration.
        for _ in 0..2 {
            let opened = stage.app.call("GET", &path, &[PAGE], "").await;
            assert_eq!(opened.status, 303, "{}", opened.body);
            assert!(opened.header("location").unwrap().starts_with("/r/"));
            assert_eq!(stage.registered("gala").await, 2);
        }
        let row = stage.row("gala", 1).await;
        assert_eq!(
            [
                &row["name"],
                &row["email"],
                &row["party_size"],
                &row["email_proven"],
                &row["answers"]
            ],
            [
                &json!("Ada"),
                &json!("ada@example.org"),
                &json!(2),
                &json!(true),
                &json!({ "diet": "Fish" })
            ]
        );
        let mails = stage.mailbox.wait(2).await;
        let confirmed = mails[1].parsed();
        assert_eq!(confirmed.header("subject"), "You have a place: gala");
        assert!(confirmed.part("text/plain").unwrap().contains("Hello Ada,"));
        assert_eq!(stage.opens(&mails[1].token()).await.status, 200);
        stage.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_has_registered_gets_its_link_and_the_page_tells_nothing() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    stage.event("gala", json!({ "mails": ["link"] })).await;
    stage.registers("gala", "ada").await;
    stage.edit("gala", json!({ "proof_of_work": "on" })).await;
    let known = stage
        .sends_form("gala", "name=A&email=ADA%40example.org")
        .await;
    let unknown = stage
        .sends_form("gala", "name=A&email=eve%40example.org")
        .await;
    assert_eq!((known.status, unknown.status), (202, 202));
    let answered = |answer: &Answer, email: &str| {
        let page = answer.body.replace(email, "");
        let key = page.find("idempotency_key\" value=\"").expect("a key");
        page[..key].to_owned()
    };
    assert_eq!(
        answered(&known, "ADA@example.org"),
        answered(&unknown, "eve@example.org")
    );
    let mails = stage.mails_after(2).await;
    let subject = |to: &str| {
        let mail = mails.iter().find(|mail| mail.to == to).expect(to);
        mail.parsed().header("subject").to_owned()
    };
    assert_eq!(subject("ada@example.org"), "Your link: gala");
    assert_eq!(
        subject("eve@example.org"),
        "Confirm your registration: gala"
    );
    assert_eq!(stage.registered("gala").await, 1);
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_register_ends_after_a_day_and_gives_no_place_that_is_not_there() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    stage
        .event(
            "gala",
            json!({ "proof_of_work": "on", "capacity": 1, "mails": [] }),
        )
        .await;
    for who in ["ada", "eve", "bob"] {
        let fields = format!("name={who}&email={who}%40example.org");
        assert_eq!(stage.sends_form("gala", &fields).await.status, 202);
    }
    let mails = stage.mails_after(3).await;
    let path = |who: &str| {
        let to = format!("{who}@example.org");
        link(mails.iter().find(|mail| mail.to == to).expect("a mail"))
    };
    let opens = async |who: &str| {
        let path = path(who);
        stage.app.call("GET", &path, &[PAGE], "").await.status
    };
    assert_eq!(opens("ada").await, 303);
    assert_eq!(opens("eve").await, 409, "full");
    assert_eq!(opens("ada").await, 303, "the registration is still there");
    // A full event says so before it sends a mail.
    let late = stage
        .sends_form("gala", "name=Cy&email=cy%40example.org")
        .await;
    assert_eq!(late.status, 409, "{}", late.body);
    stage.edit("gala", json!({ "capacity": 5 })).await;
    stage.pass(24);
    assert_eq!(opens("bob").await, 404, "too late");
    assert_eq!(stage.registered("gala").await, 1);
    // A mistake is said first, and a program gets no link.
    let wrong = stage
        .sends_form("gala", "name=&email=cy%40example.org")
        .await;
    assert_eq!(wrong.status, 422);
    let trapped = "name=Cy&email=cy%40example.org&website=spam";
    assert_eq!(stage.sends_form("gala", trapped).await.status, 422);
    let body = json!({ "name": "Cy", "email": "cy@example.org" }).to_string();
    let json = [("content-type", "application/json")];
    let path = "/api/v1/events/gala/registrations";
    let api = stage.app.call("POST", path, &json, &body).await;
    assert_eq!(api.status, 422, "the API needs a proof");
    assert_eq!(stage.mailbox.mails().len(), 3);
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_registers_with_scripts_meanwhile_needs_no_link() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    stage.event("gala", json!({ "proof_of_work": "on" })).await;
    let sent = stage
        .sends_form("gala", "name=Ada&email=ada%40example.org")
        .await;
    assert_eq!(sent.status, 202);
    stage.waits_for("gala", "1 waiting").await;
    // The same form with a proof; here the organiser asks for none any more.
    stage.edit("gala", json!({ "proof_of_work": "off" })).await;
    stage.registers("gala", "ada").await;
    let mails = stage.mailbox.wait(1).await;
    assert_eq!(
        mails[0].parsed().header("subject"),
        "You have a place: gala"
    );
    let running = stage.clock_runs();
    stage.waits_for("gala", "1 not sent").await;
    drop(running);
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_offers_lost_links_only_while_they_are_mailed() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    stage.event("gala", json!({ "mails": ["link"] })).await;
    assert!(stage.app.get("/e/gala").await.body.contains("/e/gala/link"));
    stage.edit("gala", json!({ "mails": ["confirmed"] })).await;
    let page = stage.app.get("/e/gala").await.body;
    assert!(!page.contains("/e/gala/link"), "{page}");
    stage.app.stop().await;
}
