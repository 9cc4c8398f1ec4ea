//! What a batch writes: each row once, in its final state, and only where it has to.

use super::*;

/// A batch on round 2, whose rows are `rows`; people of round 1 may be among them.
fn batch(rows: Vec<Registration>) -> BatchState {
    let mut scene = Scene::new(None, false);
    scene.reset(None).unwrap();
    scene.event.last_number = 7;
    scene.event.registered = 7;
    let mut known = Known::default();
    for row in rows {
        known.insert(row, scene.event.round);
    }
    BatchState::new(scene.event, known)
}

/// Somebody who was confirmed before.
fn stored(person: &str, round: u32, number: u32) -> Registration {
    let mut scene = Scene::new(None, false);
    let row = scene.come(person).unwrap();
    Registration {
        locator: Locator {
            round,
            number,
            ..row.locator
        },
        ..row
    }
}

fn numbers(rows: &[&Registration]) -> Vec<(u32, u32)> {
    let locators = rows.iter().map(|row| row.locator);
    locators
        .map(|locator| (locator.round, locator.number))
        .collect()
}

fn decide(batch: &mut BatchState, commands: &[Command]) {
    for command in commands {
        apply(batch, command, at(0)).unwrap();
    }
}

#[test]
fn a_new_row_is_inserted_as_it_is_at_the_end_and_never_updated() {
    let mut batch = batch(Vec::new());
    decide(
        &mut batch,
        &[
            register("ada", None),
            register("bob", None),
            cancellation(2, 8),
        ],
    );
    assert_eq!(numbers(&batch.inserted()), [(2, 8), (2, 9)]);
    assert_eq!(batch.inserted()[0].status, Status::Cancelled);
    assert_eq!(numbers(&batch.updated()), []);
}

#[test]
fn a_stored_row_is_updated_once_whichever_round_and_number_it_has() {
    let rows = [(1, 8), (1, 9), (2, 7)].map(|(round, number)| stored("eve", round, number));
    let mut batch = batch(rows.into());
    decide(
        &mut batch,
        &[
            register("ada", None),
            cancellation(2, 7),
            cancellation(1, 9),
            cancellation(1, 8),
        ],
    );
    batch.writes.updated.extend(batch.writes.updated.clone());
    assert_eq!(numbers(&batch.updated()), [(1, 8), (1, 9), (2, 7)]);
    assert_eq!(numbers(&batch.inserted()), [(2, 8)]);
}

#[test]
fn a_schedule_that_changes_no_state_is_written_too() {
    let mut scene = Scene::scheduled(None, false, Some(10), None);
    scene.edit(closed(true)).unwrap();
    let mut batch = BatchState::new(scene.event, Known::default());
    apply(&mut batch, &Command::ApplySchedule, at(20)).unwrap();
    assert!(batch.writes.changes.is_empty(), "still closed");
    assert!(!batch.is_unchanged());
}

#[test]
fn a_clock_that_is_set_back_within_a_batch_makes_no_commit_older() {
    let mut batch = batch(Vec::new());
    apply(&mut batch, &register("ada", None), at(10)).unwrap();
    apply(&mut batch, &register("bob", None), at(5)).unwrap();
    assert_eq!(batch.event.at, at(10));
    assert_eq!(batch.writes.changes.len(), 1);
    assert_eq!(batch.writes.changes[0].headcount.at, at(10));
}

#[test]
fn cancelling_in_an_archived_round_frees_no_address_of_the_current_one() {
    let mut batch = batch(vec![stored("ada", 2, 3), stored("ada", 1, 3)]);
    decide(&mut batch, &[cancellation(1, 3)]);
    let again = apply(&mut batch, &register("ada", None), at(0));
    assert_eq!(again, Err(Refusal::AlreadyRegistered));
    decide(&mut batch, &[cancellation(2, 3), register("ada", None)]);
}

#[test]
fn a_cancelled_row_that_is_known_holds_no_address() {
    let cancelled = Registration {
        status: Status::Cancelled,
        ..stored("ada", 2, 3)
    };
    let mut batch = batch(vec![cancelled]);
    decide(&mut batch, &[register("ada", None)]);
}
