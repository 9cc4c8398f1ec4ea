//! The read path: from a committed change to everybody who watches.
//!
//! Owns the newest state of every event ([`hub`]), the one way to follow it ([`subscription`]) and the lossless log
//! ([`log`]). A headcount is a value, not a queue: the hub holds the newest, a slow reader gets the newest and holds no
//! backlog. Never decides anything, and writes nothing to the database but how many watch ([`watching`]).

mod bell;
pub mod channel;
pub mod cluster;
pub mod commits;
pub mod hub;
pub mod log;
pub mod subscription;
pub mod wait;
pub mod watchers;
pub mod watching;

#[cfg(test)]
mod tests;
