//! Visitors register, wait, cancel: what the decision says is what is stored.

use super::*;

both_databases!(
    people_register_until_it_is_full,
    a_cancelled_place_goes_to_the_longest_waiting,
    an_address_has_one_place,
    a_repeated_key_gets_the_same_answer,
    a_cancelled_registration_frees_its_place,
    refusals_write_nothing
);

async fn people_register_until_it_is_full(stage: Stage) {
    let event = stage.event("gala", Some(3), false).await;
    let first = stage.registers(event.id, "ada").await;
    assert_eq!(
        (first.locator, first.status, first.accepted_revision),
        (
            Locator {
                event: event.id,
                round: 1,
                number: 1
            },
            Status::Confirmed,
            2
        )
    );
    assert_eq!(first.at, Timestamp::from_millis(NOON));

    let commit = stage
        .commit(
            event.id,
            vec![register("bob"), register("cem"), register("dan")],
        )
        .await;
    let numbers: Vec<_> = commit
        .decisions
        .iter()
        .map(|decision| decision.as_ref().map(|_| ()))
        .collect();
    assert_eq!(
        numbers,
        [Ok(()), Ok(()), Err(&Refusal::EventFull { remaining: 0 })]
    );
    // One commit of many registrations is one revision.
    assert_eq!(commit.changes.len(), 1);
    let count = &commit.changes[0].headcount;
    assert_eq!(
        (
            count.revision,
            count.registered,
            count.remaining,
            count.state
        ),
        (3, 3, Some(0), State::Full)
    );
    assert_eq!(commit.event.unwrap().headcount(), *count);

    let stored = stage
        .store
        .registration(first.locator)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (stored.registration, stored.waiting_position),
        (first.clone(), None)
    );
    assert!(
        stage
            .store
            .registration(Locator {
                number: 4,
                ..first.locator
            })
            .await
            .unwrap()
            .is_none()
    );
    stage.check(event.id).await;
}

async fn a_cancelled_place_goes_to_the_longest_waiting(stage: Stage) {
    let event = stage.event("gala", Some(1), true).await;
    let ada = stage.registers(event.id, "ada").await;
    let commit = stage
        .commit(
            event.id,
            vec![register("bob"), register("cem"), register("dan")],
        )
        .await;
    let waiting: Vec<Registration> = commit.decisions.into_iter().map(accepted).collect();
    let places: Vec<_> = waiting
        .iter()
        .map(|row| (row.locator.number, row.status, row.accepted_waiting))
        .collect();
    assert_eq!(
        places,
        [
            (2, Status::Waiting, Some(1)),
            (3, Status::Waiting, Some(2)),
            (4, Status::Waiting, Some(3))
        ]
    );
    stage.check(event.id).await;

    // A waiting person cancels, then a place becomes free: two revisions, and the longest waiting
    // gets it.
    let (decision, kinds) = stage.one(event.id, cancel(&waiting[0])).await;
    assert_eq!(
        (cancelled(decision).status, kinds),
        (Status::Cancelled, vec![Kind::Cancelled])
    );
    let (decision, kinds) = stage.one(event.id, cancel(&ada)).await;
    assert_eq!(
        (cancelled(decision).revision, kinds),
        (5, vec![Kind::Cancelled, Kind::Promoted])
    );
    let cem = stage
        .store
        .registration(waiting[1].locator)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            cem.registration.status,
            cem.registration.revision,
            cem.registration.accepted_waiting
        ),
        (Status::Confirmed, 6, Some(2))
    );
    let dan = stage
        .store
        .registration(waiting[2].locator)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(dan.waiting_position, Some(1));
    stage.check(event.id).await;

    // In one batch: a cancellation, the waiting person gets the place, and a new person waits.
    let commit = stage
        .commit(
            event.id,
            vec![
                register("eve"),
                cancel(&cem.registration),
                cancel(&dan.registration),
            ],
        )
        .await;
    let kinds: Vec<Kind> = commit.changes.iter().map(|change| change.kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Registered,
            Kind::Cancelled,
            Kind::Promoted,
            Kind::Cancelled,
            Kind::Promoted
        ]
    );
    let eve = accepted(commit.decisions.into_iter().next().unwrap());
    assert_eq!(eve.accepted_waiting, Some(2));
    assert_eq!(
        stage
            .store
            .registration(eve.locator)
            .await
            .unwrap()
            .unwrap()
            .registration
            .status,
        Status::Confirmed
    );
    stage.check(event.id).await;
}

async fn an_address_has_one_place(stage: Stage) {
    let event = stage.event("gala", Some(10), false).await;
    let ada = stage.registers(event.id, "ada").await;
    assert_eq!(
        stage.one(event.id, register("ADA")).await,
        (Err(Refusal::AlreadyRegistered), vec![])
    );
    let commit = stage
        .commit(event.id, vec![register("bob"), register("Bob")])
        .await;
    assert!(matches!(
        commit.decisions.as_slice(),
        [Ok(_), Err(Refusal::AlreadyRegistered)]
    ));

    // Cancelled and registered again in one batch: the address is free in between.
    let commit = stage
        .commit(
            event.id,
            vec![cancel(&ada), register("ada"), register("Ada")],
        )
        .await;
    assert!(matches!(
        commit.decisions.as_slice(),
        [Ok(_), Ok(_), Err(Refusal::AlreadyRegistered)]
    ));
    assert_eq!(
        stage.one(event.id, register("aDa")).await.0,
        Err(Refusal::AlreadyRegistered)
    );
    // Another event does not count.
    let other = stage.event("other", Some(10), false).await;
    stage.registers(other.id, "ada").await;
    stage.check(event.id).await;
}

