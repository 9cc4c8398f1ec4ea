//! One committed change: an item of the change log.

use serde::Serialize;

use super::headcount::Headcount;

/// What kind of change made a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The event was created.
    Created,
    /// One commit added registrations, confirmed or waiting.
    Registered,
    /// A registration was cancelled.
    Cancelled,
    /// A registration changed: its party or its name.
    Changed,
    /// The people who wait longest got places.
    Promoted,
    /// The capacity changed.
    Capacity,
    /// Registration opened, by the schedule or by the organiser.
    Opened,
    /// Registration closed, by the schedule or by the organiser.
    Closed,
    /// A new round began with no registrations.
    Reset,
    /// A reset was undone.
    Restored,
    /// Another setting changed.
    Edited,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Created,
        Self::Registered,
        Self::Cancelled,
        Self::Changed,
        Self::Promoted,
        Self::Capacity,
        Self::Opened,
        Self::Closed,
        Self::Reset,
        Self::Restored,
        Self::Edited,
    ];

    /// The word in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Registered => "registered",
            Self::Cancelled => "cancelled",
            Self::Changed => "changed",
            Self::Promoted => "promoted",
            Self::Capacity => "capacity",
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::Restored => "restored",
            Self::Edited => "edited",
        }
    }

    /// The kind with this word; `None` if there is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
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
