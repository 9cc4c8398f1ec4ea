//! Erasing people's data.

use headcount::domain::occasion::Occasion;
use headcount::domain::retention::EraseAfter;

use super::*;

both_databases!(
    an_erased_registration_is_stored_without_a_person,
    an_erased_address_is_free_in_the_same_batch,
    a_registration_that_was_just_made_is_erased,
    registrations_that_are_not_erased_are_found_page_by_page,
    nothing_is_written_into_an_erased_row,
    the_time_for_keeping_is_read_back,
);

fn erase(registration: &Registration) -> Command {
    Command::Erase {
        locator: registration.locator,
        secret: Some(registration.secret.clone()),
        by: Actor::Visitor,
    }
}

#[track_caller]
fn erased(decision: &Decision) -> Registration {
    match decision {
        Ok(Answer::Erased(row)) => Registration::clone(row),
        other => panic!("not erased: {other:?}"),
    }
}

async fn stored(stage: &Stage, locator: Locator) -> Registration {
    let listed = stage.store.registration(locator).await.unwrap();
    listed.expect("a registration").registration
}

async fn an_erased_registration_is_stored_without_a_person(stage: Stage) {
    let event = stage.event("gala", Some(1), true).await;
    let ada = accepted(stage.one(event.id, with_key("ada", "k")).await.0);
    let bob = stage.registers(event.id, "bob").await;
    let (decision, changes) = stage.one(event.id, erase(&ada)).await;
    let row = erased(&decision);
    assert_eq!(changes, [Kind::Changed]);
    assert_eq!(stored(&stage, ada.locator).await, row);
    assert!(row.name.as_str().is_empty() && row.erased_at.is_some());
    // In an archived round, with two who have no address.
    stage.does(event.id, reset()).await;
    let (decision, changes) = stage.one(event.id, erase(&bob)).await;
    assert_eq!(changes, []);
    assert_eq!(stored(&stage, bob.locator).await, erased(&decision));
    for search in ["ada", "bob", "example"] {
        let filter = Filter {
            round: 1,
            search: Search::parse(search).expect("a word"),
            limit: 10,
            ..Filter::default()
        };
        let page = stage.store.registrations(event.id, &filter).await.unwrap();
        assert_eq!((page.rows.len(), page.total), (0, 0), "{search}");
    }
    stage.does(event.id, undo()).await;
    stage.check(event.id).await;
    // Nothing changes any more.
    let (decision, changes) = stage.one(event.id, erase(&bob)).await;
    assert_eq!(
        (erased(&decision).erased_at.is_some(), changes),
        (true, vec![])
    );
    let mut forged = bob.clone();
    forged.secret = Secret::draw();
    assert_eq!(
        stage.one(event.id, erase(&forged)).await.0,
        Err(Refusal::RegistrationNotFound)
    );
}

async fn an_erased_address_is_free_in_the_same_batch(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let ada = accepted(stage.one(event.id, with_key("ada", "k")).await.0);
    let commit = stage
        .commit(
            event.id,
            vec![erase(&ada), with_key("ada", "k"), register("ada")],
        )
        .await;
    erased(&commit.decisions[0]);
    let again = accepted(commit.decisions[1].clone());
    assert_eq!(commit.decisions[2], Err(Refusal::AlreadyRegistered));
    assert_eq!(stored(&stage, again.locator).await, again);
    assert_eq!(stage.check(event.id).await.len(), 4);
}

/// An organiser can guess the id before the registration is stored.
async fn a_registration_that_was_just_made_is_erased(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let locator = Locator {
        event: event.id,
        round: 1,
        number: 1,
    };
    let quick = Command::Erase {
        locator,
        secret: None,
        by: Actor::Owner,
    };
    let commit = stage
        .commit(event.id, vec![with_key("ada", "k"), quick, register("ada")])
        .await;
    let row = erased(&commit.decisions[1]);
    assert_eq!(stored(&stage, locator).await, row);
    accepted(commit.decisions[2].clone());
    stage.check(event.id).await;
}

async fn registrations_that_are_not_erased_are_found_page_by_page(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let mut all = Vec::new();
    for round in 0..2 {
        for n in 0..4 {
            all.push(stage.registers(event.id, &format!("p{n}")).await);
        }
        if round == 0 {
            stage.does(event.id, reset()).await;
        }
    }
    for gone in [1, 4, 5] {
        erased(&stage.one(event.id, erase(&all[gone])).await.0);
    }
    let kept: Vec<_> = [0, 2, 3, 6, 7].map(|n: usize| all[n].locator).into();
    for limit in [1, 2, 3, 9] {
        let (mut found, mut last) = (Vec::new(), None);
        loop {
            let page = stage.store.unerased(event.id, last, limit).await.unwrap();
            assert!(page.len() <= limit as usize);
            let Some(end) = page.last() else { break };
            last = Some(*end);
            found.extend(page);
        }
        assert_eq!(found, kept, "{limit} a page");
    }
}

/// A node with a defect, or somebody by hand.
async fn nothing_is_written_into_an_erased_row(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let ada = stage.registers(event.id, "ada").await;
    erased(&stage.one(event.id, erase(&ada)).await.0);
    for sql in [
        "UPDATE registrations SET name = 'Ada'",
        "UPDATE registrations SET email = 'ada@example.org'",
        "UPDATE registrations SET email_key = 'ada@example.org'",
        "UPDATE registrations SET search_key = 'ada'",
        "UPDATE registrations SET answers = '{}'",
        "UPDATE registrations SET idempotency_key = 'k'",
    ] {
        assert!(stage.try_tamper(sql).await.is_err(), "{sql}");
    }
    for days in ["0", "3651"] {
        let sql = format!("UPDATE events SET erase_after_days = {days}");
        assert!(stage.try_tamper(sql.leak()).await.is_err(), "{days}");
    }
}

async fn the_time_for_keeping_is_read_back(stage: Stage) {
    let new = headcount::domain::event::NewEvent {
        erase_after: EraseAfter::parse(30).ok(),
        occasion: Occasion {
            starts_at: Some(Timestamp::from_millis(NOON)),
            ends_at: Some(Timestamp::from_millis(NOON + 1)),
            ..Occasion::default()
        },
        ..new_event("gala", None, false)
    };
    let now = stage.clock().now();
    let event = stage.store.create(new, "token", now).await.unwrap();
    for erase_after in [EraseAfter::parse(3_650).ok(), None] {
        let read = stage.store.event_by_id(event.id).await.unwrap().unwrap();
        assert!(read.erase_after.is_some());
        let change = Edit {
            erase_after: Some(erase_after),
            ..Edit::default()
        };
        let changed = changed(stage.one(event.id, edit(change)).await.0);
        assert_eq!(changed.erase_after, erase_after);
        let read = stage.store.event_by_id(event.id).await.unwrap().unwrap();
        assert_eq!(read, changed);
    }
}
