//! Everything HTTP that is not live: registering, the organiser's API, pages, assets, health.
//!
//! Owns decoding of requests and the shape of answers. Never decides about places: it submits a
//! command and shows the decision. Writes to the database only sessions, settings and the claims of
//! console forms.

/// A path as one boxed filter. Each segment of `warp::path!` becomes a type of its own. Unboxed,
/// they are part of the type of every filter around the path. Compiling that takes longer than the
/// rest of this crate.
macro_rules! at {
    ($($segments:tt)*) => {
        warp::Filter::boxed(warp::path!($($segments)*))
    };
}

use futures_util::future::BoxFuture;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::reply::Response;

use self::body::body;
use self::organiser::{
    accounts, announcements, audit, duplicate, export, import, registrations, rounds, sessions,
    settings, tokens,
};
use self::reply::answer;
use crate::context::Shared;
use crate::context::head::{RequestHead, request_head};
use crate::domain::access::Permission;
use crate::problem::Problem;
use crate::text::Texts;
use crate::transport::frame::Sentences;

pub mod assets;
pub mod auth;
pub mod body;
mod clock;
mod compress;
pub mod details;
mod events;
pub mod field_value;
mod find;
pub mod headers;
mod health;
mod language;
mod openapi;
mod organiser;
pub mod pages;
mod preconditions;
mod proof;
mod rate;
pub mod registration;
pub(crate) mod reply;
mod series;
pub mod session;
mod urlencoded;
pub mod urls;
pub mod webhooks;
mod webtransport;

pub use preconditions::reads as conditional_reads;

/// The sentences of a frame, for a deleted event and for a silent document.
pub fn frame_sentences(headers: &HeaderMap) -> Sentences {
    let texts = Texts::new(language::preferred(headers));
    Sentences {
        language: texts.lang(),
        gone: texts.get("live-gone"),
        stale: texts.get("frame-stale"),
    }
}

/// Whether the sender of a request sees an event that is a draft. An error says that this cannot be
/// known now.
pub fn may_preview(
    context: Shared,
    head: RequestHead,
    slug: String,
) -> BoxFuture<'static, Result<bool, Problem>> {
    Box::pin(async move {
        if !auth::has_credentials(&head) {
            return Ok(false);
        }
        match auth::reader(&context, &head, Permission::Read.on(&slug)).await {
            Ok(_) => Ok(true),
            Err(problem) if problem.code().status().is_server_error() => Err(problem),
            Err(_) => Ok(false),
        }
    })
}

/// The call that everybody makes at the same moment. It is separate, so that it is tried first.
pub fn registering(context: &Shared) -> BoxedFilter<(Response,)> {
    let register = at!("api" / "v1" / "events" / String / "registrations").and(warp::post());
    // Boxed here: each layer around a future moves all of it.
    let post = |slug, context, head, body| Box::pin(registration::post(slug, context, head, body));
    register
        .and(with(context))
        .and(request_head())
        .and(body())
        .then(post)
        .map(answer)
        .boxed()
}

/// Every other call that is neither live nor a page.
pub fn routes(context: &Shared) -> BoxedFilter<(Response,)> {
    first_of([
        visiting(context),
        organising(context),
        owning(context),
        notifying(context),
        operating(context),
    ])
}

/// The visitors' calls.
fn visiting(context: &Shared) -> BoxedFilter<(Response,)> {
    let registration = at!("api" / "v1" / "registrations" / String);
    let see = registration
        .clone()
        .and(read())
        .and(with(context))
        .and(request_head())
        .then(registration::get)
        .map(answer)
        .boxed();
    let change = registration
        .clone()
        .and(warp::patch())
        .and(with(context))
        .and(request_head())
        .and(body())
        .then(registration::patch)
        .map(answer)
        .boxed();
    let cancel = registration
        .and(warp::delete())
        .and(with(context))
        .and(request_head())
        .then(registration::delete)
        .map(answer)
        .boxed();
    let erase = at!("api" / "v1" / "registrations" / String / "erase")
        .and(warp::post())
        .and(with(context))
        .and(request_head())
        .then(registration::erase_own)
        .map(answer)
        .boxed();
    let details = at!("api" / "v1" / "events" / String / "details")
        .and(read())
        .and(with(context))
        .and(request_head())
        .then(details::get)
        .map(answer)
        .boxed();
    let challenge = at!("api" / "v1" / "events" / String / "challenge")
        .and(read())
        .and(with(context))
        .then(proof::get)
        .map(answer)
        .boxed();
    let events = at!("api" / "v1" / "events")
        .and(read())
        .and(with(context))
        .and(request_head())
        .then(events::list)
        .map(answer)
        .boxed();
    let link = at!("api" / "v1" / "events" / String / "links")
        .and(warp::post())
        .and(with(context))
        .and(request_head())
        .and(body())
        .then(registration::post_link)
        .map(answer)
        .boxed();
    first_of([see, change, cancel, erase, link, events, challenge, details])
}

