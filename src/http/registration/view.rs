//! The document that shows a registration to its owner.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::own::OwnRegistration;
use crate::context::Context;
use crate::context::head::RequestHead;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, EventId};
use crate::domain::position::{Position, Revision};
use crate::domain::questions::Answers;
use crate::domain::registration::{AddedBy, PartySize, Registration, Status};
use crate::http::reply;
use crate::problem::Problem;

/// A registration as its owner sees it.
#[derive(Debug, Serialize)]
pub struct View<'a> {
    id: String,
    number: u32,
    status: Status,
    waiting_position: Option<u32>,
    waiting_for: Option<WaitingFor>,
    round: u32,
    event: &'a str,
    name: &'a str,
    party_size: PartySize,
    answers: &'a Answers,
    /// Only of a registration that the organiser added.
    #[serde(skip_serializing_if = "Option::is_none")]
    added_by: Option<AddedBy>,
    token: String,
    position: Position,
    /// Where the event takes place online; only for a confirmed place of the current round.
    online_url: Option<&'a str>,
    /// When name, address and answers were erased.
    erased_at: Option<Timestamp>,
    links: Links,
}

/// Why places are free although people wait: the next group needs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WaitingFor {
    /// How many places are free.
    pub remaining: u32,
    /// The size of the group that has waited longest.
    pub party_size: PartySize,
}

impl WaitingFor {
    /// Why `row`, at `position` of the waiting list, waits although places are free; `None` while
    /// none are. The size of the group is read only when it is shown, so neither the event's row
    /// nor the count contains it.
    pub async fn of(
        context: &Context,
        row: &Registration,
        position: Option<u32>,
    ) -> Result<Option<Self>, Problem> {
        if row.status != Status::Waiting {
            return Ok(None);
        }
        let own = (position == Some(1)).then_some(row.party_size);
        Self::of_event(context, row.locator.event, row.locator.round, own).await
    }

    /// Why the waiting list of an event's round does not move although places are free. `next` is
    /// the size of the party at its head, if that is known.
    pub async fn of_event(
        context: &Context,
        event: EventId,
        round: u32,
        next: Option<PartySize>,
    ) -> Result<Option<Self>, Problem> {
        let channel = context.hub.channel_by_id(event);
        let Some(event) = channel.map(|channel| channel.newest().event) else {
            return Ok(None);
        };
        let remaining = event.capacity.remaining(event.registered).unwrap_or(0);
        if event.round != round || event.waiting == 0 || remaining == 0 {
            return Ok(None);
        }
        let next = match next {
            Some(next) => Some(next),
            None => context.store.next_party(event.id, round).await?,
        };
        Ok(next.map(|party_size| Self {
            remaining,
            party_size,
        }))
    }
}

/// The response to a registration. It contains the private link.
pub(super) struct Document {
    /// The address at which it can be read again.
    pub(super) address: String,
    /// A [`View`] as JSON.
    pub(super) text: Bytes,
}

/// The owner's links to it.
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
    let waiting_for = WaitingFor::of(context, row, position).await?;
    let facts = (row.status, position, row.revision);
    Ok(document(view(base, event, row, facts, waiting_for)))
}

/// The answer to a new registration that waits.
pub(super) async fn waiting(
    context: &Context,
    base: &str,
    event: &Event,
    row: &Registration,
) -> Result<Document, Problem> {
    let waiting_for = WaitingFor::of(context, row, row.accepted_waiting).await?;
    Ok(acceptance(base, event, row, waiting_for))
}

/// The answer to a new registration, as the batch has accepted it.
pub(super) fn acceptance(
    base: &str,
    event: &Event,
    row: &Registration,
    waiting_for: Option<WaitingFor>,
) -> Document {
    let status = if row.accepted_waiting.is_some() {
        Status::Waiting
    } else {
        Status::Confirmed
    };
    let facts = (status, row.accepted_waiting, row.accepted_revision);
    document(view(base, event, row, facts, waiting_for))
}

fn document(view: View<'_>) -> Document {
    Document {
        text: reply::text(&view),
        address: view.links.this,
    }
}

/// A registration as it is now.
pub(super) async fn present<'a>(
    context: &Context,
    head: &RequestHead,
    own: &'a OwnRegistration,
) -> Result<View<'a>, Problem> {
    let row = &own.registration;
    let waiting_for = WaitingFor::of(context, row, own.waiting_position).await?;
    let facts = (row.status, own.waiting_position, row.revision);
    Ok(view(
        &base(context, head),
        &own.event,
        row,
        facts,
        waiting_for,
    ))
}

/// Where the event takes place online, for somebody who has a place.
pub(in crate::http) fn online_url(event: &Event, round: u32, status: Status) -> Option<&str> {
    event.online_url_of(round, status)
}

fn view<'a>(
    base: &str,
    event: &'a Event,
    row: &'a Registration,
    (status, waiting_position, revision): (Status, Option<u32>, Revision),
    waiting_for: Option<WaitingFor>,
) -> View<'a> {
    let id = row.locator.to_string();
    let token = row.secret.token(&id);
    View {
        id,
        number: row.locator.number,
        status,
        waiting_position,
        waiting_for,
        round: row.locator.round,
        event: event.slug.as_str(),
        name: row.name.as_str(),
        party_size: row.party_size,
        online_url: online_url(event, row.locator.round, status),
        answers: &row.answers,
        added_by: row.added_by,
        erased_at: row.erased_at,
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
