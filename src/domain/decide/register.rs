//! New registrations: of people who register, and of people whom the organiser adds.

use std::sync::Arc;

use super::BatchState;
use crate::domain::audit::{self, Actor};
use crate::domain::clock::Timestamp;
use crate::domain::command::{Answer, Applicant, Decision, Imported, Refusal};
use crate::domain::event::{Capacity, Event, PartySize};
use crate::domain::headcount::State;
use crate::domain::outbox::Notice;
use crate::domain::registration::{AddedBy, Locator, Registration, Status};

/// How a party is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// A visitor registers it.
    Public,
    /// The organiser adds it, also while registration is not open.
    ByHand(&'a Actor),
    /// The organiser adds it past the capacity and the waiting list.
    OverCapacity(&'a Actor),
}

impl<'a> Entry<'a> {
    /// The organiser who adds the party.
    fn by(self) -> Option<&'a Actor> {
        match self {
            Self::Public => None,
            Self::ByHand(by) | Self::OverCapacity(by) => Some(by),
        }
    }
}

/// Decides about one party. A key that was used before gets the registration as it is now.
pub(super) fn register(
    batch: &mut BatchState,
    applicant: &Applicant,
    entry: Entry<'_>,
    now: Timestamp,
) -> Decision {
    if let Some(key) = &applicant.key
        && let Some(earlier) = batch.known.by_key.get(key.as_str())
    {
        let earlier = &batch.known.registrations[earlier];
        return if is_repeated(earlier, applicant, entry) {
            Ok(Answer::Registered {
                registration: Arc::clone(earlier),
                replayed: true,
            })
        } else {
            Err(Refusal::IdempotencyMismatch)
        };
    }
    // Visitors do not know a draft. It may have become one after they asked for its form.
    if entry == Entry::Public && batch.event.is_draft() {
        return Err(Refusal::EventNotFound);
    }
    let registration = admit(batch, applicant, entry, now)?;
    if let Some(by) = entry.by() {
        let mut after = audit::registration(&registration);
        after["over_capacity"] = matches!(entry, Entry::OverCapacity(_)).into();
        batch.audit(by, "add", now, serde_json::Value::Null, after);
    }
    Ok(Answer::Registered {
        registration,
        replayed: false,
    })
}

/// Whether a request with the key of an earlier registration repeats its request.
fn is_repeated(earlier: &Registration, applicant: &Applicant, entry: Entry<'_>) -> bool {
    // A party that was added past the capacity has never waited.
    let has_waited = earlier.accepted_waiting.is_some();
    earlier.is_repeated_by(applicant)
        && earlier.added_by.is_some() == entry.by().is_some()
        && !(has_waited && matches!(entry, Entry::OverCapacity(_)))
}

/// Decides about `people` in their order. If one is refused, or if this is a dry run, everything is
/// as it was.
pub(super) fn import(
    batch: &mut BatchState,
    people: &[Applicant],
    dry_run: bool,
    by: &Actor,
    now: Timestamp,
) -> Answer {
    let before = batch.clone();
    let mut imported = Imported::default();
    for (index, applicant) in people.iter().enumerate() {
        match admit(batch, applicant, Entry::ByHand(by), now) {
            Ok(row) if row.accepted_waiting.is_some() => imported.waiting += 1,
            Ok(_) => imported.confirmed += 1,
            Err(refusal) => imported.refused.push((index, refusal)),
        }
    }
    imported.is_stored = !dry_run && imported.refused.is_empty() && !people.is_empty();
    if imported.is_stored {
        let after = serde_json::json!({
            "confirmed": imported.confirmed,
            "waiting": imported.waiting,
            "first_number": before.event.last_number + 1,
            "last_number": batch.event.last_number,
        });
        batch.audit(by, "import", now, serde_json::Value::Null, after);
    } else {
        *batch = before;
    }
    Answer::Imported(imported)
}

/// Gives a party its places, or puts it on the waiting list.
fn admit(
    batch: &mut BatchState,
    applicant: &Applicant,
    entry: Entry<'_>,
    now: Timestamp,
) -> Result<Arc<Registration>, Refusal> {
    let people = applicant.party_size;
    let event = &mut batch.event;
    let is_registered = batch.known.has_email(applicant.email.as_ref());
    check_party_size(event, people)?;
    match entry {
        Entry::Public => check_open(event)?,
        Entry::ByHand(_) | Entry::OverCapacity(_) if is_registered => {
            return Err(Refusal::AlreadyRegistered);
        }
        Entry::ByHand(_) | Entry::OverCapacity(_) => {}
    }
    let is_over_capacity = matches!(entry, Entry::OverCapacity(_));
    let status = if is_over_capacity || event.has_places_for(people.get()) {
        Status::Confirmed
    } else if event.waitlist && may_wait(event.capacity, people) {
        Status::Waiting
    } else {
        // Before a visitor learns about the address: a full event must not reveal who has a place.
        return Err(full(event));
    };
    if is_registered {
        return Err(Refusal::AlreadyRegistered);
    }
    let accepted_waiting = match status {
        Status::Waiting => {
            event.waiting += people.get();
            event.waiting_companions += people.companions();
            Some(event.waiting_parties())
        }
        Status::Confirmed | Status::Cancelled => {
            event.registered += people.get();
            None
        }
    };
    event.last_number += 1;
    let locator = Locator {
        event: event.id,
        round: event.round,
        number: event.last_number,
    };
    batch.bump_registered(now);
    let registration = Arc::new(Registration {
        locator,
        secret: applicant.secret.clone(),
        name: applicant.name.clone(),
        email: applicant.email.clone(),
        party_size: people,
        key: applicant.key.clone(),
        answers: applicant.answers.clone(),
        status,
        accepted_waiting,
        accepted_revision: batch.event.revision,
        revision: batch.event.revision,
        at: batch.event.at,
        added_by: entry.by().and_then(AddedBy::of),
        erased_at: None,
        language: applicant.language,
        email_proven_at: applicant.is_proven.then_some(batch.event.at),
        unsubscribed_at: None,
        renamed_at: None,
    });
    batch.known.insert(Arc::clone(&registration), locator.round);
    if status == Status::Waiting {
        batch.known.waiting.push_back(locator);
    }
    batch.writes.inserted.push(locator);
    batch.writes.notices.push(Notice::Registered(locator));
    Ok(registration)
}

/// Fails if a party is larger than the organiser allows now.
pub(super) fn check_party_size(event: &Event, people: PartySize) -> Result<(), Refusal> {
    if people <= event.max_party_size {
        return Ok(());
    }
    let most = event.max_party_size.get();
    Err(Refusal::Invalid(PartySize::out_of_range(
        "party_size",
        most,
    )))
}

/// Fails unless people may register now.
pub(super) fn check_open(event: &Event) -> Result<(), Refusal> {
    match event.state() {
        State::Closed => Err(Refusal::EventClosed),
        State::Scheduled => Err(Refusal::EventNotOpen {
            opens_at: event.opens_at,
        }),
        State::Full | State::Open | State::Waitlist => Ok(()),
    }
}

/// A group larger than the capacity would block the waiting list for ever. One person may wait even
/// while the capacity is 0: an organiser may not know it yet.
fn may_wait(capacity: Capacity, people: PartySize) -> bool {
    people == PartySize::ONE || capacity.has_places(0, people.get())
}

pub(super) fn full(event: &Event) -> Refusal {
    // Without a limit every party fits, so nobody is refused.
    let remaining = event.capacity.remaining(event.registered).unwrap_or(0);
    Refusal::EventFull { remaining }
}
