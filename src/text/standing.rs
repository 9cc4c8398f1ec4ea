//! What a registration's owner hears about it in one word.

use crate::domain::event::Event;
use crate::domain::registration::{Registration, Status};

/// A registration's present standing: its status, unless a reset has archived its round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Confirmed,
    Waiting,
    Cancelled,
    /// It was confirmed or waiting in a round that is over.
    Archived,
}

impl Standing {
    /// The standing of a registration of this event.
    pub(crate) fn new(registration: &Registration, event: &Event) -> Self {
        match registration.status {
            Status::Cancelled => Self::Cancelled,
            _ if registration.locator.round != event.round => Self::Archived,
            Status::Confirmed => Self::Confirmed,
            Status::Waiting => Self::Waiting,
        }
    }

    /// The scripts' word for it, and the last part of its message.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Waiting => "waiting",
            Self::Cancelled => "cancelled",
            Self::Archived => "archived",
        }
    }

    /// The message that says it.
    pub(crate) fn key(self) -> String {
        format!("registration-{}", self.as_str())
    }

    /// Whether there is something to cancel.
    pub(crate) fn is_current(self) -> bool {
        matches!(self, Self::Confirmed | Self::Waiting)
    }
}
