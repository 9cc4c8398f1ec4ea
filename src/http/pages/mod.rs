//! What people see: the public pages and the organiser's console, rendered on the server so that every page says its number
//! without JavaScript.
//!
//! A handler reads the newest state, fills a template's struct and lets `answer` put the headers on. What changes something is
//! a POST that ends in a 303; what is refused comes back as the same page with what was typed. GET changes nothing: mail
//! scanners and prefetchers follow links.

mod answer;
mod badge;
mod language;
mod public;
mod qr;
mod rail;
#[cfg(test)]
mod samples;
mod states;
mod templates;
mod views;
mod visit;

use std::convert::Infallible;

use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::reply::Response;
use warp::{Filter, path};

pub use answer::error_page;

use crate::context::Shared;
use visit::visit;

/// Every page.
pub fn routes(context: Shared) -> BoxedFilter<(Response,)> {
    public_routes(&context)
}

fn public_routes(context: &Shared) -> BoxedFilter<(Response,)> {
    let with = with(context);
    path::end()
        .and(read())
        .and(with.clone())
        .and(visit())
        .then(public::events)
        .or(path!("e" / String / "wall").and(read()).and(with.clone()).and(visit()).then(public::wall))
        .unify()
        .or(path!("e" / String / "badge.svg").and(read()).and(with.clone()).and(visit()).then(badge::show))
        .unify()
        .or(path!("problems").and(read()).and(visit()).then(public::problems))
        .unify()
        .or(path!("embed.js").and(read()).and(warp::header::headers_cloned()).map(|headers: HeaderMap| public::embed(&headers)))
        .unify()
        .boxed()
}

/// GET, and HEAD, whose body is left out below.
fn read() -> impl Filter<Extract = (), Error = warp::Rejection> + Copy {
    warp::get().or(warp::head()).unify()
}

fn with(context: &Shared) -> impl Filter<Extract = (Shared,), Error = Infallible> + Clone + use<> {
    let context = Shared::clone(context);
    warp::any().map(move || Shared::clone(&context))
}
