//! The public pages and the organiser's console. Rendered on the server, they work without JavaScript.
//!
//! A handler reads the newest state and fills a template's struct; `answer` adds the headers.
//! Changes are POST requests that end in a 303. A refused form comes back as the same page with what
//! was typed. GET changes nothing, because mail scanners and prefetchers follow links. Two
//! exceptions: a mailed private link proves the email address, and `/confirm/{token}` registers.

mod admin;
mod answer;
mod badge;
mod calendar;
mod chart;
mod compare;
mod confirm;
mod dashboard;
mod form;
mod language;
mod mail;
mod mistakes;
mod public;
mod qr;
mod questions;
mod rail;
mod register;
mod registration;
#[cfg(test)]
pub(crate) mod samples;
mod schedule;
mod share;
mod states;
mod structured;
mod templates;
mod views;
mod visit;

use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::reply::Response;
use warp::{Filter, path, reject};

pub use answer::{error_page, see_other};

use super::{first_of, read, with};
use crate::context::Shared;
use crate::context::head::request_head;
use crate::http::body::body;
use admin::actions::{Action, Moved};
use admin::{actions, audit, door, event, events, flash, import, login, person, webhooks};
use visit::visit;

/// Every page.
pub fn routes(context: Shared) -> BoxedFilter<(Response,)> {
    let choice = warp::query::raw().and_then(|query: String| async move {
        if query.contains("lang=") {
            Ok(())
        } else {
            Err(reject::not_found())
        }
    });
    let chosen = read()
        .and(choice)
        .untuple_one()
        .and(with(&context))
        .and(visit())
        .and_then(|context: Shared, visit| async move {
            language::switch(&context.settings, &visit).ok_or_else(reject::not_found)
        })
        .boxed();
    // Not where a session begins: what leads on from there came with the address.
    let acting = first_of([
        mailing(&context),
        access(&context),
        console(&context),
        webhook_pages(&context),
    ]);
    let acting = request_head()
        .and(acting)
        .map(|head, response| flash::sign(&head, response))
        .boxed();
    let pages = first_of([chosen, public(&context), signing_in(&context), acting]);
    if context.settings.webtransport.is_none() {
        return pages;
    }
    request_head()
        .and(pages)
        .map(move |head, response| {
            let settings = &context.settings;
            let webtransport = settings.webtransport.as_ref();
            match webtransport.and_then(|webtransport| webtransport.origin(&head, settings)) {
                Some(origin) => answer::connecting(response, &origin),
                None => response,
            }
        })
        .boxed()
}

fn public(context: &Shared) -> BoxedFilter<(Response,)> {
    let page_visit = || with(context).and(visit());
    let send = || with(context).and(visit()).and(body());
    let events = path::end()
        .boxed()
        .and(read())
        .and(page_visit())
        .then(public::events)
        .boxed();
    let event = at!("e" / String)
        .and(read())
        .and(page_visit())
        .then(register::show)
        .boxed();
    let register = at!("e" / String / "register")
        .and(warp::post())
        .and(send())
        .then(register::submit)
        .boxed();
    let chart = at!("e" / String / "chart")
        .and(read())
        .and(page_visit())
        .then(public::chart)
        .boxed();
    let wall = at!("e" / String / "wall")
        .and(read())
        .and(page_visit())
        .then(public::wall)
        .boxed();
    let compare = at!("e" / String / "compare")
        .and(read())
        .and(page_visit())
        .then(compare::show)
        .boxed();
    let lab = at!("compare" / "lab")
        .and(warp::post())
        .and(page_visit())
        .then(compare::open_lab)
        .boxed();
    let badge = at!("e" / String / "badge.svg")
        .and(read())
        .and(page_visit())
        .then(badge::show)
        .boxed();
    let event_calendar = at!("e" / String / "event.ics")
        .and(read())
        .and(page_visit())
        .then(calendar::event)
        .boxed();
    let own_calendar = at!("r" / String / "event.ics")
        .and(read())
        .and(page_visit())
        .then(calendar::own)
        .boxed();
    let feed = at!("events.ics")
        .and(read())
        .and(page_visit())
        .then(calendar::feed)
        .boxed();
    let qr_svg = at!("e" / String / "qr.svg")
        .and(read())
        .and(page_visit())
        .then(share::qr_svg)
        .boxed();
    let qr_png = at!("e" / String / "qr.png")
        .and(read())
        .and(page_visit())
        .then(share::qr_png)
        .boxed();
    let poster = at!("e" / String / "poster")
        .and(read())
        .and(page_visit())
        .then(share::poster)
        .boxed();
    let registration = at!("r" / String)
        .and(read())
        .and(page_visit())
        .then(registration::show)
        .boxed();
    let cancel = at!("r" / String / "cancel")
        .and(warp::post())
        .and(page_visit())
        .then(registration::cancel)
        .boxed();
    let change = at!("r" / String / "change")
        .and(warp::post())
        .and(page_visit())
        .and(body())
        .then(registration::change)
        .boxed();
    let erase = at!("r" / String / "erase")
        .and(warp::post())
        .and(page_visit())
        .then(registration::erase)
        .boxed();
    let problems = at!("problems")
        .and(read())
        .and(visit())
        .then(public::problems)
        .boxed();
    let embed = at!("embed.js")
        .and(read())
        .and(warp::header::headers_cloned())
        .map(|headers: HeaderMap| public::embed(&headers))
        .boxed();
    first_of([
        event,
        events,
        register,
        registration,
        cancel,
        change,
        erase,
        chart,
        wall,
        compare,
        lab,
        badge,
        event_calendar,
        own_calendar,
        feed,
        qr_svg,
        qr_png,
        poster,
        problems,
        embed,
    ])
}

