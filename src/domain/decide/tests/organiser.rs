//! What organisers do, and what the audit log says.

use super::*;
use crate::domain::position::Position;

#[test]
fn every_kind_of_edit_has_its_name_in_the_log() {
    let title = || Edit {
        title: Some("Ball".into()),
        ..Edit::default()
    };
    let opens = |moment: Option<i64>| Edit {
        opens_at: Some(moment.map(at)),
        ..Edit::default()
    };
    let closes = |moment: Option<i64>| Edit {
        closes_at: Some(moment.map(at)),
        ..Edit::default()
    };
    let both = |first: Edit, capacity: i64| Edit {
        capacity: Some(places(Some(capacity))),
        ..first
    };
    // One place and nobody; one confirmed and one waiting; closed; opening later; ended.
    let free = || Scene::new(Some(1), true);
    let taken = || Scene::new(Some(1), true).crowd(2);
    let shut = || {
        let mut scene = taken();
        scene.edit(closed(true)).unwrap();
        scene
    };
    let before = || Scene::scheduled(Some(1), true, Some(60), None);
    let ended = || Scene::scheduled(Some(1), true, None, Some(-60));
    let cases: [(&str, Scene, Edit, &[&str]); 26] = [
        ("nothing", free(), Edit::default(), &[]),
        (
            "the same",
            free(),
            Edit {
                title: Some("Gala".into()),
                waitlist: Some(true),
                closed: Some(false),
                ..capacity(Some(1))
            },
            &[],
        ),
        ("title", free(), title(), &["edited"]),
        (
            "description",
            free(),
            Edit {
                description: Some("Bring a friend".into()),
                ..Edit::default()
            },
            &["edited"],
        ),
        (
            "waiting list",
            free(),
            Edit {
                waitlist: Some(false),
                ..Edit::default()
            },
            &["edited"],
        ),
        ("capacity", free(), capacity(Some(9)), &["capacity"]),
        (
            "capacity with people waiting",
            taken(),
            capacity(Some(9)),
            &["capacity", "promoted"],
        ),
        (
            "title and capacity",
            taken(),
            both(title(), 9),
            &["edited", "capacity", "promoted"],
        ),
        ("close", free(), closed(true), &["closed"]),
        (
            "close, title and capacity",
            taken(),
            both(
                Edit {
                    closed: Some(true),
                    ..title()
                },
                9,
            ),
            &["closed", "capacity", "promoted"],
        ),
        ("open", shut(), closed(false), &["opened"]),
        (
            "open and capacity",
            shut(),
            both(closed(false), 9),
            &["opened", "capacity", "promoted"],
        ),
        (
            "open again and title",
            ended(),
            Edit {
                closed: Some(false),
                ..title()
            },
            &["opened"],
        ),
        ("close what has ended", ended(), closed(true), &["edited"]),
        ("close what is to open", before(), closed(true), &["closed"]),
        ("open before the time", before(), opens(None), &["opened"]),
        (
            "opening time passed by moving it",
            before(),
            opens(Some(-1)),
            &["opened"],
        ),
        ("opening time is now", before(), opens(Some(0)), &["opened"]),
        ("opening time moved", before(), opens(Some(90)), &["edited"]),
        (
            "opening time set on an open event",
            free(),
            opens(Some(90)),
            &["edited"],
        ),
        (
            "opening time set on a closed event",
            shut(),
            opens(Some(90)),
            &["edited"],
        ),
        ("closing time set", free(), closes(Some(90)), &["edited"]),
        (
            "closing time in the past",
            free(),
            closes(Some(-1)),
            &["closed"],
        ),
        ("closing time is now", free(), closes(Some(0)), &["closed"]),
        (
            "closing time moved out of the past",
            ended(),
            closes(Some(90)),
            &["opened"],
        ),
        ("closing time removed", ended(), closes(None), &["opened"]),
    ];
    for (name, mut scene, edit, kinds) in cases {
        scene.kinds();
        scene.audit.clear();
        let answer = scene.edit(edit);
        assert_eq!(
            answer,
            Ok(Answer::Event(Box::new(scene.event.clone()))),
            "{name}"
        );
        assert_eq!(scene.kinds(), kinds, "{name}");
        assert_eq!(
            scene.audit.len(),
            usize::from(!kinds.is_empty()),
            "{name}: one line in the audit log, or none"
        );
    }
}

#[test]
fn if_match_compares_with_the_present_position() {
    let ask = |scene: &mut Scene, expected| {
        scene.ask(Command::Edit {
            edit: capacity(Some(9)),
            expected: Some(expected),
            by: Actor::Owner,
        })
    };
    let mut scene = Scene::scheduled(Some(1), true, None, Some(10)).crowd(2);
    let present = scene.event.position();
    let former = Position {
        revision: present.revision - 1,
        ..present.clone()
    };
    let foreign = Position {
        epoch: "elsewhere".parse().unwrap(),
        ..present.clone()
    };
    for wrong in [vec![], vec![former.clone()], vec![foreign.clone()]] {
        assert_eq!(ask(&mut scene, wrong), Err(Refusal::ChangedMeanwhile));
        assert_eq!(
            (scene.log.len(), scene.event.position()),
            (0, present.clone())
        );
    }
    // A due opening or closing is a change like any other.
    let mut later = scene.wait_until(10);
    assert_eq!(
        ask(&mut later, vec![present.clone()]),
        Err(Refusal::ChangedMeanwhile)
    );
    assert_eq!(later.kinds(), ["closed"]);
    let present = later.event.position();
    assert!(ask(&mut later, vec![former, foreign, present]).is_ok());
}

#[test]
fn an_organisers_cancellation_is_in_the_audit_log() {
    let mut scene = Scene::new(Some(2), true).crowd(1);
    scene
        .ask(Command::Cancel {
            locator: Locator {
                event: 1,
                round: 1,
                number: 1,
            },
            secret: None,
            by: Actor::AdminToken,
        })
        .unwrap();
    let [entry] = scene.audit.as_slice() else {
        panic!("{:?}", scene.audit)
    };
    assert_eq!(
        (entry.who.as_str(), entry.action.as_str()),
        ("token", "cancel")
    );
    assert_eq!(
        (
            entry.before["status"].as_str(),
            entry.after["status"].as_str()
        ),
        (Some("confirmed"), Some("cancelled"))
    );
}

#[test]
fn only_an_empty_event_is_deleted_without_confirmation() {
    let delete = |scene: &mut Scene, confirmed| {
        scene.ask(Command::Delete {
            expected: None,
            confirmed,
            by: Actor::Owner,
        })
    };
    let mut empty = Scene::new(Some(2), true);
    assert_eq!(
        (delete(&mut empty, false), empty.deleted),
        (Ok(Answer::Deleted), true)
    );
    let mut used = Scene::new(Some(2), true).crowd(1);
    used.cancel(1, 1);
    let mut archived = Scene::new(Some(2), true).crowd(1);
    archived.reset(None).unwrap();
    for mut scene in [used, archived] {
        assert!(matches!(
            delete(&mut scene, false),
            Err(Refusal::NotEmpty(_))
        ));
        assert!(!scene.deleted);
        assert_eq!(
            (delete(&mut scene, true), scene.deleted),
            (Ok(Answer::Deleted), true)
        );
        assert_eq!(
            scene.audit.last().map(|entry| entry.action.as_str()),
            Some("delete")
        );
    }
}
