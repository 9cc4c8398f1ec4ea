//! What an organiser does to an event.

use headcount::domain::announcement::NewAnnouncement;

use super::*;

both_databases!(
    an_event_is_created_and_found,
    an_organiser_changes_settings,
    a_round_is_reset_and_restored,
    an_event_is_deleted_with_all_its_rows,
    organisers_commands_stand_between_visits
);

async fn an_event_is_created_and_found(stage: Stage) {
    let store = &stage.store;
    assert!(store.events().await.unwrap().is_empty());
    let gala = stage.event("spring-gala", Some(100), true).await;
    assert_eq!(
        (gala.revision, gala.round, gala.state()),
        (1, 1, State::Open)
    );
    let open_end = stage.event("open-end", None, false).await;
    assert_eq!(
        store.events().await.unwrap(),
        [gala.clone(), open_end.clone()]
    );
    assert_eq!(store.event(&gala.slug).await.unwrap().as_ref(), Some(&gala));
    assert_eq!(
        store.event_by_id(open_end.id).await.unwrap().as_ref(),
        Some(&open_end)
    );
    assert_eq!(
        store.event(&Slug::parse("nowhere").unwrap()).await.unwrap(),
        None
    );
    assert_eq!(store.event_by_id(open_end.id + 1).await.unwrap(), None);
    assert_eq!(store.recount(open_end.id + 1).await.unwrap(), None);

    assert!(matches!(
        store
            .create(
                new_event("spring-gala", None, false),
                "token",
                Timestamp::from_millis(NOON)
            )
            .await,
        Err(CreateError::SlugTaken)
    ));
    // After the refusal the writer works, and the first event is unchanged.
    let changes = stage.check(gala.id).await;
    assert_eq!(changes[0].kind, Kind::Created);
    let audit = store.audit(&gala.slug, None, 10).await.unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!(
        (
            audit[0].1.who.as_str(),
            audit[0].1.action.as_str(),
            &audit[0].1.before
        ),
        ("token", "create", &serde_json::Value::Null)
    );
    assert_eq!(audit[0].1.after["capacity"], 100);
    store.ping().await.unwrap();
}

async fn an_organiser_changes_settings(stage: Stage) {
    let event = stage.event("gala", Some(1), true).await;
    for person in ["ada", "bob", "cem", "dan", "eve"] {
        stage.registers(event.id, person).await;
    }
    let before = stage.store.event_by_id(event.id).await.unwrap().unwrap();

    // More places go to the longest waiting, in the same transaction.
    let (decision, kinds) = stage.one(event.id, capacity(3)).await;
    let more = changed(decision);
    assert_eq!(
        (more.registered, more.waiting, kinds),
        (3, 2, vec![Kind::Capacity, Kind::Promoted])
    );
    stage.check(event.id).await;

    // Fewer places: nobody is evicted.
    let fewer = changed(stage.one(event.id, capacity(1)).await.0);
    assert_eq!(
        (
            fewer.registered,
            fewer.headcount().over_by,
            fewer.headcount().remaining
        ),
        (3, 2, Some(0))
    );
    let unlimited = edit(Edit {
        capacity: Some(Capacity::UNLIMITED),
        ..Edit::default()
    });
    let unlimited = changed(stage.one(event.id, unlimited).await.0);
    assert_eq!((unlimited.registered, unlimited.waiting), (5, 0));
    stage.check(event.id).await;

    // `If-Match` against an outdated position.
    let outdated = Command::Edit {
        edit: Edit::default(),
        expected: Some(vec![before.position()]),
        by: Actor::AdminToken,
    };
    assert_eq!(
        stage.one(event.id, outdated).await,
        (Err(Refusal::ChangedMeanwhile), vec![])
    );
    let current = Edit {
        title: Some("Summer gala".into()),
        description: Some(String::new()),
        closed: Some(true),
        ..Edit::default()
    };
    let current = Command::Edit {
        edit: current,
        expected: Some(vec![unlimited.position()]),
        by: Actor::AdminToken,
    };
    let (decision, kinds) = stage.one(event.id, current).await;
    let closed = changed(decision);
    assert_eq!((closed.state(), kinds), (State::Closed, vec![Kind::Closed]));
    assert_eq!(stage.store.event(&event.slug).await.unwrap(), Some(closed));
    assert_eq!(
        stage.one(event.id, register("fay")).await.0,
        Err(Refusal::EventClosed)
    );
    assert_eq!(
        stage
            .store
            .audit(&event.slug, None, 10)
            .await
            .unwrap()
            .len(),
        5
    );
    stage.check(event.id).await;
}

