//! Registrations for several people: places are given to a whole party or not at all.

use super::*;
use crate::domain::command::Revised;
use crate::domain::position::Position;

impl Scene {
    fn group(&mut self, person: &str, people: i64) -> Result<Registration, Refusal> {
        let party = Applicant {
            party_size: party(people),
            ..applicant(person)
        };
        self.ask(Command::Register(party)).map(registered)
    }

    fn resize(&mut self, number: u32, people: i64) -> Result<Registration, Refusal> {
        let revised = Revised {
            party_size: Some(party(people)),
            ..Revised::default()
        };
        self.revise(number, revised, None, Actor::Visitor)
    }

    fn revise(
        &mut self,
        number: u32,
        revised: Revised,
        expected: Option<Vec<Position>>,
        by: Actor,
    ) -> Result<Registration, Refusal> {
        let locator = Locator {
            event: 1,
            round: 1,
            number,
        };
        let command = Command::Change {
            locator,
            secret: None,
            revised,
            expected,
            by,
        };
        match self.ask(command)? {
            Answer::Changed(row) => Ok(Arc::unwrap_or_clone(row)),
            other => panic!("{other:?}"),
        }
    }

    fn statuses(&self) -> Vec<&'static str> {
        let rows = self.rows.iter();
        rows.map(|row| &row.status.as_str()[..2]).collect()
    }
}

fn full<T>(remaining: u32) -> Result<T, Refusal> {
    Err(Refusal::EventFull { remaining })
}

/// Ten places, eight of them taken by two groups, and a group of four waits for the last two.
fn blocked() -> Scene {
    let mut scene = Scene::new(Some(10), true);
    for people in [5, 3, 4] {
        scene
            .group(&format!("group of {people}").replace(' ', "-"), people)
            .unwrap();
    }
    scene.log.clear();
    scene
}

#[test]
fn a_group_gets_all_its_places_or_none() {
    let mut scene = Scene::new(Some(5), false);
    assert_eq!(scene.group("a", 3).unwrap().party_size, party(3));
    assert_eq!(scene.group("b", 3), full(2));
    assert_eq!((scene.counts(), scene.rows.len()), ((3, 0), 1));
    scene.group("c", 2).unwrap();
    assert_eq!(scene.group("d", 1), full(0));
    let count = scene.event.headcount();
    assert_eq!((count.registered, count.remaining), (5, Some(0)));
    assert_eq!(scene.event.last_number, 2);
}

#[test]
fn the_group_at_the_head_waits_until_it_fits_and_nobody_overtakes_it() {
    let mut scene = blocked();
    let count = scene.event.headcount();
    assert_eq!(
        (count.state, count.remaining),
        (EventState::Waitlist, Some(2))
    );
    let single = scene.come("single").unwrap();
    assert_eq!(
        (single.status, single.accepted_waiting),
        (Status::Waiting, Some(2))
    );
    let pair = scene.group("pair", 2).unwrap();
    assert_eq!(
        pair.accepted_waiting,
        Some(3),
        "registrations ahead, plus one"
    );
    assert_eq!((scene.counts(), scene.event.waiting_parties()), ((8, 7), 3));
    scene.kinds();
    // One more place is not enough, two more are.
    scene.resize(2, 2).unwrap();
    assert_eq!((scene.kinds(), scene.counts()), (vec!["changed"], (7, 7)));
    scene.resize(2, 1).unwrap();
    assert_eq!(scene.kinds(), ["changed", "promoted"]);
    assert_eq!(
        (scene.counts(), scene.event.waiting_parties()),
        ((10, 3), 2)
    );
    assert_eq!(scene.statuses(), ["co", "co", "co", "wa", "wa"]);
}

#[test]
fn a_head_that_leaves_or_shrinks_lets_all_move_up_who_fit() {
    let behind = |scene: &mut Scene| {
        scene.come("single").unwrap();
        scene.group("pair", 2).unwrap();
        scene.come("last").unwrap();
        scene.kinds();
    };
    let mut scene = blocked();
    behind(&mut scene);
    scene.cancel(1, 3);
    assert_eq!(scene.kinds(), ["cancelled", "promoted"]);
    assert_eq!(
        scene.statuses(),
        ["co", "co", "ca", "co", "wa", "wa"],
        "the pair blocks now"
    );
    let mut scene = blocked();
    behind(&mut scene);
    let head = scene.resize(3, 1).unwrap();
    assert_eq!(
        (head.status, head.party_size),
        (Status::Confirmed, party(1))
    );
    assert_eq!(
        head.revision, scene.event.revision,
        "the revision that gave the place"
    );
    assert_eq!(scene.statuses(), ["co", "co", "co", "co", "wa", "wa"]);
    assert_eq!(
        (scene.counts(), scene.event.waiting_companions),
        ((10, 3), 1)
    );
}

