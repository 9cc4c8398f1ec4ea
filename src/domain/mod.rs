//! Values and rules, without any I/O.
//!
//! This module defines registrations, events and counts, and the one pure function that decides
//! about places ([`decide::apply`]). Input is parsed once, at the edge, into types that are always
//! valid, so no later code checks it again. Nothing here reads a clock, a socket or a database: the
//! time and the rows are arguments.

pub mod access;
pub mod account;
pub mod announcement;
pub mod audit;
mod capacity;
#[cfg(test)]
pub(crate) mod cases;
pub mod change;
pub mod characters;
pub mod clock;
pub mod command;
pub mod confirmation;
pub mod decide;
pub mod duplicate;
pub mod edit;
mod email;
pub mod event;
mod fold;
pub mod headcount;
pub mod invalid;
pub mod lab;
pub mod language;
pub mod local_time;
pub mod mail;
pub mod observance;
pub mod occasion;
pub mod outbox;
mod party;
pub mod person;
pub mod position;
pub mod proof_of_work;
pub mod questions;
pub mod quoted;
pub mod registration;
pub mod retention;
pub mod search;
pub mod series;
pub mod ticket_key;
pub mod visibility;
pub mod webhook;
mod words;
pub mod zone;
