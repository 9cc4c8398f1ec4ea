//! Who gets a place, who waits, and which places become free.

use std::sync::Arc;

use super::*;

#[test]
fn a_freed_place_goes_to_the_longest_waiting_in_every_state() {
    let close: fn(&mut Scene) = |scene| drop(scene.edit(closed(true)));
    let end: fn(&mut Scene) = |scene| {
        drop(scene.edit(Edit {
            closes_at: Some(Some(at(-1))),
            ..Edit::default()
        }));
    };
    let postpone: fn(&mut Scene) = |scene| {
        drop(scene.edit(Edit {
            opens_at: Some(Some(at(60))),
            ..Edit::default()
        }));
    };
    let no_waitlist: fn(&mut Scene) = |scene| {
        drop(scene.edit(Edit {
            waitlist: Some(false),
            ..Edit::default()
        }));
    };
    for (name, change) in [
        ("closed", close),
        ("ended", end),
        ("scheduled", postpone),
        ("waiting list off", no_waitlist),
    ] {
        let mut scene = Scene::new(Some(2), true).crowd(4);
        change(&mut scene);
        scene.kinds();
        let cancelled = scene.cancel(1, 1);
        assert_eq!(scene.kinds(), ["cancelled", "promoted"], "{name}");
        assert_eq!(
            (scene.status(3), scene.status(4), scene.counts()),
            (Status::Confirmed, Status::Waiting, (2, 1)),
            "{name}"
        );
        assert_eq!(
            scene.rows[2].revision,
            cancelled.revision + 1,
            "{name}: each revision names its own change"
        );
    }
}

#[test]
fn a_waiting_list_that_is_switched_off_keeps_those_who_wait_and_takes_nobody_new() {
    let mut scene = Scene::new(Some(1), true).crowd(3);
    scene
        .edit(Edit {
            waitlist: Some(false),
            ..Edit::default()
        })
        .unwrap();
    assert_eq!(
        (scene.event.state(), scene.counts()),
        (EventState::Full, (1, 2))
    );
    assert_eq!(scene.come("late"), Err(Refusal::EventFull { remaining: 0 }));
}

#[test]
fn without_a_limit_everybody_who_waits_gets_a_place_in_one_change() {
    let mut scene = Scene::new(Some(1), true).crowd(5);
    scene.edit(capacity(None)).unwrap();
    assert_eq!(
        (scene.kinds(), scene.counts()),
        (vec!["capacity", "promoted"], (5, 0))
    );
}

#[test]
fn more_places_go_to_the_waiting_in_order_and_only_then_to_newcomers() {
    let mut scene = Scene::new(Some(1), true).crowd(4);
    scene.edit(capacity(Some(3))).unwrap();
    assert_eq!(scene.counts(), (3, 1));
    assert_eq!(
        (scene.status(2), scene.status(3), scene.status(4)),
        (Status::Confirmed, Status::Confirmed, Status::Waiting)
    );
    let late = scene.come("late").unwrap();
    assert_eq!(
        (late.status, late.accepted_waiting),
        (Status::Waiting, Some(2))
    );
}

#[test]
fn a_capacity_below_the_count_removes_nobody_and_admits_nobody() {
    let mut scene = Scene::new(Some(3), true).crowd(4);
    scene.edit(capacity(Some(1))).unwrap();
    let count = scene.event.headcount();
    assert_eq!(
        (
            count.registered,
            count.remaining,
            count.over_by,
            count.waiting
        ),
        (3, Some(0), 2, 1)
    );
    assert_eq!(scene.kinds(), ["capacity"]);
    scene.cancel(1, 1);
    scene.cancel(1, 2);
    assert_eq!(
        (scene.kinds(), scene.counts()),
        (vec!["cancelled", "cancelled"], (1, 1))
    );
    scene.cancel(1, 3);
    assert_eq!(
        (scene.kinds(), scene.counts()),
        (vec!["cancelled", "promoted"], (1, 0))
    );
}

#[test]
fn the_same_key_and_body_is_answered_again() {
    let mut scene = Scene::new(Some(1), true);
    scene.come("ada").unwrap();
    let first = registered(scene.ask(register("bob", Some("k"))).unwrap());
    let replay = |scene: &mut Scene, person: &str| scene.ask(register(person, Some("k")));
    let again = |row: &Registration| {
        Ok(Answer::Registered {
            registration: Arc::new(row.clone()),
            replayed: true,
        })
    };
    scene.kinds();
    assert_eq!(replay(&mut scene, "bob"), again(&first));
    // The original waiting position stays with the row, although the person has moved up since.
    scene.cancel(1, 1);
    let moved = scene.rows[1].clone();
    assert_eq!(
        (
            moved.status,
            moved.accepted_waiting,
            moved.accepted_revision
        ),
        (Status::Confirmed, Some(1), first.accepted_revision)
    );
    assert_eq!(replay(&mut scene, "bob"), again(&moved));
    scene.edit(closed(true)).unwrap();
    scene.cancel(1, 2);
    let given_back = scene.rows[1].clone();
    assert_eq!(
        replay(&mut scene, "bob"),
        again(&given_back),
        "the key is kept as long as the registration"
    );
    assert_eq!(replay(&mut scene, "eve"), Err(Refusal::IdempotencyMismatch));
    assert_eq!(
        replay(&mut scene, "BOB"),
        Err(Refusal::IdempotencyMismatch),
        "another spelling is another body"
    );
    let Command::Register(bob) = register("bob", Some("k")) else {
        unreachable!()
    };
    let renamed = Applicant {
        name: Name::parse("Bob").unwrap(),
        ..bob
    };
    assert_eq!(
        scene.ask(Command::Register(renamed)),
        Err(Refusal::IdempotencyMismatch)
    );
    assert_eq!(
        scene.kinds(),
        ["cancelled", "promoted", "closed", "cancelled"]
    );
}

