//! What an organiser asks of everybody who registers, and what people answer.
//!
//! [`parse`] reads the questions of [`definition`], [`answers`] checks answers against them. Answers are
//! personal data: they never get into a count, the change log, the audit log or a log line.

mod answers;
mod definition;
mod form;
mod parse;
#[cfg(test)]
mod tests;

pub use answers::{
    Answer, Answers, Correction, LONG_TEXT_MAX, NUMBER_MAX, Sent, TEXT_MAX, Unanswered,
};
pub use definition::{
    HELP_MAX, Key, Kind, LABEL_MAX, MAX, OPTION_MAX, OPTIONS, Question, Questions,
};
pub use form::of_form;
