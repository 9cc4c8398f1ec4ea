//! How rows of the outbox end: refused, sent, deleted, erased.

use headcount::domain::outbox::{Channel, MailKind, NewRow, Recipient, RowState};
use headcount::store::outbox::Finish;

use super::outbox::{DAY, HOUR, SECOND, mailing};
use super::*;

both_databases!(
    a_refused_address_is_known_until_the_organiser_tries_again,
    sent_rows_stay_for_thirty_days,
    a_deleted_event_sends_nothing_more,
    an_erased_person_is_in_no_payload,
);

async fn a_refused_address_is_known_until_the_organiser_tries_again(stage: Stage) {
    let stage = mailing(stage).await;
    let event = stage.event("gala", None, false).await;
    stage.registers(event.id, "ada").await;
    let row = stage.mails("a").await.remove(0);
    let refused = Finish::Failed {
        error: "550 no such user".to_owned(),
        refused: true,
    };
    stage.finish("a", &row, refused).await;
    let day_before = Timestamp::from_millis(NOON - DAY);
    let history = stage.store.outbox_history(&row, day_before).await.unwrap();
    assert!(history.refused && !history.mailed);
    let now = stage.clock().now();
    assert!(
        stage
            .store
            .retry_outbox(event.id, row.id, now)
            .await
            .unwrap()
    );
    assert!(
        !stage
            .store
            .retry_outbox(event.id, row.id, now)
            .await
            .unwrap()
    );
    let again = stage.mails("a").await.remove(0);
    assert_eq!((again.id, again.attempts), (row.id, 1));
    stage.finish("a", &again, Finish::Sent).await;
    let history = stage.store.outbox_history(&row, day_before).await.unwrap();
    assert!(!history.refused && history.mailed);
    assert_eq!(
        stage.store.outbox_totals(Some(event.id)).await.unwrap(),
        [(RowState::Sent, 1)]
    );
}

async fn sent_rows_stay_for_thirty_days(stage: Stage) {
    let stage = mailing(stage).await;
    let event = stage.event("gala", None, false).await;
    for person in ["ada", "bob", "cy"] {
        stage.registers(event.id, person).await;
    }
    let rows = stage.mails("a").await;
    stage.finish("a", &rows[0], Finish::Sent).await;
    let reason = "cancelled".to_owned();
    stage
        .finish("a", &rows[1], Finish::Dropped { reason })
        .await;
    stage.pass(30 * DAY);
    assert!(!stage.store.prune_outbox(stage.clock().now()).await.unwrap());
    assert_eq!(stage.outbox().await.len(), 3);
    stage.pass(SECOND);
    assert!(!stage.store.prune_outbox(stage.clock().now()).await.unwrap());
    let left = stage.outbox().await;
    assert_eq!((left.len(), left[0].state), (1, RowState::Waiting));
}

async fn a_deleted_event_sends_nothing_more(stage: Stage) {
    let stage = mailing(stage).await;
    let gala = stage.event("gala", None, false).await;
    let hall = stage.event("hall", None, false).await;
    for event in [&gala, &hall] {
        stage.registers(event.id, "ada").await;
    }
    let delete = Command::Delete {
        confirmed: true,
        expected: None,
        by: Actor::Owner,
    };
    stage.does(gala.id, delete).await;
    let rows = stage.mails("a").await;
    assert_eq!(
        rows.iter().map(|row| row.event).collect::<Vec<_>>(),
        [hall.id]
    );
}

async fn an_erased_person_is_in_no_payload(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let (ada, bob) = (
        stage.registers(event.id, "ada").await,
        stage.registers(event.id, "bob").await,
    );
    let now = stage.clock().now();
    let row = |of: &Registration, due| NewRow {
        channel: Channel::Webhook,
        recipient: Recipient::Key("webhook:1".to_owned()),
        webhook: Some(1),
        payload: serde_json::json!({ "name": of.name.as_str() }),
        ..NewRow::mail(MailKind::Confirmed, of.locator, "", due)
    };
    let later = now.plus(Duration::from_hours(1));
    let rows = [row(&ada, now), row(&ada, later), row(&bob, later)];
    stage.store.write_outbox(&rows, now).await.unwrap();
    let sent = stage.claim("a", Channel::Webhook, None).await.rows;
    stage.finish("a", &sent[0], Finish::Sent).await;
    let erase = Command::Erase {
        locator: ada.locator,
        secret: None,
        by: Actor::Owner,
    };
    stage.does(event.id, erase).await;
    // It fails if there is such a row.
    stage
        .tamper("UPDATE outbox SET state = NULL WHERE payload LIKE '%ada%'")
        .await;
    stage.pass(2 * HOUR);
    let left = stage.claim("a", Channel::Webhook, None).await.rows;
    assert_eq!((left.len(), left[0].number), (1, Some(bob.locator.number)));
    let delete = Command::Delete {
        confirmed: true,
        expected: None,
        by: Actor::Owner,
    };
    stage.does(event.id, delete).await;
    stage
        .tamper("UPDATE outbox SET state = NULL WHERE payload LIKE '%bob%'")
        .await;
}
