//! The settled details (docs/protocol.md, sections 8, 10 and 13), one by one. Random histories are told elsewhere.

use super::*;
use crate::domain::audit::AuditEntry;
use crate::domain::change::Change;
use crate::domain::event::{NewEvent, Slug};
use crate::domain::headcount::Headcount;
use crate::domain::person::{Email, Name};
use crate::domain::position::{Epoch, Position};
use crate::domain::registration::IdempotencyKey;

/// An event with everything that was ever written about it.
struct Scene {
    event: Event,
    rows: Vec<Registration>,
    shelf: Vec<(u32, Capacity)>,
    log: Vec<Change>,
    audit: Vec<AuditEntry>,
    now: Timestamp,
    deleted: bool,
}

impl Scene {
    fn new(capacity: Option<i64>, waitlist: bool) -> Self {
        Self::scheduled(capacity, waitlist, None, None)
    }

    fn scheduled(capacity: Option<i64>, waitlist: bool, opens_in: Option<i64>, closes_in: Option<i64>) -> Self {
        let new = NewEvent {
            slug: Slug::parse("gala").unwrap(),
            title: "Gala".into(),
            description: String::new(),
            capacity: places(capacity),
            waitlist,
            opens_at: opens_in.map(at),
            closes_at: closes_in.map(at),
        };
        let event = Event { id: 1, ..new.open(Epoch::draw(), at(0)) };
        Self { event, rows: Vec::new(), shelf: Vec::new(), log: Vec::new(), audit: Vec::new(), now: at(0), deleted: false }
    }

    /// `count` people come and each gets a place or waits.
    fn crowd(mut self, count: u32) -> Self {
        for number in 1..=count {
            self.come(&format!("p{number}")).unwrap();
        }
        self.log.clear();
        self.audit.clear();
        self
    }

    fn wait_until(mut self, seconds: i64) -> Self {
        self.now = at(seconds);
        self
    }

    fn ask(&mut self, command: Command) -> Decision {
        self.ask_all(&[command]).remove(0)
    }

    /// Visitors' commands in one transaction, or one command of an organiser.
    fn ask_all(&mut self, commands: &[Command]) -> Vec<Decision> {
        let mut known = Known::default();
        let round = if matches!(commands, [Command::Undo { .. }]) { self.event.round - 1 } else { self.event.round };
        let count = |round, status| {
            let count = self.rows.iter().filter(|row| row.locator.round == round && row.status == status).count();
            u32::try_from(count).unwrap()
        };
        known.archived = self.shelf.last().map(|(round, capacity)| Archived {
            round: *round,
            capacity: *capacity,
            registered: count(*round, Status::Confirmed),
            waiting: count(*round, Status::Waiting),
            last_number: count(*round, Status::Confirmed) + count(*round, Status::Waiting) + count(*round, Status::Cancelled),
        });
        for row in self.rows.clone() {
            if row.locator.round == round && row.status == Status::Waiting { known.insert_waiting(row, round) } else { known.insert(row, round) }
        }
        let mut picture = Picture::new(self.event.clone(), known);
        let decisions = commands.iter().map(|command| apply(&mut picture, command, self.now)).collect();
        let writes = &picture.writes;
        self.rows.extend(writes.inserted.iter().map(|locator| picture.registration(*locator).clone()));
        for row in self.rows.iter_mut().filter(|row| writes.touched.contains(&row.locator)) {
            *row = picture.registration(row.locator).clone();
        }
        if writes.restored.is_some() {
            assert_eq!(self.shelf.pop().map(|(round, _)| round), writes.restored);
        }
        self.shelf.extend(writes.archive);
        self.deleted |= writes.deleted;
        self.log.extend(picture.writes.changes);
        self.audit.extend(picture.writes.audit);
        self.event = picture.event;
        decisions
    }

    fn come(&mut self, person: &str) -> Result<Registration, Refusal> {
        self.ask(register(person, None)).map(registered)
    }

