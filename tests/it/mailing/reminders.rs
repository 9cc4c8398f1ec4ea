//! Reminders: once for each start, whatever happens to the nodes.

use super::*;
use crate::support::postgres;
use crate::support::sqlite::File;

const DUE: &str = "2026-11-22T08:00:00Z";
const MOVED: &str = "2026-11-22T08:30:00Z";

/// Nothing is sent by itself.
fn quiet() -> Value {
    json!({ "mails": ["link"] })
}

fn gala() -> Value {
    json!({ "starts_at": DUE, "remind_hours_before": 24, "mails": ["reminder"] })
}

fn subjects(mails: &[mailbox::Mail]) -> Vec<(String, String)> {
    let read = mails.iter().map(|mail| (mail.to.clone(), mail.parsed()));
    read.map(|(to, mail)| (to, mail.header("subject").to_owned()))
        .collect()
}

fn reminder_to(who: &str) -> (String, String) {
    (format!("{who}@example.org"), "Coming up: gala".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_is_sent_once_also_after_a_restart() {
    let (file, mailbox) = (File::new(), Mailbox::open().await);
    let hand = Arc::new(AtomicI64::new(NOON));
    let (url, smtp) = (file.text(), mailbox.url());
    let flags = ["--smtp-url", &smtp, "--public-url", PUBLIC];
    let start = || App::on(&url, &flags, Clock::Manual(Arc::clone(&hand)));
    let stage = Stage {
        app: App::of(start().await),
        mailbox,
        hand: Arc::clone(&hand),
    };
    stage.event("gala", quiet()).await;
    let eve = stage.registers("gala", "eve").await;
    let cancel = format!("/api/v1/registrations/{}", eve["token"].as_str().unwrap());
    stage.app.call("DELETE", &cancel, &[], "").await;
    stage.registers("gala", "ada").await;
    stage.proves("gala", "ada", 1).await;
    stage.edit("gala", gala()).await;
    let mails = stage.mailbox.wait(2).await;
    assert_eq!(subjects(&mails[1..]), [reminder_to("ada")]);
    stage.app.stop().await;
    let stage = Stage {
        app: App::of(start().await),
        ..stage
    };
    // A start that moves is reminded of: after all that the restart itself could have sent.
    stage.edit("gala", json!({ "starts_at": MOVED })).await;
    let mails = stage.mailbox.wait(3).await;
    assert_eq!(
        subjects(&mails[1..]),
        [reminder_to("ada"), reminder_to("ada")]
    );
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_remind_once_and_only_those_with_a_place() {
    let url = postgres::shared().new_database().await;
    let (mailbox, hand) = (Mailbox::open().await, Arc::new(AtomicI64::new(NOON)));
    let smtp = mailbox.url();
    let flags = ["--smtp-url", &smtp, "--public-url", PUBLIC];
    let node = || App::on(&url, &flags, Clock::Manual(Arc::clone(&hand)));
    let (one, two) = (App::of(node().await), App::of(node().await));
    let stage = Stage {
        app: one,
        mailbox,
        hand: Arc::clone(&hand),
    };
    let mut few = quiet();
    few["capacity"] = json!(1);
    few["waitlist"] = json!(true);
    stage.event("gala", few).await;
    stage.registers("gala", "ada").await;
    stage.registers("gala", "bob").await;
    stage.proves("gala", "ada", 1).await;
    stage.proves("gala", "bob", 2).await;
    stage.edit("gala", gala()).await;
    let mails = stage.mailbox.wait(3).await;
    assert_eq!(subjects(&mails[2..]), [reminder_to("ada")]);
    stage.edit("gala", json!({ "starts_at": MOVED })).await;
    let mails = stage.mailbox.wait(4).await;
    assert_eq!(
        subjects(&mails[2..]),
        [reminder_to("ada"), reminder_to("ada")]
    );
    two.stop().await;
    stage.app.stop().await;
}
