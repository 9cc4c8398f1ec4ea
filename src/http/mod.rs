//! Everything HTTP that is not live: registering, the organiser's API, pages, assets, health.
//!
//! Owns decoding of requests and the shape of answers. Never decides about places (it submits a command and shows the
//! decision) and never writes to the database but for sessions and settings.

pub mod assets;
pub mod auth;
pub mod incoming;
pub mod pages;
mod rate;
pub mod session;
mod text;
