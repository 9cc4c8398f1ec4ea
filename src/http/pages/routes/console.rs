//! The organisers' console.

use warp::Filter as _;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::context::Shared;
use crate::http::body::body;
use crate::http::pages::admin::action::{Action, Moved};
use crate::http::pages::admin::{
    access, actions, audit, door, duplicate, event, events, import, live, login, mail, password,
    people, person, questions, settings, share, webhooks,
};
use crate::http::pages::see_other;
use crate::http::pages::visit::visit;
use crate::http::{first_of, read, with};

/// The pages that begin and end a session.
pub(super) fn signing_in(context: &Shared) -> BoxedFilter<(Response,)> {
    first_of([
        get!(context, ["admin" / "login"], login::show),
        post!(context, ["admin" / "login"], login::sign_in),
        get!(context, ["admin" / "password" / String], password::show),
        post!(context, ["admin" / "password" / String], password::act),
        post!(context, ["admin" / "logout"], login::sign_out),
    ])
}

/// Who may do what.
pub(super) fn access(context: &Shared) -> BoxedFilter<(Response,)> {
    first_of([
        get!(context, ["admin" / "account"], access::account::show),
        post!(context, ["admin" / "account"], access::account::act),
        get!(context, ["admin" / "accounts"], access::accounts::show),
        post!(context, ["admin" / "accounts"], access::accounts::act),
        get!(context, ["admin" / "tokens"], access::tokens::show),
        post!(context, ["admin" / "tokens"], access::tokens::act),
        get!(context, ["admin" / "audit"], access::audit::show),
    ])
}

/// Webhooks and their deliveries.
pub(super) fn webhooks(context: &Shared) -> BoxedFilter<(Response,)> {
    use webhooks::Action;
    let act =
        |action| move |id, context, visit, body| webhooks::act(action, id, context, visit, body);
    first_of([
        get!(context, ["admin" / "webhooks"], webhooks::show),
        post!(context, ["admin" / "webhooks"], webhooks::create),
        get!(context, ["admin" / "webhooks" / String], webhooks::one),
        post!(
            context,
            ["admin" / "webhooks" / String / "activate"],
            act(Action::Activate)
        ),
        post!(
            context,
            ["admin" / "webhooks" / String / "deactivate"],
            act(Action::Deactivate)
        ),
        post!(
            context,
            ["admin" / "webhooks" / String / "resend"],
            act(Action::Resend)
        ),
        post!(
            context,
            ["admin" / "webhooks" / String / "delete"],
            act(Action::Delete)
        ),
    ])
}

/// Events and the people in them.
pub(super) fn events(context: &Shared) -> BoxedFilter<(Response,)> {
    let moved = at!("admin" / "events" / String / Moved)
        .and(read())
        .map(|slug: String, moved: Moved| {
            see_other(&format!("/admin/events/{slug}/{}", moved.tab()))
        })
        .boxed();
    first_of([
        get!(
            context,
            ["admin" / "events" / String / "add"],
            person::show_new
        ),
        post!(
            context,
            ["admin" / "events" / String / "add"],
            person::act_new
        ),
        get!(
            context,
            ["admin" / "events" / String / "registrations" / String],
            person::show_stored
        ),
        post!(
            context,
            ["admin" / "events" / String / "registrations" / String],
            person::act_stored
        ),
        get!(
            context,
            ["admin" / "events" / String / "import"],
            import::show
        ),
        post!(
            context,
            ["admin" / "events" / String / "import"],
            import::act
        ),
        get!(
            context,
            ["admin" / "events" / String / "duplicate"],
            duplicate::show
        ),
        post!(
            context,
            ["admin" / "events" / String / "duplicate"],
            duplicate::act
        ),
        post!(
            context,
            ["admin" / "events" / String / "registrations" / String / "restore"],
            actions::restore
        ),
        post!(context, ["admin" / "events"], events::create),
        post!(
            context,
            ["admin" / "events" / String / Action],
            actions::act
        ),
        post!(
            context,
            ["admin" / "events" / String / "registrations" / String / "cancel"],
            actions::cancel
        ),
        post!(
            context,
            ["admin" / "events" / String / "registrations" / String / "erase"],
            actions::erase
        ),
        get!(context, ["admin"], events::show),
        get!(context, ["admin" / "events" / String], event::show),
        get!(
            context,
            ["admin" / "events" / String / "people"],
            people::show
        ),
        get!(
            context,
            ["admin" / "events" / String / "form"],
            questions::show
        ),
        post!(
            context,
            ["admin" / "events" / String / "form"],
            questions::act
        ),
        get!(
            context,
            ["admin" / "events" / String / "share"],
            share::show
        ),
        get!(
            context,
            ["admin" / "events" / String / "settings"],
            settings::show
        ),
        get!(
            context,
            ["admin" / "events" / String / "audit"],
            audit::show
        ),
        get!(context, ["admin" / "events" / String / "door"], door::show),
        moved,
        get!(context, ["admin" / "events" / String / "live"], live::show),
        get!(context, ["admin" / "events" / String / "mail"], mail::show),
        post!(context, ["admin" / "events" / String / "mail"], mail::act),
    ])
}