#[test]
fn an_address_counts_once_without_case_until_it_is_cancelled() {
    let mut scene = Scene::new(Some(1), false).crowd(1);
    assert_eq!(
        scene.come("P1"),
        Err(Refusal::EventFull { remaining: 0 }),
        "a full event does not tell who has a place"
    );
    let decisions = scene.ask_all(&[
        cancellation(1, 1),
        register("P1", None),
        register("p1", None),
    ]);
    assert_eq!(
        decisions.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, true, false]
    );
    assert_eq!(
        (scene.status(1), scene.status(2), scene.counts()),
        (Status::Cancelled, Status::Confirmed, (1, 0))
    );
}

#[test]
fn registrations_in_a_row_share_a_revision_and_nothing_else_does() {
    let mut scene = Scene::new(None, false).crowd(1);
    let start = scene.event.revision;
    let decisions = scene.ask_all(&[
        register("a", None),
        register("P1", None),
        register("b", None),
        cancellation(1, 1),
        register("c", None),
        register("d", None),
    ]);
    let revisions: Vec<_> = decisions
        .into_iter()
        .flatten()
        .filter_map(|answer| {
            if let Answer::Registered { registration, .. } = answer {
                Some(registration.revision - start)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(revisions, [1, 1, 3, 3]);
    assert_eq!(
        scene
            .log
            .iter()
            .map(|change| change.headcount.registered)
            .collect::<Vec<_>>(),
        [3, 2, 4]
    );
    assert_eq!(scene.kinds(), ["registered", "cancelled", "registered"]);
    assert_eq!(scene.event.revision, start + 3);
}

#[test]
fn cancelling_twice_frees_one_place() {
    let mut scene = Scene::new(Some(2), true).crowd(4);
    let first = scene.cancel(1, 2);
    let kinds = scene.kinds();
    assert_eq!((scene.cancel(1, 2), scene.kinds().len()), (first, 0));
    assert_eq!(
        (kinds, scene.counts()),
        (vec!["cancelled", "promoted"], (2, 1))
    );
    // A waiting person gives up a position, not a place.
    scene.cancel(1, 4);
    assert_eq!((scene.kinds(), scene.counts()), (vec!["cancelled"], (2, 0)));
}

#[test]
fn only_the_right_secret_cancels() {
    let mut scene = Scene::new(Some(2), true).crowd(1);
    let locator = Locator {
        event: 1,
        round: 1,
        number: 1,
    };
    let cancel = |locator, secret| Command::Cancel {
        locator,
        secret: Some(secret),
        by: Actor::Visitor,
    };
    assert_eq!(
        scene.ask(cancel(locator, Secret::draw())),
        Err(Refusal::RegistrationNotFound)
    );
    assert_eq!(
        scene.ask(cancellation(1, 2)),
        Err(Refusal::RegistrationNotFound)
    );
    assert!(scene.kinds().is_empty());
    let secret = scene.rows[0].secret.clone();
    assert!(scene.ask(cancel(locator, secret)).is_ok());
    let [entry] = scene.audit.as_slice() else {
        panic!("{:?}", scene.audit)
    };
    let logged = (
        entry.who.as_str(),
        entry.action.as_str(),
        &entry.after["number"],
    );
    assert_eq!(logged, ("visitor", "cancel", &serde_json::json!(1)));
}

#[test]
fn a_waiting_person_who_cancels_is_not_promoted_in_the_same_batch() {
    let mut scene = Scene::new(Some(1), true).crowd(3);
    let decisions = scene.ask_all(&[cancellation(1, 2), cancellation(1, 1)]);
    assert!(decisions.iter().all(Result::is_ok));
    assert_eq!(
        [1, 2, 3].map(|number| scene.status(number)),
        [Status::Cancelled, Status::Cancelled, Status::Confirmed]
    );
}

#[test]
fn a_promoted_person_keeps_the_address_in_the_same_batch() {
    let mut scene = Scene::new(Some(1), true).crowd(2);
    let decisions = scene.ask_all(&[cancellation(1, 1), register("p2", None)]);
    assert_eq!(decisions[1], Err(Refusal::AlreadyRegistered));
}
