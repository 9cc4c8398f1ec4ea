//! Registrations, as visitors create, read, change and cancel them (docs/protocol.md, section 8),
//! and as the organiser adds them (section 10).

mod answers;
mod applicant;
mod by_hand;
mod create;
mod links;
mod own;
mod view;

pub use answers::PREFIX;
pub use applicant::{Fields, unproven};
pub(super) use by_hand::post as post_by_hand;
pub use by_hand::{ByHand, add};
pub(super) use create::post;
pub use create::{Registered, admit, body_max, permit_for_body, submit};
pub(super) use links::post as post_link;
pub use links::{request as request_link, require_mail};
pub use own::{
    OwnRegistration, cancel, change, erase, event_of, find_own, is_of_deleted_event, note_opened,
    revised, unsubscribe,
};
pub(super) use own::{delete, erase_own, get, patch};
pub(super) use view::online_url;
pub use view::{View, WaitingFor};

use crate::domain::command::Answer;
use crate::problem::Problem;

/// The writer's answer does not fit the command: a defect.
pub(super) fn unexpected(answer: &Answer) -> Problem {
    tracing::error!(?answer, "the writer's answer does not fit the command");
    Problem::from(crate::write_path::Failure::Internal)
}
