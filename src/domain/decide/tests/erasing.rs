//! What a person said is erased; numbers, statuses and counts stay.

use super::*;
use crate::domain::command::Revised;
use crate::domain::occasion::Occasion;
use crate::domain::retention::EraseAfter;

const DAY: i64 = 24 * 60 * 60;

fn erasure(round: u32, number: u32, by: Actor) -> Command {
    let locator = Locator {
        event: 1,
        round,
        number,
    };
    Command::Erase {
        locator,
        secret: None,
        by,
    }
}

impl Scene {
    fn erase(&mut self, round: u32, number: u32) -> Registration {
        match self.ask(erasure(round, number, Actor::Visitor)) {
            Ok(Answer::Erased(row)) => Arc::unwrap_or_clone(row),
            other => panic!("{other:?}"),
        }
    }

    /// The event ended when the scene began, and keeps registrations for two days.
    fn ending(mut self) -> Self {
        self.event.occasion = Arc::new(Occasion {
            starts_at: Some(at(-1)),
            ends_at: Some(at(0)),
            ..Occasion::default()
        });
        self.event.erase_after = EraseAfter::parse(2).ok();
        self
    }

    fn erase_due(&mut self) -> usize {
        let locators = self.rows.iter().map(|row| row.locator).collect();
        match self.ask(Command::EraseDue { locators }) {
            Ok(Answer::ErasedDue(count)) => count,
            other => panic!("{other:?}"),
        }
    }

    fn names(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.name.as_str()).collect()
    }
}

#[test]
fn what_a_person_said_is_gone_and_the_count_stays() {
    let mut scene = Scene::new(Some(1), true).crowd(2).wait_until(5);
    let before = scene.rows.clone();
    for number in [1, 2] {
        let row = scene.erase(1, number);
        assert_eq!(
            (row.name.as_str(), row.email.as_ref(), row.key.as_ref()),
            ("", None, None)
        );
        assert_eq!(row.erased_at, Some(at(5)));
        let was = &before[number as usize - 1];
        assert_eq!(row.secret, was.secret, "the private link still works");
        assert_eq!(
            (row.locator, row.status, row.party_size, row.at),
            (was.locator, was.status, was.party_size, was.at)
        );
        assert_eq!(row.revision, scene.event.revision);
    }
    assert_eq!(scene.counts(), (1, 1));
    assert_eq!(scene.kinds(), ["changed", "changed"]);
    let logged = serde_json::to_string(&scene.audit).unwrap();
    assert!(
        logged.contains("erased_at") && !logged.contains("Ada"),
        "{logged}"
    );
}

#[test]
fn erasing_a_second_time_changes_nothing() {
    let mut scene = Scene::new(Some(1), false).crowd(1).wait_until(5);
    let first = scene.erase(1, 1);
    (scene.now, scene.log) = (at(9), Vec::new());
    let lines = scene.audit.len();
    assert_eq!(scene.erase(1, 1), first);
    assert_eq!((scene.log.len(), scene.audit.len()), (0, lines));
}

#[test]
fn an_erased_registration_is_cancelled_and_shrinks_but_says_nothing_new() {
    let mut scene = Scene::new(Some(5), true);
    scene
        .ask(Command::Register(Applicant {
            party_size: party(3),
            ..applicant("ada")
        }))
        .unwrap();
    scene.erase(1, 1);
    let change = |name: Option<&str>, people: i64| Command::Change {
        locator: Locator {
            event: 1,
            round: 1,
            number: 1,
        },
        secret: None,
        revised: Revised {
            name: name.map(|name| Name::parse(name).unwrap()),
            party_size: Some(party(people)),
            ..Revised::default()
        },
        expected: None,
        by: Actor::Owner,
    };
    assert_eq!(
        scene.ask(change(Some("Eve"), 2)),
        Err(Refusal::RegistrationErased)
    );
    scene.ask(change(None, 2)).unwrap();
    assert_eq!(scene.counts(), (2, 0));
    let row = scene.cancel(1, 1);
    assert_eq!((row.status, row.name.as_str()), (Status::Cancelled, ""));
    assert_eq!(scene.counts(), (0, 0));
}

#[test]
fn an_erased_address_and_key_are_free_in_the_same_batch() {
    let mut scene = Scene::new(Some(3), false);
    scene.ask(register("ada", Some("key"))).unwrap();
    assert_eq!(scene.come("ada"), Err(Refusal::AlreadyRegistered));
    let decisions = scene.ask_all(&[
        erasure(1, 1, Actor::Visitor),
        register("ada", Some("key")),
        register("ada", None),
    ]);
    assert!(decisions[0].is_ok());
    let again = registered(decisions[1].clone().unwrap());
    assert_eq!(
        (again.locator.number, &*again.email_key()),
        (2, "ada@example.org")
    );
    assert_eq!(decisions[2], Err(Refusal::AlreadyRegistered));
}

#[test]
fn an_archived_round_is_erased_without_a_change_of_the_count() {
    let mut scene = Scene::new(Some(3), false).crowd(2);
    scene.cancel(1, 2);
    scene.reset(None).unwrap();
    scene.kinds();
    let revision = scene.event.revision;
    for number in [1, 2] {
        assert_eq!(scene.erase(1, number).name.as_str(), "");
    }
    assert_eq!((scene.event.revision, scene.kinds()), (revision, vec![]));
}

#[test]
fn everybody_is_erased_once_the_time_for_keeping_is_over() {
    let mut scene = Scene::new(Some(1), true).ending().crowd(2);
    scene.cancel(1, 1);
    scene.reset(None).unwrap();
    scene.come("late").unwrap();
    scene.kinds();
    scene.now = at(2 * DAY - 1);
    assert_eq!(scene.erase_due(), 0);
    assert_eq!(scene.names(), ["Ada", "Ada", "Ada"]);
    scene.now = at(2 * DAY);
    let lines = scene.audit.len();
    assert_eq!(scene.erase_due(), 3);
    assert_eq!(scene.names(), ["", "", ""]);
    assert_eq!(scene.kinds(), ["changed"], "one change for all of them");
    assert_eq!(scene.audit.len(), lines + 1);
    let entry = &scene.audit[lines];
    assert_eq!(
        (entry.who.as_str(), entry.action.as_str()),
        ("schedule", "erase")
    );
    assert_eq!(
        entry.after,
        serde_json::json!({ "erased": 3, "erase_after_days": 2 })
    );
    // Another node is later.
    assert_eq!(scene.erase_due(), 0);
    assert_eq!((scene.kinds(), scene.audit.len()), (vec![], lines + 1));
}

#[test]
fn without_an_end_or_a_time_everything_is_kept() {
    for change in [
        |event: &mut Event| event.erase_after = None,
        |event: &mut Event| event.occasion = Arc::new(Occasion::default()),
    ] {
        let mut scene = Scene::new(Some(1), false).ending().crowd(1);
        change(&mut scene.event);
        scene.now = at(9_000 * DAY);
        assert_eq!((scene.erase_due(), scene.names()), (0, vec!["Ada"]));
    }
}
