//! The organiser's commands: edit the settings, reset and its undo, delete.

use std::sync::Arc;

use super::{BatchState, promote};
use crate::domain::audit::{self, Actor};
use crate::domain::change::Kind;
use crate::domain::clock::Timestamp;
use crate::domain::command::{Answer, Decision, Refusal};
use crate::domain::event::{self, Capacity, Edit, Event};
use crate::domain::headcount::State as EventState;
use crate::domain::invalid::Invalid;
use crate::domain::mail::MailSettings;
use crate::domain::outbox::Notice;
use crate::domain::questions::{Question, Questions};

pub(super) fn edit_settings(
    batch: &mut BatchState,
    edit: &Edit,
    by: &Actor,
    now: Timestamp,
) -> Decision {
    if !edit.conflicts(&batch.event).is_empty() {
        return Err(Refusal::ChangedMeanwhile);
    }
    let before = batch.event.clone();
    // The organiser reopens an event whose closing time has passed: that time no longer applies.
    let spent = edit.closed == Some(false) && edit.closes_at.is_none() && before.ended;
    let opens_at = edit.opens_at.unwrap_or(before.opens_at);
    let closes_at = if spent {
        None
    } else {
        edit.closes_at.unwrap_or(before.closes_at)
    };
    if edit.opens_at.is_some() || edit.closes_at.is_some() {
        event::check_schedule(opens_at, closes_at).map_err(Refusal::Invalid)?;
    }
    let archived = edit.archived.unwrap_or(before.archived);
    if archived && edit.closed == Some(false) {
        let detail = "an archived event stays closed; set archived to false as well";
        return Err(Refusal::Invalid(Invalid::new("closed", "archived", detail)));
    }
    let occasion = edit.occasion.applied_to(&before.occasion);
    let occasion = occasion.map_err(Refusal::Invalid)?;
    let questions = match &edit.questions {
        Some(asked) if asked != before.questions.asked() => Some(replaced(&before, asked)?),
        _ => None,
    };
    let event = &mut batch.event;
    event.occasion = Arc::new(occasion);
    if let Some(questions) = questions {
        event.questions = Arc::new(questions);
    }
    event.title = edit.title.clone().unwrap_or_else(|| before.title.clone());
    event.description = edit
        .description
        .clone()
        .unwrap_or_else(|| before.description.clone());
    event.waitlist = edit.waitlist.unwrap_or(before.waitlist);
    event.max_party_size = edit.max_party_size.unwrap_or(before.max_party_size);
    event.erase_after = edit.erase_after.unwrap_or(before.erase_after);
    event.proof_of_work = edit.proof_of_work.unwrap_or(before.proof_of_work);
    event.public_chart = edit.public_chart.unwrap_or(before.public_chart);
    event.mail = MailSettings {
        remind_before: edit.remind_before.unwrap_or(before.mail.remind_before),
        mails: edit.mails.unwrap_or(before.mail.mails),
    };
    event.visibility = edit.visibility.unwrap_or(before.visibility);
    event.archived = archived;
    // An unarchived event stays closed, because its times are probably over.
    event.closed = (archived && !before.archived) || edit.closed.unwrap_or(before.closed);
    if opens_at != before.opens_at {
        event.opens_at = opens_at;
        event.scheduled = opens_at.is_some_and(|at| at > now);
    }
    if closes_at != before.closes_at {
        event.closes_at = closes_at;
        event.ended = closes_at.is_some_and(|at| at <= now);
    }
    if batch.event != before {
        batch.bump_revision(kind_of_edit(before.state(), batch.event.state()), now);
    }
    if let Some(capacity) = edit
        .capacity
        .filter(|capacity| *capacity != batch.event.capacity)
    {
        batch.event.capacity = capacity;
        batch.bump_revision(Kind::Capacity, now);
    }
    promote(batch, now);
    if batch.event != before {
        batch.event.edits = before.edits.saturating_add(1);
        batch.event.edited_at = Some(batch.event.at);
        batch.writes.settings = true;
        let settings = moved(&before, &batch.event);
        if !settings.is_empty() {
            batch.writes.notices.push(Notice::Moved { settings });
        }
        let after = audit::event(&batch.event);
        batch.audit(by, "edit", now, audit::event(&before), after);
    }
    Ok(Answer::Event(Box::new(batch.event.clone())))
}

