//! Calls about webhooks.

use warp::Filter as _;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::context::Shared;
use crate::context::head::request_head;
use crate::http::body::body;
use crate::http::organiser::webhooks;
use crate::http::reply::answer;
use crate::http::{first_of, query, read, with};

/// All of them.
pub(super) fn routes(context: &Shared) -> BoxedFilter<(Response,)> {
    let call = || with(context).and(request_head());
    let all = at!("api" / "v1" / "webhooks");
    let one = at!("api" / "v1" / "webhooks" / String);
    let list = all
        .clone()
        .and(read())
        .and(call())
        .then(webhooks::list)
        .map(answer)
        .boxed();
    let create = all
        .and(warp::post())
        .and(call())
        .and(body())
        .then(webhooks::post)
        .map(answer)
        .boxed();
    let get = one
        .clone()
        .and(read())
        .and(call())
        .then(webhooks::get)
        .map(answer)
        .boxed();
    let patch = one
        .clone()
        .and(warp::patch())
        .and(call())
        .and(body())
        .then(webhooks::patch)
        .map(answer)
        .boxed();
    let delete = one
        .and(warp::delete())
        .and(call())
        .then(webhooks::delete)
        .map(answer)
        .boxed();
    let deliveries = at!("api" / "v1" / "webhooks" / String / "deliveries")
        .and(read())
        .and(call())
        .and(query())
        .then(webhooks::list_deliveries)
        .map(answer)
        .boxed();
    let resend = at!("api" / "v1" / "webhooks" / String / "deliveries" / String / "resend")
        .and(warp::post())
        .and(call())
        .then(webhooks::resend)
        .map(answer)
        .boxed();
    first_of([list, create, get, patch, delete, deliveries, resend])
}
