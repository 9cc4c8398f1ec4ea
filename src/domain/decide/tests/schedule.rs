//! Opening and closing, by time and by hand.

use super::*;

#[test]
fn closed_wins_over_scheduled_and_that_over_the_rest() {
    let refused = |closing: bool, opens_in, closes_in, later| {
        let mut scene = Scene::scheduled(Some(0), false, opens_in, closes_in);
        if closing {
            scene.edit(closed(true)).unwrap();
        }
        scene.wait_until(later).come("ada").unwrap_err()
    };
    assert_eq!(refused(true, Some(10), None, 0), Refusal::EventClosed);
    assert_eq!(refused(true, Some(10), None, 10), Refusal::EventClosed);
    assert_eq!(refused(false, Some(10), Some(20), 20), Refusal::EventClosed);
    assert_eq!(
        refused(false, Some(10), Some(20), 9),
        Refusal::EventNotOpen {
            opens_at: Some(at(10))
        }
    );
    assert_eq!(
        refused(false, Some(10), Some(20), 10),
        Refusal::EventFull { remaining: 0 }
    );
}

#[test]
fn a_moment_of_the_schedule_is_a_change_of_its_own() {
    let mut scene = Scene::scheduled(Some(1), false, Some(10), Some(20));
    scene.ask(Command::ApplySchedule).unwrap();
    assert!(scene.kinds().is_empty());
    // The first command at that moment finds the event open, even if nobody sent `ApplySchedule`.
    let mut scene = scene.wait_until(10);
    assert_eq!(scene.come("ada").unwrap().revision, 3);
    assert_eq!(scene.kinds(), ["opened", "registered"]);
    assert_eq!(
        (
            scene.audit[0].who.as_str(),
            scene.audit[0].action.as_str(),
            scene.audit[0].at
        ),
        ("schedule", "opened", at(10))
    );
    let mut scene = scene.wait_until(20);
    scene.ask(Command::ApplySchedule).unwrap();
    scene.ask(Command::ApplySchedule).unwrap();
    assert_eq!(scene.kinds(), ["closed"]);
    assert_eq!(scene.event.next_due(), None);
}

#[test]
fn opening_and_closing_may_both_be_due_at_once() {
    let mut scene = Scene::scheduled(None, false, Some(10), Some(20)).wait_until(30);
    assert_eq!(scene.come("ada"), Err(Refusal::EventClosed));
    assert_eq!(
        scene
            .log
            .iter()
            .map(|change| change.headcount.state)
            .collect::<Vec<_>>(),
        [EventState::Open, EventState::Closed]
    );
    assert_eq!(scene.kinds(), ["opened", "closed"]);
}

#[test]
fn a_due_time_that_leaves_the_state_is_no_change() {
    let mut scene = Scene::scheduled(None, false, Some(10), Some(20));
    scene.edit(closed(true)).unwrap();
    scene.kinds();
    let mut scene = scene.wait_until(30);
    scene.ask(Command::ApplySchedule).unwrap();
    assert!(scene.kinds().is_empty());
    assert_eq!(
        scene.event.next_due(),
        None,
        "it is not asked again and again"
    );
}

#[test]
fn reopening_before_the_opening_time_is_an_edit() {
    let mut scene = Scene::scheduled(None, false, Some(60), None);
    scene.edit(closed(true)).unwrap();
    scene.edit(closed(false)).unwrap();
    assert_eq!(scene.event.state(), EventState::Scheduled);
    assert_eq!(scene.kinds(), ["closed", "edited"]);
}

#[test]
fn reopening_removes_a_closing_time_that_has_passed() {
    let mut scene = Scene::scheduled(None, false, None, Some(10)).wait_until(20);
    scene.edit(closed(false)).unwrap();
    assert_eq!(
        (scene.event.state(), scene.event.closes_at),
        (EventState::Open, None)
    );
    // But not a later one, nor one that the organiser sets in the same edit.
    let mut scene = Scene::scheduled(None, false, None, Some(30)).wait_until(20);
    scene.edit(closed(false)).unwrap();
    assert_eq!(scene.event.closes_at, Some(at(30)));
    scene
        .edit(Edit {
            closes_at: Some(Some(at(15))),
            ..closed(false)
        })
        .unwrap();
    assert_eq!(
        (scene.event.state(), scene.event.closes_at),
        (EventState::Closed, Some(at(15)))
    );
}

#[test]
fn an_event_that_has_ended_can_be_opened_again_for_a_later_time() {
    let mut scene = Scene::scheduled(None, false, None, Some(10)).wait_until(20);
    scene
        .edit(Edit {
            opens_at: Some(Some(at(60))),
            ..closed(false)
        })
        .unwrap();
    assert_eq!(
        (scene.event.state(), scene.event.closes_at),
        (EventState::Scheduled, None)
    );
}

#[test]
fn a_closing_time_that_has_passed_is_removed_even_if_the_clock_was_set_back() {
    let mut scene = Scene::scheduled(None, false, None, Some(10)).wait_until(20);
    scene.ask(Command::ApplySchedule).unwrap();
    let mut scene = scene.wait_until(5);
    scene.edit(closed(false)).unwrap();
    assert_eq!(
        (scene.event.state(), scene.event.closes_at),
        (EventState::Open, None)
    );
}

#[test]
fn a_schedule_that_closes_before_it_opens_is_refused_and_changes_nothing() {
    let refused = |edit: Edit| {
        let mut scene = Scene::scheduled(Some(1), true, Some(60), Some(90));
        let before = scene.event.clone();
        let Err(Refusal::Invalid(invalid)) = scene.edit(edit) else {
            panic!("it was taken")
        };
        assert_eq!(
            (scene.event, scene.log.len(), scene.audit.len()),
            (before, 0, 0)
        );
        invalid.field
    };
    let title = || Some("Ball".to_owned());
    assert_eq!(
        refused(Edit {
            closes_at: Some(Some(at(60))),
            title: title(),
            ..capacity(Some(9))
        }),
        "closes_at"
    );
    assert_eq!(
        refused(Edit {
            opens_at: Some(Some(at(90))),
            title: title(),
            ..Edit::default()
        }),
        "closes_at"
    );
    assert_eq!(
        refused(Edit {
            opens_at: Some(Some(at(5))),
            closes_at: Some(Some(at(4))),
            ..Edit::default()
        }),
        "closes_at"
    );
}

#[test]
fn a_clock_that_was_set_back_makes_no_change_older_than_the_last() {
    let mut scene = Scene::new(Some(2), true).wait_until(100);
    let first = scene.come("ada").unwrap();
    let mut scene = scene.wait_until(40);
    let second = scene.come("bob").unwrap();
    scene.edit(capacity(Some(9))).unwrap();
    assert_eq!((first.at, second.at), (at(100), at(100)));
    assert!(
        scene
            .log
            .iter()
            .all(|change| change.headcount.at == at(100)),
        "{:?}",
        scene.log
    );
    assert_eq!(scene.audit[0].at, at(100));
}
