//! Registrations for several people: who moves up is read from the waiting list's head.

use headcount::domain::command::Revised;

use super::*;

both_databases!(
    a_group_that_blocks_the_waiting_list,
    a_group_at_the_head_leaves_and_many_move_up,
    parties_and_names_are_stored_as_they_change,
    many_changes_in_one_batch_promote_in_order,
    groups_survive_a_reset_and_its_undo
);

fn group(person: &str, people: i64) -> Command {
    Command::Register(Applicant {
        party_size: party(people),
        ..applicant(person)
    })
}

fn resize(registration: &Registration, people: i64) -> Command {
    change(
        registration,
        Revised {
            party_size: Some(party(people)),
            ..Revised::default()
        },
    )
}

fn change(registration: &Registration, revised: Revised) -> Command {
    Command::Change {
        locator: registration.locator,
        secret: Some(registration.secret.clone()),
        revised,
        expected: None,
        by: Actor::Visitor,
    }
}

/// Ten places for groups of 5 and 3; a group of 4 and five single persons wait.
async fn blocked(stage: &Stage) -> (Event, Vec<Registration>) {
    let event = stage.event("gala", Some(10), true).await;
    let mut rows = Vec::new();
    for (person, people) in [("five", 5), ("three", 3), ("four", 4)] {
        rows.push(accepted(stage.one(event.id, group(person, people)).await.0));
    }
    for single in ["a", "b", "c", "d", "e"] {
        rows.push(stage.registers(event.id, single).await);
    }
    let event = stage.store.event_by_id(event.id).await.unwrap().unwrap();
    (event, rows)
}

impl Stage {
    async fn counts(&self, event: &Event) -> (u32, u32, u32) {
        let event = self.store.event_by_id(event.id).await.unwrap().unwrap();
        self.check(event.id).await;
        (event.registered, event.waiting, event.waiting_parties())
    }

    /// The first two letters of each status.
    async fn statuses(&self, rows: &[Registration]) -> String {
        let mut letters = Vec::new();
        for row in rows {
            let row = self.store.registration(row.locator).await.unwrap().unwrap();
            letters.push(&row.registration.status.as_str()[..2]);
        }
        letters.join(" ")
    }
}

async fn a_group_that_blocks_the_waiting_list(stage: Stage) {
    let (event, rows) = blocked(&stage).await;
    let count = event.headcount();
    assert_eq!((count.state, count.remaining), (State::Waitlist, Some(2)));
    assert_eq!(stage.counts(&event).await, (8, 9, 6));
    assert_eq!(
        rows[7].accepted_waiting,
        Some(6),
        "registrations ahead, plus one"
    );
    let next = stage.store.next_party(event.id, 1).await.unwrap();
    assert_eq!(next, Some(party(4)));
    assert_eq!(stage.store.next_party(event.id, 2).await.unwrap(), None);

    // Nobody overtakes when somebody behind the head leaves, or too few people before it.
    stage.does(event.id, cancel(&rows[4])).await;
    let (_, kinds) = stage.one(event.id, resize(&rows[1], 2)).await;
    assert_eq!(kinds, [Kind::Changed]);
    assert_eq!(stage.counts(&event).await, (7, 8, 5));
    // One person more, and the group of four has its places.
    let (_, kinds) = stage.one(event.id, resize(&rows[1], 1)).await;
    assert_eq!(kinds, [Kind::Changed, Kind::Promoted]);
    assert_eq!(stage.counts(&event).await, (10, 4, 4));
    let head = stage.store.registration(rows[2].locator).await.unwrap();
    assert_eq!(head.unwrap().registration.status, Status::Confirmed);
}

/// The places that were free all the time go to those behind the group that blocked them.
async fn a_group_at_the_head_leaves_and_many_move_up(stage: Stage) {
    let (event, rows) = blocked(&stage).await;
    let (_, kinds) = stage.one(event.id, cancel(&rows[2])).await;
    assert_eq!(kinds, [Kind::Cancelled, Kind::Promoted]);
    assert_eq!(stage.counts(&event).await, (10, 3, 3));
    assert_eq!(stage.statuses(&rows).await, "co co ca co co wa wa wa");
    // A party that becomes smaller is the same, and so is a whole party that leaves.
    let (decision, _) = stage.one(event.id, resize(&rows[0], 3)).await;
    let changed = decision.expect("a change");
    assert!(matches!(changed, Answer::Changed(row) if row.party_size == party(3)));
    assert_eq!(stage.counts(&event).await, (10, 1, 1));
    stage.does(event.id, cancel(&rows[1])).await;
    assert_eq!(stage.counts(&event).await, (8, 0, 0));
}

