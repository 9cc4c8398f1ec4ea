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
pub(super) fn routes(context: &Shared) -> BoxedFilter<(Response,)> {
    let call = || with(context).and(request_head());
    let list_accounts = at!("api" / "v1" / "accounts")
        .and(read())
        .and(call())
        .then(accounts::list)
        .map(answer)
        .boxed();
    let add_account = at!("api" / "v1" / "accounts")
        .and(warp::post())
        .and(call())
        .and(body())
        .then(accounts::post)
        .map(answer)
        .boxed();
    let get_account = at!("api" / "v1" / "accounts" / String)
        .and(read())
        .and(call())
        .then(accounts::get)
        .map(answer)
        .boxed();
    let edit_account = at!("api" / "v1" / "accounts" / String)
        .and(warp::patch())
        .and(call())
        .and(body())
        .then(accounts::patch)
        .map(answer)
        .boxed();
    let delete_account = at!("api" / "v1" / "accounts" / String)
        .and(warp::delete())
        .and(call())
        .then(accounts::delete)
        .map(answer)
        .boxed();
    let link_account = at!("api" / "v1" / "accounts" / String / "link")
        .and(warp::post())
        .and(call())
        .then(accounts::post_link)
        .map(answer)
        .boxed();
    let list_tokens = at!("api" / "v1" / "tokens")
        .and(read())
        .and(call())
        .then(tokens::list)
        .map(answer)
        .boxed();
    let add_token = at!("api" / "v1" / "tokens")
        .and(warp::post())
        .and(call())
        .and(body())
        .then(tokens::post)
        .map(answer)
        .boxed();
    let get_token = at!("api" / "v1" / "tokens" / String)
        .and(read())
        .and(call())
        .then(tokens::get)
        .map(answer)
        .boxed();
    let delete_token = at!("api" / "v1" / "tokens" / String)
        .and(warp::delete())
        .and(call())
        .then(tokens::delete)
        .map(answer)
        .boxed();
    let list_sessions = at!("api" / "v1" / "sessions")
        .and(read())
        .and(call())
        .then(sessions::list)
        .map(answer)
        .boxed();
    let end_sessions = at!("api" / "v1" / "sessions")
        .and(warp::delete())
        .and(call())
        .then(sessions::delete_all)
        .map(answer)
        .boxed();
    let end_session = at!("api" / "v1" / "sessions" / String)
        .and(warp::delete())
        .and(call())
        .then(sessions::delete)
        .map(answer)
        .boxed();
    let server_audit = at!("api" / "v1" / "audit")
        .and(read())
        .and(call())
        .and(query())
        .then(audit::list_server)
        .map(answer)
        .boxed();
    first_of([
        server_audit,
        list_accounts,
        add_account,
        get_account,
        edit_account,
        delete_account,
        link_account,
        list_tokens,
        add_token,
        get_token,
        delete_token,
        list_sessions,
        end_sessions,
        end_session,
    ])
}
