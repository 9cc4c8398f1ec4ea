//! Headcount: a self-hosted live registration counter.
//!
//! Read downwards, this is a registration's journey: it comes in by the [`server`], is decoded by [`http`], waits in
//! [`register`]'s queue, is decided by [`domain`] and stored by [`store`] in one transaction, and the new count goes out through
//! [`live`] and [`transport`], rendered by [`wire`]. `ARCHITECTURE.md` is the map.

pub mod cli;

pub mod app;
pub mod routes;
pub mod server;

pub mod http;
pub mod transport;

pub mod context;
pub mod problem;

pub mod live;
pub mod register;

pub mod negotiation;
pub mod store;
pub mod wire;

pub mod domain;
