//! Batches of visits: what the decision says is stored, whatever the batch's size.

use super::*;

both_databases!(
    a_batch_of_any_size_is_stored_as_it_is_answered,
    known_people_are_found_among_new_people,
    a_crowd_gets_exactly_the_places
);

/// Sizes within a single statement and beyond.
async fn a_batch_of_any_size_is_stored_as_it_is_answered(stage: Stage) {
    for size in [1, 2, 3, 4, 5, 31, 33, 64, 511, 512, 513, 600] {
        // Some get a place, some wait; some have a key.
        let event = stage
            .event(&format!("gala{size}"), Some((size + 1) / 2), true)
            .await;
        let person = |n: i64| {
            if n % 3 == 0 {
                with_key(&format!("Person{n}"), &format!("key {n}"))
            } else {
                register(&format!("Person{n}"))
            }
        };
        let people: Vec<_> = (1..=size).map(person).collect();
        let commit = stage
            .store
            .commit(event.id, &people, &stage.clock())
            .await
            .expect("a database that works");
        let answered: Vec<_> = commit.decisions.into_iter().map(accepted).collect();
        let all = Filter {
            round: 1,
            limit: 10_000,
            ..Filter::default()
        };
        let stored = stage
            .store
            .registrations(event.id, &all)
            .await
            .unwrap()
            .rows
            .into_iter()
            .map(|row| row.registration);
        assert_eq!(stored.collect::<Vec<_>>(), answered, "{size}");
        let waiting = answered
            .iter()
            .filter_map(|row| row.accepted_waiting)
            .map(i64::from);
        assert_eq!(
            waiting.collect::<Vec<_>>(),
            (1..=size / 2).collect::<Vec<_>>()
        );
        // Key, address and name can be looked up as well.
        for n in 1..=size.min(3) {
            let mut again = stage
                .store
                .commit(event.id, &[person(n)], &stage.clock())
                .await
                .expect("a database that works");
            match again.decisions.remove(0) {
                Ok(Answer::Registered {
                    registration,
                    replayed: true,
                }) if n == 3 => assert_eq!(*registration, answered[2]),
                Err(Refusal::AlreadyRegistered) if n < 3 => {}
                other => panic!("{n}: {other:?}"),
            }
        }
        let named = Filter {
            search: Search::parse(&format!("pERSON{size}")).expect("a word"),
            ..all
        };
        assert_eq!(
            stage
                .store
                .registrations(event.id, &named)
                .await
                .unwrap()
                .rows
                .last()
                .unwrap()
                .registration,
            answered[answered.len() - 1]
        );
        stage.check(event.id).await;
    }
}

async fn known_people_are_found_among_new_people(stage: Stage) {
    let event = stage.event("gala", None, false).await;
    let known = accepted(stage.one(event.id, with_key("ada", "attempt")).await.0);
    for n in 0..40 {
        let people = |name: &str| register(&format!("{name}{n}"));
        let commit = stage
            .commit(
                event.id,
                vec![
                    people("bob"),
                    register("ada"),
                    people("cem"),
                    with_key("ada", "attempt"),
                ],
            )
            .await;
        let [
            Ok(bob),
            Err(Refusal::AlreadyRegistered),
            Ok(cem),
            Ok(Answer::Registered {
                registration,
                replayed: true,
            }),
        ] = commit.decisions.as_slice()
        else {
            panic!("{commit:?}")
        };
        assert_eq!(**registration, known);
        let numbers = [bob, cem].map(|answer| accepted(Ok(answer.clone())).locator.number);
        assert_eq!(numbers, [2 * n + 2, 2 * n + 3]);
        assert_eq!(
            stage.one(event.id, register("Ada")).await.0,
            Err(Refusal::AlreadyRegistered)
        );
    }
    stage.check(event.id).await;

    // A full event recognises people by their key only, so that it does not reveal whose address is
    // registered.
    for n in 0..40 {
        let event = stage.event(&format!("small{n}"), Some(2), false).await;
        let known = accepted(stage.one(event.id, with_key("ada", "attempt")).await.0);
        let commit = stage
            .commit(
                event.id,
                vec![
                    register("bob"),
                    register("ada"),
                    with_key("ada", "attempt"),
                    register("cem"),
                ],
            )
            .await;
        let [
            Ok(_),
            Err(Refusal::EventFull { remaining: 0 }),
            Ok(Answer::Registered {
                registration,
                replayed: true,
            }),
            Err(Refusal::EventFull { remaining: 0 }),
        ] = commit.decisions.as_slice()
        else {
            panic!("{commit:?}")
        };
        assert_eq!(**registration, known);
        stage.check(event.id).await;
    }
}

async fn a_crowd_gets_exactly_the_places(stage: Stage) {
    let event = stage.event("gala", Some(100), false).await;
    // As many at once as there are connections: waiting longer than two seconds for one is an
    // error.
    let crowd = (0..8).map(|door| {
        let store = stage.store.clone();
        tokio::spawn(async move {
            let mut decisions = Vec::new();
            for n in 0..25 {
                let mut commit = store
                    .commit(
                        event.id,
                        &[register(&format!("person{door}-{n}"))],
                        &Clock::System,
                    )
                    .await
                    .unwrap();
                decisions.push(commit.decisions.remove(0));
            }
            decisions
        })
    });
    let mut numbers = Vec::new();
    for door in crowd.collect::<Vec<_>>() {
        for decision in door.await.unwrap() {
            match decision {
                Ok(Answer::Registered {
                    registration,
                    replayed: false,
                }) => numbers.push(registration.locator.number),
                Err(Refusal::EventFull { remaining: 0 }) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
    stage.check(event.id).await;
}
