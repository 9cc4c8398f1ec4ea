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
    let all = [about_the_event(context), about_people(context)];
    first_of(all)
}

#[rustfmt::skip]
fn about_the_event(context: &Shared) -> BoxedFilter<(Response,)> {
    first_of([
        post!(context, ["events"], settings::post, body()),
        patch!(context, ["events" / String], settings::patch, body()),
        delete!(context, ["events" / String], settings::delete, query()),
        post!(context, ["events" / String / "reset"], rounds::reset, body()),
        post!(context, ["events" / String / "reset" / "undo"], rounds::undo),
        post!(context, ["events" / String / "duplicate"], duplicate::post, body()),
        post!(context, ["events" / String / "announcements"], announcements::post, body()),
        delete!(context, ["events" / String / "announcements"], announcements::delete),
        get!(context, ["events" / String / "audit"], audit::list, query()),
        get!(context, ["events" / String / "series"], series::get, query()),
        get!(context, ["events" / String / "series.csv"], series::get_csv, query()),
    ])
}

#[rustfmt::skip]
fn about_people(context: &Shared) -> BoxedFilter<(Response,)> {
    first_of([
        get!(context, ["events" / String / "registrations"], registrations::list, query()),
        get!(context, ["events" / String / "registrations.csv"], export::get, query()),
        post!(context, ["events" / String / "registrations" / "add"], registration::post_by_hand, body()),
        patch!(context, ["events" / String / "registrations" / String], registrations::patch, body()),
        delete!(context, ["events" / String / "registrations" / String], registrations::cancel),
        post!(context, ["events" / String / "registrations" / String / "restore"], registrations::restore),
        post!(context, ["events" / String / "registrations" / String / "erase"], registrations::erase),
        import(context),
    ])
}

/// The only call with both a query and a body.
fn import(context: &Shared) -> BoxedFilter<(Response,)> {
    at!("api" / "v1" / "events" / String / "registrations" / "import")
        .and(warp::post())
        .and(with(context))
        .and(request_head())
        .and(query())
        .and(body())
        .then(import::post)
        .map(answer)
        .boxed()
}