/// Pages of both about mails.
fn mailing(context: &Shared) -> BoxedFilter<(Response,)> {
    let page_visit = || with(context).and(visit());
    let send = || with(context).and(visit()).and(body());
    let lost_link = at!("e" / String / "link")
        .and(read())
        .and(page_visit())
        .then(mail::lost)
        .boxed();
    let ask_link = at!("e" / String / "link")
        .and(warp::post())
        .and(send())
        .then(mail::ask)
        .boxed();
    let unsubscribe_page = at!("r" / String / "unsubscribe")
        .and(read())
        .and(page_visit())
        .then(mail::unsubscribe_page)
        .boxed();
    let unsubscribe = at!("r" / String / "unsubscribe")
        .and(warp::post())
        .and(page_visit())
        .then(mail::unsubscribe)
        .boxed();
    let confirm = at!("confirm" / String)
        .and(read())
        .and(page_visit())
        .then(confirm::open)
        .boxed();
    let mail_page = at!("admin" / "events" / String / "mail")
        .and(read())
        .and(page_visit())
        .then(admin::mail::show)
        .boxed();
    let mail = at!("admin" / "events" / String / "mail")
        .and(warp::post())
        .and(send())
        .then(admin::mail::act)
        .boxed();
    first_of([
        lost_link,
        ask_link,
        unsubscribe_page,
        unsubscribe,
        confirm,
        mail_page,
        mail,
    ])
}

/// The pages that begin and end a session.
fn signing_in(context: &Shared) -> BoxedFilter<(Response,)> {
    let page_visit = || with(context).and(visit());
    let send = || with(context).and(visit()).and(body());
    let sign_in_page = at!("admin" / "login")
        .and(read())
        .and(page_visit())
        .then(login::show)
        .boxed();
    let sign_in = at!("admin" / "login")
        .and(warp::post())
        .and(send())
        .then(login::sign_in)
        .boxed();
    let password_page = at!("admin" / "password" / String)
        .and(read())
        .and(page_visit())
        .then(admin::password::show)
        .boxed();
    let set_password = at!("admin" / "password" / String)
        .and(warp::post())
        .and(send())
        .then(admin::password::act)
        .boxed();
    let sign_out = at!("admin" / "logout")
        .and(warp::post())
        .and(send())
        .then(login::sign_out)
        .boxed();
    first_of([sign_in_page, sign_in, password_page, set_password, sign_out])
}

fn webhook_pages(context: &Shared) -> BoxedFilter<(Response,)> {
    use webhooks::Action;
    let page_visit = || with(context).and(visit());
    let send = || with(context).and(visit()).and(body());
    let list = at!("admin" / "webhooks")
        .and(read())
        .and(page_visit())
        .then(webhooks::show)
        .boxed();
    let create = at!("admin" / "webhooks")
        .and(warp::post())
        .and(send())
        .then(webhooks::create)
        .boxed();
    let one = at!("admin" / "webhooks" / String)
        .and(read())
        .and(page_visit())
        .then(webhooks::one)
        .boxed();
    let act = |action: Action, path: BoxedFilter<(String,)>| {
        path.and(warp::post())
            .and(send())
            .then(move |id, context, visit, body| webhooks::act(action, id, context, visit, body))
            .boxed()
    };
    let activate = at!("admin" / "webhooks" / String / "activate");
    let deactivate = at!("admin" / "webhooks" / String / "deactivate");
    let resend = at!("admin" / "webhooks" / String / "resend");
    let delete = at!("admin" / "webhooks" / String / "delete");
    first_of([
        list,
        create,
        one,
        act(Action::Activate, activate),
        act(Action::Deactivate, deactivate),
        act(Action::Resend, resend),
        act(Action::Delete, delete),
    ])
}