#[test]
fn a_group_that_shrinks_and_still_waits_counts_by_its_new_size() {
    let mut scene = blocked();
    let head = scene.resize(3, 3).unwrap();
    assert_eq!((head.status, head.party_size), (Status::Waiting, party(3)));
    assert_eq!(
        (scene.counts(), scene.event.waiting_companions),
        ((8, 3), 2)
    );
}

#[test]
fn a_blocked_waiting_list_that_is_switched_off_takes_nobody_past_it() {
    let mut scene = blocked();
    let off = Edit {
        waitlist: Some(false),
        ..Edit::default()
    };
    scene.edit(off).unwrap();
    assert_eq!(scene.event.state(), EventState::Full);
    assert_eq!(scene.come("late"), full(2));
}

#[test]
fn raised_capacity_reopening_and_undo_promote_whole_groups() {
    let mut scene = blocked();
    scene.edit(capacity(Some(11))).unwrap();
    assert_eq!(scene.kinds(), ["capacity"]);
    scene.reset(None).unwrap();
    assert_eq!(
        (scene.counts(), scene.event.waiting_companions),
        ((0, 0), 0)
    );
    scene.undo().unwrap();
    assert_eq!(
        (scene.counts(), scene.event.waiting_companions),
        ((8, 4), 3)
    );
    assert_eq!(scene.kinds(), ["reset", "restored"]);
    scene.edit(closed(true)).unwrap();
    scene.kinds();
    scene
        .edit(Edit {
            capacity: Some(places(Some(12))),
            ..closed(false)
        })
        .unwrap();
    assert_eq!(scene.kinds(), ["opened", "capacity", "promoted"]);
    assert_eq!(
        (scene.counts(), scene.event.waiting_companions),
        ((12, 0), 0)
    );
}

#[test]
fn an_undo_promotes_a_group_for_which_people_left_meanwhile() {
    let mut scene = blocked();
    scene.reset(None).unwrap();
    scene.cancel(1, 2);
    scene.kinds();
    scene.undo().unwrap();
    assert_eq!(
        (scene.kinds(), scene.counts()),
        (vec!["restored", "promoted"], (9, 0))
    );
}

#[test]
fn a_party_grows_only_where_newcomers_would_get_places() {
    let mut scene = Scene::new(Some(5), true);
    scene.group("a", 2).unwrap();
    scene.kinds();
    assert_eq!(scene.resize(1, 4).unwrap().party_size, party(4));
    assert_eq!((scene.kinds(), scene.counts()), (vec!["changed"], (4, 0)));
    assert_eq!(scene.resize(1, 6), full(1));
    let waiting = scene.group("b", 3).unwrap();
    assert_eq!(waiting.status, Status::Waiting);
    assert_eq!(
        scene.resize(1, 5),
        full(1),
        "somebody waits for the free place"
    );
    assert_eq!(scene.resize(2, 4), full(1), "a waiting party only shrinks");
    scene.kinds();
    let audited = scene.audit.len();
    assert_eq!(scene.resize(2, 3).unwrap(), scene.rows[1]);
    assert_eq!(
        (scene.kinds(), scene.audit.len()),
        (vec![], audited),
        "nothing has changed"
    );
}

#[test]
fn a_closed_event_takes_places_back_and_gives_none() {
    let mut scene = blocked();
    scene.edit(closed(true)).unwrap();
    assert_eq!(scene.resize(1, 6), Err(Refusal::EventClosed));
    scene.kinds();
    scene.resize(1, 3).unwrap();
    assert_eq!(
        (scene.kinds(), scene.counts()),
        (vec!["changed", "promoted"], (10, 0))
    );
}

#[test]
fn a_lower_limit_leaves_existing_parties_alone() {
    let mut scene = Scene::new(Some(20), true);
    scene.group("a", 6).unwrap();
    let limit = Edit {
        max_party_size: Some(party(2)),
        ..Edit::default()
    };
    scene.kinds();
    scene.edit(limit).unwrap();
    assert_eq!((scene.kinds(), scene.counts()), (vec!["edited"], (6, 0)));
    let refused = |outcome| match outcome {
        Err(Refusal::Invalid(invalid)) => (invalid.field.into_owned(), invalid.message),
        other => panic!("{other:?}"),
    };
    let expected = (
        "party_size".to_owned(),
        "party_size must be a whole number from 1 to 2".to_owned(),
    );
    assert_eq!(refused(scene.group("b", 3)), expected);
    assert_eq!(refused(scene.resize(1, 7)), expected);
    assert_eq!(
        scene.resize(1, 4).unwrap().party_size,
        party(4),
        "smaller always works"
    );
}

