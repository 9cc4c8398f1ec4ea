//! One committed change: an item of the change log.

use serde::Serialize;

use super::event::PartySize;
use super::headcount::{Headcount, State};
use super::words::words;

words! {
    /// What kind of change made a revision.
    pub enum Kind {
        /// The event was created.
        Created = "created",
        /// One commit added registrations, confirmed or waiting.
        Registered = "registered",
        /// A registration was cancelled.
        Cancelled = "cancelled",
        /// A registration's party, name or answers changed, or it was restored or erased.
        Changed = "changed",
        /// The people who wait longest got places.
        Promoted = "promoted",
        /// The capacity changed.
        Capacity = "capacity",
        /// Registration opened, by the schedule or by the organiser.
        Opened = "opened",
        /// Registration closed, by the schedule or by the organiser.
        Closed = "closed",
        /// A new round began with no registrations.
        Reset = "reset",
        /// A reset was undone.
        Restored = "restored",
        /// Another setting changed.
        Edited = "edited",
    }
}

/// One revision: the whole state after it, and its cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The state after the change.
    #[serde(flatten)]
    pub headcount: Headcount,
    /// What caused it.
    pub kind: Kind,
}

impl Change {
    /// Why this cannot be the first line of a log, if it cannot.
    pub fn fault_at_start(&self) -> Option<&'static str> {
        let Headcount {
            round,
            registered,
            waiting,
            ..
        } = self.headcount;
        if self.kind != Kind::Created {
            Some("a log begins with created")
        } else if (round, registered, waiting) != (1, 0, 0) {
            Some("an event begins in round 1 with nobody")
        } else {
            self.fault_of_state()
        }
    }

    /// Why this cannot follow `before`, the state one revision earlier, if it cannot.
    pub fn fault_after(&self, before: &Headcount) -> Option<&'static str> {
        let after = &self.headcount;
        if after.at < before.at {
            return Some("it is older than the line before");
        }
        if i64::from(after.round) - i64::from(before.round) != self.kind.rounds() {
            return Some("a change of this kind does not lead to this round");
        }
        let is_same_capacity = after.capacity == before.capacity;
        let capacity_fits = match self.kind {
            Kind::Capacity => !is_same_capacity,
            Kind::Reset | Kind::Restored => true,
            _ => is_same_capacity,
        };
        if !capacity_fits {
            return Some("a change of this kind does not lead to this capacity");
        }
        if !self.kind.leads_to_counts(before, after) {
            return Some("a change of this kind does not lead to these counts");
        }
        if !self.kind.leads_to_state(before.state, after.state) {
            return Some("a change of this kind does not lead to this state");
        }
        self.fault_of_state()
    }

    fn fault_of_state(&self) -> Option<&'static str> {
        let count = &self.headcount;
        let has_places = count.capacity.has_places(count.registered, 1);
        let fits = match count.state {
            // In version 0.1.0 also before the people who wait are promoted.
            State::Open => has_places,
            State::Full | State::Waitlist => !has_places || count.waiting > 0,
            State::Scheduled | State::Closed => true,
        };
        (!fits).then_some("its state contradicts its counts")
    }
}

impl Kind {
    /// By how many rounds a change of this kind moves an event.
    fn rounds(self) -> i64 {
        match self {
            Self::Reset => 1,
            Self::Restored => -1,
            Self::Created
            | Self::Registered
            | Self::Cancelled
            | Self::Changed
            | Self::Promoted
            | Self::Capacity
            | Self::Opened
            | Self::Closed
            | Self::Edited => 0,
        }
    }

    fn leads_to_counts(self, before: &Headcount, after: &Headcount) -> bool {
        let party = i64::from(PartySize::MAX);
        let registered = i64::from(after.registered) - i64::from(before.registered);
        let waiting = i64::from(after.waiting) - i64::from(before.waiting);
        match self {
            Self::Created => false,
            Self::Registered => registered >= 0 && waiting >= 0 && registered + waiting > 0,
            Self::Cancelled => {
                (registered == 0 || waiting == 0) && (-party..0).contains(&(registered + waiting))
            }
            Self::Changed => {
                (registered == 0 || waiting == 0) && (registered + waiting).abs() <= party
            }
            Self::Promoted => registered > 0 && registered + waiting == 0,
            Self::Capacity | Self::Opened | Self::Closed | Self::Edited => {
                (registered, waiting) == (0, 0)
            }
            Self::Reset => (after.registered, after.waiting) == (0, 0),
            Self::Restored => (before.registered, before.waiting) == (0, 0),
        }
    }

    /// Whether registration may begin or end with a change of this kind.
    fn leads_to_state(self, before: State, after: State) -> bool {
        match self {
            Self::Opened => !before.takes_registrations() && after.takes_registrations(),
            Self::Closed => before != State::Closed && after == State::Closed,
            Self::Edited => before.takes_registrations() || !after.takes_registrations(),
            Self::Created
            | Self::Registered
            | Self::Cancelled
            | Self::Changed
            | Self::Promoted
            | Self::Capacity
            | Self::Reset
            | Self::Restored => {
                before == after || before.takes_registrations() && after.takes_registrations()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_word_in_json_and_in_the_database() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::parse("Created"), None);
    }
}
