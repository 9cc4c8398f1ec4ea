//! The one function that decides about places.
//!
//! [`apply`] takes what a transaction has read and one command, and changes that picture in memory: the event's row, the
//! registrations it knows, and what has to be written. It reads no clock and no database, so the same logic runs on both
//! databases, in the model tests, and nowhere else. The store writes the picture back in the same transaction.

use std::sync::Arc;

mod picture;
#[cfg(test)]
mod tests;

pub use picture::{Archived, Known, Picture, Writes};

use super::audit::{self, Actor};
use super::change::Kind;
use super::clock::Timestamp;
use super::command::{Answer, Applicant, Command, Decision, Refusal};
use super::event::{self, Capacity, Edit, Event};
use super::headcount::State as EventState;
use super::registration::{Locator, Registration, Secret, Status};

/// Decides one command at the moment `now` and changes the picture accordingly; a refusal changes nothing, save
/// what the schedule had due anyway.
pub fn apply(picture: &mut Picture, command: &Command, now: Timestamp) -> Decision {
    fall_due(picture, now);
    if let Some(expected) = command.expected()
        && !expected.contains(&picture.event.position())
    {
        return Err(Refusal::ChangedMeanwhile);
    }
    match command {
        Command::Register(applicant) => register(picture, applicant, now),
        Command::Cancel {
            locator,
            secret,
            by,
        } => cancel(picture, *locator, secret.as_ref(), *by, now),
        Command::Edit { edit, by, .. } => settings(picture, edit, *by, now),
        Command::Reset { capacity, by, .. } => Ok(reset(picture, *capacity, *by, now)),
        Command::Undo { by, .. } => undo(picture, *by, now),
        Command::Delete { confirmed, by, .. } => delete(picture, *confirmed, *by, now),
        Command::FallDue => Ok(Answer::Noted),
    }
}

/// What the schedule has due becomes a change of its own, before anything else is decided at that moment. Where the state
/// stays what it was, e.g. closed by the organiser, there is nothing to tell.
fn fall_due(picture: &mut Picture, now: Timestamp) {
    let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    if picture.event.scheduled && due(picture.event.opens_at) {
        let before = picture.event.clone();
        picture.event.scheduled = false;
        scheduled(picture, &before, Kind::Opened, now);
    }
    if !picture.event.ended && due(picture.event.closes_at) {
        let before = picture.event.clone();
        picture.event.ended = true;
        scheduled(picture, &before, Kind::Closed, now);
    }
}

fn scheduled(picture: &mut Picture, before: &Event, kind: Kind, now: Timestamp) {
    if picture.event.state() != before.state() {
        picture.commit(kind, now);
        let after = audit::event(&picture.event);
        picture.audit(
            Actor::Schedule,
            kind.as_str(),
            now,
            audit::event(before),
            after,
        );
    }
}

fn register(picture: &mut Picture, applicant: &Applicant, now: Timestamp) -> Decision {
    if let Some(key) = &applicant.key
        && let Some(earlier) = picture.known.by_key.get(key.as_str())
    {
        let earlier = &picture.known.registrations[earlier];
        let same = earlier.name == applicant.name && earlier.email == applicant.email;
        return if same {
            Ok(Answer::Registered {
                registration: Arc::clone(earlier),
                replayed: true,
            })
        } else {
            Err(Refusal::IdempotencyMismatch)
        };
    }
    let event = &mut picture.event;
    let status = match event.state() {
        EventState::Closed => return Err(Refusal::EventClosed),
        EventState::Scheduled => {
            return Err(Refusal::EventNotOpen {
                opens_at: event.opens_at,
            });
        }
        // Before the look for the address: to everybody else a full event must not tell who has a place.
        EventState::Full => return Err(Refusal::EventFull),
        _ if picture.known.by_email.contains_key(applicant.email.key()) => {
            return Err(Refusal::AlreadyRegistered);
        }
        EventState::Open => Status::Confirmed,
        EventState::Waitlist => Status::Waiting,
    };
    let accepted_waiting = match status {
        Status::Waiting => {
            event.waiting += 1;
            Some(event.waiting)
        }
        Status::Confirmed | Status::Cancelled => {
            event.registered += 1;
            None
        }
    };
    event.last_number += 1;
    let locator = Locator {
        event: event.id,
        round: event.round,
        number: event.last_number,
    };
    picture.commit_registered(now);
    let registration = Arc::new(Registration {
        locator,
        secret: applicant.secret.clone(),
        name: applicant.name.clone(),
        email: applicant.email.clone(),
        key: applicant.key.clone(),
        status,
        accepted_waiting,
        accepted_revision: picture.event.revision,
        revision: picture.event.revision,
        at: picture.event.at,
    });
    picture
        .known
        .insert(Arc::clone(&registration), locator.round);
    if status == Status::Waiting {
        picture.known.waiting.push_back(locator);
    }
    picture.writes.inserted.push(locator);
    Ok(Answer::Registered {
        registration,
        replayed: false,
    })
}

