//! Everything HTTP that is not live: registering, the organiser's API, pages, assets, health.
//!
//! Owns decoding of requests and the shape of answers. Never decides about places: it submits a
//! command and shows the decision. Writes to the database directly only what changes no event's
//! count: sessions, accounts, tokens, webhooks, settings, claims of forms, spent proofs,
//! confirmations, rows of the outbox, and whether an email address is proven.

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
use self::reply::answer;
use crate::context::Shared;
use crate::context::head::{RequestHead, request_head};
use crate::domain::access::Permission;
use crate::problem::{Code, Problem};
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
            Err(problem) if problem.code() == Code::TooManyRequests => Err(problem),
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
        organiser::routes(context),
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
