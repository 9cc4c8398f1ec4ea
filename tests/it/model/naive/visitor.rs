//! What a visitor asks for.

use std::sync::Arc;

use headcount::domain::audit::Actor;
use headcount::domain::change::Kind;
use headcount::domain::clock::Timestamp;
use headcount::domain::command::{Answer, Applicant, Revised};
use headcount::domain::language::Language;
use headcount::domain::person::Email;
use headcount::domain::position::Position;
use headcount::domain::registration::{Locator, Registration, Secret, Status};
use serde_json::json;

use super::by_hand::ByHand;
use super::{Hints, Model, Refused};

impl Model {
    pub(super) fn register(
        &mut self,
        applicant: &Applicant,
        by_hand: Option<ByHand>,
        now: Timestamp,
        hints: &Hints,
        since: usize,
    ) -> Result<Answer, Refused> {
        let earlier = self
            .now_in_round()
            .find(|row| row.key.is_some() && row.key == applicant.key);
        if let Some(earlier) = earlier {
            let is_same = earlier.name.as_str() == applicant.name.as_str()
                && earlier.email == applicant.email
                && earlier.party_size.get() == applicant.party_size.get()
                && earlier.added_by.is_some() == by_hand.is_some()
                && !(earlier.accepted_waiting.is_some()
                    && by_hand.is_some_and(|by_hand| by_hand.over_capacity));
            return if is_same {
                Ok(Answer::Registered {
                    registration: Arc::new(earlier.clone()),
                    replayed: true,
                })
            } else {
                Err(("idempotency-mismatch", None))
            };
        }
        let people = applicant.party_size.get();
        let address =
            |email: &Option<Email>| email.as_ref().map(|email| email.as_str().to_lowercase());
        let is_taken = applicant.email.is_some()
            && self.now_in_round().any(|row| {
                row.status != Status::Cancelled && address(&row.email) == address(&applicant.email)
            });
        match by_hand {
            None => self.may_come(people)?,
            Some(_) if people > self.largest_party => return Err(("validation-failed", None)),
            Some(_) if is_taken => return Err(("already-registered", None)),
            Some(_) => {}
        }
        let has_places =
            by_hand.is_some_and(|by_hand| by_hand.over_capacity) || self.are_open(people);
        // A group that is larger than all places together never gets them.
        let fits_once = people == 1 || self.capacity.is_none_or(|places| people <= places);
        let may_wait = self.waitlist && fits_once;
        if !has_places && !may_wait {
            return Err(("event-full", None));
        }
        if is_taken {
            return Err(("already-registered", None));
        }
        let status = if has_places {
            Status::Confirmed
        } else {
            Status::Waiting
        };
        let number = self.numbers_given() + 1;
        self.everybody.push(Registration {
            locator: Locator {
                event: self.identity.id,
                round: self.round,
                number,
            },
            secret: applicant.secret.clone(),
            name: applicant.name.clone(),
            email: applicant.email.clone(),
            party_size: applicant.party_size,
            key: applicant.key.clone(),
            answers: applicant.answers.clone(),
            status,
            accepted_waiting: None,
            accepted_revision: 0,
            revision: 0,
            at: now,
            added_by: by_hand.map(|by_hand| by_hand.by),
            erased_at: None,
            language: Language::default(),
            email_proven_at: None,
            unsubscribed_at: None,
            renamed_at: None,
        });
        let place_in_line = (status == Status::Waiting).then(|| self.line());
        let may_share = self.log.len() > since
            && self
                .log
                .last()
                .is_some_and(|last| last.kind == Kind::Registered);
        if may_share
            && hints
                .get(applicant.secret.reveal())
                .is_none_or(|revision| *revision == self.revision())
        {
            self.log.pop();
        }
        self.change(Kind::Registered, now);
        let (revision, at) = (
            self.revision(),
            self.log.last().expect("just pushed").headcount.at,
        );
        let row = self.everybody.last_mut().expect("just pushed");
        (
            row.accepted_waiting,
            row.accepted_revision,
            row.revision,
            row.at,
        ) = (place_in_line, revision, revision, at);
        Ok(Answer::Registered {
            registration: Arc::new(row.clone()),
            replayed: false,
        })
    }