async fn a_repeated_key_gets_the_same_answer(stage: Stage) {
    let event = stage.event("gala", Some(2), true).await;
    let first = accepted(stage.one(event.id, with_key("ada", "attempt-1")).await.0);
    let replayed = |decision: Decision| match decision {
        Ok(Answer::Registered {
            registration,
            replayed: true,
        }) => Arc::unwrap_or_clone(registration),
        other => panic!("not replayed: {other:?}"),
    };
    let (again, kinds) = stage.one(event.id, with_key("ada", "attempt-1")).await;
    assert_eq!((replayed(again), kinds), (first.clone(), vec![]));
    assert_eq!(
        stage.one(event.id, with_key("bob", "attempt-1")).await,
        (Err(Refusal::IdempotencyMismatch), vec![])
    );

    // A double click in one batch is one place.
    let mut commit = stage
        .commit(
            event.id,
            vec![with_key("cem", "attempt-2"), with_key("cem", "attempt-2")],
        )
        .await;
    let twice = replayed(commit.decisions.pop().unwrap());
    assert_eq!(accepted(commit.decisions.pop().unwrap()), twice);

    // The key finds its row even if it is cancelled; a new attempt needs a new key.
    stage.does(event.id, cancel(&first)).await;
    assert_eq!(
        replayed(stage.one(event.id, with_key("ada", "attempt-1")).await.0).status,
        Status::Cancelled
    );
    accepted(stage.one(event.id, with_key("ada", "attempt-3")).await.0);
    // In the next round keys are free again.
    stage.does(event.id, reset()).await;
    accepted(stage.one(event.id, with_key("ada", "attempt-1")).await.0);
    stage.check(event.id).await;
}

async fn a_cancelled_registration_frees_its_place(stage: Stage) {
    let event = stage.event("gala", Some(2), false).await;
    let ada = stage.registers(event.id, "ada").await;
    let forged = Command::Cancel {
        locator: ada.locator,
        secret: Some(Secret::draw()),
        by: Actor::Visitor,
    };
    assert_eq!(
        stage.one(event.id, forged).await,
        (Err(Refusal::RegistrationNotFound), vec![])
    );
    let elsewhere = Command::Cancel {
        locator: Locator {
            event: event.id + 1,
            ..ada.locator
        },
        secret: None,
        by: Actor::Owner,
    };
    assert_eq!(
        stage.one(event.id, elsewhere).await.0,
        Err(Refusal::RegistrationNotFound)
    );

    let (decision, kinds) = stage.one(event.id, cancel(&ada)).await;
    let gone = cancelled(decision);
    assert_eq!(
        (gone.status, kinds),
        (Status::Cancelled, vec![Kind::Cancelled])
    );
    // A second call: the same answer, no new revision.
    let (decision, kinds) = stage.one(event.id, cancel(&ada)).await;
    assert_eq!((cancelled(decision), kinds), (gone, vec![]));
    // The place is free again, the number is not.
    assert_eq!(stage.registers(event.id, "bob").await.locator.number, 2);

    // The organiser needs no secret, and gets an audit line.
    let bob = Locator {
        number: 2,
        ..ada.locator
    };
    cancelled(
        stage
            .one(
                event.id,
                Command::Cancel {
                    locator: bob,
                    secret: None,
                    by: Actor::AdminToken,
                },
            )
            .await
            .0,
    );
    let audit = stage.store.audit(&event.slug, None, 1).await.unwrap();
    assert_eq!(
        (audit[0].1.who.as_str(), audit[0].1.action.as_str()),
        ("token", "cancel")
    );
    assert_eq!(
        (&audit[0].1.before["status"], &audit[0].1.after["status"]),
        (&"confirmed".into(), &"cancelled".into())
    );
    stage.check(event.id).await;
}

async fn refusals_write_nothing(stage: Stage) {
    let event = stage.event("gala", Some(0), false).await;
    let commit = stage
        .commit(
            event.id,
            vec![register("ada"), register("bob"), Command::ApplySchedule],
        )
        .await;
    assert_eq!(
        commit.decisions,
        [
            Err(Refusal::EventFull { remaining: 0 }),
            Err(Refusal::EventFull { remaining: 0 }),
            Ok(Answer::Noted)
        ]
    );
    assert!(commit.changes.is_empty());
    assert_eq!(commit.event, Some(event.clone()));
    let commit = stage.commit(event.id, vec![]).await;
    assert_eq!(
        (commit.event, commit.decisions.len()),
        (Some(event.clone()), 0)
    );
    stage.check(event.id).await;
}
