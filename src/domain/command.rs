//! Commands to an event, and their outcomes.

use std::sync::Arc;

use super::audit::Actor;
use super::clock::Timestamp;
use super::event::{Capacity, Edit, Event};
use super::language::Language;
use super::person::{Email, Name};
use super::position::Position;
use super::questions::{Answers, Correction};
use super::registration::{IdempotencyKey, Locator, PartySize, Registration, Secret};

/// A person who asks for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applicant {
    /// The name.
    pub name: Name,
    /// The address, unique in the event and round. Only the organiser may leave it out.
    pub email: Option<Email>,
    /// How many people ask for a place together.
    pub party_size: PartySize,
    /// The client's key for this attempt, if it sent one.
    pub key: Option<IdempotencyKey>,
    /// What the person answers, checked against the event's questions.
    pub answers: Answers,
    /// The secret for the private link. It is drawn before the decision, which stays pure.
    pub secret: Secret,
    /// The language that the person reads. A repeated request may come in another.
    pub language: Language,
    /// Whether the person has opened a link that was mailed to the address.
    pub is_proven: bool,
}

impl Applicant {
    /// A person who fills in no optional field.
    pub fn new(
        name: Name,
        email: impl Into<Option<Email>>,
        key: Option<IdempotencyKey>,
        secret: Secret,
    ) -> Self {
        Self {
            name,
            email: email.into(),
            party_size: PartySize::ONE,
            key,
            answers: Answers::default(),
            secret,
            language: Language::default(),
            is_proven: false,
        }
    }
}

/// What changes in a registration. `None` keeps a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Revised {
    /// The name.
    pub name: Option<Name>,
    /// How many people it is for.
    pub party_size: Option<PartySize>,
    /// Answers; those that it does not name stay.
    pub answers: Correction,
    /// Whether a visitor types them with the link that only mails contain.
    pub by_mailed_link: bool,
}

/// One command to one event. All commands go through the event's writer, so that revisions are
/// committed in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A person asks for a place.
    Register(Applicant),
    /// The organiser adds a person, whether or not registration is open.
    Add {
        /// The person.
        applicant: Applicant,
        /// Whether to confirm the party at once: past the capacity and those who wait.
        over_capacity: bool,
        /// Who sent the command.
        by: Actor,
    },
    /// The organiser adds many people in the order given: all of them, or nobody if one is refused.
    Import {
        /// The people. They have no idempotency keys.
        people: Vec<Applicant>,
        /// Whether only to say what would happen.
        dry_run: bool,
        /// Who sent the command.
        by: Actor,
    },
    /// A registration is cancelled: by the visitor with the secret, or by the organiser without.
    Cancel {
        /// Which registration.
        locator: Locator,
        /// The visitor's secret; `None` for the organiser.
        secret: Option<Secret>,
        /// Who sent the command.
        by: Actor,
    },
    /// A registration changes: by the visitor with the secret, or by the organiser without.
    Change {
        /// Which registration.
        locator: Locator,
        /// The visitor's secret; `None` for the organiser.
        secret: Option<Secret>,
        /// The new values.
        revised: Revised,
        /// `If-Match`: the registration or its event must be at one of these positions; `None`
        /// allows any.
        expected: Option<Vec<Position>>,
        /// Who sent the command.
        by: Actor,
    },
    /// A cancelled registration of the current round gets its places back, if they are free.
    Restore {
        /// Which registration.
        locator: Locator,
        /// See `Change`.
        expected: Option<Vec<Position>>,
        /// Who sent the command.
        by: Actor,
    },
    /// A person's data are erased: by the visitor with the secret, or by the organiser without.
    Erase {
        /// Which registration.
        locator: Locator,
        /// The visitor's secret; `None` for the organiser.
        secret: Option<Secret>,
        /// Who sent the command.
        by: Actor,
    },
    /// Erases registrations whose retention period is over.
    EraseDue {
        /// Which registrations, of any round.
        locators: Vec<Locator>,
    },
    /// Settings change.
    Edit {
        /// The new settings.
        edit: Edit,
        /// `If-Match`: the event must be at one of these positions; `None` allows any.
        expected: Option<Vec<Position>>,
        /// Who sent the command.
        by: Actor,
    },
    /// The current round is archived, and the next one begins with no registrations.
    Reset {
        /// The new capacity; `None` keeps the old one.
        capacity: Option<Capacity>,
        /// See `Edit`.
        expected: Option<Vec<Position>>,
        /// Who sent the command.
        by: Actor,
    },
    /// The archived round becomes the current one again.
    Undo {
        /// See `Edit`.
        expected: Option<Vec<Position>>,
        /// Who sent the command.
        by: Actor,
    },
    /// The event is deleted.
    Delete {
        /// Whether to delete the event with its registrations.
        confirmed: bool,
        /// See `Edit`.
        expected: Option<Vec<Position>>,
        /// Who sent the command.
        by: Actor,
    },
    /// Applies an opening or closing time that is due.
    ApplySchedule,
}

