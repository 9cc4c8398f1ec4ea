//! What an organiser does for people.

use std::sync::Arc;

use headcount::domain::audit::Actor;
use headcount::domain::change::Kind;
use headcount::domain::clock::Timestamp;
use headcount::domain::command::{Answer, Applicant, Imported, Refusal};
use headcount::domain::event::PartySize;
use headcount::domain::position::Position;
use headcount::domain::registration::{AddedBy, Locator, Status};
use serde_json::{Value, json};

use super::visitor::seen;
use super::{Hints, Model, Refused};

/// How the organiser adds somebody.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByHand {
    pub(super) by: AddedBy,
    pub(super) over_capacity: bool,
}

impl Model {
    pub(super) fn add(
        &mut self,
        applicant: &Applicant,
        over_capacity: bool,
        by: &Actor,
        now: Timestamp,
        hints: &Hints,
        since: usize,
    ) -> Result<Answer, Refused> {
        let by_hand = Some(ByHand {
            by: AddedBy::of(by).expect("an organiser"),
            over_capacity,
        });
        let answer = self.register(applicant, by_hand, now, hints, since)?;
        if let Answer::Registered {
            registration,
            replayed: false,
        } = &answer
        {
            let mut after = seen(registration, registration.status);
            after["over_capacity"] = json!(over_capacity);
            self.write_down(by, "add", now, Value::Null, after);
        }
        Ok(answer)
    }

    pub(super) fn import(
        &mut self,
        people: &[Applicant],
        dry_run: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Answer {
        let former = self.clone();
        let mut imported = Imported::default();
        let by_hand = Some(ByHand {
            by: AddedBy::of(by).expect("an organiser"),
            over_capacity: false,
        });
        for (index, applicant) in people.iter().enumerate() {
            // An import is one change.
            let answer = self.register(applicant, by_hand, now, &Hints::new(), former.log.len());
            match answer {
                Ok(Answer::Registered { registration, .. }) => match registration.status {
                    Status::Confirmed => imported.confirmed += 1,
                    Status::Waiting => imported.waiting += 1,
                    Status::Cancelled => unreachable!("nobody comes cancelled"),
                },
                Ok(other) => unreachable!("{other:?}"),
                Err((code, _)) => imported.refused.push((index, self.refusal(code))),
            }
        }
        imported.is_stored = !dry_run && !people.is_empty() && imported.refused.is_empty();
        if imported.is_stored {
            let after = json!({
                "confirmed": imported.confirmed, "waiting": imported.waiting,
                "first_number": former.numbers_given() + 1, "last_number": self.numbers_given(),
            });
            self.write_down(by, "import", now, Value::Null, after);
        } else {
            *self = former;
        }
        Answer::Imported(imported)
    }

    fn refusal(&self, code: &str) -> Refusal {
        let confirmed = self.how_many(Status::Confirmed);
        let free = |places: u32| places.saturating_sub(confirmed);
        match code {
            "already-registered" => Refusal::AlreadyRegistered,
            "event-full" => Refusal::EventFull {
                remaining: self.capacity.map_or(0, free),
            },
            "validation-failed" => {
                Refusal::Invalid(PartySize::out_of_range("party_size", self.largest_party))
            }
            other => unreachable!("{other}"),
        }
    }

    pub(super) fn restore(
        &mut self,
        locator: Locator,
        expected: Option<&[Position]>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Answer, Refused> {
        let index = self.find(locator, None)?;
        let former = self.everybody[index].clone();
        let own = Position {
            revision: former.revision,
            ..self.position()
        };
        let is_current = |position: &Position| *position == own || *position == self.position();
        if expected.is_some_and(|positions| !positions.iter().any(is_current)) {
            return Err(("changed-meanwhile", None));
        }
        if former.status != Status::Cancelled {
            return Ok(Answer::Restored(Arc::new(former)));
        }
        let is_present = locator.round == self.round;
        let address = |email: &str| email.to_lowercase();
        let came_again = former.email.as_ref().is_some_and(|email| {
            self.now_in_round().any(|row| {
                let theirs = row.email.as_ref().map(|email| address(email.as_str()));
                row.status != Status::Cancelled && theirs == Some(address(email.as_str()))
            })
        });
        if is_present && came_again {
            return Err(("already-registered", None));
        }
        let people = former.party_size.get();
        if !is_present || !self.are_open(people) {
            return Err(("event-full", None));
        }
        self.everybody[index].status = Status::Confirmed;
        self.change(Kind::Changed, now);
        self.everybody[index].revision = self.revision();
        let row = &self.everybody[index];
        let (before, after) = (seen(row, Status::Cancelled), seen(row, Status::Confirmed));
        self.write_down(by, "restore", now, before, after);
        Ok(Answer::Restored(Arc::new(self.everybody[index].clone())))
    }
}
