//! Registrations that wait until their mailed link is opened.

use headcount::domain::confirmation::{Confirmation, Outcome};
use headcount::domain::language::Language;
use headcount::domain::outbox::NewRow;
use sqlx::query_scalar;

use super::*;

both_databases!(
    who_asks_twice_is_corrected_and_gets_one_link,
    an_opened_link_keeps_no_person,
    what_expired_or_was_erased_is_gone,
);

const DAY: Duration = Duration::from_hours(24);

/// Somebody with this name, at one address.
fn applicant(name: &str) -> (Applicant, Email) {
    let Command::Register(ada) = register("ada") else {
        unreachable!("it registers");
    };
    let email = ada.email.clone().expect("an address");
    let name = Name::parse(name).unwrap();
    (Applicant { name, ..ada }, email)
}

async fn asks(stage: &Stage, event: EventId, name: &str) {
    let now = stage.clock().now();
    let (applicant, email) = applicant(name);
    let mail = |id| NewRow::confirm(id, event, &email, Language::default(), now);
    let asked = stage
        .store
        .ask_to_confirm(event, &applicant, &email, (now, now.plus(DAY)), mail);
    asked.await.unwrap();
}

async fn rows(stage: &Stage, sql: &'static str) -> i64 {
    match &stage.url {
        DatabaseUrl::Sqlite(options) => {
            let mut connection = options.connect().await.unwrap();
            query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        }
        DatabaseUrl::Postgres(options) => {
            let mut connection = options.connect().await.unwrap();
            query_scalar(sql).fetch_one(&mut connection).await.unwrap()
        }
    }
}

const ALL: &str = "SELECT count(*) FROM confirmations";
const MAILS: &str = "SELECT count(*) FROM outbox WHERE kind = 'confirm'";
const NAMED: &str = "SELECT count(*) FROM confirmations WHERE name <> '' OR email <> '' OR email_key LIKE '%ada%' OR answers IS NOT NULL";

fn waits(found: Option<Confirmation>) -> Applicant {
    match found.expect("a confirmation").outcome {
        Outcome::Waits(applicant) => *applicant,
        Outcome::Opened(made) => panic!("opened: {made}"),
    }
}

async fn who_asks_twice_is_corrected_and_gets_one_link(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    asks(&stage, event.id, "Ada").await;
    let first = stage.store.confirmation(1).await.unwrap().unwrap();
    asks(&stage, event.id, "Ada Lovelace").await;
    let again = stage.store.confirmation(1).await.unwrap();
    let secret = again.as_ref().expect("one").secret.clone();
    assert!(secret.matches(&first.secret), "the link stays the same");
    let (asked, stored) = (applicant("Ada Lovelace").0, waits(again));
    assert_eq!((&stored.name, &stored.email), (&asked.name, &asked.email));
    assert!(stored.is_proven && stored.key == Confirmation::key(&secret));
    assert_eq!([rows(&stage, ALL).await, rows(&stage, MAILS).await], [1, 1]);
    assert_eq!(
        stage.store.confirmations_waiting(event.id).await.unwrap(),
        1
    );
    let other = stage.event("ball", None, false).await;
    asks(&stage, other.id, "Ada").await;
    assert_eq!([rows(&stage, ALL).await, rows(&stage, MAILS).await], [2, 2]);
    stage
        .does(
            event.id,
            Command::Delete {
                confirmed: true,
                expected: None,
                by: Actor::Owner,
            },
        )
        .await;
    assert_eq!(rows(&stage, ALL).await, 1, "it goes with its event");
}

async fn an_opened_link_keeps_no_person(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    asks(&stage, event.id, "Ada").await;
    let applicant = waits(stage.store.confirmation(1).await.unwrap());
    let (decision, _) = stage.one(event.id, Command::Register(applicant)).await;
    let row = accepted(decision);
    let listed = stage.store.registration(row.locator).await.unwrap();
    let stored = listed.expect("a registration").registration;
    assert!(stored.email_proven_at.is_some(), "{stored:?}");
    assert_eq!(stored, row);
    stage.store.note_confirmed(1, row.locator).await.unwrap();
    let found = stage.store.confirmation(1).await.unwrap().unwrap();
    match found.outcome {
        Outcome::Opened(made) => assert_eq!(made, row.locator),
        Outcome::Waits(_) => panic!("it was opened"),
    }
    assert_eq!(rows(&stage, NAMED).await, 0);
    assert_eq!(
        stage.store.confirmations_waiting(event.id).await.unwrap(),
        0
    );
}

async fn what_expired_or_was_erased_is_gone(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let ada = stage.registers(event.id, "ada").await;
    asks(&stage, event.id, "Ada").await;
    let erase = Command::Erase {
        locator: ada.locator,
        secret: None,
        by: Actor::Owner,
    };
    stage.does(event.id, erase).await;
    assert_eq!(rows(&stage, ALL).await, 0, "erased with the registration");
    asks(&stage, event.id, "Ada").await;
    let now = stage.clock().now();
    let almost = now.plus(DAY).minus(Duration::from_millis(1));
    stage.store.prune_confirmations(almost).await.unwrap();
    assert_eq!(rows(&stage, ALL).await, 1);
    stage
        .store
        .prune_confirmations(now.plus(DAY))
        .await
        .unwrap();
    assert_eq!(rows(&stage, ALL).await, 0);
}
