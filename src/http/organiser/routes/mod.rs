//! The URLs of the organiser's API.

use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::context::Shared;
use crate::http::first_of;

mod events;
mod server;
mod webhooks;

/// All of them.
pub(in crate::http) fn routes(context: &Shared) -> BoxedFilter<(Response,)> {
    first_of([
        events::routes(context),
        server::routes(context),
        webhooks::routes(context),
    ])
}
