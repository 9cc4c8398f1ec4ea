//! Asking for a lost link (docs/protocol.md, "Mail").

use std::time::Duration;

use serde::{Deserialize, Serialize};
use warp::http::StatusCode;
use warp::reply::Response;

use super::create::admit;
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::event::Event;
use crate::domain::person::Email;
use crate::http::body::{self, AllowedMedia, Unread};
use crate::http::field_value::{Check, FieldValue};
use crate::http::{preconditions, reply};
use crate::outbox::links::Busy;
use crate::problem::{Code, Problem};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    email: FieldValue<'a>,
}

/// An object without members.
#[derive(Serialize)]
struct Nothing {}

/// `POST /api/v1/events/{slug}/links`. The answer is the same for every address, and comes before
/// anything is looked up.
pub(in crate::http) async fn post(
    slug: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    require_mail(&context, &format!("/api/v1/events/{slug}/links"))?;
    let event = admit(&context, &head, &slug).await?;
    let sent = body
        .read_up_to(body::MAX, &head, AllowedMedia::JsonOrForm)
        .await?;
    let fields: Fields<'_> = sent.decode()?;
    let mut check = Check::default();
    let email = check.take(fields.email.text("email").and_then(Email::parse));
    let Some(email) = email else {
        return Err(check.problem());
    };
    preconditions::require(&head.headers, &[event.position()])?;
    request(&context, &event, email)?;
    let mut response = reply::json(&Nothing {});
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

/// Without a mail server the address is one of which there is nothing.
pub fn require_mail(context: &Context, path: &str) -> Result<(), Problem> {
    if context.store.outgoing().mails() {
        Ok(())
    } else {
        let detail = format!("there is nothing at {path}");
        Err(Problem::new(Code::NotFound, detail))
    }
}

/// Mails the link, unless too many people ask at this moment.
pub fn request(context: &Context, event: &Event, email: Email) -> Result<(), Problem> {
    context.lost_links.request(event, email).map_err(|Busy| {
        Problem::new(Code::Busy, "too many people are asking for their links")
            .retry_after(Duration::from_secs(1))
    })
}
