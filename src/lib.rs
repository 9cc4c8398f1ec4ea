//! Headcount: a self-hosted live registration counter.

pub mod domain;
pub mod server;
pub mod store;
pub mod transport;
pub mod wire;
