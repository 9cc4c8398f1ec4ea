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
#[rustfmt::skip]
pub(super) fn routes(context: &Shared) -> BoxedFilter<(Response,)> {
    first_of([
        get!(context, ["webhooks"], webhooks::list),
        post!(context, ["webhooks"], webhooks::post, body()),
        get!(context, ["webhooks" / String], webhooks::get),
        patch!(context, ["webhooks" / String], webhooks::patch, body()),
        delete!(context, ["webhooks" / String], webhooks::delete),
        get!(context, ["webhooks" / String / "deliveries"], webhooks::list_deliveries, query()),
        post!(context, ["webhooks" / String / "deliveries" / String / "resend"], webhooks::resend),
    ])
}
