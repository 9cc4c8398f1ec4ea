//! What people see: the public pages and the organiser's console, rendered on the server so that every page says its number
//! without JavaScript.
//!
//! A handler reads the newest state, fills a template's struct and lets `answer` put the headers on. What changes something is
//! a POST that ends in a 303; what is refused comes back as the same page with what was typed. GET changes nothing: mail
//! scanners and prefetchers follow links.

mod admin;
mod answer;
mod badge;
mod form;
mod language;
mod public;
mod qr;
mod rail;
mod register;
mod registration;
#[cfg(test)]
pub(crate) mod samples;
mod states;
mod templates;
mod views;
mod visit;

use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::reply::Response;
use warp::{Filter, path, reject};

pub use answer::error_page;

use super::{read, with};
use crate::context::Shared;
use crate::http::body::body;
use admin::actions::Action;
use admin::{actions, audit, event, events, login};
use visit::visit;

/// Every page.
#[expect(clippy::needless_pass_by_value, reason = "the same shape as every module's routes: a context is cheap to hand over")]
pub fn routes(context: Shared) -> BoxedFilter<(Response,)> {
    let choice = warp::query::raw().and_then(|query: String| async move { if query.contains("lang=") { Ok(()) } else { Err(reject::not_found()) } });
    let chosen = read().and(choice).untuple_one().and(visit()).and_then(|visit| async move { language::switch(&visit).ok_or_else(reject::not_found) });
    chosen.or(public(&context)).unify().or(console(&context)).unify().boxed()
}

fn public(context: &Shared) -> BoxedFilter<(Response,)> {
    let look = || with(context).and(visit());
    let send = || with(context).and(visit()).and(body());
    let events = path::end().and(read()).and(look()).then(public::events);
    let event = path!("e" / String).and(read()).and(look()).then(register::show);
    let register = path!("e" / String / "register").and(warp::post()).and(send()).then(register::submit);
    let wall = path!("e" / String / "wall").and(read()).and(look()).then(public::wall);
    let badge = path!("e" / String / "badge.svg").and(read()).and(look()).then(badge::show);
    let registration = path!("r" / String).and(read()).and(look()).then(registration::show);
    let cancel = path!("r" / String / "cancel").and(warp::post()).and(look()).then(registration::cancel);
    let problems = path!("problems").and(read()).and(visit()).then(public::problems);
    let embed = path!("embed.js").and(read()).and(warp::header::headers_cloned()).map(|headers: HeaderMap| public::embed(&headers));
    let first = event.or(events).unify().or(register).unify().or(registration).unify().or(cancel).unify();
    first.or(wall).unify().or(badge).unify().or(problems).unify().or(embed).unify().boxed()
}

fn console(context: &Shared) -> BoxedFilter<(Response,)> {
    let look = || with(context).and(visit());
    let send = || with(context).and(visit()).and(body());
    let events = path!("admin").and(read()).and(look()).then(events::show);
    let create = path!("admin" / "events").and(warp::post()).and(send()).then(events::create);
    let sign_in_page = path!("admin" / "login").and(read()).and(look()).then(login::show);
    let sign_in = path!("admin" / "login").and(warp::post()).and(send()).then(login::sign_in);
    let sign_out = path!("admin" / "logout").and(warp::post()).and(send()).then(login::sign_out);
    let event = path!("admin" / "events" / String).and(read()).and(look()).then(event::show);
    let audit = path!("admin" / "events" / String / "audit").and(read()).and(look()).then(audit::show);
    let act = path!("admin" / "events" / String / Action).and(warp::post()).and(send()).then(actions::act);
    let cancel = path!("admin" / "events" / String / "registrations" / String / "cancel").and(warp::post()).and(send()).then(actions::cancel);
    let forms = create.or(sign_in).unify().or(sign_out).unify().or(act).unify().or(cancel).unify();
    forms.or(events).unify().or(sign_in_page).unify().or(event).unify().or(audit).unify().boxed()
}
