//! The read path: from a committed change to everybody who watches.
//!
//! Owns the newest state of every event ([`hub`]), the one way to follow it ([`subscription`]) and
//! the lossless log ([`log`]). A headcount is a value, not a queue: the hub holds the newest one,
//! and a slow reader gets it without a backlog. Decides nothing, and writes nothing to the database
//! but presence reports ([`presence_report`]) and notifications ([`cluster`]).

pub mod channel;
pub mod cluster;
pub mod commits;
mod fanout;
pub mod hub;
pub mod log;
pub mod presence;
pub mod presence_report;
pub mod subscription;
pub mod wait;

#[cfg(test)]
mod tests;
