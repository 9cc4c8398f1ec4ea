//! Whether the process lives, and whether new visitors should be sent to it.

use std::time::Duration;

use serde_json::json;
use warp::reply::Response;

use super::reply;
use crate::context::Shared;
use crate::context::readiness::NotReady;
use crate::problem::{Code, Problem};

/// `GET /health/live`: answers while the process runs. An unreachable database is no reason to
/// restart it.
pub(super) async fn live(_: Shared) -> Result<Response, Problem> {
    Ok(reply::json(&json!({ "status": "live" })))
}

/// `GET /health/ready`: 503 while draining or without database.
pub(super) async fn ready(context: Shared) -> Result<Response, Problem> {
    match context.readiness.check(&context.store).await {
        Ok(()) => Ok(reply::json(&json!({ "status": "ready" }))),
        Err(NotReady::Draining) => Err(Problem::new(Code::Draining, "this server is stopping")
            .retry_after(Duration::from_secs(2))),
        Err(NotReady::Database) => Err(Problem::new(
            Code::DatabaseUnreachable,
            "the database does not answer",
        )
        .retry_after(Duration::from_secs(2))),
    }
}
