//! Decisions, as the model and the statistics of a run see them.

use std::collections::HashMap;

use headcount::domain::command::{Answer, Decision, Refusal};
use headcount::problem::Problem;

use super::naive::{Hints, Refused};

/// The revision of each accepted registration, by secret.
pub(super) fn hints(decisions: &[Decision]) -> Hints {
    let accepted = decisions.iter().filter_map(|decision| match decision {
        Ok(Answer::Registered { registration, .. }) => Some((
            registration.secret.reveal().to_owned(),
            registration.accepted_revision,
        )),
        _ => None,
    });
    accepted.collect::<HashMap<_, _>>()
}

/// A decision as a client sees it.
pub(super) fn as_seen(decision: &Decision) -> Result<Answer, Refused> {
    decision.clone().map_err(|refusal| {
        let opens_at = match refusal {
            Refusal::EventNotOpen { opens_at } => opens_at,
            _ => None,
        };
        (Problem::from(refusal).code().as_str(), opens_at)
    })
}

/// The name of an outcome among those that a run must reach.
pub(super) fn word(seen: &Result<Answer, Refused>) -> &'static str {
    match seen {
        Err((code, _)) => code,
        Ok(Answer::Registered { replayed: true, .. }) => "replayed",
        Ok(Answer::Registered { registration, .. }) if registration.added_by.is_some() => "added",
        Ok(Answer::Registered { registration, .. }) => registration.status.as_str(),
        Ok(Answer::Imported(imported)) if imported.is_stored => "imported",
        Ok(Answer::Imported(_)) => "not imported",
        Ok(Answer::Restored(_)) => "regained",
        Ok(Answer::Cancelled(_)) => "given back",
        Ok(Answer::Changed(_)) => "revised",
        Ok(Answer::Erased(_)) => "erased",
        Ok(Answer::ErasedDue(0)) => "nothing due",
        Ok(Answer::ErasedDue(_)) => "erased when due",
        Ok(Answer::Event(_)) => "event",
        Ok(Answer::Deleted) => "deleted",
        Ok(Answer::Noted) => "noted",
    }
}

pub(super) fn is_without_effect(seen: &Result<Answer, Refused>) -> bool {
    match seen {
        Err(_)
        | Ok(Answer::Noted | Answer::ErasedDue(0) | Answer::Registered { replayed: true, .. }) => {
            true
        }
        Ok(Answer::Imported(imported)) => !imported.is_stored,
        Ok(_) => false,
    }
}
