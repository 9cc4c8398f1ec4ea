//! Resets, and how they are undone.

use super::*;

#[test]
fn a_reset_keeps_the_schedule_and_the_closure() {
    let mut scene = Scene::scheduled(Some(2), true, Some(-10), Some(60)).crowd(3);
    scene.edit(closed(true)).unwrap();
    let before = scene.event.clone();
    scene.reset(None).unwrap();
    let after = Event {
        round: 2,
        registered: 0,
        waiting: 0,
        last_number: 0,
        revision: before.revision + 1,
        ..before
    };
    assert_eq!(scene.event, after);
    assert_eq!(scene.kinds(), ["closed", "reset"]);
    assert_eq!(scene.shelf, [(1, places(Some(2)))]);
}

#[test]
fn a_new_round_frees_numbers_addresses_and_keys() {
    let mut scene = Scene::new(Some(2), false);
    let first = registered(scene.ask(register("ada", Some("k"))).unwrap());
    scene.reset(Some(7)).unwrap();
    let second = registered(scene.ask(register("ada", Some("k"))).unwrap());
    assert_eq!((first.locator.round, first.locator.number), (1, 1));
    assert_eq!((second.locator.round, second.locator.number), (2, 1));
    assert_ne!(first.secret, second.secret);
    assert_eq!(scene.event.headcount().remaining, Some(6));
}

#[test]
fn an_undo_restores_the_round_its_capacity_and_its_people() {
    let mut scene = Scene::new(Some(2), true).crowd(4);
    scene.reset(Some(50)).unwrap();
    scene.edit(capacity(Some(60))).unwrap();
    // In an archived round a cancellation changes that registration only.
    let cancelled = scene.cancel(1, 1);
    assert_eq!(
        (cancelled.status, cancelled.revision),
        (Status::Cancelled, 2)
    );
    assert_eq!(scene.kinds(), ["reset", "capacity"]);
    assert!(
        scene.rows[2].status == Status::Waiting,
        "nobody moves up there"
    );
    scene.undo().unwrap();
    assert_eq!(scene.kinds(), ["restored", "promoted"]);
    assert_eq!(
        (
            scene.event.round,
            scene.event.capacity,
            scene.counts(),
            scene.event.last_number
        ),
        (1, places(Some(2)), (2, 1), 4)
    );
    assert_eq!(scene.come("late").unwrap().locator.number, 5);
    assert!(scene.shelf.is_empty());
}

#[test]
fn an_undo_without_an_archived_round_or_after_a_registration_is_refused() {
    let mut scene = Scene::new(Some(2), true).crowd(1);
    assert!(
        matches!(scene.undo(), Err(Refusal::NotEmpty(_))),
        "there was no reset"
    );
    scene.reset(None).unwrap();
    scene.come("ada").unwrap();
    scene.cancel(2, 1);
    assert!(
        matches!(scene.undo(), Err(Refusal::NotEmpty(_))),
        "somebody came, even if nobody stayed"
    );
    scene.reset(None).unwrap();
    scene.undo().unwrap();
    assert!(matches!(scene.undo(), Err(Refusal::NotEmpty(_))));
    assert_eq!(scene.event.round, 2);
}

#[test]
fn resets_can_be_undone_one_after_the_other() {
    let mut scene = Scene::new(Some(2), true).crowd(1);
    scene.reset(Some(5)).unwrap();
    scene.reset(Some(7)).unwrap();
    scene.undo().unwrap();
    assert_eq!(
        (scene.event.round, scene.event.capacity),
        (2, places(Some(5)))
    );
    scene.undo().unwrap();
    assert_eq!(
        (scene.event.round, scene.event.capacity, scene.counts()),
        (1, places(Some(2)), (1, 0))
    );
}