    pub(super) fn cancel(
        &mut self,
        locator: Locator,
        secret: Option<&Secret>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Answer, Refused> {
        let index = self.find(locator, secret)?;
        let before = self.everybody[index].status;
        if before == Status::Cancelled {
            return Ok(Answer::Cancelled(Arc::new(self.everybody[index].clone())));
        }
        self.everybody[index].status = Status::Cancelled;
        if locator.round == self.round {
            self.change(Kind::Cancelled, now);
            self.everybody[index].revision = self.revision();
        }
        let row = &self.everybody[index];
        let (before, after) = (seen(row, before), seen(row, Status::Cancelled));
        self.write_down(by, "cancel", now, before, after);
        let answer = Answer::Cancelled(Arc::new(self.everybody[index].clone()));
        self.promote(now);
        Ok(answer)
    }

    pub(super) fn erase(
        &mut self,
        locator: Locator,
        secret: Option<&Secret>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Answer, Refused> {
        let index = self.find(locator, secret)?;
        if self.everybody[index].erased_at.is_none() {
            if locator.round == self.round {
                self.change(Kind::Changed, now);
                self.everybody[index].revision = self.revision();
            }
            let row = &mut self.everybody[index];
            let before = seen(row, row.status);
            row.erase(now);
            let after = seen(row, row.status);
            self.write_down(by, "erase", now, before, after);
        }
        Ok(Answer::Erased(Arc::new(self.everybody[index].clone())))
    }

    pub(super) fn erase_due(&mut self, places: &[Locator], now: Timestamp) -> Answer {
        let ends_at = self.identity.occasion.ends_at.expect("it has an end");
        let days = self.identity.erase_after.expect("a time").days();
        if now.as_millis() < ends_at.as_millis() + i64::from(days) * 86_400_000 {
            return Answer::ErasedDue(0);
        }
        let round = self.round;
        let is_due = |row: &Registration| row.erased_at.is_none() && places.contains(&row.locator);
        let due: Vec<_> = (0..self.everybody.len())
            .filter(|index| is_due(&self.everybody[*index]))
            .collect();
        if due
            .iter()
            .any(|index| self.everybody[*index].locator.round == round)
        {
            self.change(Kind::Changed, now);
        }
        let revision = self.revision();
        for index in &due {
            let row = &mut self.everybody[*index];
            row.erase(now);
            if row.locator.round == round {
                row.revision = revision;
            }
        }
        if !due.is_empty() {
            let after = json!({ "erased": due.len(), "erase_after_days": days });
            self.write_down(
                &Actor::Schedule,
                "erase",
                now,
                serde_json::Value::Null,
                after,
            );
        }
        Answer::ErasedDue(due.len())
    }

    pub(super) fn find(&self, locator: Locator, secret: Option<&Secret>) -> Result<usize, Refused> {
        let mut everybody = self.everybody.iter();
        let index = everybody.position(|row| row.locator == locator);
        let opens = |index: &usize| {
            secret.is_none_or(|secret| secret.reveal() == self.everybody[*index].secret.reveal())
        };
        let found = index.filter(opens);
        found.ok_or(("registration-not-found", None))
    }

    /// Whether this many people may register at this moment.
    fn may_come(&self, people: u32) -> Result<(), Refused> {
        if people > self.largest_party {
            return Err(("validation-failed", None));
        }
        if self.is_closed() {
            return Err(("event-closed", None));
        }
        if self.is_before_opening() {
            return Err(("event-not-open", self.opens.map(|moment| moment.at)));
        }
        Ok(())
    }

    fn may_grow(&self, people: u32, by: &Actor) -> Result<(), Refused> {
        if *by != Actor::Visitor && people <= self.largest_party {
            return Ok(());
        }
        self.may_come(people)
    }

    pub(super) fn revise(
        &mut self,
        locator: Locator,
        secret: Option<&Secret>,
        revised: &Revised,
        expected: Option<&[Position]>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Answer, Refused> {
        let index = self.find(locator, secret)?;
        let former = self.everybody[index].clone();
        let own = Position {
            revision: former.revision,
            ..self.position()
        };
        let is_current = |position: &Position| *position == own || *position == self.position();
        if expected.is_some_and(|positions| !positions.iter().any(is_current)) {
            return Err(("changed-meanwhile", None));
        }
        if former.status == Status::Cancelled {
            return Err(("registration-cancelled", None));
        }
        let people = revised.party_size.unwrap_or(former.party_size);
        let is_present = locator.round == self.round;
        if people.get() > former.party_size.get() {
            self.may_grow(people.get(), by)?;
            let more = people.get() - former.party_size.get();
            if former.status == Status::Waiting || !is_present || !self.are_open(more) {
                return Err(("event-full", None));
            }
        }
        let is_renamed = revised
            .name
            .as_ref()
            .is_some_and(|name| *name != former.name);
        if is_renamed && former.erased_at.is_some() {
            return Err(("registration-erased", None));
        }
        let row = &mut self.everybody[index];
        if is_renamed {
            row.renamed_at = (*by == Actor::Visitor).then_some(now);
        }
        row.party_size = people;
        row.name = revised.name.clone().unwrap_or(row.name.clone());
        row.answers = row.answers.corrected(&revised.answers);
        if *row != former {
            if is_present {
                self.change(Kind::Changed, now);
                self.everybody[index].revision = self.revision();
            }
            let row = &self.everybody[index];
            let (before, after) = (seen(&former, former.status), seen(row, row.status));
            self.write_down(by, "change", now, before, after);
            self.promote(now);
        }
        Ok(Answer::Changed(Arc::new(self.everybody[index].clone())))
    }

    /// The waiting party that came first gets its places once there are enough. Then the next one
    /// does.
    pub(super) fn promote(&mut self, now: Timestamp) {
        let mut lucky = Vec::new();
        loop {
            let round = self.round;
            let waits =
                |row: &Registration| row.locator.round == round && row.status == Status::Waiting;
            let indexes = (0..self.everybody.len()).filter(|index| waits(&self.everybody[*index]));
            let first = indexes.min_by_key(|index| self.everybody[*index].locator.number);
            let Some(first) = first else { break };
            if !self.are_free(self.everybody[first].party_size.get()) {
                break;
            }
            self.everybody[first].status = Status::Confirmed;
            lucky.push(self.everybody[first].locator);
        }
        if !lucky.is_empty() {
            self.change(Kind::Promoted, now);
            let revision = self.revision();
            self.everybody
                .iter_mut()
                .filter(|row| lucky.contains(&row.locator))
                .for_each(|row| row.revision = revision);
        }
    }
}

/// A registration in the audit log.
pub(super) fn seen(row: &Registration, status: Status) -> serde_json::Value {
    let mut seen = json!({
        "id": row.locator.to_string(), "number": row.locator.number, "status": status,
        "party_size": row.party_size.get(),
    });
    if let Some(erased_at) = row.erased_at {
        seen["erased_at"] = json!(erased_at);
    }
    seen
}