#[test]
fn a_group_larger_than_the_room_does_not_wait_and_one_person_may() {
    let mut scene = Scene::new(Some(3), true);
    assert_eq!(scene.group("a", 4), full(3));
    scene.edit(capacity(Some(0))).unwrap();
    assert_eq!(scene.group("b", 2), full(0));
    assert_eq!(scene.come("c").unwrap().status, Status::Waiting);
}

#[test]
fn the_same_key_with_another_party_is_another_request() {
    let mut scene = Scene::new(Some(9), true);
    let ask = |people| {
        Command::Register(Applicant {
            party_size: party(people),
            key: Some(IdempotencyKey::parse("k").unwrap()),
            ..applicant("ada")
        })
    };
    let first = registered(scene.ask(ask(3)).unwrap());
    assert_eq!(scene.ask(ask(2)), Err(Refusal::IdempotencyMismatch));
    let limit = Edit {
        max_party_size: Some(party(1)),
        ..Edit::default()
    };
    scene.edit(limit).unwrap();
    // The answer to the first request may have been lost before the limit was lowered.
    assert_eq!(registered(scene.ask(ask(3)).unwrap()), first);
}

#[test]
fn what_is_cancelled_or_over_no_longer_grows() {
    let mut scene = Scene::new(Some(9), true);
    scene.group("a", 2).unwrap();
    scene.group("b", 2).unwrap();
    scene.cancel(1, 1);
    assert_eq!(scene.resize(1, 1), Err(Refusal::RegistrationCancelled));
    scene.reset(None).unwrap();
    scene.kinds();
    assert_eq!(scene.resize(2, 3), full(9), "its round is over");
    assert_eq!(scene.resize(2, 1).unwrap().party_size, party(1));
    assert_eq!((scene.kinds(), scene.counts()), (vec![], (0, 0)));
    scene.undo().unwrap();
    assert_eq!(scene.counts(), (1, 0));
}

#[test]
fn a_change_names_its_own_position_and_an_organisers_is_written_down() {
    let mut scene = Scene::new(Some(9), true);
    let row = scene.group("a", 2).unwrap();
    scene.come("b").unwrap();
    let at = |revision| Position {
        epoch: scene.event.epoch.clone(),
        revision,
    };
    let (own, present, wrong) = (at(row.revision), scene.event.position(), at(1));
    let renamed = |name| Revised {
        name: Some(Name::parse(name).unwrap()),
        ..Revised::default()
    };
    let refused = scene.revise(1, renamed("Grace"), Some(vec![wrong]), Actor::Visitor);
    assert_eq!(refused, Err(Refusal::ChangedMeanwhile));
    let first = scene.revise(1, renamed("Grace"), Some(vec![own.clone()]), Actor::Visitor);
    assert_eq!(first.unwrap().name.as_str(), "Grace");
    let again = scene.revise(1, renamed("Eve"), Some(vec![own, present]), Actor::Visitor);
    assert_eq!(
        again,
        Err(Refusal::ChangedMeanwhile),
        "it was changed since"
    );
    scene.kinds();
    scene
        .revise(1, renamed("Eve"), None, Actor::AdminToken)
        .unwrap();
    assert_eq!((scene.kinds(), scene.counts()), (vec!["changed"], (3, 0)));
    let [own, entry] = scene.audit.as_slice() else {
        panic!("{:?}", scene.audit)
    };
    for (entry, who) in [(own, "visitor"), (entry, "token")] {
        assert_eq!((entry.who.as_str(), entry.action.as_str()), (who, "change"));
        assert_eq!(entry.after["party_size"], 2);
        let logged = entry.after.to_string();
        assert!(!logged.contains("Eve") && !logged.contains("Grace"));
    }
}

#[test]
fn a_party_grows_in_a_closed_event_only_by_the_organiser() {
    let mut scene = Scene::new(Some(4), false);
    scene.come("ada").unwrap();
    scene.edit(closed(true)).unwrap();
    let grown = Revised {
        party_size: Some(party(3)),
        ..Revised::default()
    };
    assert_eq!(scene.resize(1, 3), Err(Refusal::EventClosed));
    let row = scene.revise(1, grown, None, Actor::AdminToken).unwrap();
    assert_eq!((row.party_size, scene.counts()), (party(3), (3, 0)));
    // The places must be free for the organiser too.
    let larger = Revised {
        party_size: Some(party(5)),
        ..Revised::default()
    };
    let refused = scene.revise(1, larger, None, Actor::AdminToken);
    assert!(
        matches!(refused, Err(Refusal::EventFull { .. })),
        "{refused:?}"
    );
}
