//! Pages for everybody.

use warp::Filter as _;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::reply::Response;

use crate::context::Shared;
use crate::http::body::body;
use crate::http::pages::visit::visit;
use crate::http::pages::{
    badge, calendar, compare, confirm, mail, public, register, registration, share,
};
use crate::http::{first_of, read, with};

/// Events, their forms, and a person's own registration.
pub(super) fn pages(context: &Shared) -> BoxedFilter<(Response,)> {
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
        get!(context, ["e" / String], register::show),
        get!(context, [], public::events),
        post!(context, ["e" / String / "register"], register::submit),
        get!(context, ["r" / String], registration::show),
        post_empty!(context, ["r" / String / "cancel"], registration::cancel),
        post!(context, ["r" / String / "change"], registration::change),
        post_empty!(context, ["r" / String / "erase"], registration::erase),
        get!(context, ["e" / String / "chart"], public::chart),
        get!(context, ["e" / String / "wall"], public::wall),
        get!(context, ["e" / String / "compare"], compare::show),
        post_empty!(context, ["compare" / "lab"], compare::open_lab),
        get!(context, ["e" / String / "badge.svg"], badge::show),
        get!(context, ["e" / String / "event.ics"], calendar::event),
        get!(context, ["r" / String / "event.ics"], calendar::own),
        get!(context, ["events.ics"], calendar::feed),
        get!(context, ["e" / String / "qr.svg"], share::qr_svg),
        get!(context, ["e" / String / "qr.png"], share::qr_png),
        get!(context, ["e" / String / "poster"], share::poster),
        problems,
        embed,
    ])
}

/// What links in mails lead to, and the form for a lost link.
pub(super) fn mails(context: &Shared) -> BoxedFilter<(Response,)> {
    first_of([
        get!(context, ["e" / String / "link"], mail::lost),
        post!(context, ["e" / String / "link"], mail::ask),
        get!(
            context,
            ["r" / String / "unsubscribe"],
            mail::unsubscribe_page
        ),
        post_empty!(context, ["r" / String / "unsubscribe"], mail::unsubscribe),
        get!(context, ["confirm" / String], confirm::open),
    ])
}