/// The settings of time and place that differ.
fn moved(before: &Event, after: &Event) -> Vec<&'static str> {
    let (before, after) = (&before.occasion, &after.occasion);
    let differs = [
        ("starts_at", before.starts_at != after.starts_at),
        ("ends_at", before.ends_at != after.ends_at),
        ("time_zone", before.time_zone != after.time_zone),
        ("location", before.location != after.location),
        ("online_url", before.online_url != after.online_url),
    ];
    let names = differs.into_iter().filter(|(_, differs)| *differs);
    names.map(|(name, _)| name).collect()
}

/// The questions after an edit. Before anybody has registered, nothing was answered.
fn replaced(before: &Event, asked: &[Question]) -> Result<Questions, Refusal> {
    let unanswered = before.round == 1 && before.last_number == 0;
    let replaced = before.questions.replaced(asked.to_vec(), unanswered);
    replaced.map_err(Refusal::Invalid)
}

/// Any setting can begin or end registration, which is what a reader of the change log wants to
/// know first.
fn kind_of_edit(before: EventState, after: EventState) -> Kind {
    if !before.takes_registrations() && after.takes_registrations() {
        Kind::Opened
    } else if before != EventState::Closed && after == EventState::Closed {
        Kind::Closed
    } else {
        Kind::Edited
    }
}

pub(super) fn reset(
    batch: &mut BatchState,
    capacity: Option<Capacity>,
    by: &Actor,
    now: Timestamp,
) -> Answer {
    let before = audit::event(&batch.event);
    batch.writes.archive = Some((batch.event.round, batch.event.capacity));
    let event = &mut batch.event;
    event.round += 1;
    event.registered = 0;
    event.waiting = 0;
    event.waiting_companions = 0;
    event.last_number = 0;
    event.capacity = capacity.unwrap_or(event.capacity);
    batch.bump_revision(Kind::Reset, now);
    let after = audit::event(&batch.event);
    batch.audit(by, "reset", now, before, after);
    Answer::Event(Box::new(batch.event.clone()))
}

pub(super) fn undo(batch: &mut BatchState, by: &Actor, now: Timestamp) -> Decision {
    let Some(archived) = batch.known.archived else {
        return Err(Refusal::NotEmpty("there is no reset to undo"));
    };
    if batch.event.last_number > 0 {
        return Err(Refusal::NotEmpty(
            "somebody has registered since the reset, so it cannot be undone",
        ));
    }
    let before = audit::event(&batch.event);
    batch.writes.restored = Some(archived.round);
    let event = &mut batch.event;
    event.round = archived.round;
    event.capacity = archived.capacity;
    event.registered = archived.registered;
    event.waiting = archived.waiting;
    event.waiting_companions = archived.waiting_companions;
    event.last_number = archived.last_number;
    batch.bump_revision(Kind::Restored, now);
    promote(batch, now);
    let after = audit::event(&batch.event);
    batch.audit(by, "undo", now, before, after);
    Ok(Answer::Event(Box::new(batch.event.clone())))
}

pub(super) fn delete(
    batch: &mut BatchState,
    confirmed: bool,
    by: &Actor,
    now: Timestamp,
) -> Decision {
    if !confirmed && (batch.event.last_number > 0 || batch.event.round > 1) {
        return Err(Refusal::NotEmpty(
            "the event has registrations; repeat its slug as ?confirm= to delete it with them",
        ));
    }
    let before = audit::event(&batch.event);
    batch.writes.deleted = true;
    batch.audit(by, "delete", now, before, serde_json::Value::Null);
    Ok(Answer::Deleted)
}
