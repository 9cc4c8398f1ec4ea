//! Every URL on one screen.

use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::context::Shared;
use crate::http::pages;
use crate::transport;

/// Everything that is served.
pub fn all(context: &Shared) -> BoxedFilter<(Response,)> {
    transport::routes(context.clone()).or(pages::routes(context.clone())).unify().boxed()
}
