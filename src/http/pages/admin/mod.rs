//! The organiser's console: the API's commands behind forms that work without scripts.
//!
//! Every page needs a session, every POST the session's proof as well (`auth::form`), and every action ends in a 303 that says
//! what came of it as `?done=` or `?error=`, so that loading a page again repeats nothing.

pub(super) mod actions;
pub(super) mod audit;
pub(super) mod event;
pub(super) mod events;
mod flash;
mod inputs;
pub(super) mod login;

use warp::reply::Response;

use super::answer::{problem_page, see_other};
use super::form::Form;
use super::visit::Visit;
use crate::context::Context;
use crate::http::auth::{self, Organiser};
use crate::http::body::{self, Unread};
use crate::http::session::{self, Session};
use crate::problem::Code;

/// Where signing in happens.
const LOGIN: &str = "/admin/login";

/// The session of whoever looks at a page, or the way to the sign-in.
async fn reader(context: &Context, visit: &Visit) -> Result<Session, Response> {
    match session::session(context, &visit.incoming.headers).await {
        Ok(Some(session)) => Ok(session),
        Ok(None) => Err(see_other(LOGIN)),
        Err(problem) => Err(problem_page(visit, &problem)),
    }
}

/// Who submits a form, with what it says; or the answer when it is not the organiser, or not from the console's own page.
async fn writer(
    context: &Context,
    visit: &Visit,
    body: Unread,
) -> Result<(Organiser, Form), Response> {
    let form = Form::read(body, &visit.incoming, body::ORGANISER_MAX)
        .await
        .map_err(|problem| problem_page(visit, &problem))?;
    match auth::form(context, &visit.incoming, form.get("csrf")).await {
        Ok(organiser) => Ok((organiser, form)),
        Err(problem) if problem.code() == Code::Unauthorized => Err(see_other(LOGIN)),
        Err(problem) => Err(problem_page(visit, &problem)),
    }
}
