//! One committed change: the lossless log's item.

use serde::Serialize;

use super::headcount::Headcount;

/// What kind of change made a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The event came to be.
    Created,
    /// One commit's registrations, confirmed or waiting.
    Registered,
    /// A registration gave its place back.
    Cancelled,
    /// The longest waiting got places.
    Promoted,
    /// The capacity was set.
    Capacity,
    /// Registering began, by the schedule or by the organiser.
    Opened,
    /// Registering ended, by the schedule or by the organiser.
    Closed,
    /// A new round began at zero.
    Reset,
    /// A reset was undone.
    Restored,
    /// Another setting was changed.
    Edited,
}

impl Kind {
    /// Every kind, for reading them back.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Registered,
        Self::Cancelled,
        Self::Promoted,
        Self::Capacity,
        Self::Opened,
        Self::Closed,
        Self::Reset,
        Self::Restored,
        Self::Edited,
    ];

    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Registered => "registered",
            Self::Cancelled => "cancelled",
            Self::Promoted => "promoted",
            Self::Capacity => "capacity",
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Reset => "reset",
            Self::Restored => "restored",
            Self::Edited => "edited",
        }
    }

    /// The kind of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One revision: the whole state after it, and why it came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The state after the change.
    #[serde(flatten)]
    pub headcount: Headcount,
    /// Why.
    pub kind: Kind,
}
