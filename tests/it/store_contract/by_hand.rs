//! What the organiser does for people.

use headcount::domain::command::Imported;
use headcount::domain::registration::AddedBy;

use super::*;

both_databases!(
    people_without_an_address_live_beside_each_other,
    an_added_registration_comes_back_as_it_was_stored,
    an_import_is_one_transaction,
    a_large_import_is_stored_with_all_its_rows,
    a_dry_run_of_an_import_writes_nothing,
    a_restored_place_counts_again,
    an_address_that_came_again_keeps_its_place
);

fn add(applicant: Applicant, over_capacity: bool) -> Command {
    Command::Add {
        applicant,
        over_capacity,
        by: Actor::AdminToken,
    }
}

fn without_address(person: &str) -> Applicant {
    Applicant {
        email: None,
        ..applicant(person)
    }
}

fn import(people: Vec<Applicant>, dry_run: bool) -> Command {
    Command::Import {
        people,
        dry_run,
        by: Actor::Owner,
    }
}

fn restore(row: &Registration) -> Command {
    Command::Restore {
        locator: row.locator,
        expected: None,
        by: Actor::Owner,
    }
}

#[track_caller]
fn imported(decision: Decision) -> Imported {
    match decision {
        Ok(Answer::Imported(imported)) => imported,
        other => panic!("not imported: {other:?}"),
    }
}

impl Stage {
    async fn stored(&self, row: &Registration) -> Registration {
        let listed = self.store.registration(row.locator).await.unwrap();
        listed.expect("it was stored").registration
    }

    async fn actions(&self) -> Vec<String> {
        let slug = Slug::parse("gala").unwrap();
        let mut audit = self.store.audit(&slug, None, 100).await.unwrap();
        audit.reverse();
        audit.into_iter().map(|(_, entry)| entry.action).collect()
    }
}

async fn people_without_an_address_live_beside_each_other(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let mut rows = Vec::new();
    for person in ["ada", "bob", "cy"] {
        let command = add(without_address(person), false);
        rows.push(accepted(stage.one(event.id, command).await.0));
    }
    // In one batch too, and with one cancelled among them.
    stage.does(event.id, cancel(&rows[1])).await;
    let batch = ["dan", "eve"].map(|person| add(without_address(person), false));
    let commit = stage.commit(event.id, batch.to_vec()).await;
    rows.extend(commit.decisions.into_iter().map(accepted));
    for row in &rows {
        assert_eq!(stage.stored(row).await.email, None);
    }
    let search = |words| Filter {
        search: Search::parse(words).unwrap(),
        round: 1,
        limit: 10,
        ..Filter::default()
    };
    let found = stage.store.registrations(event.id, &search("eve")).await;
    assert_eq!(found.unwrap().rows.len(), 1);
    // A node of version 0.1.0 reads the address as a text, and no address is like its key.
    stage
        .tamper("UPDATE registrations SET email = email || '' WHERE email_key = '#2'")
        .await;
    let twice = "UPDATE registrations SET email_key = '#1' WHERE number = 3";
    assert!(stage.try_tamper(twice).await.is_err(), "the index is gone");
    stage.check(event.id).await;
}

async fn an_added_registration_comes_back_as_it_was_stored(stage: Stage) {
    let event = stage.event("gala", Some(1), true).await;
    let ada = stage.registers(event.id, "ada").await;
    stage.registers(event.id, "bob").await;
    let group = Applicant {
        party_size: party(3),
        key: Some(IdempotencyKey::parse("k").unwrap()),
        ..without_address("guests")
    };
    let command = add(group, true);
    let guests = accepted(stage.one(event.id, command.clone()).await.0);
    assert_eq!(stage.stored(&guests).await, guests);
    assert_eq!(stage.stored(&ada).await.added_by, None);
    assert_eq!(guests.added_by, Some(AddedBy::Token));
    // By its key alone: it has no address.
    let (again, changes) = stage.one(event.id, command).await;
    assert!(
        matches!(&again, Ok(Answer::Registered { registration, replayed: true }) if **registration == guests),
        "{again:?}"
    );
    assert!(changes.is_empty());
    let event = stage.store.event_by_id(event.id).await.unwrap().unwrap();
    assert_eq!((event.registered, event.waiting), (4, 1));
    assert_eq!(event.headcount().over_by, 3);
    assert_eq!(stage.actions().await, ["create", "add"]);
    stage.check(event.id).await;
}

