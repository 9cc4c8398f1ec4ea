//! The console's page of mails: a test, and another try of what has failed.

use super::*;

impl Stage {
    /// Presses a button of the page of mails. Returns where it leads.
    async fn presses(&self, browser: &mut Browser<'_>, step: &str) -> String {
        let path = "/admin/events/gala/mail";
        let page = browser.get(path).await;
        let (csrf, once) = (page.value("csrf"), page.value("once"));
        let body = format!("csrf={csrf}&once={once}&{step}");
        let sent = browser
            .send("POST", path, &body, &[("origin", PUBLIC)])
            .await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        sent.location().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_goes_to_the_organiser_and_counts_for_no_event() {
    let stage = Stage::new(Database::Sqlite, &["--mail-per-event", "1"]).await;
    stage.event("gala", json!({})).await;
    let mut browser = stage.organiser().await;
    for count in 1..=3 {
        let step = "step=test&test_to=organiser%40example.org";
        let led = stage.presses(&mut browser, step).await;
        assert!(led.ends_with("?done=mail-test"), "{led}");
        let mails = stage.mailbox.wait(count).await;
        assert_eq!(mails[count - 1].to, "organiser@example.org");
        let mail = mails[count - 1].parsed();
        assert_eq!(mail.header("subject"), "Test mail from Headcount");
    }
    stage.registers("gala", "ada").await;
    stage.mailbox.wait(4).await;
    let path = "/admin/events/gala/mail";
    let page = browser.get(path).await;
    let (csrf, once) = (page.value("csrf"), page.value("once"));
    let body = format!("csrf={csrf}&once={once}&step=test&test_to=nobody");
    let wrong = browser
        .send("POST", path, &body, &[("origin", PUBLIC)])
        .await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    assert!(wrong.body.contains("value=\"nobody\""), "{}", wrong.body);
    stage.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_failed_is_tried_again_and_the_address_is_no_longer_refused() {
    let stage = Stage::new(Database::Sqlite, &[]).await;
    stage.event("gala", json!({})).await;
    stage.mailbox.refuse(true);
    stage.registers("gala", "ada").await;
    stage.waits_for("gala", "data-mail-state=\"failed\"").await;
    stage.mailbox.refuse(false);
    // The address is marked: no further mail to it.
    stage.ask_link("gala", "ada@example.org").await;
    stage.waits_for("gala", "data-mail-state=\"dropped\"").await;
    let mut browser = stage.organiser().await;
    let page = browser.get("/admin/events/gala/mail").await;
    assert!(page.body.contains("550"), "{}", page.body);
    let step = format!("step=retry&row={}", page.value("row"));
    let led = stage.presses(&mut browser, &step).await;
    assert!(led.ends_with("?done=mail-retry"), "{led}");
    let mails = stage.mailbox.wait(1).await;
    assert_eq!(mails[0].to, "ada@example.org");
    stage.waits_for("gala", "data-mail-state=\"sent\"").await;
    let led = stage.presses(&mut browser, &step).await;
    assert!(led.ends_with("?done=mail-no-retry"), "{led}");
    stage.pass(1);
    stage.ask_link("gala", "ada@example.org").await;
    stage.mailbox.wait(2).await;
    stage.app.stop().await;
}
