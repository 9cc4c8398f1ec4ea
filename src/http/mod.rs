//! Everything HTTP that is not live: registering, the organiser's API, pages, assets, health.
//!
//! Owns decoding of requests and the shape of answers. Never decides about places (it submits a command and shows the
//! decision) and never writes to the database but for sessions and settings.

use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, path};

use crate::context::Shared;

pub mod auth;
pub mod body;
mod clock;
pub mod events;
mod find;
pub mod given;
mod health;
pub mod incoming;
mod organiser;
mod rate;
pub mod registration;
pub(crate) mod reply;
pub mod session;
