//! Headcount: a self-hosted live registration counter.

pub mod app;
pub mod cli;
pub mod context;
pub mod domain;
pub mod http;
pub mod live;
pub mod problem;
pub mod register;
pub mod store;
pub mod transport;
pub mod wire;
