//! Values and rules, without any I/O.
//!
//! Owns what a registration, an event and a headcount *are* and the one pure function that decides
//! ([`decide::apply`]). Everything that enters here is parsed once, at the edge, into a type that cannot be wrong;
//! nothing deeper checks it again. Never reads a clock, a socket or a database: the moment and the rows are arguments.

pub mod announcement;
pub mod audit;
#[cfg(test)]
pub(crate) mod cases;
pub mod change;
pub mod characters;
pub mod clock;
pub mod command;
pub mod decide;
pub mod edit;
mod email;
pub mod event;
mod fold;
pub mod headcount;
pub mod invalid;
pub mod lab;
pub mod person;
pub mod position;
pub mod registration;
pub mod search;
