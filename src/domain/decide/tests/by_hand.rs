//! What the organiser does for people: adds one or many, and gives a cancelled place back.

use serde_json::json;

use super::*;
use crate::domain::command::Imported;
use crate::domain::position::Position;

const BY: Actor = Actor::Owner;

impl Scene {
    fn add(&mut self, applicant: Applicant, over_capacity: bool) -> Result<Registration, Refusal> {
        let command = Command::Add {
            applicant,
            over_capacity,
            by: BY,
        };
        self.ask(command).map(registered)
    }

    fn import(&mut self, people: Vec<Applicant>, dry_run: bool) -> Imported {
        let command = Command::Import {
            people,
            dry_run,
            by: BY,
        };
        match self.ask(command) {
            Ok(Answer::Imported(imported)) => imported,
            other => panic!("{other:?}"),
        }
    }

    fn restore(
        &mut self,
        round: u32,
        number: u32,
        expected: Option<Vec<Position>>,
    ) -> Result<Registration, Refusal> {
        let locator = Locator {
            event: 1,
            round,
            number,
        };
        let command = Command::Restore {
            locator,
            expected,
            by: BY,
        };
        match self.ask(command)? {
            Answer::Restored(row) => Ok(Arc::unwrap_or_clone(row)),
            other => panic!("{other:?}"),
        }
    }

    fn last_entry(&self) -> (&str, &serde_json::Value) {
        let entry = self.audit.last().expect("an entry");
        (&entry.action, &entry.after)
    }
}

fn group(person: &str, people: i64) -> Applicant {
    Applicant {
        party_size: party(people),
        ..applicant(person)
    }
}

fn without_address() -> Applicant {
    Applicant {
        email: None,
        ..applicant("nobody")
    }
}

fn full<T>(remaining: u32) -> Result<T, Refusal> {
    Err(Refusal::EventFull { remaining })
}

#[test]
fn the_organiser_adds_people_while_registration_is_not_open() {
    let shut = || {
        let mut scene = Scene::new(Some(5), false);
        scene.edit(closed(true)).unwrap();
        scene
    };
    let early = || Scene::scheduled(Some(5), false, Some(60), None);
    for mut scene in [shut(), early()] {
        assert!(scene.come("ada").is_err());
        scene.log.clear();
        let added = scene.add(applicant("ada"), false).unwrap();
        assert_eq!(
            (added.status, added.added_by),
            (Status::Confirmed, Some(BY))
        );
        assert_eq!(
            (scene.counts(), scene.kinds()),
            ((1, 0), vec!["registered"])
        );
        let audited = json!({
            "id": "1-1-1", "number": 1, "status": "confirmed", "party_size": 1,
            "over_capacity": false,
        });
        assert_eq!(scene.last_entry(), ("add", &audited));
    }
    assert_eq!(Scene::new(None, false).come("ada").unwrap().added_by, None);
}

#[test]
fn without_over_capacity_the_ordinary_rules_hold() {
    let mut scene = Scene::new(Some(2), true).crowd(2);
    assert_eq!(
        scene.add(applicant("ada"), false).unwrap().accepted_waiting,
        Some(1)
    );
    assert_eq!(scene.add(group("five", 5), false), full(0), "never fits");
    let mut scene = Scene::new(Some(2), false).crowd(2);
    assert_eq!(scene.add(applicant("ada"), false), full(0));
    assert!(scene.audit.is_empty(), "a refusal is not audited");
    scene.event.max_party_size = party(2);
    for over_capacity in [false, true] {
        let refused = scene.add(group("three", 3), over_capacity);
        assert!(matches!(refused, Err(Refusal::Invalid(_))), "{refused:?}");
    }
}

#[test]
fn over_capacity_passes_those_who_wait_and_nobody_moves_up_until_it_fits() {
    let mut scene = Scene::new(Some(2), true).crowd(3);
    let added = scene.add(group("guests", 2), true).unwrap();
    assert_eq!(
        (added.status, added.accepted_waiting),
        (Status::Confirmed, None)
    );
    assert_eq!(
        (scene.counts(), scene.event.headcount().over_by),
        ((4, 1), 2)
    );
    assert_eq!(scene.last_entry().1["over_capacity"], true);
    scene.log.clear();
    scene.cancel(1, 1);
    scene.cancel(1, 2);
    assert_eq!(
        (scene.counts(), scene.kinds()),
        ((2, 1), vec!["cancelled", "cancelled"])
    );
    scene.cancel(1, 4);
    assert_eq!(
        (scene.counts(), scene.kinds()),
        ((1, 0), vec!["cancelled", "promoted"])
    );
}

#[test]
fn an_address_has_one_place_and_nobody_needs_one() {
    let mut scene = Scene::new(Some(1), false);
    scene.come("ada").unwrap();
    for over_capacity in [false, true] {
        // The organiser may know it, even of a full event.
        let twice = scene.add(applicant("ada"), over_capacity);
        assert_eq!(twice, Err(Refusal::AlreadyRegistered));
    }
    assert_eq!(scene.come("ada"), full(0), "a visitor may not");
    for number in [2, 3] {
        let added = scene.add(without_address(), true).unwrap();
        assert_eq!(added.email, None);
        assert_eq!(added.email_key(), format!("#{number}"));
    }
    scene.cancel(1, 2);
    assert_eq!(scene.status(2), Status::Cancelled);
}