    fn cancel(&mut self, round: u32, number: u32) -> Registration {
        match self.ask(cancellation(round, number)) {
            Ok(Answer::Cancelled(row)) => *row,
            other => panic!("{other:?}"),
        }
    }

    fn edit(&mut self, edit: Edit) -> Decision {
        self.ask(Command::Edit { edit, expected: None, by: Actor::Console })
    }

    fn reset(&mut self, capacity: Option<i64>) -> Decision {
        self.ask(Command::Reset { capacity: capacity.map(|places| Capacity::limited(places).unwrap()), by: Actor::Console })
    }

    fn undo(&mut self) -> Decision {
        self.ask(Command::Undo { by: Actor::Console })
    }

    /// Kinds of the changes since the scene began or this was asked last.
    fn kinds(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.log).iter().map(|change| change.kind.as_str()).collect()
    }

    fn counts(&self) -> (u32, u32) {
        (self.event.registered, self.event.waiting)
    }

    fn status(&self, number: u32) -> Status {
        self.rows.iter().find(|row| row.locator.number == number && row.locator.round == self.event.round).unwrap().status
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_251_600_000 + seconds * 1_000)
}

fn places(capacity: Option<i64>) -> Capacity {
    capacity.map_or(Capacity::UNLIMITED, |places| Capacity::limited(places).unwrap())
}

fn register(person: &str, key: Option<&str>) -> Command {
    Command::Register(Applicant {
        name: Name::parse("Ada").unwrap(),
        email: Email::parse(&format!("{person}@example.org")).unwrap(),
        key: key.map(|key| IdempotencyKey::parse(key).unwrap()),
        secret: Secret::draw(),
    })
}

fn cancellation(round: u32, number: u32) -> Command {
    Command::Cancel { locator: Locator { event: 1, round, number }, secret: None, by: Actor::Visitor }
}

fn registered(answer: Answer) -> Registration {
    match answer {
        Answer::Registered { registration, .. } => *registration,
        other => panic!("{other:?}"),
    }
}

fn closed(closed: bool) -> Edit {
    Edit { closed: Some(closed), ..Edit::default() }
}

fn capacity(capacity: Option<i64>) -> Edit {
    Edit { capacity: Some(places(capacity)), ..Edit::default() }
}

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
    assert_eq!(refused(false, Some(10), Some(20), 9), Refusal::EventNotOpen { opens_at: Some(at(10)) });
    assert_eq!(refused(false, Some(10), Some(20), 10), Refusal::EventFull);
}

#[test]
fn a_moment_of_the_schedule_is_a_change_of_its_own() {
    let mut scene = Scene::scheduled(Some(1), false, Some(10), Some(20));
    scene.ask(Command::FallDue).unwrap();
    assert!(scene.kinds().is_empty());
    // Whatever comes first at that moment finds the event open, whether or not the schedule was asked to look.
    let mut scene = scene.wait_until(10);
    assert_eq!(scene.come("ada").unwrap().revision, 3);
    assert_eq!(scene.kinds(), ["opened", "registered"]);
    assert_eq!((scene.audit[0].who.as_str(), scene.audit[0].action.as_str(), scene.audit[0].at), ("schedule", "opened", at(10)));
    let mut scene = scene.wait_until(20);
    scene.ask(Command::FallDue).unwrap();
    scene.ask(Command::FallDue).unwrap();
    assert_eq!(scene.kinds(), ["closed"]);
    assert_eq!(scene.event.next_due(), None);
}

#[test]
fn both_moments_may_have_passed_unseen() {
    let mut scene = Scene::scheduled(None, false, Some(10), Some(20)).wait_until(30);
    assert_eq!(scene.come("ada"), Err(Refusal::EventClosed));
    assert_eq!(scene.log.iter().map(|change| change.headcount.state).collect::<Vec<_>>(), [EventState::Open, EventState::Closed]);
    assert_eq!(scene.kinds(), ["opened", "closed"]);
}