async fn parties_and_names_are_stored_as_they_change(stage: Stage) {
    let event = stage.event("gala", Some(10), true).await;
    let row = accepted(stage.one(event.id, group("ada", 4)).await.0);
    let revised = Revised {
        name: Some(Name::parse("Grace Hopper").unwrap()),
        party_size: Some(party(2)),
        ..Revised::default()
    };
    let (decision, kinds) = stage.one(event.id, change(&row, revised.clone())).await;
    assert_eq!(kinds, [Kind::Changed]);
    let stored = stage.store.registration(row.locator).await.unwrap();
    let stored = stored.unwrap().registration;
    assert_eq!(decision, Ok(Answer::Changed(Arc::new(stored.clone()))));
    assert_eq!(
        (stored.name.as_str(), stored.party_size),
        ("Grace Hopper", party(2))
    );
    let filter = |query: &str| Filter {
        search: Search::parse(query).unwrap(),
        round: 1,
        limit: 9,
        ..Filter::default()
    };
    for (query, found) in [("hopper", 1), ("ada hopper", 1), ("lovelace", 0)] {
        let listed = stage
            .store
            .registrations(event.id, &filter(query))
            .await
            .unwrap();
        assert_eq!(
            listed.rows.len(),
            found,
            "{query}: the search key follows the name"
        );
    }
    // The same once more changes nothing.
    let (_, kinds) = stage.one(event.id, change(&row, revised)).await;
    assert_eq!(kinds, []);
    let mut forged = change(&row, Revised::default());
    if let Command::Change { secret, .. } = &mut forged {
        *secret = Some(Secret::draw());
    }
    assert_eq!(
        stage.one(event.id, forged).await.0,
        Err(Refusal::RegistrationNotFound)
    );
    assert_eq!(stage.counts(&event).await, (2, 0, 0));
}

async fn many_changes_in_one_batch_promote_in_order(stage: Stage) {
    let (event, rows) = blocked(&stage).await;
    let renamed = Revised {
        name: Some(Name::parse("Somebody Else").unwrap()),
        ..Revised::default()
    };
    // The head shrinks and moves up, leaves, and those behind it follow; newcomers come last.
    let commands = vec![
        resize(&rows[2], 2),
        group("late", 2),
        change(&rows[0], renamed),
        cancel(&rows[2]),
        resize(&rows[0], 2),
    ];
    let commit = stage.commit(event.id, commands).await;
    assert!(
        commit.decisions.iter().all(Result::is_ok),
        "{:?}",
        commit.decisions
    );
    let kinds: Vec<_> = commit
        .changes
        .iter()
        .map(|change| change.kind.as_str())
        .collect();
    let expected = [
        "changed",
        "promoted",
        "registered",
        "changed",
        "cancelled",
        "promoted",
        "changed",
        "promoted",
    ];
    assert_eq!(kinds, expected);
    // 2 and 3 people stayed, and five single persons have moved up.
    assert_eq!(stage.counts(&event).await, (10, 2, 1));
    assert_eq!(stage.statuses(&rows).await, "co co ca co co co co co");
}

async fn groups_survive_a_reset_and_its_undo(stage: Stage) {
    let (event, rows) = blocked(&stage).await;
    let (expected, by) = (None, Actor::Owner);
    let reset = Command::Reset {
        capacity: None,
        expected: None,
        by: by.clone(),
    };
    stage.does(event.id, reset).await;
    assert_eq!(stage.counts(&event).await, (0, 0, 0));
    // In the archived round only the registration changes.
    assert_eq!(stage.one(event.id, resize(&rows[1], 1)).await.1, []);
    stage
        .does(
            event.id,
            Command::Undo {
                expected,
                by: by.clone(),
            },
        )
        .await;
    assert_eq!(stage.counts(&event).await, (10, 5, 5));
    let raised = Edit {
        capacity: Some(Capacity::UNLIMITED),
        ..Edit::default()
    };
    let edit = Command::Edit {
        edit: raised,
        expected: None,
        by: by.clone(),
    };
    assert_eq!(
        stage.one(event.id, edit).await.1,
        [Kind::Capacity, Kind::Promoted]
    );
    assert_eq!(stage.counts(&event).await, (15, 0, 0));
}