/// The organiser's calls.
fn organising(context: &Shared) -> BoxedFilter<(Response,)> {
    let call = || with(context).and(request_head());
    let event = at!("api" / "v1" / "events" / String);
    let create = at!("api" / "v1" / "events")
        .and(warp::post())
        .and(call())
        .and(body())
        .then(settings::post)
        .map(answer)
        .boxed();
    let patch = event
        .clone()
        .and(warp::patch())
        .and(call())
        .and(body())
        .then(settings::patch)
        .map(answer)
        .boxed();
    let delete = event
        .and(warp::delete())
        .and(call())
        .and(query())
        .then(settings::delete)
        .map(answer)
        .boxed();
    let reset = at!("api" / "v1" / "events" / String / "reset")
        .and(warp::post())
        .and(call())
        .and(body())
        .then(rounds::reset)
        .map(answer)
        .boxed();
    let duplicate = at!("api" / "v1" / "events" / String / "duplicate")
        .and(warp::post())
        .and(call())
        .and(body())
        .then(duplicate::post)
        .map(answer)
        .boxed();
    let undo = at!("api" / "v1" / "events" / String / "reset" / "undo")
        .and(warp::post())
        .and(call())
        .then(rounds::undo)
        .map(answer)
        .boxed();
    let list = at!("api" / "v1" / "events" / String / "registrations")
        .and(read())
        .and(call())
        .and(query())
        .then(registrations::list)
        .map(answer)
        .boxed();
    let export = at!("api" / "v1" / "events" / String / "registrations.csv")
        .and(read())
        .and(call())
        .and(query())
        .then(export::get)
        .map(answer)
        .boxed();
    let cancel = at!("api" / "v1" / "events" / String / "registrations" / String)
        .and(warp::delete())
        .and(call())
        .then(registrations::cancel)
        .map(answer)
        .boxed();
    let erase = at!("api" / "v1" / "events" / String / "registrations" / String / "erase")
        .and(warp::post())
        .and(call())
        .then(registrations::erase)
        .map(answer)
        .boxed();
    let correct = at!("api" / "v1" / "events" / String / "registrations" / String)
        .and(warp::patch())
        .and(call())
        .and(body())
        .then(registrations::patch)
        .map(answer)
        .boxed();
    let restore = at!("api" / "v1" / "events" / String / "registrations" / String / "restore")
        .and(warp::post())
        .and(call())
        .then(registrations::restore)
        .map(answer)
        .boxed();
    let add = at!("api" / "v1" / "events" / String / "registrations" / "add")
        .and(warp::post())
        .and(call())
        .and(body())
        .then(registration::post_by_hand)
        .map(answer)
        .boxed();
    let import = at!("api" / "v1" / "events" / String / "registrations" / "import")
        .and(warp::post())
        .and(call())
        .and(query())
        .and(body())
        .then(import::post)
        .map(answer)
        .boxed();
    let announce = at!("api" / "v1" / "events" / String / "announcements")
        .and(warp::post())
        .and(call())
        .and(body())
        .then(announcements::post)
        .map(answer)
        .boxed();
    let withdraw = at!("api" / "v1" / "events" / String / "announcements")
        .and(warp::delete())
        .and(call())
        .then(announcements::delete)
        .map(answer)
        .boxed();
    let series = at!("api" / "v1" / "events" / String / "series")
        .and(read())
        .and(call())
        .and(query())
        .then(series::get)
        .map(answer)
        .boxed();
    let series_csv = at!("api" / "v1" / "events" / String / "series.csv")
        .and(read())
        .and(call())
        .and(query())
        .then(series::get_csv)
        .map(answer)
        .boxed();
    let audit = at!("api" / "v1" / "events" / String / "audit")
        .and(read())
        .and(call())
        .and(query())
        .then(audit::list)
        .map(answer)
        .boxed();
    first_of([
        create, patch, delete, reset, undo, list, export, cancel, correct, restore, erase, add,
        import, announce, withdraw, audit, series, series_csv, duplicate,
    ])
}

/// Calls about the server: accounts, sessions and tokens.
fn owning(context: &Shared) -> BoxedFilter<(Response,)> {
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

/// The owner's calls about webhooks.
fn notifying(context: &Shared) -> BoxedFilter<(Response,)> {
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

/// Calls for programs.
fn operating(context: &Shared) -> BoxedFilter<(Response,)> {
    let clock = at!("api" / "v1" / "clock")
        .and(read())
        .and(with(context))
        .then(clock::get)
        .map(answer)
        .boxed();
    let live = at!("health" / "live")
        .and(read())
        .and(with(context))
        .then(health::live)
        .map(answer)
        .boxed();
    let ready = at!("health" / "ready")
        .and(read())
        .and(with(context))
        .then(health::ready)
        .map(answer)
        .boxed();
    let document = at!("api" / "v1" / "openapi.json")
        .and(read())
        .and(request_head())
        .then(openapi::get)
        .map(answer)
        .boxed();
    let webtransport = at!("api" / "v1" / "webtransport")
        .and(read())
        .and(with(context))
        .and(request_head())
        .then(webtransport::get)
        .map(answer)
        .boxed();
    first_of([clock, live, ready, document, webtransport])
}

/// The first route that takes the request. Every route, and what routes share, is boxed: otherwise
/// the types of dozens of routes take most of the crate's compile time.
pub fn first_of<const N: usize>(routes: [BoxedFilter<(Response,)>; N]) -> BoxedFilter<(Response,)> {
    let first = routes
        .into_iter()
        .rev()
        .reduce(|rest, route| route.or(rest).unify().boxed());
    // Every caller names at least one.
    first.expect("a list of routes is not empty")
}

/// GET, and HEAD, whose body is left out at the end ([`headers::finish`]).
fn read() -> BoxedFilter<()> {
    warp::get().or(warp::head()).unify().boxed()
}

/// The raw query, maybe empty.
fn query() -> BoxedFilter<(String,)> {
    let none = warp::any().map(String::new);
    warp::query::raw().or(none).unify().boxed()
}

fn with(context: &Shared) -> BoxedFilter<(Shared,)> {
    let context = Shared::clone(context);
    warp::any().map(move || Shared::clone(&context)).boxed()
}