#[test]
fn a_moment_that_changes_nothing_to_be_seen_is_no_change() {
    let mut scene = Scene::scheduled(None, false, Some(10), Some(20));
    scene.edit(closed(true)).unwrap();
    scene.kinds();
    let mut scene = scene.wait_until(30);
    scene.ask(Command::FallDue).unwrap();
    assert!(scene.kinds().is_empty());
    assert_eq!(scene.event.next_due(), None, "it is not asked again and again");
}

#[test]
fn a_freed_place_moves_the_longest_waiting_up_whatever_the_state() {
    let close: fn(&mut Scene) = |scene| drop(scene.edit(closed(true)));
    let end: fn(&mut Scene) = |scene| drop(scene.edit(Edit { closes_at: Some(Some(at(-1))), ..Edit::default() }));
    let postpone: fn(&mut Scene) = |scene| drop(scene.edit(Edit { opens_at: Some(Some(at(60))), ..Edit::default() }));
    let no_waitlist: fn(&mut Scene) = |scene| drop(scene.edit(Edit { waitlist: Some(false), ..Edit::default() }));
    for (name, change) in [("closed", close), ("ended", end), ("scheduled", postpone), ("waiting list off", no_waitlist)] {
        let mut scene = Scene::new(Some(2), true).crowd(4);
        change(&mut scene);
        scene.kinds();
        let cancelled = scene.cancel(1, 1);
        assert_eq!(scene.kinds(), ["cancelled", "promoted"], "{name}");
        assert_eq!((scene.status(3), scene.status(4), scene.counts()), (Status::Confirmed, Status::Waiting, (2, 1)), "{name}");
        assert_eq!(scene.rows[2].revision, cancelled.revision + 1, "{name}: each revision names its own change");
    }
}

#[test]
fn a_waiting_list_that_is_switched_off_keeps_those_who_wait_and_takes_nobody_new() {
    let mut scene = Scene::new(Some(1), true).crowd(3);
    scene.edit(Edit { waitlist: Some(false), ..Edit::default() }).unwrap();
    assert_eq!((scene.event.state(), scene.counts()), (EventState::Full, (1, 2)));
    assert_eq!(scene.come("late"), Err(Refusal::EventFull));
}

#[test]
fn without_a_limit_everybody_who_waits_gets_a_place_in_one_change() {
    let mut scene = Scene::new(Some(1), true).crowd(5);
    scene.edit(capacity(None)).unwrap();
    assert_eq!((scene.kinds(), scene.counts()), (vec!["capacity", "promoted"], (5, 0)));
}

#[test]
fn more_places_go_to_the_waiting_in_order_and_only_then_to_newcomers() {
    let mut scene = Scene::new(Some(1), true).crowd(4);
    scene.edit(capacity(Some(3))).unwrap();
    assert_eq!(scene.counts(), (3, 1));
    assert_eq!((scene.status(2), scene.status(3), scene.status(4)), (Status::Confirmed, Status::Confirmed, Status::Waiting));
    let late = scene.come("late").unwrap();
    assert_eq!((late.status, late.accepted_waiting), (Status::Waiting, Some(2)));
}

#[test]
fn fewer_places_than_people_throw_nobody_out_and_let_nobody_in() {
    let mut scene = Scene::new(Some(3), true).crowd(4);
    scene.edit(capacity(Some(1))).unwrap();
    let count = scene.event.headcount();
    assert_eq!((count.registered, count.remaining, count.over_by, count.waiting), (3, Some(0), 2, 1));
    assert_eq!(scene.kinds(), ["capacity"]);
    scene.cancel(1, 1);
    scene.cancel(1, 2);
    assert_eq!((scene.kinds(), scene.counts()), (vec!["cancelled", "cancelled"], (1, 1)));
    scene.cancel(1, 3);
    assert_eq!((scene.kinds(), scene.counts()), (vec!["cancelled", "promoted"], (1, 0)));
}

