//! Everything HTTP that is not live: registering, the organiser's API, pages, assets, health.
//!
//! Owns decoding of requests and the shape of answers. Never decides about places (it submits a command and shows the
//! decision) and never writes to the database but for sessions and settings.

use std::convert::Infallible;

use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Rejection, path};

use self::body::body;
use self::incoming::incoming;
use self::organiser::{announcements, audit, export, registrations, rounds, settings};
use self::reply::answer;
use crate::context::Shared;

pub mod assets;
pub mod auth;
pub mod body;
mod clock;
pub mod events;
mod find;
pub mod given;
pub mod headers;
mod health;
pub mod incoming;
mod openapi;
mod organiser;
pub mod pages;
mod rate;
pub mod registration;
pub(crate) mod reply;
pub mod session;
mod text;
pub mod urls;

/// The one call that everybody makes at the same moment; apart, so that it can be tried before all others.
pub fn registering(context: &Shared) -> BoxedFilter<(Response,)> {
    let register = path!("api" / "v1" / "events" / String / "registrations").and(warp::post());
    register.and(with(context)).and(incoming()).and(body()).then(registration::post).map(answer).boxed()
}

/// Every other call that is neither live nor a page.
pub fn routes(context: &Shared) -> BoxedFilter<(Response,)> {
    own(context).or(organising(context)).unify().or(operating(context)).unify().boxed()
}

/// What a visitor may ask for.
fn own(context: &Shared) -> BoxedFilter<(Response,)> {
    let registration = path!("api" / "v1" / "registrations" / String);
    let see = registration.and(read()).and(with(context)).and(incoming()).then(registration::get);
    let cancel = registration.and(warp::delete()).and(with(context)).and(incoming()).then(registration::delete);
    let events = path!("api" / "v1" / "events").and(read()).and(with(context)).and(incoming()).then(events::list);
    see.or(cancel).unify().or(events).unify().map(answer).boxed()
}

/// What the organiser may ask for.
fn organising(context: &Shared) -> BoxedFilter<(Response,)> {
    let head = || with(context).and(incoming());
    let event = path!("api" / "v1" / "events" / String);
    let create = path!("api" / "v1" / "events").and(warp::post()).and(head()).and(body()).then(settings::post);
    let patch = event.and(warp::patch()).and(head()).and(body()).then(settings::patch);
    let delete = event.and(warp::delete()).and(head()).and(query()).then(settings::delete);
    let reset = path!("api" / "v1" / "events" / String / "reset").and(warp::post()).and(head()).and(body()).then(rounds::reset);
    let undo = path!("api" / "v1" / "events" / String / "reset" / "undo").and(warp::post()).and(head()).then(rounds::undo);
    let list = path!("api" / "v1" / "events" / String / "registrations").and(read()).and(head()).and(query()).then(registrations::list);
    let export = path!("api" / "v1" / "events" / String / "registrations.csv").and(read()).and(head()).and(query()).then(export::get);
    let cancel = path!("api" / "v1" / "events" / String / "registrations" / String).and(warp::delete()).and(head()).then(registrations::cancel);
    let announce = path!("api" / "v1" / "events" / String / "announcements").and(warp::post()).and(head()).and(body()).then(announcements::post);
    let audit = path!("api" / "v1" / "events" / String / "audit").and(read()).and(head()).and(query()).then(audit::list);
    let changing = create.or(patch).unify().or(delete).unify().or(reset).unify().or(undo).unify().or(cancel).unify().or(announce).unify();
    changing.or(list).unify().or(export).unify().or(audit).unify().map(answer).boxed()
}

/// What programs ask for.
fn operating(context: &Shared) -> BoxedFilter<(Response,)> {
    let clock = path!("api" / "v1" / "clock").and(read()).and(with(context)).then(clock::get);
    let live = path!("health" / "live").and(read()).and(with(context)).then(health::live);
    let ready = path!("health" / "ready").and(read()).and(with(context)).then(health::ready);
    let document = path!("api" / "v1" / "openapi.json").and(read()).and(incoming()).then(openapi::get);
    clock.or(live).unify().or(ready).unify().or(document).unify().map(answer).boxed()
}

/// GET, and HEAD, whose body is left out at the end ([`headers::finish`]).
fn read() -> impl Filter<Extract = (), Error = Rejection> + Copy {
    warp::get().or(warp::head()).unify()
}

/// The raw query, maybe empty.
fn query() -> impl Filter<Extract = (String,), Error = Infallible> + Clone {
    warp::query::raw().or(warp::any().map(String::new)).unify()
}

fn with(context: &Shared) -> impl Filter<Extract = (Shared,), Error = Infallible> + Clone + use<> {
    let context = Shared::clone(context);
    warp::any().map(move || Shared::clone(&context))
}