impl Command {
    /// The positions of the event that the command allows; `None` if it allows any.
    pub fn expected(&self) -> Option<&[Position]> {
        match self {
            Self::Edit { expected, .. }
            | Self::Reset { expected, .. }
            | Self::Undo { expected, .. }
            | Self::Delete { expected, .. } => expected.as_deref(),
            // A registration has a position of its own as well.
            Self::Register(_)
            | Self::Add { .. }
            | Self::Import { .. }
            | Self::Cancel { .. }
            | Self::Change { .. }
            | Self::Restore { .. }
            | Self::Erase { .. }
            | Self::EraseDue { .. }
            | Self::ApplySchedule => None,
        }
    }

    /// Whether this is a command about one party, as visitors send them. Those are decided in
    /// batches. Any other command is decided alone, because it may need other rows than those it
    /// names.
    pub fn is_batched(&self) -> bool {
        matches!(
            self,
            Self::Register(_)
                | Self::Add { .. }
                | Self::Cancel { .. }
                | Self::Change { .. }
                | Self::Erase { .. }
        )
    }
}

/// The outcome of a command.
pub type Decision = Result<Answer, Refusal>;

/// The result of a command that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The answer to `Register` and `Add`.
    Registered {
        /// The registration as it is now.
        registration: Arc<Registration>,
        /// Whether the same key was answered before. Then nothing changed.
        replayed: bool,
    },
    /// The answer to `Import`.
    Imported(Imported),
    /// The answer to `Cancel`: the registration as it is now.
    Cancelled(Arc<Registration>),
    /// The answer to `Change`: the registration as it is now.
    Changed(Arc<Registration>),
    /// The answer to `Restore`: the registration as it is now.
    Restored(Arc<Registration>),
    /// The answer to `Erase`: the registration as it is now.
    Erased(Arc<Registration>),
    /// The answer to `Edit`, `Reset` and `Undo`: the event as it is now.
    Event(Box<Event>),
    /// The answer to `Delete`.
    Deleted,
    /// The answer to `EraseDue`: how many were erased now.
    ErasedDue(usize),
    /// The answer to `ApplySchedule`.
    Noted,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many registrations got their places.
    pub confirmed: u32,
    /// How many wait.
    pub waiting: u32,
    /// Who was refused, by the index in the command. If anybody was, nobody is stored.
    pub refused: Vec<(usize, Refusal)>,
    /// Whether the people are stored.
    pub is_stored: bool,
}

/// Why a command was not carried out. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There are not enough free places, and the party cannot wait for them.
    #[error("{}", full(*remaining))]
    EventFull {
        /// How many places are free. Those who wait get them first.
        remaining: u32,
    },
    /// The organiser or the schedule closed the event.
    #[error("registration is closed")]
    EventClosed,
    /// `opens_at` has not passed.
    #[error("registration has not opened yet")]
    EventNotOpen {
        /// When registration opens.
        opens_at: Option<Timestamp>,
    },
    /// The email address has a place or waits for one.
    #[error("this email address is registered already")]
    AlreadyRegistered,
    /// The same key came with another name, address, party size or other answers.
    #[error(
        "this idempotency key was used with another name, email address, party size or other answers"
    )]
    IdempotencyMismatch,
    /// There is no such registration, or the secret is wrong.
    #[error("there is no such registration")]
    RegistrationNotFound,
    /// A cancelled registration cannot change.
    #[error("this registration is cancelled; register again to get a place")]
    RegistrationCancelled,
    /// The name and answers of an erased registration cannot change.
    #[error("this person's data were erased")]
    RegistrationErased,
    /// The event does not exist.
    #[error("there is no such event")]
    EventNotFound,
    /// The command would lose registrations, or there is nothing to undo. The text says which.
    #[error("{0}")]
    NotEmpty(&'static str),
    /// The event is at another position than `If-Match` allows, or a setting changed.
    #[error("the event was changed in the meantime")]
    ChangedMeanwhile,
    /// A setting contradicts another.
    #[error("{0}")]
    Invalid(super::invalid::Invalid),
}

fn full(remaining: u32) -> String {
    match remaining {
        0 => "all places are taken".to_owned(),
        1 => "there are not enough places: 1 is free".to_owned(),
        free => format!("there are not enough places: {free} are free"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visitors_commands_are_decided_in_batches() {
        let cancel = Command::Cancel {
            locator: Locator {
                event: 1,
                round: 1,
                number: 1,
            },
            secret: None,
            by: Actor::Owner,
        };
        assert!(cancel.is_batched());
        let import = Command::Import {
            people: Vec::new(),
            dry_run: false,
            by: Actor::AdminToken,
        };
        assert!(!import.is_batched(), "it can be undone only alone");
        let undo = Command::Undo {
            expected: Some(Vec::new()),
            by: Actor::Owner,
        };
        assert!(!undo.is_batched() && !Command::ApplySchedule.is_batched());
        assert_eq!(undo.expected(), Some([].as_slice()));
        assert_eq!(cancel.expected(), None);
    }
}