async fn an_import_is_one_transaction(stage: Stage) {
    let event = stage.event("gala", Some(2), true).await;
    stage.registers(event.id, "ada").await;
    let people = |last: &str| vec![applicant("bob"), without_address("cy"), applicant(last)];
    let (refused, changes) = stage.one(event.id, import(people("ada"), false)).await;
    let refused = imported(refused);
    assert_eq!(refused.refused, [(2, Refusal::AlreadyRegistered)]);
    assert!(!refused.is_stored && changes.is_empty());
    assert_eq!(stage.check(event.id).await.len(), 2);
    // Its neighbours in the batch are decided on their own.
    let commands = vec![
        register("dan"),
        import(people("eve"), false),
        register("fay"),
    ];
    let commit = stage.commit(event.id, commands).await;
    let stored = imported(commit.decisions[1].clone());
    assert_eq!(
        (stored.confirmed, stored.waiting, stored.is_stored),
        (0, 3, true)
    );
    let event = commit.event.unwrap();
    assert_eq!(
        (event.registered, event.waiting, event.last_number),
        (2, 4, 6)
    );
    assert_eq!(commit.changes.len(), 3);
    assert_eq!(stage.check(event.id).await.len(), 5);
    assert_eq!(stage.actions().await, ["create", "import"]);
}

/// More rows than one INSERT takes.
async fn a_large_import_is_stored_with_all_its_rows(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let people: Vec<_> = (0..1_300).map(|n| applicant(&format!("p{n}"))).collect();
    let stored = imported(stage.one(event.id, import(people, false)).await.0);
    assert_eq!(stored.confirmed, 1_300);
    let changes = stage.check(event.id).await;
    assert_eq!(changes.len(), 2, "an import is one change");
}

async fn a_dry_run_of_an_import_writes_nothing(stage: Stage) {
    let event = stage.event("gala", Some(2), false).await;
    let people = || ["ada", "bob", "cy"].map(applicant).to_vec();
    let dry = imported(stage.one(event.id, import(people(), true)).await.0);
    assert_eq!((dry.confirmed, dry.refused.len()), (2, 1));
    assert_eq!(stage.check(event.id).await.len(), 1);
    let real = imported(stage.one(event.id, import(people(), false)).await.0);
    assert_eq!(real, dry);
    assert_eq!(stage.actions().await, ["create"]);
}

async fn a_restored_place_counts_again(stage: Stage) {
    let event = stage.event("gala", Some(2), false).await;
    let ada = stage.registers(event.id, "ada").await;
    stage.registers(event.id, "bob").await;
    stage.does(event.id, cancel(&ada)).await;
    let (restored, kinds) = stage.one(event.id, restore(&ada)).await;
    let Ok(Answer::Restored(restored)) = restored else {
        panic!("{restored:?}");
    };
    assert_eq!(kinds, [Kind::Changed]);
    assert_eq!(stage.stored(&ada).await, *restored);
    assert_eq!(restored.status, Status::Confirmed);
    stage.check(event.id).await;
    // Its address is its own again.
    let (twice, _) = stage.one(event.id, register("ada")).await;
    assert_eq!(twice, Err(Refusal::EventFull { remaining: 0 }));
    stage.does(event.id, capacity(9)).await;
    let (twice, _) = stage.one(event.id, register("ada")).await;
    assert_eq!(twice, Err(Refusal::AlreadyRegistered));
}

async fn an_address_that_came_again_keeps_its_place(stage: Stage) {
    let event = stage.event("gala", Some(9), true).await;
    let first = stage.registers(event.id, "ada").await;
    stage.does(event.id, cancel(&first)).await;
    stage.registers(event.id, "ada").await;
    let (refused, _) = stage.one(event.id, restore(&first)).await;
    assert_eq!(refused, Err(Refusal::AlreadyRegistered));
    // In a batch with others, where the restore comes after another segment.
    let batch = vec![register("bob"), restore(&first)];
    let decisions = stage.commit(event.id, batch).await.decisions;
    assert_eq!(decisions[1], Err(Refusal::AlreadyRegistered));
    stage.check(event.id).await;
}
