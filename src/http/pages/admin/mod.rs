//! The organiser's console: the API's commands behind forms that work without scripts.
//!
//! Every page needs a session. Every POST also needs the session's CSRF token (`auth::form`). Every
//! action ends in a 303 with its outcome in `?done=` or `?error=`: a reload repeats nothing.

pub(super) mod access;
pub(in crate::http::pages) mod action;
pub(super) mod actions;
pub(super) mod audit;
pub(super) mod details;
pub(super) mod door;
pub(super) mod duplicate;
pub(super) mod event;
pub(super) mod events;
mod feed;
pub(super) mod flash;
mod groups;
pub(super) mod import;
mod inputs;
pub(super) mod list;
pub(super) mod live;
pub(super) mod login;
pub(super) mod mail;
mod mail_templates;
mod mistakes;
mod next;
mod once;
pub(super) mod password;
pub(super) mod people;
pub(super) mod person;
mod person_templates;
pub(super) mod questions;
pub(super) mod questions_form;
pub(super) mod retention;
pub(super) mod settings;
mod settings_form;
mod settings_view;
pub(super) mod share;
mod spark;
mod templates;
mod undo;
mod unsent;
mod upload;
mod webhook_templates;
pub(super) mod webhooks;

use warp::reply::Response;

use super::answer::{problem_page, problem_page_with, see_other};
use super::form::Form;
use super::visit::Visit;
use crate::context::Context;
use crate::domain::access::Permission;
use crate::http::auth::{self, Organiser};
use crate::http::body::{self, Unread};
use crate::http::session::{self, Session};
use crate::problem::Code;

/// The pages of the console beside the events, in its navigation: the message, and the address.
pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("admin-title", "/admin"),
    ("access-account", "/admin/account"),
];
/// The tabs of an event's console: the message `tab-<name>`, and the address below the event's.
const TABS: &[(&str, &str)] = &[
    ("dashboard", ""),
    ("people", "/people"),
    ("form", "/form"),
    ("share", "/share"),
    ("settings", "/settings"),
    ("audit", "/audit"),
];

/// Those that somebody may open: who only reads has neither the form's editor nor the settings.
pub(super) fn tabs(manages: bool) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let is_open = move |(name, _): &&(&str, &str)| manages || !matches!(*name, "form" | "settings");
    TABS.iter().filter(is_open)
}
/// The sign-in page.
const LOGIN: &str = "/admin/login";

/// The reader's session, or a redirect to the sign-in page. `Err` is also the response to somebody who
/// is signed in and may not see the page.
async fn reader(
    context: &Context,
    visit: &Visit,
    permission: Permission,
) -> Result<Session, Response> {
    match session::session(context, &visit.head.headers).await {
        Ok(Some(session)) if session.has(permission) => Ok(session),
        Ok(Some(_)) => {
            let problem = auth::missing(permission.everywhere());
            Err(problem_page_with(visit, &problem, "access-missing"))
        }
        Ok(None) => Err(see_other(&next::sign_in_and_return(visit))),
        Err(problem) => Err(problem_page(visit, &problem)),
    }
}

/// The organiser and the form. `Err` is the response if nobody is signed in or the form does not
/// come from the console.
async fn writer(
    context: &Context,
    visit: &Visit,
    body: Unread,
    permission: Permission,
) -> Result<(Organiser, Form), Response> {
    writer_up_to(body::ORGANISER_MAX, context, visit, body, permission).await
}

/// Like [`writer`], for a form of at most `most` bytes.
async fn writer_up_to(
    most: usize,
    context: &Context,
    visit: &Visit,
    body: Unread,
    permission: Permission,
) -> Result<(Organiser, Form), Response> {
    let form = Form::read(body, &visit.head, most)
        .await
        .map_err(|problem| problem_page(visit, &problem))?;
    match auth::form(context, &visit.head, form.get("csrf"), permission).await {
        Ok(organiser) => Ok((organiser, form)),
        Err(problem) if problem.code() == Code::Unauthorized => {
            Err(see_other(&next::sign_in_and_return(visit)))
        }
        Err(problem) => Err(problem_page(visit, &problem)),
    }
}
