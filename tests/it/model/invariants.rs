//! The invariants of an event. They are checked on the stored rows alone, to find mistakes that the
//! model shares.

use std::collections::{BTreeMap, HashSet};

use headcount::domain::change::{Change, Kind};
use headcount::domain::event::Event;
use headcount::domain::headcount::{Headcount, State};
use headcount::domain::registration::{Registration, Status};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::machine::Dump;

pub(crate) fn hold(dump: &Dump) -> Result<(), TestCaseError> {
    let Some(event) = &dump.event else {
        prop_assert!(
            dump.registrations.is_empty() && dump.changes.is_empty(),
            "a deleted event leaves nothing behind"
        );
        return Ok(());
    };
    let mut rounds = BTreeMap::<u32, Vec<&Registration>>::new();
    for row in &dump.registrations {
        rounds.entry(row.locator.round).or_default().push(row);
    }
    prop_assert!(
        rounds.keys().all(|round| *round <= event.round),
        "somebody registered in a round that is not open"
    );
    for rows in rounds.values() {
        numbers(rows)?;
        order(rows)?;
        uniqueness(rows)?;
    }
    counters(event, rounds.get(&event.round).map_or(&[], Vec::as_slice))?;
    let by_hand = dump.registrations.iter();
    let by_hand = by_hand.filter(|row| row.added_by.is_some());
    let freer = Freer {
        by_hand: by_hand.map(|row| row.accepted_revision).collect(),
        has_corrected: dump
            .audit
            .iter()
            .any(|entry| ["restore", "change"].contains(&entry.action.as_str())),
    };
    log(event, &dump.changes, &freer)
}

/// What only the organiser may do.
struct Freer {
    /// The revisions that have registrations which the organiser added: past any limit, at any time.
    by_hand: HashSet<i64>,
    /// Whether a place was given back or a party enlarged, which is possible while registration is
    /// not open.
    has_corrected: bool,
}

/// Unique and without gaps, and later numbers are not older.
fn numbers(rows: &[&Registration]) -> Result<(), TestCaseError> {
    for (row, number) in rows.iter().zip(1..) {
        prop_assert_eq!(row.locator.number, number, "numbers have a gap");
    }
    for pair in rows.windows(2) {
        prop_assert!(
            pair[0].at <= pair[1].at && pair[0].accepted_revision <= pair[1].accepted_revision,
            "{:?} is older than {:?}",
            pair[1],
            pair[0]
        );
    }
    Ok(())
}

/// Nobody has a place while an earlier party waits, except those whom the organiser added.
fn order(rows: &[&Registration]) -> Result<(), TestCaseError> {
    let of = |status| {
        rows.iter()
            .filter(move |row| row.status == status)
            .filter(move |row| status == Status::Waiting || row.added_by.is_none())
            .map(|row| row.locator.number)
    };
    if let (Some(confirmed), Some(waiting)) =
        (of(Status::Confirmed).max(), of(Status::Waiting).min())
    {
        prop_assert!(
            confirmed < waiting,
            "number {} has overtaken number {}",
            confirmed,
            waiting
        );
    }
    Ok(())
}

fn uniqueness(rows: &[&Registration]) -> Result<(), TestCaseError> {
    let (mut emails, mut keys) = (HashSet::new(), HashSet::new());
    for row in rows {
        prop_assert!(
            row.status == Status::Cancelled || emails.insert(row.email_key().into_owned()),
            "{:?} has two places",
            row.email
        );
        if row.erased_at.is_some() {
            let said = (
                row.name.as_str(),
                &row.email,
                &row.key,
                row.answers.is_empty(),
            );
            prop_assert_eq!(said, ("", &None, &None, true), "an erased person");
        }
        prop_assert!(
            row.key.as_ref().is_none_or(|key| keys.insert(key.as_str())),
            "{:?} was used twice",
            row.key
        );
    }
    Ok(())
}

/// The counters in the event's row are the sums of the rows, and nobody waits while there are places
/// for the whole party that is next.
fn counters(event: &Event, rows: &[&Registration]) -> Result<(), TestCaseError> {
    let of = |status| rows.iter().filter(move |row| row.status == status);
    let people = |status| of(status).map(|row| row.party_size.get()).sum::<u32>();
    prop_assert_eq!(event.registered, people(Status::Confirmed));
    prop_assert_eq!(event.waiting, people(Status::Waiting));
    let parties = of(Status::Waiting).count();
    prop_assert_eq!(event.waiting_parties() as usize, parties);
    prop_assert_eq!(u64::from(event.last_number), rows.len() as u64);
    if let Some(next) = of(Status::Waiting).min_by_key(|row| row.locator.number) {
        let places = event.capacity.get().unwrap_or(u32::MAX);
        prop_assert!(
            event.registered + next.party_size.get() > places,
            "a party waits beside enough free places"
        );
        prop_assert_ne!(event.state(), State::Open, "a newcomer could overtake");
    }
    conservation(&event.headcount())
}

