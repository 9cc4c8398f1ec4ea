//! The one function that decides about places.
//!
//! [`apply`] takes what a transaction has read, and one command. It changes that state in memory:
//! the event's row, the known registrations, and what has to be written. It reads no clock and no
//! database, so the same logic runs on both databases and in the model tests. The store writes the
//! state back in the same transaction.

use std::sync::Arc;

mod erase;
mod organiser;
mod register;
mod revise;
mod state;
#[cfg(test)]
mod tests;

pub use state::{Archived, BatchState, Known, Writes};

use register::{Entry, import, register};

use super::audit::{self, Actor};
use super::change::Kind;
use super::clock::Timestamp;
use super::command::{Answer, Command, Decision, Refusal};
use super::event::Event;
use super::outbox::Notice;
use super::registration::{Locator, Registration, Secret, Status};

/// Decides one command at the moment `now` and changes the state accordingly. A refusal changes
/// nothing, except what the schedule had due anyway.
pub fn apply(batch: &mut BatchState, command: &Command, now: Timestamp) -> Decision {
    apply_schedule(batch, now);
    if let Some(expected) = command.expected()
        && !expected.contains(&batch.event.position())
    {
        return Err(Refusal::ChangedMeanwhile);
    }
    match command {
        Command::Register(applicant) => register(batch, applicant, Entry::Public, now),
        Command::Add {
            applicant,
            over_capacity,
            by,
        } => {
            let entry = if *over_capacity {
                Entry::OverCapacity(by)
            } else {
                Entry::ByHand(by)
            };
            register(batch, applicant, entry, now)
        }
        Command::Import {
            people,
            dry_run,
            by,
        } => Ok(import(batch, people, *dry_run, by, now)),
        Command::Cancel {
            locator,
            secret,
            by,
        } => cancel(batch, *locator, secret.as_ref(), by, now),
        Command::Change {
            locator,
            secret,
            revised,
            expected,
            by,
        } => {
            let row = find(batch, *locator, secret.as_ref())?;
            revise::revise(batch, &row, revised, expected.as_deref(), by, now)
        }
        Command::Restore {
            locator,
            expected,
            by,
        } => {
            let row = find(batch, *locator, None)?;
            revise::restore(batch, &row, expected.as_deref(), by, now)
        }
        Command::Erase {
            locator,
            secret,
            by,
        } => {
            let row = find(batch, *locator, secret.as_ref())?;
            Ok(erase::erase(batch, &row, by, now))
        }
        Command::EraseDue { locators } => Ok(erase::erase_due(batch, locators, now)),
        Command::Edit { edit, by, .. } => organiser::edit_settings(batch, edit, by, now),
        Command::Reset { capacity, by, .. } => Ok(organiser::reset(batch, *capacity, by, now)),
        Command::Undo { by, .. } => organiser::undo(batch, by, now),
        Command::Delete { confirmed, by, .. } => organiser::delete(batch, *confirmed, by, now),
        Command::ApplySchedule => Ok(Answer::Noted),
    }
}

/// A due opening or closing becomes a change of its own, before anything else is decided at that
/// moment. There is no change if the event's state stays the same, for example because the
/// organiser closed it before.
fn apply_schedule(batch: &mut BatchState, now: Timestamp) {
    let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    if batch.event.scheduled && due(batch.event.opens_at) {
        let before = batch.event.clone();
        batch.event.scheduled = false;
        scheduled(batch, &before, Kind::Opened, now);
    }
    if !batch.event.ended && due(batch.event.closes_at) {
        let before = batch.event.clone();
        batch.event.ended = true;
        scheduled(batch, &before, Kind::Closed, now);
    }
}

fn scheduled(batch: &mut BatchState, before: &Event, kind: Kind, now: Timestamp) {
    if batch.event.state() != before.state() {
        batch.bump_revision(kind, now);
        let after = audit::event(&batch.event);
        batch.audit(
            &Actor::Schedule,
            kind.as_str(),
            now,
            audit::event(before),
            after,
        );
    }
}

/// The registration that a command names. Without the visitor's `secret` it is the organiser's
/// command.
fn find(
    batch: &BatchState,
    locator: Locator,
    secret: Option<&Secret>,
) -> Result<Arc<Registration>, Refusal> {
    let found = batch
        .known
        .registrations
        .get(&locator)
        .filter(|row| secret.is_none_or(|secret| row.secret.matches(secret)));
    Ok(found.ok_or(Refusal::RegistrationNotFound)?.clone())
}

fn cancel(
    batch: &mut BatchState,
    locator: Locator,
    secret: Option<&Secret>,
    by: &Actor,
    now: Timestamp,
) -> Decision {
    let row = find(batch, locator, secret)?;
    if row.status == Status::Cancelled {
        return Ok(Answer::Cancelled(row));
    }
    let current = locator.round == batch.event.round;
    if current {
        remove_from_counters(&mut batch.event, &row);
        if row.status == Status::Waiting {
            batch.known.waiting.retain(|waiting| *waiting != locator);
        }
        batch.bump_revision(Kind::Cancelled, now);
    }
    let revision = current.then_some(batch.event.revision);
    let after = batch.set_status(locator, Status::Cancelled, revision);
    batch.writes.notices.push(Notice::Cancelled {
        locator,
        by_organiser: *by != Actor::Visitor,
    });
    batch.audit(
        by,
        "cancel",
        now,
        audit::registration(&row),
        audit::registration(&after),
    );
    promote(batch, now);
    Ok(Answer::Cancelled(after))
}

/// Takes a party out of the event's counters.
fn remove_from_counters(event: &mut Event, row: &Registration) {
    match row.status {
        Status::Waiting => {
            event.waiting -= row.party_size.get();
            event.waiting_companions -= row.party_size.companions();
        }
        Status::Confirmed => event.registered -= row.party_size.get(),
        Status::Cancelled => {}
    }
}

/// Gives free places to the waiting list, strictly first come, first served. The first party that
/// does not fit ends it, and nobody overtakes that party. All who move up together share one
/// revision.
fn promote(batch: &mut BatchState, now: Timestamp) {
    let mut promoted = Vec::new();
    while let Some(locator) = batch.known.waiting.front().copied() {
        let event = &mut batch.event;
        // `waiting` names only known registrations.
        let next = &batch.known.registrations[&locator];
        let people = next.party_size.get();
        if !event.capacity.has_places(event.registered, people) {
            break;
        }
        remove_from_counters(event, next);
        event.registered += people;
        batch.known.waiting.pop_front();
        promoted.push(locator);
    }
    if promoted.is_empty() {
        return;
    }
    batch.bump_revision(Kind::Promoted, now);
    for locator in promoted {
        batch.set_status(locator, Status::Confirmed, Some(batch.event.revision));
        batch.writes.notices.push(Notice::Promoted(locator));
    }
}
