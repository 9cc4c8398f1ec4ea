//! Calls about one event: settings, people, announcements, what happened.

use warp::Filter as _;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::context::Shared;
use crate::context::head::request_head;
use crate::http::body::body;
use crate::http::organiser::{
    announcements, audit, duplicate, export, import, registrations, rounds, settings,
};
use crate::http::reply::answer;
use crate::http::{first_of, query, read, registration, series, with};

/// All of them.
pub(super) fn routes(context: &Shared) -> BoxedFilter<(Response,)> {
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