#[test]
fn a_repeated_key_adds_nobody_again() {
    let mut scene = Scene::new(Some(1), true);
    let key = |person: &str| Applicant {
        key: Some(IdempotencyKey::parse("k").unwrap()),
        ..applicant(person)
    };
    let mismatch = Err(Refusal::IdempotencyMismatch);
    let first = scene.add(key("ada"), false).unwrap();
    assert_eq!(scene.add(key("ada"), false).unwrap(), first);
    assert_eq!((scene.rows.len(), scene.audit.len()), (1, 1));
    assert_eq!(scene.add(key("bob"), false), mismatch);
    // A visitor's request is another request, and so is one that must not wait.
    assert_eq!(
        scene.ask(Command::Register(key("ada"))).map(registered),
        mismatch
    );
    let mut scene = Scene::new(Some(0), true);
    scene.add(key("ada"), false).unwrap();
    assert_eq!(scene.add(key("ada"), true), mismatch);
    assert_eq!(
        scene.add(key("ada"), false).unwrap().status,
        Status::Waiting
    );
}

#[test]
fn an_import_stores_all_or_nobody() {
    let mut scene = Scene::new(Some(3), true).crowd(1);
    scene.edit(closed(true)).unwrap();
    let people = || {
        vec![
            applicant("ada"),
            group("two", 2),
            applicant("bob"),
            without_address(),
        ]
    };
    let expected = |is_stored| Imported {
        confirmed: 1,
        waiting: 3,
        refused: Vec::new(),
        is_stored,
    };
    // The group does not fit, and nobody overtakes it.
    scene.event.registered = 2;
    scene.log.clear();
    let before = (scene.event.clone(), scene.rows.len(), scene.audit.len());
    assert_eq!(scene.import(people(), true), expected(false));
    assert_eq!(
        (scene.event.clone(), scene.rows.len(), scene.audit.len()),
        before
    );
    assert_eq!(scene.import(people(), false), expected(true));
    assert_eq!(
        (scene.counts(), scene.kinds()),
        ((3, 4), vec!["registered"])
    );
    let audited = json!({ "confirmed": 1, "waiting": 3, "first_number": 2, "last_number": 5 });
    assert_eq!(scene.last_entry(), ("import", &audited));

    let (event, rows) = (scene.event.clone(), scene.rows.len());
    let twice = vec![
        applicant("eve"),
        applicant("ada"),
        group("five", 5),
        applicant("eve"),
    ];
    let refused = scene.import(twice, false);
    assert_eq!(
        (refused.confirmed, refused.waiting, refused.is_stored),
        (0, 1, false)
    );
    let twice = Refusal::AlreadyRegistered;
    let large = Refusal::EventFull { remaining: 0 };
    assert_eq!(
        refused.refused,
        [(1, twice.clone()), (2, large), (3, twice)]
    );
    assert_eq!((scene.event.clone(), scene.rows.len()), (event, rows));
    let nobody = scene.import(Vec::new(), false);
    assert!(!nobody.is_stored && scene.last_entry().1 == &audited);
}

#[test]
fn a_cancelled_place_is_restored_while_it_is_free() {
    let mut scene = Scene::new(Some(2), true);
    scene.add(group("two", 2), false).unwrap();
    scene.cancel(1, 1);
    scene.edit(closed(true)).unwrap();
    scene.log.clear();
    let restored = scene.restore(1, 1, None).unwrap();
    assert_eq!(
        (restored.status, restored.revision),
        (Status::Confirmed, scene.event.revision)
    );
    assert_eq!((scene.counts(), scene.kinds()), ((2, 0), vec!["changed"]));
    assert_eq!(scene.last_entry().0, "restore");
    // A second time changes nothing.
    let audit = scene.audit.len();
    assert_eq!(scene.restore(1, 1, None).unwrap(), restored);
    assert_eq!((scene.kinds(), scene.audit.len()), (vec![], audit));
    // Its address is taken again.
    assert_eq!(
        scene.add(applicant("two"), true),
        Err(Refusal::AlreadyRegistered)
    );
}

#[test]
fn a_place_that_is_not_free_is_not_restored() {
    let mut scene = Scene::new(Some(2), true).crowd(2);
    scene.cancel(1, 1);
    scene.come("ada").unwrap();
    assert_eq!(scene.restore(1, 1, None), full(0));
    // A place is free, but a group waits for it.
    scene.add(group("two", 2), false).unwrap();
    scene.cancel(1, 2);
    assert_eq!(scene.counts(), (1, 2));
    assert_eq!(scene.restore(1, 1, None), full(1));
    // The same person has come again.
    scene.edit(capacity(None)).unwrap();
    scene.come("p1").unwrap();
    assert_eq!(scene.restore(1, 1, None), Err(Refusal::AlreadyRegistered));
    // An archived round has no places.
    scene.reset(None).unwrap();
    assert_eq!(scene.restore(1, 2, None), full(0));
    assert_eq!(
        scene.restore(2, 9, None),
        Err(Refusal::RegistrationNotFound)
    );
}

#[test]
fn a_restore_may_name_the_position_it_knows() {
    let mut scene = Scene::new(Some(2), false).crowd(2);
    let own = scene.cancel(1, 1).revision;
    scene.cancel(1, 2);
    let present = scene.event.position();
    let at = |revision| Position {
        revision,
        ..present.clone()
    };
    let stale = scene.restore(1, 1, Some(vec![at(own - 1)]));
    assert_eq!(stale, Err(Refusal::ChangedMeanwhile));
    scene.restore(1, 1, Some(vec![at(own)])).unwrap();
    let event = scene.event.position();
    scene.restore(1, 2, Some(vec![event])).unwrap();
}