#[test]
fn what_an_edit_is_called() {
    let title = || Edit { title: Some("Ball".into()), ..Edit::default() };
    let opens = |moment: Option<i64>| Edit { opens_at: Some(moment.map(at)), ..Edit::default() };
    let closes = |moment: Option<i64>| Edit { closes_at: Some(moment.map(at)), ..Edit::default() };
    let both = |first: Edit, capacity: i64| Edit { capacity: Some(places(Some(capacity))), ..first };
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
        ("the same", free(), Edit { title: Some("Gala".into()), waitlist: Some(true), closed: Some(false), ..capacity(Some(1)) }, &[]),
        ("title", free(), title(), &["edited"]),
        ("description", free(), Edit { description: Some("Bring a friend".into()), ..Edit::default() }, &["edited"]),
        ("waiting list", free(), Edit { waitlist: Some(false), ..Edit::default() }, &["edited"]),
        ("capacity", free(), capacity(Some(9)), &["capacity"]),
        ("capacity with people waiting", taken(), capacity(Some(9)), &["capacity", "promoted"]),
        ("title and capacity", taken(), both(title(), 9), &["edited", "capacity", "promoted"]),
        ("close", free(), closed(true), &["closed"]),
        ("close, title and capacity", taken(), both(Edit { closed: Some(true), ..title() }, 9), &["closed", "capacity", "promoted"]),
        ("open", shut(), closed(false), &["opened"]),
        ("open and capacity", shut(), both(closed(false), 9), &["opened", "capacity", "promoted"]),
        ("open again and title", ended(), Edit { closed: Some(false), ..title() }, &["opened"]),
        ("close what has ended", ended(), closed(true), &["edited"]),
        ("close what is to open", before(), closed(true), &["closed"]),
        ("open before the time", before(), opens(None), &["opened"]),
        ("opening time passed by moving it", before(), opens(Some(-1)), &["opened"]),
        ("opening time is now", before(), opens(Some(0)), &["opened"]),
        ("opening time moved", before(), opens(Some(90)), &["edited"]),
        ("opening time set on an open event", free(), opens(Some(90)), &["edited"]),
        ("opening time set on a closed event", shut(), opens(Some(90)), &["edited"]),
        ("closing time set", free(), closes(Some(90)), &["edited"]),
        ("closing time in the past", free(), closes(Some(-1)), &["closed"]),
        ("closing time is now", free(), closes(Some(0)), &["closed"]),
        ("closing time moved out of the past", ended(), closes(Some(90)), &["opened"]),
        ("closing time removed", ended(), closes(None), &["opened"]),
    ];
    for (name, mut scene, edit, kinds) in cases {
        scene.kinds();
        scene.audit.clear();
        let answer = scene.edit(edit);
        assert_eq!(answer, Ok(Answer::Event(Box::new(scene.event.clone()))), "{name}");
        assert_eq!(scene.kinds(), kinds, "{name}");
        assert_eq!(scene.audit.len(), usize::from(!kinds.is_empty()), "{name}: one line in the audit log, or none");
    }
}

#[test]
fn lifting_the_organisers_closure_before_the_time_does_not_say_opened() {
    let mut scene = Scene::scheduled(None, false, Some(60), None);
    scene.edit(closed(true)).unwrap();
    scene.edit(closed(false)).unwrap();
    assert_eq!(scene.event.state(), EventState::Scheduled);
    assert_eq!(scene.kinds(), ["closed", "edited"]);
}

#[test]
fn opening_again_spends_a_closing_time_that_has_passed() {
    let mut scene = Scene::scheduled(None, false, None, Some(10)).wait_until(20);
    scene.edit(closed(false)).unwrap();
    assert_eq!((scene.event.state(), scene.event.closes_at), (EventState::Open, None));
    // But not one that is still to come, nor one that the organiser names himself.
    let mut scene = Scene::scheduled(None, false, None, Some(30)).wait_until(20);
    scene.edit(closed(false)).unwrap();
    assert_eq!(scene.event.closes_at, Some(at(30)));
    scene.edit(Edit { closes_at: Some(Some(at(15))), ..closed(false) }).unwrap();
    assert_eq!((scene.event.state(), scene.event.closes_at), (EventState::Closed, Some(at(15))));
}

