//! A public form is no relay: strangers' addresses get few mails, and no words of the form.

use futures_util::{StreamExt as _, stream};

use super::*;

/// How many addresses a spammer types in, and from how many networks.
const STRANGERS: u32 = 3_000;
const NETWORKS: u32 = 1_000;
/// Mails an hour about the event.
const BUDGET: usize = 25;

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_strangers_get_no_more_than_the_budget_and_no_name() {
    let budget = BUDGET.to_string();
    let flags = [
        "--mail-per-event",
        &budget,
        "--trusted-proxies",
        "127.0.0.1/32",
    ];
    let stage = Stage::new(Database::Sqlite, &flags).await;
    stage.event("gala", json!({})).await;
    let spam = |number: u32| {
        let network = number % NETWORKS;
        let from = format!("10.{}.{}.1", network / 250, network % 250);
        let body = json!({
            "name": "Cheap pills http://spam.example",
            "email": format!("stranger{number}@example.net"),
        });
        let app = &stage.app;
        async move {
            let headers = [
                ("content-type", "application/json"),
                ("x-forwarded-for", &*from),
            ];
            let path = "/api/v1/events/gala/registrations";
            app.call("POST", path, &headers, &body.to_string())
                .await
                .status
        }
    };
    let answers = stream::iter(0..STRANGERS).map(spam).buffer_unordered(64);
    let refused = answers
        .filter(|status| std::future::ready(*status != 201))
        .count()
        .await;
    assert_eq!(refused, 0, "everybody has registered");
    stage.mailbox.wait(BUDGET).await;
    // The rest waits, and the console says why.
    let waiting = STRANGERS as usize - BUDGET;
    let mut browser = stage.organiser().await;
    let page = browser.get("/admin/events/gala/mail").await;
    assert!(page.body.contains(&format!(
        "{},{:03} waiting",
        waiting / 1_000,
        waiting % 1_000
    )));
    assert!(page.body.contains("data-held"), "{}", page.body);
    let mails = stage.mailbox.mails();
    assert_eq!(mails.len(), BUDGET);
    for mail in &mails {
        let raw = mail.raw.to_lowercase();
        assert!(
            !raw.contains("pills") && !raw.contains("spam.example"),
            "{}",
            mail.raw
        );
    }
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_has_not_proven_itself_gets_one_mail_a_day() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    stage
        .event(
            "gala",
            json!({ "capacity": 1, "waitlist": true, "location": "Hall" }),
        )
        .await;
    stage.registers("gala", "ada").await;
    let eve = stage.registers("gala", "eve").await;
    stage.mailbox.wait(2).await;
    let news = json!({ "text": "News", "mail": true });
    let path = "/api/v1/events/gala/announcements";
    stage.app.organise("POST", path, &news).await;
    stage.edit("gala", json!({ "location": "Castle" })).await;
    // A promotion comes all the same, and after whatever came before it.
    stage.edit("gala", json!({ "capacity": 2 })).await;
    let mails = stage.mailbox.wait(3).await;
    stage.waits_for("gala", "4 not sent").await;
    assert!(
        mails[2]
            .parsed()
            .header("subject")
            .starts_with("You now have a place")
    );
    stage.pass(25);
    stage.app.organise("POST", path, &news).await;
    let mails = stage.mailbox.wait(5).await;
    let subjects: Vec<_> = mails[3..]
        .iter()
        .map(|mail| mail.parsed().header("subject").to_owned())
        .collect();
    assert_eq!(subjects, ["News about gala", "News about gala"]);
    assert_eq!(eve["status"], "waiting");
    stage.app.stop().await;
}