fn cancel(
    picture: &mut Picture,
    locator: Locator,
    secret: Option<&Secret>,
    by: Actor,
    now: Timestamp,
) -> Decision {
    let found = picture
        .known
        .registrations
        .get(&locator)
        .filter(|row| secret.is_none_or(|secret| row.secret.matches(secret)));
    let row = found.ok_or(Refusal::RegistrationNotFound)?.clone();
    if row.status == Status::Cancelled {
        return Ok(Answer::Cancelled(row));
    }
    let current = locator.round == picture.event.round;
    if current {
        match row.status {
            Status::Waiting => {
                picture.event.waiting -= 1;
                picture.known.waiting.retain(|waiting| *waiting != locator);
            }
            Status::Confirmed | Status::Cancelled => picture.event.registered -= 1,
        }
        picture.commit(Kind::Cancelled, now);
    }
    let revision = current.then_some(picture.event.revision);
    let after = picture.set_status(locator, Status::Cancelled, revision);
    if by != Actor::Visitor {
        picture.audit(
            by,
            "cancel",
            now,
            audit::registration(&row),
            audit::registration(&after),
        );
    }
    promote(picture, now);
    Ok(Answer::Cancelled(after))
}

/// Free places go to the longest waiting; all that move in one go share one revision.
fn promote(picture: &mut Picture, now: Timestamp) {
    let mut promoted = Vec::new();
    while picture.event.capacity.has_place(picture.event.registered)
        && let Some(locator) = picture.known.waiting.pop_front()
    {
        picture.event.waiting -= 1;
        picture.event.registered += 1;
        promoted.push(locator);
    }
    if promoted.is_empty() {
        return;
    }
    picture.commit(Kind::Promoted, now);
    for locator in promoted {
        picture.set_status(locator, Status::Confirmed, Some(picture.event.revision));
    }
}

fn settings(picture: &mut Picture, edit: &Edit, by: Actor, now: Timestamp) -> Decision {
    if !edit.conflicts(&picture.event).is_empty() {
        return Err(Refusal::ChangedMeanwhile);
    }
    let before = picture.event.clone();
    // The organiser opens again what the schedule has closed: that closing time is spent.
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
    let event = &mut picture.event;
    event.title = edit.title.clone().unwrap_or_else(|| before.title.clone());
    event.description = edit
        .description
        .clone()
        .unwrap_or_else(|| before.description.clone());
    event.waitlist = edit.waitlist.unwrap_or(before.waitlist);
    event.closed = edit.closed.unwrap_or(before.closed);
    if opens_at != before.opens_at {
        event.opens_at = opens_at;
        event.scheduled = opens_at.is_some_and(|at| at > now);
    }
    if closes_at != before.closes_at {
        event.closes_at = closes_at;
        event.ended = closes_at.is_some_and(|at| at <= now);
    }
    if picture.event != before {
        picture.commit(kind_of_edit(before.state(), picture.event.state()), now);
    }
    if let Some(capacity) = edit
        .capacity
        .filter(|capacity| *capacity != picture.event.capacity)
    {
        picture.event.capacity = capacity;
        picture.commit(Kind::Capacity, now);
    }
    promote(picture, now);
    if picture.event != before {
        let after = audit::event(&picture.event);
        picture.audit(by, "edit", now, audit::event(&before), after);
    }
    Ok(Answer::Event(Box::new(picture.event.clone())))
}

/// Settings of every sort can begin or end registering, and that is what a follower of the log wants to know first.
fn kind_of_edit(before: EventState, after: EventState) -> Kind {
    let is_taking = |state| match state {
        EventState::Open | EventState::Full | EventState::Waitlist => true,
        EventState::Scheduled | EventState::Closed => false,
    };
    if !is_taking(before) && is_taking(after) {
        Kind::Opened
    } else if before != EventState::Closed && after == EventState::Closed {
        Kind::Closed
    } else {
        Kind::Edited
    }
}

fn reset(picture: &mut Picture, capacity: Option<Capacity>, by: Actor, now: Timestamp) -> Answer {
    let before = audit::event(&picture.event);
    picture.writes.archive = Some((picture.event.round, picture.event.capacity));
    let event = &mut picture.event;
    event.round += 1;
    event.registered = 0;
    event.waiting = 0;
    event.last_number = 0;
    event.capacity = capacity.unwrap_or(event.capacity);
    picture.commit(Kind::Reset, now);
    let after = audit::event(&picture.event);
    picture.audit(by, "reset", now, before, after);
    Answer::Event(Box::new(picture.event.clone()))
}

fn undo(picture: &mut Picture, by: Actor, now: Timestamp) -> Decision {
    let Some(archived) = picture.known.archived else {
        return Err(Refusal::NotEmpty("there is no reset to undo"));
    };
    if picture.event.last_number > 0 {
        return Err(Refusal::NotEmpty(
            "somebody has registered since the reset, so it cannot be undone",
        ));
    }
    let before = audit::event(&picture.event);
    picture.writes.restored = Some(archived.round);
    let event = &mut picture.event;
    event.round = archived.round;
    event.capacity = archived.capacity;
    event.registered = archived.registered;
    event.waiting = archived.waiting;
    event.last_number = archived.last_number;
    picture.commit(Kind::Restored, now);
    promote(picture, now);
    let after = audit::event(&picture.event);
    picture.audit(by, "undo", now, before, after);
    Ok(Answer::Event(Box::new(picture.event.clone())))
}

fn delete(picture: &mut Picture, confirmed: bool, by: Actor, now: Timestamp) -> Decision {
    if !confirmed && (picture.event.last_number > 0 || picture.event.round > 1) {
        return Err(Refusal::NotEmpty(
            "the event has registrations; repeat its slug as ?confirm= to delete it with them",
        ));
    }
    let before = audit::event(&picture.event);
    picture.writes.deleted = true;
    picture.audit(by, "delete", now, before, serde_json::Value::Null);
    Ok(Answer::Deleted)
}
