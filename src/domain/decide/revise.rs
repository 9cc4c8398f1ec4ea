//! Changes a registration: its party, name and answers. Restores a cancelled one.

use std::sync::Arc;

use super::register::{check_open, check_party_size, full};
use super::{BatchState, promote, remove_from_counters};
use crate::domain::audit::{self, Actor};
use crate::domain::change::Kind;
use crate::domain::clock::Timestamp;
use crate::domain::command::{Answer, Decision, Refusal, Revised};
use crate::domain::event::{Event, PartySize};
use crate::domain::outbox::Notice;
use crate::domain::position::Position;
use crate::domain::registration::{Registration, Status};

/// Applies `revised`. A party may shrink at any time, and the places that it frees go to the
/// waiting list. It may grow only if newcomers would get places at once. An organiser may let it grow while the event takes nobody.
pub(super) fn revise(
    batch: &mut BatchState,
    row: &Arc<Registration>,
    revised: &Revised,
    expected: Option<&[Position]>,
    by: &Actor,
    now: Timestamp,
) -> Decision {
    let event = &batch.event;
    check_position(event, row, expected)?;
    if row.status == Status::Cancelled {
        return Err(Refusal::RegistrationCancelled);
    }
    let name = revised.name.as_ref().unwrap_or(&row.name);
    let people = revised.party_size.unwrap_or(row.party_size);
    let current = row.locator.round == event.round;
    if people > row.party_size {
        check_growth(event, row, people, by)?;
    }
    let answers = row.answers.corrected(&revised.answers);
    let is_rewritten = *name != row.name || answers != row.answers;
    if is_rewritten && row.erased_at.is_some() {
        return Err(Refusal::RegistrationErased);
    }
    if !is_rewritten && people == row.party_size {
        return Ok(Answer::Changed(Arc::clone(row)));
    }
    if current {
        remove_from_counters(&mut batch.event, row);
        add_to_counters(&mut batch.event, row.status, people);
        batch.bump_revision(Kind::Changed, now);
    }
    let revision = current.then_some(batch.event.revision);
    // An organiser is no stranger.
    let is_strangers = *by == Actor::Visitor && !revised.by_mailed_link;
    let after = batch.change(row.locator, revision, |row| {
        if row.name != *name {
            row.renamed_at = is_strangers.then_some(now);
        }
        row.name = name.clone();
        row.party_size = people;
        row.answers = answers;
    });
    batch.writes.notices.push(Notice::Changed(row.locator));
    if is_rewritten {
        batch.writes.rewritten.push(row.locator);
    }
    let (before, logged) = (audit::registration(row), audit::registration(&after));
    batch.audit(by, "change", now, before, logged);
    promote(batch, now);
    // A waiting group that shrank may have been promoted itself.
    let now_is = &batch.known.registrations[&row.locator];
    Ok(Answer::Changed(Arc::clone(now_is)))
}

/// Gives a cancelled party its places back. Like a newcomer it overtakes nobody, so it gets them
/// only if nobody waits.
pub(super) fn restore(
    batch: &mut BatchState,
    row: &Arc<Registration>,
    expected: Option<&[Position]>,
    by: &Actor,
    now: Timestamp,
) -> Decision {
    check_position(&batch.event, row, expected)?;
    if row.status != Status::Cancelled {
        return Ok(Answer::Restored(Arc::clone(row)));
    }
    let current = row.locator.round == batch.event.round;
    if current && batch.known.has_email(row.email.as_ref()) {
        return Err(Refusal::AlreadyRegistered);
    }
    // An archived round has no places to give.
    if !current || !batch.event.has_places_for(row.party_size.get()) {
        return Err(full(&batch.event));
    }
    add_to_counters(&mut batch.event, Status::Confirmed, row.party_size);
    batch.bump_revision(Kind::Changed, now);
    let revision = Some(batch.event.revision);
    let after = batch.set_status(row.locator, Status::Confirmed, revision);
    batch.known.insert_email(&after);
    batch.writes.notices.push(Notice::Restored(row.locator));
    let (before, now_is) = (audit::registration(row), audit::registration(&after));
    batch.audit(by, "restore", now, before, now_is);
    Ok(Answer::Restored(after))
}

/// Fails unless the registration or its event is at one of the positions.
fn check_position(
    event: &Event,
    row: &Registration,
    expected: Option<&[Position]>,
) -> Result<(), Refusal> {
    let own = Position {
        epoch: event.epoch.clone(),
        revision: row.revision,
    };
    let is_present = |allowed: &Position| *allowed == own || *allowed == event.position();
    match expected {
        Some(allowed) if !allowed.iter().any(is_present) => Err(Refusal::ChangedMeanwhile),
        Some(_) | None => Ok(()),
    }
}

/// The people that a party adds count as newcomers: they need free places now, and overtake nobody.
fn check_growth(
    event: &Event,
    row: &Registration,
    people: PartySize,
    by: &Actor,
) -> Result<(), Refusal> {
    check_party_size(event, people)?;
    if *by == Actor::Visitor {
        check_open(event)?;
    }
    let current = row.locator.round == event.round;
    let more = people.get() - row.party_size.get();
    let has_places = match row.status {
        Status::Confirmed => current && event.has_places_for(more),
        // Otherwise a party could join the waiting list small and grow at its head.
        Status::Waiting | Status::Cancelled => false,
    };
    if has_places { Ok(()) } else { Err(full(event)) }
}

/// Puts a party into the event's counters.
fn add_to_counters(event: &mut Event, status: Status, people: PartySize) {
    match status {
        Status::Waiting => {
            event.waiting += people.get();
            event.waiting_companions += people.companions();
        }
        Status::Confirmed => event.registered += people.get(),
        Status::Cancelled => {}
    }
}
