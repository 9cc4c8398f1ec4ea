//! Announcements to everybody who watches an event.

use serde::Deserialize;
use warp::http::StatusCode;
use warp::reply::Response;

use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::announcement::{self, Announcement, NewAnnouncement};
use crate::domain::clock::Timestamp;
use crate::domain::event::Event;
use crate::domain::invalid::Invalid;
use crate::domain::outbox::MailKind;
use crate::http::auth::Organiser;
use crate::http::body::{self, AllowedMedia, Unread};
use crate::http::details::Notice;
use crate::http::field_value::{Check, FieldValue};
use crate::http::{auth, find, preconditions, reply};
use crate::problem::Problem;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    text: FieldValue<'a>,
    #[serde(borrow)]
    ends_at: FieldValue<'a>,
    #[serde(borrow)]
    mail: FieldValue<'a>,
}

/// `POST /api/v1/events/{slug}/announcements`
pub(in crate::http) async fn post(
    slug: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let sent = body
        .read_up_to(body::ORGANISER_MAX, &head, AllowedMedia::Json)
        .await?;
    let new = new(&sent.decode()?, &context, &event)?;
    preconditions::require(&head.headers, &[event.position()])?;
    let announcement = announce(&context, &event, &new, &organiser).await?;
    let mut response = reply::json(&Notice::from(&announcement));
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

fn new(fields: &Fields<'_>, context: &Context, event: &Event) -> Result<NewAnnouncement, Problem> {
    let now = context.clock.now();
    let mut check = Check::default();
    let text = check.take(fields.text.text("text").and_then(announcement::parse_text));
    let ends_at = check
        .take(
            fields
                .ends_at
                .moment("ends_at")
                .map(Option::flatten)
                .and_then(|at| check_end(at, now)),
        )
        .flatten();
    let mail = check
        .take(fields.mail.flag(MAIL))
        .flatten()
        .unwrap_or(false);
    if mail {
        check.take(check_mail(context, event));
    }
    check.done()?;
    match text {
        Some(text) => Ok(NewAnnouncement {
            text,
            ends_at,
            mail,
        }),
        None => Err(check.problem()),
    }
}

/// The field that asks for a mail to everybody.
pub(in crate::http) const MAIL: &str = "mail";

/// Fails if nobody would get the mail.
pub(in crate::http) fn check_mail(context: &Context, event: &Event) -> Result<(), Invalid> {
    if !context.store.outgoing().mails() {
        return Err(Invalid::new(MAIL, "no-mail", "this server sends no mail"));
    }
    if !event.mail.mails.has(MailKind::Announcement) {
        return Err(Invalid::new(
            MAIL,
            "switched-off",
            "announcements by mail are switched off for this event",
        ));
    }
    Ok(())
}

/// An announcement that ends before it begins is a mistake.
pub(in crate::http) fn check_end(
    ends_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Invalid> {
    match ends_at {
        Some(at) if at <= now => Err(Invalid::new(
            "ends_at",
            "past",
            "ends_at must be later than now",
        )),
        ends_at => Ok(ends_at),
    }
}

/// `DELETE /api/v1/events/{slug}/announcements`. A second call changes nothing.
pub(in crate::http) async fn delete(
    slug: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    preconditions::require(&head.headers, &[event.position()])?;
    withdraw(&context, &event, &organiser).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

/// Stores an announcement and pushes it to everybody who watches.
pub(in crate::http) async fn announce(
    context: &Context,
    event: &Event,
    new: &NewAnnouncement,
    organiser: &Organiser,
) -> Result<Announcement, Problem> {
    let stored = context
        .registrar
        .announce(event.id, new, &organiser.actor())
        .await?;
    stored.ok_or_else(|| Problem::event_not_found(event.slug.as_str()))
}

/// Takes back the announcement that is shown, if there is one.
pub(in crate::http) async fn withdraw(
    context: &Context,
    event: &Event,
    organiser: &Organiser,
) -> Result<(), Problem> {
    if crate::http::details::announcement(context, event)
        .await
        .is_some()
    {
        announce(context, event, &NewAnnouncement::withdrawal(), organiser).await?;
    }
    Ok(())
}
