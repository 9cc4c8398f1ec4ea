//! Erases personal data. Numbers, statuses, parties and counts stay.

use std::sync::Arc;

use serde_json::{Value, json};

use super::BatchState;
use crate::domain::audit::{self, Actor};
use crate::domain::change::Kind;
use crate::domain::clock::Timestamp;
use crate::domain::command::Answer;
use crate::domain::registration::{Locator, Registration};

/// Erases one registration, of any round and status. A second time changes nothing.
pub(super) fn erase(
    batch: &mut BatchState,
    row: &Arc<Registration>,
    by: &Actor,
    now: Timestamp,
) -> Answer {
    if row.erased_at.is_some() {
        return Answer::Erased(Arc::clone(row));
    }
    let revision = next_revision(batch, row.locator.round == batch.event.round, now);
    let after = batch.erase(row.locator, revision, now);
    let (before, logged) = (audit::registration(row), audit::registration(&after));
    batch.audit(by, "erase", now, before, logged);
    Answer::Erased(after)
}

/// Erases those of `locators` that are not erased yet, if the event's retention period is over. They
/// share one revision and one line of the audit log.
pub(super) fn erase_due(batch: &mut BatchState, locators: &[Locator], now: Timestamp) -> Answer {
    if batch.event.erase_due().is_none_or(|due| due > now) {
        // The organiser has changed the time in the meantime.
        return Answer::ErasedDue(0);
    }
    let mut due = locators.to_vec();
    due.retain(|place| {
        let known = batch.known.registrations.get(place);
        known.is_some_and(|row| row.erased_at.is_none())
    });
    if due.is_empty() {
        return Answer::ErasedDue(0);
    }
    let round = batch.event.round;
    let has_current = due.iter().any(|place| place.round == round);
    let revision = next_revision(batch, has_current, now);
    for place in &due {
        let own = revision.filter(|_| place.round == round);
        batch.erase(*place, own, now);
    }
    let after = json!({ "erased": due.len(), "erase_after_days": batch.event.erase_after });
    batch.audit(&Actor::Schedule, "erase", now, Value::Null, after);
    Answer::ErasedDue(due.len())
}

/// Erasing in the current round makes a revision, because open private pages follow the position of
/// their registration.
fn next_revision(batch: &mut BatchState, is_current: bool, now: Timestamp) -> Option<i64> {
    is_current.then(|| {
        batch.bump_revision(Kind::Changed, now);
        batch.event.revision
    })
}
