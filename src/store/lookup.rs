//! What a batch loads before it decides: the registrations that its commands name, and the head of the
//! waiting list.

use super::StoreError;
use super::transaction::Transaction;
use crate::domain::command::{Applicant, Command};
use crate::domain::decide::Known;
use crate::domain::event::{Capacity, Event, EventId, PartySize};
use crate::domain::person::Email;
use crate::domain::registration::{IdempotencyKey, Registration};

/// The registrations that commands name.
#[derive(Debug, Default)]
pub(super) struct Lookup<'a> {
    /// Keys of email addresses.
    pub(super) emails: Vec<&'a str>,
    /// Idempotency keys.
    pub(super) keys: Vec<&'a str>,
    /// Registrations to cancel, change, restore or erase, as round and number.
    pub(super) numbers: Vec<(u32, u32)>,
}

impl<'a> Lookup<'a> {
    pub(super) fn of(event: EventId, commands: &'a [Command]) -> Self {
        let mut lookup = Self::default();
        for command in commands {
            match command {
                Command::Register(applicant) | Command::Add { applicant, .. } => {
                    lookup.add(applicant);
                }
                Command::Import { people, .. } => {
                    for applicant in people {
                        lookup.add(applicant);
                    }
                }
                // A locator of another event must find nothing here.
                Command::Cancel { locator, .. }
                | Command::Change { locator, .. }
                | Command::Restore { locator, .. }
                | Command::Erase { locator, .. }
                    if locator.event == event =>
                {
                    lookup.numbers.push((locator.round, locator.number));
                }
                Command::EraseDue { locators } => {
                    let own = locators.iter().filter(|locator| locator.event == event);
                    let own = own.map(|place| (place.round, place.number));
                    lookup.numbers.extend(own);
                }
                _ => {}
            }
        }
        lookup
    }

    fn add(&mut self, applicant: &'a Applicant) {
        self.emails.extend(applicant.email.as_ref().map(Email::key));
        self.keys
            .extend(applicant.key.as_ref().map(IdempotencyKey::as_str));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.emails.is_empty() && self.keys.is_empty() && self.numbers.is_empty()
    }
}

/// Loads what [`Known`] promises for a segment: a run of visits, or one other command. `found` is
/// what the segment names, if that came with the lock.
pub(super) async fn load(
    transaction: &mut impl Transaction,
    event: &Event,
    segment: &[Command],
    found: Option<Vec<Registration>>,
) -> Result<Known, StoreError> {
    let mut known = Known::with_capacity(segment.len() + found.as_ref().map_or(0, Vec::len));
    let mut round = event.round;
    let waiting_limit = match segment {
        [Command::Edit { edit, .. }] => max_promotions(
            edit.capacity.unwrap_or(event.capacity),
            event.registered,
            event.waiting_parties(),
        ),
        [Command::Undo { .. }] if event.round > 1 => {
            round = event.round - 1;
            known.archived = transaction.archived(event.id, round).await?;
            known.archived.map_or(0, |before| {
                let parties = before.waiting.saturating_sub(before.waiting_companions);
                max_promotions(before.capacity, before.registered, parties)
            })
        }
        visits => {
            let lookup = Lookup::of(event.id, visits);
            let named = match found {
                Some(found) => found,
                None if lookup.is_empty() => Vec::new(),
                None => transaction.find(event, &lookup).await?,
            };
            let waiting_limit = match visits {
                [Command::Restore { .. }] => {
                    for registration in same_address(transaction, event, &named).await? {
                        known.insert(registration, round);
                    }
                    0
                }
                // It frees no place.
                [Command::EraseDue { .. }] => 0,
                _ => waiting_needed(event, &lookup, &named),
            };
            for registration in named {
                known.insert(registration, round);
            }
            waiting_limit
        }
    };
    if waiting_limit > 0 {
        for registration in transaction.waiting(event.id, round, waiting_limit).await? {
            known.insert_waiting(registration, round);
        }
    }
    Ok(known)
}

/// The registrations that have the address of one of these now.
async fn same_address(
    transaction: &mut impl Transaction,
    event: &Event,
    named: &[Registration],
) -> Result<Vec<Registration>, StoreError> {
    let emails = named.iter().filter_map(|row| row.email.as_ref());
    let lookup = Lookup {
        emails: emails.map(Email::key).collect(),
        ..Lookup::default()
    };
    if lookup.is_empty() {
        return Ok(Vec::new());
    }
    transaction.find(event, &lookup).await
}

/// How many of the waiting `parties` can get places at this capacity, at most.
fn max_promotions(capacity: Capacity, registered: u32, parties: u32) -> u32 {
    capacity
        .remaining(registered)
        .map_or(parties, |places| places.min(parties))
}

/// How many parties at the head of the waiting list the visits of `lookup` need loaded: as many as
/// they can promote or remove; see [`Known`]. New registrations alone promote nobody.
fn waiting_needed(event: &Event, lookup: &Lookup<'_>, named: &[Registration]) -> u32 {
    let people = |&(round, number): &(u32, u32)| {
        let stored = named
            .iter()
            .find(|row| (row.locator.round, row.locator.number) == (round, number));
        // A registration that is not stored yet may come from this batch.
        stored.map_or(PartySize::MAX, |row| row.party_size.get())
    };
    if event.waiting == 0 || lookup.numbers.is_empty() {
        return 0;
    }
    let freed: u32 = lookup.numbers.iter().map(people).sum();
    let free = event.capacity.remaining(event.registered).unwrap_or(0);
    (free + freed).min(event.waiting_parties())
}