#[test]
fn an_event_that_has_ended_can_be_opened_again_for_a_later_time() {
    let mut scene = Scene::scheduled(None, false, None, Some(10)).wait_until(20);
    scene.edit(Edit { opens_at: Some(Some(at(60))), ..closed(false) }).unwrap();
    assert_eq!((scene.event.state(), scene.event.closes_at), (EventState::Scheduled, None));
}

#[test]
fn a_closing_time_that_has_passed_is_spent_even_if_the_clock_was_set_back() {
    let mut scene = Scene::scheduled(None, false, None, Some(10)).wait_until(20);
    scene.ask(Command::FallDue).unwrap();
    let mut scene = scene.wait_until(5);
    scene.edit(closed(false)).unwrap();
    assert_eq!((scene.event.state(), scene.event.closes_at), (EventState::Open, None));
}

#[test]
fn a_schedule_that_closes_before_it_opens_is_refused_and_changes_nothing() {
    let refused = |edit: Edit| {
        let mut scene = Scene::scheduled(Some(1), true, Some(60), Some(90));
        let before = scene.event.clone();
        let Err(Refusal::Invalid(invalid)) = scene.edit(edit) else { panic!("it was taken") };
        assert_eq!((scene.event, scene.log.len(), scene.audit.len()), (before, 0, 0));
        invalid.field
    };
    let title = || Some("Ball".to_owned());
    assert_eq!(refused(Edit { closes_at: Some(Some(at(60))), title: title(), ..capacity(Some(9)) }), "closes_at");
    assert_eq!(refused(Edit { opens_at: Some(Some(at(90))), title: title(), ..Edit::default() }), "closes_at");
    assert_eq!(refused(Edit { opens_at: Some(Some(at(5))), closes_at: Some(Some(at(4))), ..Edit::default() }), "closes_at");
}

#[test]
fn if_match_compares_with_the_present_position() {
    let ask = |scene: &mut Scene, expected| scene.ask(Command::Edit { edit: capacity(Some(9)), expected: Some(expected), by: Actor::Console });
    let mut scene = Scene::scheduled(Some(1), true, None, Some(10)).crowd(2);
    let present = scene.event.position();
    let former = Position { revision: present.revision - 1, ..present.clone() };
    let foreign = Position { epoch: "elsewhere".parse().unwrap(), ..present.clone() };
    for wrong in [vec![], vec![former.clone()], vec![foreign.clone()]] {
        assert_eq!(ask(&mut scene, wrong), Err(Refusal::ChangedMeanwhile));
        assert_eq!((scene.log.len(), scene.event.position()), (0, present.clone()));
    }
    // What the schedule had due is a change like any other.
    let mut later = scene.wait_until(10);
    assert_eq!(ask(&mut later, vec![present.clone()]), Err(Refusal::ChangedMeanwhile));
    assert_eq!(later.kinds(), ["closed"]);
    let present = later.event.position();
    assert!(ask(&mut later, vec![former, foreign, present]).is_ok());
}

#[test]
fn a_reset_keeps_the_schedule_and_the_closure() {
    let mut scene = Scene::scheduled(Some(2), true, Some(-10), Some(60)).crowd(3);
    scene.edit(closed(true)).unwrap();
    let before = scene.event.clone();
    scene.reset(None).unwrap();
    let after = Event { round: 2, registered: 0, waiting: 0, last_number: 0, revision: before.revision + 1, ..before };
    assert_eq!(scene.event, after);
    assert_eq!(scene.kinds(), ["closed", "reset"]);
    assert_eq!(scene.shelf, [(1, places(Some(2)))]);
}

