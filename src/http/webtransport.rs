//! Where WebTransport is, and the certificates that a client meets there.

use serde::Serialize;
use warp::reply::Response;

use super::reply;
use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::problem::{Code, Problem};

#[derive(Serialize)]
struct Address {
    url: String,
    certificate_hashes: Vec<String>,
}

/// `GET /api/v1/webtransport`; [`reply::json`] says `no-store`, because hashes change.
pub(super) async fn get(context: Shared, head: RequestHead) -> Result<Response, Problem> {
    let settings = &context.settings;
    let nowhere = || {
        let detail = "this server does not speak WebTransport (--webtransport-listen)";
        Problem::new(Code::NotFound, detail)
    };
    let webtransport = settings.webtransport.as_ref().ok_or_else(nowhere)?;
    let url = webtransport.origin(&head, settings).ok_or_else(|| {
        let detail = "the request names no host (Host)";
        Problem::new(Code::BadRequest, detail)
    })?;
    Ok(reply::json(&Address {
        url,
        certificate_hashes: webtransport.hashes(),
    }))
}
