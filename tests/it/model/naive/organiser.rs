//! What an organiser asks for.

use headcount::domain::audit::Actor;
use headcount::domain::change::Kind;
use headcount::domain::clock::Timestamp;
use headcount::domain::command::Answer;
use headcount::domain::event::{Capacity, Edit, PartySize};
use serde_json::Value;

use super::{Model, Moment, Refused};

impl Model {
    pub(super) fn edit(
        &mut self,
        edit: &Edit,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Answer, Refused> {
        let former = self.clone();
        let before = self.described();
        // An organiser who reopens an event after its closing time does not want it closed by that time
        // again.
        if edit.closed == Some(false)
            && edit.closes_at.is_none()
            && self.closes.is_some_and(|moment| moment.has_come)
        {
            self.closes = None;
        }
        let moved = |moment: &mut Option<Moment>, to: Option<Option<Timestamp>>| {
            if let Some(to) = to.filter(|to| *to != moment.map(|moment| moment.at)) {
                *moment = to.map(|at| Moment {
                    at,
                    has_come: at <= now,
                });
            }
        };
        moved(&mut self.opens, edit.opens_at);
        moved(&mut self.closes, edit.closes_at);
        let is_backwards = matches!((self.opens, self.closes), (Some(opens), Some(closes)) if closes.at <= opens.at);
        if is_backwards && (edit.opens_at.is_some() || edit.closes_at.is_some()) {
            *self = former;
            return Err(("validation-failed", None));
        }
        self.closed = edit.closed.unwrap_or(self.closed);
        self.waitlist = edit.waitlist.unwrap_or(self.waitlist);
        self.largest_party = edit
            .max_party_size
            .map_or(self.largest_party, PartySize::get);
        self.title = edit.title.clone().unwrap_or_else(|| self.title.clone());
        self.description = edit
            .description
            .clone()
            .unwrap_or_else(|| self.description.clone());
        let settings = |model: &Self| {
            (
                model.title.clone(),
                model.description.clone(),
                model.waitlist,
                model.largest_party,
                model.opens,
                model.closes,
                model.closed,
            )
        };
        if settings(self) != settings(&former) {
            let was_going = !former.is_closed() && !former.is_before_opening();
            let is_going = !self.is_closed() && !self.is_before_opening();
            self.change(
                match (was_going, is_going) {
                    (false, true) => Kind::Opened,
                    _ if self.is_closed() && !former.is_closed() => Kind::Closed,
                    _ => Kind::Edited,
                },
                now,
            );
        }
        if let Some(capacity) = edit
            .capacity
            .filter(|capacity| capacity.get() != self.capacity)
        {
            self.capacity = capacity.get();
            self.change(Kind::Capacity, now);
        }
        self.promote(now);
        if self.log.len() > former.log.len() {
            self.identity.edits += 1;
            self.identity.edited_at = self.log.last().map(|last| last.headcount.at);
            self.write_down(by, "edit", now, before, self.described());
        }
        Ok(Answer::Event(Box::new(self.event())))
    }

    pub(super) fn reset(
        &mut self,
        capacity: Option<Capacity>,
        by: &Actor,
        now: Timestamp,
    ) -> Answer {
        let before = self.described();
        self.shelf.push(self.capacity);
        self.round += 1;
        self.capacity = capacity.map_or(self.capacity, Capacity::get);
        self.change(Kind::Reset, now);
        self.write_down(by, "reset", now, before, self.described());
        Answer::Event(Box::new(self.event()))
    }

    pub(super) fn undo(&mut self, by: &Actor, now: Timestamp) -> Result<Answer, Refused> {
        if self.shelf.is_empty() || self.now_in_round().count() > 0 {
            return Err(("not-empty", None));
        }
        let before = self.described();
        self.capacity = self.shelf.pop().expect("just looked");
        self.round -= 1;
        self.change(Kind::Restored, now);
        self.promote(now);
        self.write_down(by, "undo", now, before, self.described());
        Ok(Answer::Event(Box::new(self.event())))
    }

    pub(super) fn delete(
        &mut self,
        confirmed: bool,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Answer, Refused> {
        if !confirmed && (self.round > 1 || !self.everybody.is_empty()) {
            return Err(("not-empty", None));
        }
        self.write_down(by, "delete", now, self.described(), Value::Null);
        self.gone = true;
        Ok(Answer::Deleted)
    }
}
