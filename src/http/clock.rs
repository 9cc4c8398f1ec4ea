//! The server's clock, for measuring how far a browser's is off.

use serde::Serialize;
use warp::reply::Response;

use super::reply;
use crate::context::Shared;
use crate::domain::clock::Timestamp;
use crate::problem::Problem;

#[derive(Serialize)]
struct Moment {
    at: Timestamp,
}

/// `GET /api/v1/clock`; [`reply::json`] says `no-store`.
pub(super) async fn get(context: Shared) -> Result<Response, Problem> {
    Ok(reply::json(&Moment {
        at: context.clock.now(),
    }))
}
