//! The read path: from a committed change to every watcher.
//!
//! Owns the newest state of every event ([`hub`]), the one way to follow it ([`subscription`]) and
//! the lossless log ([`log`]). A headcount is a value, not a queue: the hub holds the newest one,
//! and a slow reader gets it without a backlog. It decides nothing. It writes only presence reports
//! ([`presence_report`]) and notifications ([`broadcast`]) to the database.

pub mod broadcast;
pub mod channel;
pub mod cluster;
pub mod commits;
mod fanout;
pub mod hub;
pub mod log;
pub mod long_poll;
pub mod meters;
pub mod permit;
pub mod presence;
pub mod presence_report;
pub mod subscription;

#[cfg(test)]
mod tests;