async fn a_round_is_reset_and_restored(stage: Stage) {
    let event = stage.event("gala", Some(2), true).await;
    assert!(matches!(
        stage.one(event.id, undo()).await.0,
        Err(Refusal::NotEmpty(_))
    ));
    let mut people = Vec::new();
    for person in ["ada", "bob", "cem", "dan"] {
        people.push(stage.registers(event.id, person).await);
    }
    let (decision, kinds) = stage
        .one(
            event.id,
            Command::Reset {
                expected: None,
                capacity: Some(Capacity::limited(5).unwrap()),
                by: Actor::Owner,
            },
        )
        .await;
    let fresh = changed(decision);
    assert_eq!(
        (
            fresh.round,
            fresh.registered,
            fresh.waiting,
            fresh.last_number,
            kinds
        ),
        (2, 0, 0, 0, vec![Kind::Reset])
    );
    stage.check(event.id).await;

    // Cancelling a registration of an archived round changes only that registration ...
    let (decision, kinds) = stage.one(event.id, cancel(&people[0])).await;
    assert_eq!(
        (cancelled(decision).status, kinds),
        (Status::Cancelled, vec![])
    );
    // ... and when the round is restored with its capacity, the longest waiting gets the place.
    let (decision, kinds) = stage.one(event.id, undo()).await;
    let back = changed(decision);
    assert_eq!(
        (
            back.round,
            back.registered,
            back.waiting,
            back.last_number,
            back.capacity
        ),
        (1, 2, 1, 4, event.capacity)
    );
    assert_eq!(kinds, [Kind::Restored, Kind::Promoted]);
    assert_eq!(
        stage
            .store
            .registration(people[2].locator)
            .await
            .unwrap()
            .unwrap()
            .registration
            .status,
        Status::Confirmed
    );
    stage.check(event.id).await;

    // A round with a registration cannot be undone. Numbers begin at 1, and addresses are free
    // again.
    stage.does(event.id, reset()).await;
    assert_eq!(
        stage.registers(event.id, "bob").await.locator,
        Locator {
            event: event.id,
            round: 2,
            number: 1
        }
    );
    assert!(matches!(
        stage.one(event.id, undo()).await.0,
        Err(Refusal::NotEmpty(_))
    ));
    let archived = stage
        .store
        .registrations(
            event.id,
            &Filter {
                round: 1,
                limit: 10,
                ..Filter::default()
            },
        )
        .await
        .unwrap();
    assert_eq!((archived.rows.len(), archived.total), (4, 4));
    stage.check(event.id).await;
}

async fn an_event_is_deleted_with_all_its_rows(stage: Stage) {
    let event = stage.event("gala", Some(5), false).await;
    let other = stage.event("other", Some(5), false).await;
    let ada = stage.registers(event.id, "ada").await;
    stage.registers(other.id, "ada").await;
    stage.does(event.id, reset()).await;
    stage
        .store
        .announce(
            event.id,
            &NewAnnouncement::new("Doors open"),
            "console",
            Timestamp::from_millis(NOON),
        )
        .await
        .unwrap();
    let delete = |confirmed| Command::Delete {
        expected: None,
        confirmed,
        by: Actor::Owner,
    };
    assert!(matches!(
        stage.one(event.id, delete(false)).await.0,
        Err(Refusal::NotEmpty(_))
    ));

    let commit = stage
        .commit(
            event.id,
            vec![register("bob"), delete(true), register("cem")],
        )
        .await;
    assert!(commit.event.is_none());
    assert!(matches!(
        commit.decisions.as_slice(),
        [Ok(_), Ok(Answer::Deleted), Err(Refusal::EventNotFound)]
    ));
    assert_eq!(stage.store.event(&event.slug).await.unwrap(), None);
    assert!(
        stage
            .store
            .registration(ada.locator)
            .await
            .unwrap()
            .is_none()
    );
    assert!(stage.store.changes(&event, 0, 10).await.unwrap().is_empty());
    assert!(stage.store.announcement(event.id).await.unwrap().is_none());
    let commit = stage
        .commit(event.id, vec![register("bob"), Command::ApplySchedule])
        .await;
    assert_eq!(
        commit.decisions,
        [Err(Refusal::EventNotFound), Err(Refusal::EventNotFound)]
    );
    assert!(
        stage
            .store
            .announce(
                event.id,
                &NewAnnouncement::new("Too late"),
                "console",
                Timestamp::from_millis(NOON)
            )
            .await
            .unwrap()
            .is_none()
    );

    // The audit log still has who deleted it. The slug is free for another event with another key.
    let audit = stage.store.audit(&event.slug, None, 10).await.unwrap();
    assert_eq!(
        (audit[0].1.action.as_str(), &audit[0].1.after),
        ("delete", &serde_json::Value::Null)
    );
    let again = stage.event("gala", Some(5), false).await;
    assert!(again.id > other.id && again.epoch != event.epoch);
    stage.check(again.id).await;
    stage.check(other.id).await;
}

async fn organisers_commands_stand_between_visits(stage: Stage) {
    let event = stage.event("gala", Some(1), true).await;
    let commands = vec![
        register("ada"),
        register("bob"),
        capacity(2),
        register("cem"),
        reset(),
        register("ada"),
        undo(),
        Command::ApplySchedule,
        register("bob"),
    ];
    let commit = stage.commit(event.id, commands).await;
    assert!(matches!(commit.decisions[6], Err(Refusal::NotEmpty(_))));
    let kinds: Vec<Kind> = commit.changes.iter().map(|change| change.kind).collect();
    let expected = [
        Kind::Registered,
        Kind::Capacity,
        Kind::Promoted,
        Kind::Registered,
        Kind::Reset,
        Kind::Registered,
        Kind::Registered,
    ];
    assert_eq!(kinds, expected);
    let event = commit.event.unwrap();
    assert_eq!((event.round, event.registered, event.revision), (2, 2, 8));
    stage.check(event.id).await;
}
