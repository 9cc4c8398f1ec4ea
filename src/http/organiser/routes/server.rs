//! Calls about the server: accounts, sessions, tokens and its audit log.

use warp::Filter as _;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::context::Shared;
use crate::context::head::request_head;
use crate::http::body::body;
use crate::http::organiser::{accounts, audit, sessions, tokens};
use crate::http::reply::answer;
use crate::http::{first_of, query, read, with};

/// All of them.
#[rustfmt::skip]
pub(super) fn routes(context: &Shared) -> BoxedFilter<(Response,)> {
    first_of([
        get!(context, ["audit"], audit::list_server, query()),
        get!(context, ["accounts"], accounts::list),
        post!(context, ["accounts"], accounts::post, body()),
        get!(context, ["accounts" / String], accounts::get),
        patch!(context, ["accounts" / String], accounts::patch, body()),
        delete!(context, ["accounts" / String], accounts::delete),
        post!(context, ["accounts" / String / "link"], accounts::post_link),
        get!(context, ["tokens"], tokens::list),
        post!(context, ["tokens"], tokens::post, body()),
        get!(context, ["tokens" / String], tokens::get),
        delete!(context, ["tokens" / String], tokens::delete),
        get!(context, ["sessions"], sessions::list),
        delete!(context, ["sessions"], sessions::delete_all),
        delete!(context, ["sessions" / String], sessions::delete),
    ])
}
