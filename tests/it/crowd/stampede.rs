//! Everybody at the same moment.

use std::collections::BTreeSet;

use headcount::domain::audit::Actor;
use headcount::domain::event::Edit;
use headcount::domain::registration::Status;
use headcount::wire::message::Payload;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::*;

pub(super) async fn a_stampede_gets_exactly_the_last_places(url: DatabaseUrl) {
    let node = Arc::new(Node::start(&url).await);
    for (round, (clients, places, waitlist)) in [
        (2, 1, false),
        (16, 1, false),
        (64, 7, true),
        (256, 20, false),
        (512, 500, true),
        (512, 1, false),
    ]
    .into_iter()
    .enumerate()
    {
        if round > 0 {
            let confirmed = Command::Delete {
                expected: None,
                confirmed: true,
                by: Actor::Owner,
            };
            let former = node
                .store
                .event(&Slug::parse("gala").unwrap())
                .await
                .unwrap()
                .unwrap();
            node.registrar
                .submit(former.id, confirmed)
                .await
                .unwrap()
                .unwrap();
        }
        let event = node.event(places, waitlist).await;
        let mut updates = node.channel(&event).updates();
        let (done, mut is_done) = tokio::sync::watch::channel(false);
        let watcher = tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let message = Arc::clone(&updates.borrow_and_update().count.message);
                if let Payload::Count(count) = message.payload() {
                    seen.push(count.clone());
                }
                tokio::select! {
                    changed = updates.changed() => if changed.is_err() { return seen },
                    _ = is_done.changed() => return seen,
                }
            }
        });
        // Everybody clicks twice, and both clicks start together with everybody else's.
        let start = Arc::new(Barrier::new(clients * 2));
        let mut crowd = JoinSet::new();
        for click in 0..clients * 2 {
            let (node, start, event) = (Arc::clone(&node), Arc::clone(&start), event.clone());
            crowd.spawn(async move {
                start.wait().await;
                let decision = node
                    .registrar
                    .submit(event.id, register(click / 2))
                    .await
                    .expect("an answer");
                let registration = accepted(&decision)?;
                let newest = node.channel(&event).newest().event;
                assert!(
                    newest.revision >= registration.accepted_revision,
                    "answered before it was published"
                );
                let stored = node.store.registration(registration.locator).await.unwrap();
                assert!(stored.is_some(), "answered before it was committed");
                Some((
                    click / 2,
                    registration.locator.number,
                    registration.accepted_waiting.is_none(),
                ))
            });
        }
        let answers: BTreeSet<_> = crowd.join_all().await.into_iter().flatten().collect();
        done.send_replace(true);
        let (event, rows) = node.audited(event.id).await;
        let confirmed = u32::try_from(clients.min(usize::try_from(places).unwrap())).unwrap();
        let taken = if waitlist {
            clients
        } else {
            usize::try_from(confirmed).unwrap()
        };
        assert_eq!(
            (event.registered, rows.len()),
            (confirmed, taken),
            "{clients} clients for {places} places"
        );
        // Both clicks of a person get the same answer: one of each two remains.
        assert_eq!(answers.len(), taken, "{answers:?}");
        let numbers: Vec<_> = answers
            .iter()
            .map(|(_, number, _)| *number)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        assert_eq!(numbers, (1..=event.last_number).collect::<Vec<_>>());
        assert!(
            answers
                .iter()
                .all(|(_, number, has_place)| *has_place == (*number <= confirmed)),
            "{answers:?}"
        );
        assert_eq!(*node.channel(&event).newest().event, event);
        let log = node.log(&event).await;
        for count in watcher.await.unwrap() {
            assert!(
                log.contains(&count),
                "{count:?} was published but never committed"
            );
        }
    }
}

pub(super) async fn two_nodes_give_no_place_twice(url: DatabaseUrl) {
    let nodes = [
        Arc::new(Node::start(&url).await),
        Arc::new(Node::start(&url).await),
    ];
    let places = 40;
    let event = nodes[0].event(places, false).await;
    let mut crowd = JoinSet::new();
    // Each client sends one command at a time, so that the nodes commit many small batches in turn.
    for client in 0..16_usize {
        let (node, id) = (Arc::clone(&nodes[client % 2]), event.id);
        crowd.spawn(async move {
            let mut numbers = Vec::new();
            for turn in 0..5 {
                let decision = node
                    .registrar
                    .submit(id, register(client * 5 + turn))
                    .await
                    .expect("an answer");
                numbers.extend(accepted(&decision).map(|registration| registration.locator.number));
            }
            numbers
        });
    }
    let mut numbers: Vec<_> = crowd.join_all().await.into_iter().flatten().collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    let (event, _) = nodes[1].audited(event.id).await;
    assert_eq!(i64::from(event.registered), places);
}

pub(super) async fn a_cancelled_place_goes_to_the_next_in_line(url: DatabaseUrl) {
    let node = Arc::new(Node::start(&url).await);
    let event = node.event(8, true).await;
    let mut crowd = JoinSet::new();
    for client in 0..64_u32 {
        let (node, id) = (Arc::clone(&node), event.id);
        crowd.spawn(async move {
            let decision = node
                .registrar
                .submit(id, register(client))
                .await
                .expect("an answer");
            let Ok(Answer::Registered { registration, .. }) = decision else {
                panic!("{decision:?}")
            };
            // Every second person cancels.
            if client % 2 == 0 {
                let cancel = Command::Cancel {
                    locator: registration.locator,
                    secret: Some(registration.secret.clone()),
                    by: Actor::Visitor,
                };
                assert!(
                    node.registrar
                        .submit(id, cancel)
                        .await
                        .expect("an answer")
                        .is_ok()
                );
            }
        });
    }
    // Meanwhile the organiser changes the capacity again and again.
    for capacity in [4, 12, 0, 8] {
        let edit = Edit {
            capacity: Some(Capacity::limited(capacity).unwrap()),
            ..Edit::default()
        };
        node.registrar
            .submit(
                event.id,
                Command::Edit {
                    edit,
                    expected: None,
                    by: Actor::Owner,
                },
            )
            .await
            .expect("an answer")
            .unwrap();
    }
    crowd.join_all().await;
    let (event, rows) = node.audited(event.id).await;
    let people = |status| rows.iter().filter(|row| row.status == status).count();
    assert_eq!(
        (
            people(Status::Cancelled),
            people(Status::Confirmed) + people(Status::Waiting)
        ),
        (32, 32)
    );
    // A lower capacity evicts nobody, so there can be more people than places, but never fewer.
    assert!(people(Status::Confirmed) >= 8, "{event:?}");
}