/// Who may do what.
fn access(context: &Shared) -> BoxedFilter<(Response,)> {
    let page_visit = || with(context).and(visit());
    let send = || with(context).and(visit()).and(body());
    let account = at!("admin" / "account")
        .and(read())
        .and(page_visit())
        .then(admin::access::account::show)
        .boxed();
    let change_account = at!("admin" / "account")
        .and(warp::post())
        .and(send())
        .then(admin::access::account::act)
        .boxed();
    let accounts = at!("admin" / "accounts")
        .and(read())
        .and(page_visit())
        .then(admin::access::accounts::show)
        .boxed();
    let change_accounts = at!("admin" / "accounts")
        .and(warp::post())
        .and(send())
        .then(admin::access::accounts::act)
        .boxed();
    let tokens = at!("admin" / "tokens")
        .and(read())
        .and(page_visit())
        .then(admin::access::tokens::show)
        .boxed();
    let change_tokens = at!("admin" / "tokens")
        .and(warp::post())
        .and(send())
        .then(admin::access::tokens::act)
        .boxed();
    let audit = at!("admin" / "audit")
        .and(read())
        .and(page_visit())
        .then(admin::access::audit::show)
        .boxed();
    first_of([
        account,
        change_account,
        accounts,
        change_accounts,
        tokens,
        change_tokens,
        audit,
    ])
}

fn console(context: &Shared) -> BoxedFilter<(Response,)> {
    let page_visit = || with(context).and(visit());
    let send = || with(context).and(visit()).and(body());
    let events = at!("admin")
        .and(read())
        .and(page_visit())
        .then(events::show)
        .boxed();
    let create = at!("admin" / "events")
        .and(warp::post())
        .and(send())
        .then(events::create)
        .boxed();
    let event = at!("admin" / "events" / String)
        .and(read())
        .and(page_visit())
        .then(event::show)
        .boxed();
    let audit = at!("admin" / "events" / String / "audit")
        .and(read())
        .and(page_visit())
        .then(audit::show)
        .boxed();
    let people = at!("admin" / "events" / String / "people")
        .and(read())
        .and(page_visit())
        .then(admin::people::show)
        .boxed();
    let questions = at!("admin" / "events" / String / "form")
        .and(read())
        .and(page_visit())
        .then(admin::questions::show)
        .boxed();
    let edit_questions = at!("admin" / "events" / String / "form")
        .and(warp::post())
        .and(send())
        .then(admin::questions::act)
        .boxed();
    let share = at!("admin" / "events" / String / "share")
        .and(read())
        .and(page_visit())
        .then(admin::share::show)
        .boxed();
    let duplicate_page = at!("admin" / "events" / String / "duplicate")
        .and(read())
        .and(page_visit())
        .then(admin::duplicate::show)
        .boxed();
    let duplicate = at!("admin" / "events" / String / "duplicate")
        .and(warp::post())
        .and(send())
        .then(admin::duplicate::act)
        .boxed();
    let settings = at!("admin" / "events" / String / "settings")
        .and(read())
        .and(page_visit())
        .then(admin::settings::show)
        .boxed();
    let moved = at!("admin" / "events" / String / Moved)
        .and(read())
        .map(|slug: String, moved: Moved| {
            see_other(&format!("/admin/events/{slug}/{}", moved.tab()))
        })
        .boxed();
    let new_person = at!("admin" / "events" / String / "add")
        .and(read())
        .and(page_visit())
        .then(person::show_new)
        .boxed();
    let add = at!("admin" / "events" / String / "add")
        .and(warp::post())
        .and(send())
        .then(person::act_new)
        .boxed();
    let stored_person = at!("admin" / "events" / String / "registrations" / String)
        .and(read())
        .and(page_visit())
        .then(person::show_stored)
        .boxed();
    let correct = at!("admin" / "events" / String / "registrations" / String)
        .and(warp::post())
        .and(send())
        .then(person::act_stored)
        .boxed();
    let import_page = at!("admin" / "events" / String / "import")
        .and(read())
        .and(page_visit())
        .then(import::show)
        .boxed();
    let import = at!("admin" / "events" / String / "import")
        .and(warp::post())
        .and(send())
        .then(import::act)
        .boxed();
    let live = at!("admin" / "events" / String / "live")
        .and(read())
        .and(page_visit())
        .then(admin::live::show)
        .boxed();
    let door = at!("admin" / "events" / String / "door")
        .and(read())
        .and(page_visit())
        .then(door::show)
        .boxed();
    let act = at!("admin" / "events" / String / Action)
        .and(warp::post())
        .and(send())
        .then(actions::act)
        .boxed();
    let cancel = at!("admin" / "events" / String / "registrations" / String / "cancel")
        .and(warp::post())
        .and(send())
        .then(actions::cancel)
        .boxed();
    let restore = at!("admin" / "events" / String / "registrations" / String / "restore")
        .and(warp::post())
        .and(send())
        .then(actions::restore)
        .boxed();
    let erase = at!("admin" / "events" / String / "registrations" / String / "erase")
        .and(warp::post())
        .and(send())
        .then(actions::erase)
        .boxed();
    first_of([
        new_person,
        add,
        stored_person,
        correct,
        import_page,
        import,
        duplicate_page,
        duplicate,
        restore,
        create,
        act,
        cancel,
        erase,
        events,
        event,
        people,
        questions,
        edit_questions,
        share,
        settings,
        audit,
        door,
        moved,
        live,
    ])
}
