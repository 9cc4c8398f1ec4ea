//! What a visitor asks for.

use std::sync::Arc;

use headcount::domain::audit::Actor;
use headcount::domain::change::Kind;
use headcount::domain::clock::Timestamp;
use headcount::domain::command::{Answer, Applicant};
use headcount::domain::registration::{Locator, Registration, Secret, Status};
use serde_json::json;

use super::{Hints, Model, Refused};

impl Model {
    pub(super) fn register(
        &mut self,
        applicant: &Applicant,
        now: Timestamp,
        hints: &Hints,
        since: usize,
    ) -> Result<Answer, Refused> {
        let earlier = self
            .now_in_round()
            .find(|row| row.key.is_some() && row.key == applicant.key);
        if let Some(earlier) = earlier {
            let is_same = earlier.name.as_str() == applicant.name.as_str()
                && earlier.email.as_str() == applicant.email.as_str();
            return if is_same {
                Ok(Answer::Registered {
                    registration: Arc::new(earlier.clone()),
                    replayed: true,
                })
            } else {
                Err(("idempotency-mismatch", None))
            };
        }
        if self.is_closed() {
            return Err(("event-closed", None));
        }
        if self.is_before_opening() {
            return Err(("event-not-open", self.opens.map(|moment| moment.at)));
        }
        if !self.is_place_free() && !self.waitlist {
            return Err(("event-full", None));
        }
        let address = applicant.email.as_str().to_lowercase();
        if self.now_in_round().any(|row| {
            row.status != Status::Cancelled && row.email.as_str().to_lowercase() == address
        }) {
            return Err(("already-registered", None));
        }
        let status = if self.is_place_free() {
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
            key: applicant.key.clone(),
            status,
            accepted_waiting: None,
            accepted_revision: 0,
            revision: 0,
            at: now,
        });
        let place_in_line = (status == Status::Waiting).then(|| self.how_many(Status::Waiting));
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
        by: Actor,
        now: Timestamp,
    ) -> Result<Answer, Refused> {
        let index = self
            .everybody
            .iter()
            .position(|row| row.locator == locator)
            .ok_or(("registration-not-found", None))?;
        if secret.is_some_and(|secret| secret.reveal() != self.everybody[index].secret.reveal()) {
            return Err(("registration-not-found", None));
        }
        let before = self.everybody[index].status;
        if before == Status::Cancelled {
            return Ok(Answer::Cancelled(Arc::new(self.everybody[index].clone())));
        }
        self.everybody[index].status = Status::Cancelled;
        if locator.round == self.round {
            self.change(Kind::Cancelled, now);
            self.everybody[index].revision = self.revision();
        }
        if by != Actor::Visitor {
            let described = |status: Status| json!({ "id": locator.to_string(), "number": locator.number, "status": status });
            self.write_down(
                by,
                "cancel",
                now,
                described(before),
                described(Status::Cancelled),
            );
        }
        let answer = Answer::Cancelled(Arc::new(self.everybody[index].clone()));
        self.promote(now);
        Ok(answer)
    }

    /// Gives free places to people on the waiting list, the longest waiting first.
    pub(super) fn promote(&mut self, now: Timestamp) {
        let mut lucky = Vec::new();
        while self.is_place_free() {
            let round = self.round;
            let first = self
                .everybody
                .iter_mut()
                .filter(|row| row.locator.round == round && row.status == Status::Waiting)
                .min_by_key(|row| row.locator.number);
            let Some(first) = first else { break };
            first.status = Status::Confirmed;
            lucky.push(first.locator);
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
