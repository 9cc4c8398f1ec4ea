//! The document that shows a registration to its owner.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::own::OwnRegistration;
use crate::context::Context;
use crate::context::head::RequestHead;
use crate::domain::event::Event;
use crate::domain::position::{Position, Revision};
use crate::domain::registration::{Registration, Status};
use crate::http::reply;
use crate::problem::Problem;

/// A registration as its owner sees it.
#[derive(Debug, Serialize)]
pub struct View<'a> {
    id: String,
    number: u32,
    status: Status,
    waiting_position: Option<u32>,
    round: u32,
    event: &'a str,
    name: &'a str,
    token: String,
    position: Position,
    links: Links,
}

/// The response to a registration. It contains the private link.
pub(super) struct Document {
    /// The address at which it can be read again.
    pub(super) address: String,
    /// A [`View`] as JSON.
    pub(super) text: Bytes,
}

/// Addresses at which the owner finds it again.
#[derive(Debug, Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: String,
    page: String,
}

/// The prefix of links. Empty when the request names no host (HTTP/1.0): a client resolves relative
/// links against the address of its request.
pub(super) fn base(context: &Context, head: &RequestHead) -> String {
    head.base_url(&context.settings).unwrap_or_default()
}

/// The answer to a repeated request: the registration as it is now, never as it was at first. Only
/// a waiting position needs another read of the database.
pub(super) async fn replay(
    context: &Context,
    base: &str,
    event: &Event,
    row: &Arc<Registration>,
) -> Result<Document, Problem> {
    let listed = match row.status {
        Status::Waiting => context.store.registration(row.locator).await?,
        Status::Confirmed | Status::Cancelled => None,
    };
    let (row, position) = match &listed {
        Some(listed) => (&listed.registration, listed.waiting_position),
        None => (&**row, None),
    };
    let facts = (row.status, position, row.revision);
    Ok(document(view(base, event, row, facts)))
}

/// The answer to a new registration, as the batch has accepted it.
pub(super) fn acceptance(base: &str, event: &Event, row: &Registration) -> Document {
    let status = if row.accepted_waiting.is_some() {
        Status::Waiting
    } else {
        Status::Confirmed
    };
    let facts = (status, row.accepted_waiting, row.accepted_revision);
    document(view(base, event, row, facts))
}

fn document(view: View<'_>) -> Document {
    Document {
        text: reply::text(&view),
        address: view.links.this,
    }
}

pub(super) fn present<'a>(
    context: &Context,
    head: &RequestHead,
    own: &'a OwnRegistration,
) -> View<'a> {
    let row = &own.registration;
    view(
        &base(context, head),
        &own.event,
        row,
        (row.status, own.waiting_position, row.revision),
    )
}

fn view<'a>(
    base: &str,
    event: &'a Event,
    row: &'a Registration,
    (status, waiting_position, revision): (Status, Option<u32>, Revision),
) -> View<'a> {
    let id = row.locator.to_string();
    let token = row.secret.token(&id);
    View {
        id,
        number: row.locator.number,
        status,
        waiting_position,
        round: row.locator.round,
        event: event.slug.as_str(),
        name: row.name.as_str(),
        position: Position {
            epoch: event.epoch.clone(),
            revision,
        },
        links: Links {
            this: [base, "/api/v1/registrations/", &token].concat(),
            page: [base, "/r/", &token].concat(),
        },
        token,
    }
}
