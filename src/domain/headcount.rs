//! The count: one object, every transport (docs/protocol.md, section 2).

use serde::Serialize;

use super::clock::Timestamp;
use super::event::{Capacity, Slug};
use super::position::{Position, Revision};

/// Whether somebody who comes now gets a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Before `opens_at`.
    Scheduled,
    /// Places are free.
    Open,
    /// No places, and no waiting list is taken.
    Full,
    /// No places; the waiting list is taken.
    Waitlist,
    /// Closed by the organiser or by `closes_at`.
    Closed,
}

impl State {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Open => "open",
            Self::Full => "full",
            Self::Waitlist => "waitlist",
            Self::Closed => "closed",
        }
    }

    /// The state of that word.
    pub fn parse(word: &str) -> Option<Self> {
        [
            Self::Scheduled,
            Self::Open,
            Self::Full,
            Self::Waitlist,
            Self::Closed,
        ]
        .into_iter()
        .find(|state| state.as_str() == word)
    }
}

/// The whole state of an event at one revision; never a delta, never personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Headcount {
    /// The event's slug.
    pub event: Slug,
    /// The cursor of this very state.
    pub position: Position,
    /// `position`'s second half, as a number.
    pub revision: Revision,
    /// 1, 2, 3 …; a reset opens the next.
    pub round: u32,
    /// Whether somebody who comes now gets a place.
    pub state: State,
    /// How many may be confirmed; `None` for no limit.
    pub capacity: Capacity,
    /// Confirmed registrations of this round.
    pub registered: u32,
    /// Places left; `None` without a limit.
    pub remaining: Option<u32>,
    /// How far the capacity was lowered below the headcount.
    pub over_by: u32,
    /// People on the waiting list.
    pub waiting: u32,
    /// When this state was committed.
    pub at: Timestamp,
    /// Since when the database cannot be reached; absent while it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_since: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_one_word_everywhere() {
        let words = ["scheduled", "open", "full", "waitlist", "closed"];
        for (state, word) in [
            State::Scheduled,
            State::Open,
            State::Full,
            State::Waitlist,
            State::Closed,
        ]
        .into_iter()
        .zip(words)
        {
            assert_eq!(
                (
                    state.as_str(),
                    State::parse(word),
                    serde_json::to_value(state).unwrap()
                ),
                (word, Some(state), word.into())
            );
        }
        assert_eq!(State::parse("Open"), None);
    }
}