/// Confirmed and free places are the capacity; after it was lowered, less the excess.
fn conservation(count: &Headcount) -> Result<(), TestCaseError> {
    match (count.capacity.get(), count.remaining) {
        (None, remaining) => prop_assert_eq!((remaining, count.over_by), (None, 0)),
        (Some(places), Some(remaining)) => {
            prop_assert_eq!(
                i64::from(count.registered) + i64::from(remaining),
                i64::from(places) + i64::from(count.over_by)
            );
            prop_assert!(remaining == 0 || count.over_by == 0);
        }
        (Some(_), None) => prop_assert!(false, "a capacity without a remainder"),
    }
    Ok(())
}

/// The log from its beginning: every line follows from the one before, and the last one is the
/// event's state.
fn log(event: &Event, changes: &[Change], freer: &Freer) -> Result<(), TestCaseError> {
    for (change, revision) in changes.iter().zip(1..) {
        prop_assert_eq!(change.headcount.revision, revision, "revisions have a gap");
        prop_assert_eq!(change.headcount.position.revision, revision);
        prop_assert_eq!(&change.headcount.position.epoch, &event.epoch);
        conservation(&change.headcount)?;
    }
    prop_assert_eq!(
        changes.first().map(|change| change.kind),
        Some(Kind::Created)
    );
    for pair in changes.windows(2) {
        let (before, after) = (&pair[0].headcount, &pair[1].headcount);
        prop_assert!(
            before.at <= after.at,
            "revision {} is older than the one before",
            after.revision
        );
        follows(before, pair[1].kind, after, freer)?;
        // What `headcount verify` says of the same line.
        prop_assert_eq!(pair[1].fault_after(before), None);
    }
    let first = changes.first().and_then(Change::fault_at_start);
    prop_assert_eq!(first, None);
    prop_assert_eq!(
        changes.last().map(|change| &change.headcount),
        Some(&event.headcount()),
        "the log's end is not the event"
    );
    Ok(())
}

fn follows(
    before: &Headcount,
    kind: Kind,
    after: &Headcount,
    freer: &Freer,
) -> Result<(), TestCaseError> {
    let people = |count: &Headcount| count.registered + count.waiting;
    let counts = |count: &Headcount| (count.registered, count.waiting);
    let is_taking = |count: &Headcount| !matches!(count.state, State::Closed | State::Scheduled);
    let is_same_round = before.round == after.round;
    let is_same_capacity = before.capacity == after.capacity;
    let follows = match kind {
        Kind::Created => false,
        Kind::Registered => {
            let admitted = after.registered - before.registered;
            is_same_round
                && is_same_capacity
                && people(after) > people(before)
                && (freer.by_hand.contains(&after.revision)
                    || is_taking(before) && before.remaining.is_none_or(|free| admitted <= free))
        }
        Kind::Cancelled => {
            is_same_round
                && is_same_capacity
                && (1..=20).contains(&(people(before) - people(after)))
                && after.registered <= before.registered
        }
        // One party, which comes back or grows only into free places while nobody waits.
        Kind::Changed => {
            let (more, less) = (after.registered, before.registered);
            let grows = more > less && before.waiting == 0 && after.over_by == 0;
            let shrinks = people(after) <= people(before) && more <= less;
            is_same_round
                && is_same_capacity
                && (grows && (is_taking(before) || freer.has_corrected) || shrinks)
                && people(after).abs_diff(people(before)) <= 20
        }
        Kind::Promoted => {
            let moved = before.waiting - after.waiting;
            is_same_round
                && is_same_capacity
                && moved > 0
                && people(after) == people(before)
                && before.remaining.is_none_or(|free| moved <= free)
        }
        Kind::Capacity => is_same_round && !is_same_capacity && counts(after) == counts(before),
        Kind::Opened => {
            is_same_round
                && is_same_capacity
                && counts(after) == counts(before)
                && is_taking(after)
                && !is_taking(before)
        }
        Kind::Closed => {
            is_same_round
                && is_same_capacity
                && counts(after) == counts(before)
                && after.state == State::Closed
                && before.state != State::Closed
        }
        Kind::Edited => is_same_round && is_same_capacity && counts(after) == counts(before),
        Kind::Reset => after.round == before.round + 1 && counts(after) == (0, 0),
        Kind::Restored => after.round + 1 == before.round && counts(before) == (0, 0),
    };
    prop_assert!(
        follows,
        "{} does not lead from {:?} to {:?}",
        kind.as_str(),
        before,
        after
    );
    Ok(())
}
