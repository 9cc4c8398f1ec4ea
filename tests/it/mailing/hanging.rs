//! Mail goes on while a webhook's receiver hangs.

use headcount::outbox::webhook::PER_TARGET;

use super::*;
use crate::webhooks::receiver::Endless;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_arrives_while_a_webhook_gets_no_answer() {
    const PEOPLE: usize = 2 * PER_TARGET as usize;
    let allow = ["--webhook-allow", "127.0.0.0/8"];
    let stage = Stage::new(Database::Sqlite, &allow).await;
    stage.event("gala", json!({})).await;
    let hanging = Endless::start("", "").await;
    let hook = json!({ "url": hanging.url() });
    let created = stage.app.organise("POST", "/api/v1/webhooks", &hook).await;
    assert_eq!(created.status, 201, "{}", created.body);
    for n in 0..PEOPLE {
        stage.registers("gala", &format!("guest{n}")).await;
    }
    // Every place that the receiver has is taken by a request without an answer.
    let full = async {
        while hanging.most() < PER_TARGET as usize {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(Duration::from_secs(20), full).await.is_ok());
    stage.registers("gala", "last").await;
    let mails = stage.mailbox.wait(PEOPLE + 1).await;
    assert!(mails.iter().any(|mail| mail.to == "last@example.org"));
    drop(hanging);
    stage.app.stop().await;
}
