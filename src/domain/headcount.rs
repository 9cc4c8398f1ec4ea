//! The count that every transport sends (docs/protocol.md, section 2).

use serde::Serialize;

use super::clock::Timestamp;
use super::event::{Capacity, Slug};
use super::position::{Position, Revision};

/// What happens to a person who registers now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Registration has not opened: `opens_at` has not passed.
    Scheduled,
    /// The person gets a place.
    Open,
    /// There are no places, or others wait for them; and there is no waiting list.
    Full,
    /// There are no places, or others wait for them; the person joins the waiting list.
    Waitlist,
    /// Closed by the organiser or by `closes_at`.
    Closed,
}

impl State {
    /// The word in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Open => "open",
            Self::Full => "full",
            Self::Waitlist => "waitlist",
            Self::Closed => "closed",
        }
    }

    /// Whether registration is open, also when it is full.
    pub fn takes_registrations(self) -> bool {
        match self {
            Self::Open | Self::Full | Self::Waitlist => true,
            Self::Scheduled | Self::Closed => false,
        }
    }

    /// The state with this word; `None` if there is none.
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

/// The whole state of an event at one revision. It is never a difference to another state, and
/// contains no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Headcount {
    /// The event's slug.
    pub event: Slug,
    /// The position of this state in the event's history.
    pub position: Position,
    /// The revision in `position`, as a number.
    pub revision: Revision,
    /// The round, from 1. A reset begins the next one.
    pub round: u32,
    /// What happens to a person who registers now.
    pub state: State,
    /// How many people may be confirmed; `null` for no limit.
    pub capacity: Capacity,
    /// How many people are confirmed in this round.
    pub registered: u32,
    /// How many places are left; `None` without a limit. While people wait, these are too few for
    /// the group that is next.
    pub remaining: Option<u32>,
    /// How many are confirmed beyond the capacity: the organiser lowered it, or added people past
    /// it.
    pub over_by: u32,
    /// How many people are on the waiting list.
    pub waiting: u32,
    /// When this state was committed.
    pub at: Timestamp,
    /// Since when the database is unreachable; absent while it is reachable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_since: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_one_word_in_json_and_in_the_database() {
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