#[test]
fn numbers_addresses_and_keys_begin_anew_with_the_round() {
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
fn undo_brings_the_round_its_capacity_and_its_people_back() {
    let mut scene = Scene::new(Some(2), true).crowd(4);
    scene.reset(Some(50)).unwrap();
    scene.edit(capacity(Some(60))).unwrap();
    // In an archived round a cancellation changes that registration only.
    let cancelled = scene.cancel(1, 1);
    assert_eq!((cancelled.status, cancelled.revision), (Status::Cancelled, 2));
    assert_eq!(scene.kinds(), ["reset", "capacity"]);
    assert!(scene.rows[2].status == Status::Waiting, "nobody moves up there");
    scene.undo().unwrap();
    assert_eq!(scene.kinds(), ["restored", "promoted"]);
    assert_eq!((scene.event.round, scene.event.capacity, scene.counts(), scene.event.last_number), (1, places(Some(2)), (2, 1), 4));
    assert_eq!(scene.come("late").unwrap().locator.number, 5);
    assert!(scene.shelf.is_empty());
}

#[test]
fn what_cannot_be_undone() {
    let mut scene = Scene::new(Some(2), true).crowd(1);
    assert!(matches!(scene.undo(), Err(Refusal::NotEmpty(_))), "there was no reset");
    scene.reset(None).unwrap();
    scene.come("ada").unwrap();
    scene.cancel(2, 1);
    assert!(matches!(scene.undo(), Err(Refusal::NotEmpty(_))), "somebody came, even if nobody stayed");
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
    assert_eq!((scene.event.round, scene.event.capacity), (2, places(Some(5))));
    scene.undo().unwrap();
    assert_eq!((scene.event.round, scene.event.capacity, scene.counts()), (1, places(Some(2)), (1, 0)));
}

#[test]
fn the_same_key_and_body_is_answered_again() {
    let mut scene = Scene::new(Some(1), true);
    scene.come("ada").unwrap();
    let first = registered(scene.ask(register("bob", Some("k"))).unwrap());
    let replay = |scene: &mut Scene, person: &str| scene.ask(register(person, Some("k")));
    let again = |row: &Registration| Ok(Answer::Registered { registration: Box::new(row.clone()), replayed: true });
    scene.kinds();
    assert_eq!(replay(&mut scene, "bob"), again(&first));
    // The original place in the line stays with the row that has moved since.
    scene.cancel(1, 1);
    let moved = scene.rows[1].clone();
    assert_eq!((moved.status, moved.accepted_waiting, moved.accepted_revision), (Status::Confirmed, Some(1), first.accepted_revision));
    assert_eq!(replay(&mut scene, "bob"), again(&moved));
    scene.edit(closed(true)).unwrap();
    scene.cancel(1, 2);
    let given_back = scene.rows[1].clone();
    assert_eq!(replay(&mut scene, "bob"), again(&given_back), "the key is kept as long as the registration");
    assert_eq!(replay(&mut scene, "eve"), Err(Refusal::IdempotencyMismatch));
    assert_eq!(replay(&mut scene, "BOB"), Err(Refusal::IdempotencyMismatch), "another spelling is another body");
    let Command::Register(bob) = register("bob", Some("k")) else { unreachable!() };
    let renamed = Applicant { name: Name::parse("Bob").unwrap(), ..bob };
    assert_eq!(scene.ask(Command::Register(renamed)), Err(Refusal::IdempotencyMismatch));
    assert_eq!(scene.kinds(), ["cancelled", "promoted", "closed", "cancelled"]);
}

#[test]
fn an_address_counts_once_without_case_until_it_is_given_back() {
    let mut scene = Scene::new(Some(1), false).crowd(1);
    assert_eq!(scene.come("P1"), Err(Refusal::AlreadyRegistered), "also when everything is taken");
    let decisions = scene.ask_all(&[cancellation(1, 1), register("P1", None), register("p1", None)]);
    assert_eq!(decisions.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!((scene.status(1), scene.status(2), scene.counts()), (Status::Cancelled, Status::Confirmed, (1, 0)));
}

#[test]
fn registrations_in_a_row_share_a_revision_and_nothing_else_does() {
    let mut scene = Scene::new(None, false).crowd(1);
    let start = scene.event.revision;
    let decisions =
        scene.ask_all(&[register("a", None), register("P1", None), register("b", None), cancellation(1, 1), register("c", None), register("d", None)]);
    let revisions: Vec<_> = decisions
        .into_iter()
        .flatten()
        .filter_map(|answer| if let Answer::Registered { registration, .. } = answer { Some(registration.revision - start) } else { None })
        .collect();
    assert_eq!(revisions, [1, 1, 3, 3]);
    assert_eq!(scene.log.iter().map(|change| change.headcount.registered).collect::<Vec<_>>(), [3, 2, 4]);
    assert_eq!(scene.kinds(), ["registered", "cancelled", "registered"]);
    assert_eq!(scene.event.revision, start + 3);
}

#[test]
fn what_is_given_back_twice_is_given_back_once() {
    let mut scene = Scene::new(Some(2), true).crowd(4);
    let first = scene.cancel(1, 2);
    let kinds = scene.kinds();
    assert_eq!((scene.cancel(1, 2), scene.kinds().len()), (first, 0));
    assert_eq!((kinds, scene.counts()), (vec!["cancelled", "promoted"], (2, 1)));
    // Somebody who waits gives up the place in the line only.
    scene.cancel(1, 4);
    assert_eq!((scene.kinds(), scene.counts()), (vec!["cancelled"], (2, 0)));
}

#[test]
fn only_the_right_secret_gives_a_place_back() {
    let mut scene = Scene::new(Some(2), true).crowd(1);
    let locator = Locator { event: 1, round: 1, number: 1 };
    let cancel = |locator, secret| Command::Cancel { locator, secret: Some(secret), by: Actor::Visitor };
    assert_eq!(scene.ask(cancel(locator, Secret::draw())), Err(Refusal::RegistrationNotFound));
    assert_eq!(scene.ask(cancellation(1, 2)), Err(Refusal::RegistrationNotFound));
    assert!(scene.kinds().is_empty());
    let secret = scene.rows[0].secret.clone();
    assert!(scene.ask(cancel(locator, secret)).is_ok());
    assert!(scene.audit.is_empty(), "a visitor's own doing is in the log, not in the organiser's audit");
}

#[test]
fn who_gives_a_place_in_the_queue_back_is_passed_over_in_the_same_batch() {
    let mut scene = Scene::new(Some(1), true).crowd(3);
    let decisions = scene.ask_all(&[cancellation(1, 2), cancellation(1, 1)]);
    assert!(decisions.iter().all(Result::is_ok));
    assert_eq!([1, 2, 3].map(|number| scene.status(number)), [Status::Cancelled, Status::Cancelled, Status::Confirmed]);
}

#[test]
fn who_has_moved_up_keeps_the_address_in_the_same_batch() {
    let mut scene = Scene::new(Some(1), true).crowd(2);
    let decisions = scene.ask_all(&[cancellation(1, 1), register("p2", None)]);
    assert_eq!(decisions[1], Err(Refusal::AlreadyRegistered));
}

#[test]
fn only_registrations_are_registering_only() {
    let only = |scene: &Scene, commands: &[Command]| {
        let mut known = Known::default();
        for row in &scene.rows {
            known.insert(row.clone(), scene.event.round);
        }
        let mut picture = Picture::new(scene.event.clone(), known);
        for command in commands {
            let _ = apply(&mut picture, command, scene.now);
        }
        picture.is_registering_only()
    };
    let mut scene = Scene::new(Some(2), true).crowd(1);
    assert!(only(&scene, &[register("a", None)]));
    assert!(only(&scene, &[register("a", None), register("b", None), register("p1", None)]), "some wait, one is refused");
    assert!(!only(&scene, &[register("p1", None)]), "nothing but a refusal");
    assert!(!only(&scene, &[register("a", None), cancellation(1, 1)]));
    scene.reset(None).unwrap();
    assert!(!only(&scene, &[register("a", None), cancellation(1, 1)]), "of a former round, which makes no revision");
    let scene = Scene::scheduled(None, false, Some(10), None).wait_until(10);
    assert!(!only(&scene, &[register("a", None)]), "it has opened in the same batch");
}

#[test]
fn an_organisers_cancellation_is_written_down() {
    let mut scene = Scene::new(Some(2), true).crowd(1);
    scene.ask(Command::Cancel { locator: Locator { event: 1, round: 1, number: 1 }, secret: None, by: Actor::Token }).unwrap();
    let [entry] = scene.audit.as_slice() else { panic!("{:?}", scene.audit) };
    assert_eq!((entry.who.as_str(), entry.action.as_str()), ("token", "cancel"));
    assert_eq!((entry.before["status"].as_str(), entry.after["status"].as_str()), (Some("confirmed"), Some("cancelled")));
}

#[test]
fn only_an_empty_event_is_deleted_without_being_asked_twice() {
    let delete = |scene: &mut Scene, confirmed| scene.ask(Command::Delete { confirmed, by: Actor::Console });
    let mut empty = Scene::new(Some(2), true);
    assert_eq!((delete(&mut empty, false), empty.deleted), (Ok(Answer::Deleted), true));
    let mut used = Scene::new(Some(2), true).crowd(1);
    used.cancel(1, 1);
    let mut archived = Scene::new(Some(2), true).crowd(1);
    archived.reset(None).unwrap();
    for mut scene in [used, archived] {
        assert!(matches!(delete(&mut scene, false), Err(Refusal::NotEmpty(_))));
        assert!(!scene.deleted);
        assert_eq!((delete(&mut scene, true), scene.deleted), (Ok(Answer::Deleted), true));
        assert_eq!(scene.audit.last().map(|entry| entry.action.as_str()), Some("delete"));
    }
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_older_than_what_was_before() {
    let mut scene = Scene::new(Some(2), true).wait_until(100);
    let first = scene.come("ada").unwrap();
    let mut scene = scene.wait_until(40);
    let second = scene.come("bob").unwrap();
    scene.edit(capacity(Some(9))).unwrap();
    assert_eq!((first.at, second.at), (at(100), at(100)));
    assert!(scene.log.iter().all(|change| change.headcount.at == at(100)), "{:?}", scene.log);
    assert_eq!(scene.audit[0].at, at(100));
}

#[test]
fn a_refusal_leaves_nothing_to_write() {
    let mut scene = Scene::new(Some(0), false);
    let mut picture = Picture::new(scene.event.clone(), Known::default());
    for command in [register("ada", None), cancellation(1, 1), Command::Undo { by: Actor::Console }, Command::FallDue] {
        let _ = apply(&mut picture, &command, at(0));
        assert!(picture.is_unchanged(), "{command:?}");
    }
    apply(&mut picture, &Command::Delete { confirmed: false, by: Actor::Console }, at(0)).unwrap();
    assert!(!picture.is_unchanged());
    // An archived round's registration is written although the event stays as it is.
    scene.edit(capacity(None)).unwrap();
    scene.come("ada").unwrap();
    scene.reset(None).unwrap();
    let mut known = Known::default();
    known.insert(scene.rows[0].clone(), 2);
    let mut picture = Picture::new(scene.event, known);
    apply(&mut picture, &cancellation(1, 1), at(0)).unwrap();
    assert!(!picture.is_unchanged());
}

#[test]
fn the_count_is_what_the_row_says() {
    let scene = Scene::new(Some(3), true).crowd(2);
    let expected = Headcount {
        event: Slug::parse("gala").unwrap(),
        position: scene.event.position(),
        revision: 3,
        round: 1,
        state: EventState::Open,
        capacity: places(Some(3)),
        registered: 2,
        remaining: Some(1),
        over_by: 0,
        waiting: 0,
        at: at(0),
        stale_since: None,
    };
    assert_eq!(scene.event.headcount(), expected);
}
