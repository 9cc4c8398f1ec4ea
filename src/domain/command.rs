//! What can be asked of an event, and what comes of it.

use std::sync::Arc;

use super::audit::Actor;
use super::clock::Timestamp;
use super::event::{Capacity, Edit, Event};
use super::person::{Email, Name};
use super::position::Position;
use super::registration::{IdempotencyKey, Locator, Registration, Secret};

/// A person who asks for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applicant {
    /// Who.
    pub name: Name,
    /// Where to reach them.
    pub email: Email,
    /// The client's name for this attempt.
    pub key: Option<IdempotencyKey>,
    /// The proof their private link will carry, drawn before so that deciding stays pure.
    pub secret: Secret,
}

/// One thing asked of one event. All go through the event's writer, so that revision order is
/// commit order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A person asks for a place.
    Register(Applicant),
    /// A place is given back: with the secret by the visitor, without by the organiser.
    Cancel {
        /// Which registration.
        locator: Locator,
        /// The visitor's proof; the organiser needs none.
        secret: Option<Secret>,
        /// Who asked.
        by: Actor,
    },
    /// Settings change.
    Edit {
        /// The new settings.
        edit: Edit,
        /// `If-Match`: refuse unless the event still stands at one of these positions.
        expected: Option<Vec<Position>>,
        /// Who asked.
        by: Actor,
    },
    /// Archive this round and open the next at zero.
    Reset {
        /// A new capacity, if one is given.
        capacity: Option<Capacity>,
        /// See `Edit`.
        expected: Option<Vec<Position>>,
        /// Who asked.
        by: Actor,
    },
    /// Bring the archived round back.
    Undo {
        /// See `Edit`.
        expected: Option<Vec<Position>>,
        /// Who asked.
        by: Actor,
    },
    /// Remove the event.
    Delete {
        /// Even with registrations.
        confirmed: bool,
        /// See `Edit`.
        expected: Option<Vec<Position>>,
        /// Who asked.
        by: Actor,
    },
    /// Applies an opening or closing time that is due.
    ApplySchedule,
}

impl Command {
    /// The positions one of which the event has to stand at; `None` if any will do.
    pub fn expected(&self) -> Option<&[Position]> {
        match self {
            Self::Edit { expected, .. }
            | Self::Reset { expected, .. }
            | Self::Undo { expected, .. }
            | Self::Delete { expected, .. } => expected.as_deref(),
            Self::Register(_) | Self::Cancel { .. } | Self::ApplySchedule => None,
        }
    }

    /// Visitors' commands are decided together; an organiser's stands alone, because it may need
    /// rows that no one named.
    pub fn is_visit(&self) -> bool {
        matches!(self, Self::Register(_) | Self::Cancel { .. })
    }
}

/// The outcome of a command.
pub type Decision = Result<Answer, Refusal>;

/// A command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To `Register`.
    Registered {
        /// The row, as it is now.
        registration: Arc<Registration>,
        /// The same key was answered before; nothing changed.
        replayed: bool,
    },
    /// To `Cancel`: the row, as it is now.
    Cancelled(Arc<Registration>),
    /// To `Edit`, `Reset`, `Undo`: the event, as it is now.
    Event(Box<Event>),
    /// To `Delete`.
    Deleted,
    /// To `ApplySchedule`.
    Noted,
}

/// A command that was not carried out; nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No places, and no waiting list is taken.
    #[error("all places are taken")]
    EventFull,
    /// Closed by the organiser or the schedule.
    #[error("registration is closed")]
    EventClosed,
    /// Before `opens_at`.
    #[error("registration has not opened yet")]
    EventNotOpen {
        /// When it will.
        opens_at: Option<Timestamp>,
    },
    /// The email address has a place or waits for one.
    #[error("this email address is registered already")]
    AlreadyRegistered,
    /// The same key came with another body.
    #[error("this idempotency key was used with another name or email address")]
    IdempotencyMismatch,
    /// No such registration, or a forged link.
    #[error("there is no such registration")]
    RegistrationNotFound,
    /// The event is gone.
    #[error("there is no such event")]
    EventNotFound,
    /// Somebody is registered, so this would lose something; or there is nothing to undo.
    #[error("{0}")]
    NotEmpty(&'static str),
    /// `If-Match` names another position than the present one.
    #[error("the event was changed in the meantime")]
    ChangedMeanwhile,
    /// A setting contradicts another.
    #[error("{0}")]
    Invalid(super::invalid::Invalid),
}
