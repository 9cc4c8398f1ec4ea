//! The rules of docs/protocol.md (sections 2, 8 and 10), one by one. `tests/it/model` tests random
//! histories.

mod erasing;
mod groups;
mod organiser;
mod places;
mod rounds;
mod schedule;
mod writes;

use std::sync::Arc;

use super::*;
use crate::domain::audit::AuditEntry;
use crate::domain::change::Change;
use crate::domain::command::Applicant;
use crate::domain::event::{Capacity, Edit, NewEvent, PartySize, Slug};
use crate::domain::headcount::{Headcount, State as EventState};
use crate::domain::person::{Email, Name};
use crate::domain::position::Epoch;
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

    fn scheduled(
        capacity: Option<i64>,
        waitlist: bool,
        opens_in: Option<i64>,
        closes_in: Option<i64>,
    ) -> Self {
        let new = NewEvent {
            waitlist,
            max_party_size: party(20),
            opens_at: opens_in.map(at),
            closes_at: closes_in.map(at),
            ..NewEvent::new(Slug::parse("gala").unwrap(), "Gala", places(capacity))
        };
        let event = Event {
            id: 1,
            ..new.open(Epoch::draw(), at(0))
        };
        Self {
            event,
            rows: Vec::new(),
            shelf: Vec::new(),
            log: Vec::new(),
            audit: Vec::new(),
            now: at(0),
            deleted: false,
        }
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
        let round = if matches!(commands, [Command::Undo { .. }]) {
            self.event.round - 1
        } else {
            self.event.round
        };
        let rows = &self.rows;
        let sum = |round, status, size: fn(&Registration) -> u32| {
            let rows = rows.iter();
            rows.filter(|row| row.locator.round == round && row.status == status)
                .map(size)
                .sum()
        };
        let people = |row: &Registration| row.party_size.get();
        known.archived = self.shelf.last().map(|(round, capacity)| Archived {
            round: *round,
            capacity: *capacity,
            registered: sum(*round, Status::Confirmed, people),
            waiting: sum(*round, Status::Waiting, people),
            waiting_companions: sum(*round, Status::Waiting, |row| row.party_size.companions()),
            last_number: Status::ALL
                .map(|status| sum(*round, status, |_| 1))
                .iter()
                .sum(),
        });
        for row in self.rows.clone() {
            if row.locator.round == round && row.status == Status::Waiting {
                known.insert_waiting(row, round);
            } else {
                known.insert(row, round);
            }
        }
        let mut batch = BatchState::new(self.event.clone(), known);
        let decisions = commands
            .iter()
            .map(|command| apply(&mut batch, command, self.now))
            .collect();
        let writes = &batch.writes;
        self.rows.extend(
            writes
                .inserted
                .iter()
                .map(|locator| batch.registration(*locator).clone()),
        );
        for row in self
            .rows
            .iter_mut()
            .filter(|row| writes.updated.contains(&row.locator))
        {
            *row = batch.registration(row.locator).clone();
        }
        if writes.restored.is_some() {
            assert_eq!(self.shelf.pop().map(|(round, _)| round), writes.restored);
        }
        self.shelf.extend(writes.archive);
        self.deleted |= writes.deleted;
        self.log.extend(batch.writes.changes);
        self.audit.extend(batch.writes.audit);
        self.event = batch.event;
        decisions
    }

    fn come(&mut self, person: &str) -> Result<Registration, Refusal> {
        self.ask(register(person, None)).map(registered)
    }

    fn cancel(&mut self, round: u32, number: u32) -> Registration {
        match self.ask(cancellation(round, number)) {
            Ok(Answer::Cancelled(row)) => Arc::unwrap_or_clone(row),
            other => panic!("{other:?}"),
        }
    }

    fn edit(&mut self, edit: Edit) -> Decision {
        self.ask(Command::Edit {
            edit,
            expected: None,
            by: Actor::Owner,
        })
    }

    fn reset(&mut self, capacity: Option<i64>) -> Decision {
        self.ask(Command::Reset {
            expected: None,
            capacity: capacity.map(|places| Capacity::limited(places).unwrap()),
            by: Actor::Owner,
        })
    }

    fn undo(&mut self) -> Decision {
        self.ask(Command::Undo {
            expected: None,
            by: Actor::Owner,
        })
    }

    /// Kinds of the changes since the scene began or this was asked last.
    fn kinds(&mut self) -> Vec<&'static str> {
        std::mem::take(&mut self.log)
            .iter()
            .map(|change| change.kind.as_str())
            .collect()
    }

    fn counts(&self) -> (u32, u32) {
        (self.event.registered, self.event.waiting)
    }

    fn status(&self, number: u32) -> Status {
        self.rows
            .iter()
            .find(|row| row.locator.number == number && row.locator.round == self.event.round)
            .unwrap()
            .status
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_251_600_000 + seconds * 1_000)
}

fn places(capacity: Option<i64>) -> Capacity {
    capacity.map_or(Capacity::UNLIMITED, |places| {
        Capacity::limited(places).unwrap()
    })
}

fn register(person: &str, key: Option<&str>) -> Command {
    Command::Register(Applicant {
        key: key.map(|key| IdempotencyKey::parse(key).unwrap()),
        ..applicant(person)
    })
}

fn applicant(person: &str) -> Applicant {
    let email = Email::parse(&format!("{person}@example.org"));
    let name = Name::parse("Ada");
    Applicant::new(name.unwrap(), email.unwrap(), None, Secret::draw())
}

fn party(people: i64) -> PartySize {
    PartySize::parse("party_size", people).unwrap()
}

fn cancellation(round: u32, number: u32) -> Command {
    Command::Cancel {
        locator: Locator {
            event: 1,
            round,
            number,
        },
        secret: None,
        by: Actor::Visitor,
    }
}

fn registered(answer: Answer) -> Registration {
    match answer {
        Answer::Registered { registration, .. } => Arc::unwrap_or_clone(registration),
        other => panic!("{other:?}"),
    }
}

fn closed(closed: bool) -> Edit {
    Edit {
        closed: Some(closed),
        ..Edit::default()
    }
}

fn capacity(capacity: Option<i64>) -> Edit {
    Edit {
        capacity: Some(places(capacity)),
        ..Edit::default()
    }
}

#[test]
fn a_refusal_leaves_nothing_to_write() {
    let mut scene = Scene::new(Some(0), false);
    let mut batch = BatchState::new(scene.event.clone(), Known::default());
    for command in [
        register("ada", None),
        cancellation(1, 1),
        Command::Undo {
            expected: None,
            by: Actor::Owner,
        },
        Command::ApplySchedule,
    ] {
        let _ = apply(&mut batch, &command, at(0));
        assert!(batch.is_unchanged(), "{command:?}");
    }
    apply(
        &mut batch,
        &Command::Delete {
            expected: None,
            confirmed: false,
            by: Actor::Owner,
        },
        at(0),
    )
    .unwrap();
    assert!(!batch.is_unchanged());
    // An archived round's registration is written although the event stays as it is.
    scene.edit(capacity(None)).unwrap();
    scene.come("ada").unwrap();
    scene.reset(None).unwrap();
    let mut known = Known::default();
    known.insert(scene.rows[0].clone(), 2);
    let mut batch = BatchState::new(scene.event, known);
    apply(&mut batch, &cancellation(1, 1), at(0)).unwrap();
    assert!(!batch.is_unchanged());
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
