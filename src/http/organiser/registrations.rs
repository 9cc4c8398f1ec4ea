//! The registrations of an event.

use serde::Serialize;
use warp::reply::Response;

use super::query::Query;
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::clock::Timestamp;
use crate::domain::command::{Answer, Command, Refusal, Revised};
use crate::domain::event::Event;
use crate::domain::person::Email;
use crate::domain::position::Position;
use crate::domain::questions::{Answers, Unanswered};
use crate::domain::registration::{AddedBy, Locator, PartySize, Registration, Status};
use crate::http::auth::Organiser;
use crate::http::body::{AllowedMedia, Unread};
use crate::http::registration::{body_max, revised, unexpected};
use crate::http::{auth, find, preconditions, reply};
use crate::problem::Problem;
use crate::store::{self, Filter, Listed, Store};

/// A registration as the organiser sees it; without the private link.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    id: String,
    number: u32,
    name: &'a str,
    email: Option<&'a str>,
    party_size: PartySize,
    status: Status,
    waiting_position: Option<u32>,
    round: u32,
    at: Timestamp,
    answers: &'a Answers,
    /// `null` if the person registered.
    added_by: Option<AddedBy>,
    erased_at: Option<Timestamp>,
    /// Whether the person has opened a link that was mailed to the address; only if this server
    /// sends mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    email_proven: Option<bool>,
}

impl<'a> Row<'a> {
    /// The same for readers who see no addresses.
    fn without_address(self) -> Self {
        Self {
            email: None,
            ..self
        }
    }

    /// `mails`: whether this server sends mail.
    pub(super) fn new(row: &'a Registration, waiting_position: Option<u32>, mails: bool) -> Self {
        Self {
            id: row.locator.to_string(),
            number: row.locator.number,
            name: row.name.as_str(),
            email: row.email.as_ref().map(Email::as_str),
            party_size: row.party_size,
            status: row.status,
            waiting_position,
            round: row.locator.round,
            at: row.at,
            answers: &row.answers,
            added_by: row.added_by,
            erased_at: row.erased_at,
            email_proven: mails.then_some(row.email_proven_at.is_some()),
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    registrations: Vec<Row<'a>>,
    /// How many there are on all pages.
    total: u32,
    next: Option<String>,
}

/// `GET /api/v1/events/{slug}/registrations`
pub(in crate::http) async fn list(
    slug: String,
    context: Shared,
    head: RequestHead,
    query: String,
) -> Result<Response, Problem> {
    let reader = auth::reader(&context, &head, Permission::Read.on(&slug)).await?;
    let shows_addresses = reader.has(Permission::ReadAddresses.on(&slug));
    let event = find::event(&context, &slug).await?;
    let filter = Query::parse(&query)?.filter(&event)?;
    let filter = if shows_addresses {
        filter
    } else {
        filter.of_names()
    };
    let page = page(&context.store_for(head.peer), event.id, filter).await?;
    let rows = page.rows.iter();
    let mails = context.store.outgoing().mails();
    Ok(reply::json(&Document {
        registrations: rows
            .map(|listed| {
                let row = Row::new(&listed.registration, listed.waiting_position, mails);
                if shows_addresses {
                    row
                } else {
                    row.without_address()
                }
            })
            .collect(),
        total: page.total,
        next: page.next.map(|number| number.to_string()),
    }))
}

/// A page of a list.
#[derive(Debug)]
pub(in crate::http) struct Page {
    /// In the order of the list.
    pub(in crate::http) rows: Vec<Listed>,
    /// How many there are on all pages.
    pub(in crate::http) total: u32,
    /// The number after whose registration the next page begins; `None` at the end.
    pub(in crate::http) next: Option<u32>,
}

/// A page of the list.
pub(in crate::http) async fn page(
    store: &Store,
    event: i64,
    filter: Filter,
) -> Result<Page, Problem> {
    let limit = filter.limit as usize;
    // One more than requested shows whether there is another page.
    let one_more = Filter {
        limit: filter.limit + 1,
        ..filter
    };
    let store::Page { mut rows, total } = store.registrations(event, &one_more).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let next = last.map(|listed| listed.registration.locator.number);
    Ok(Page { rows, total, next })
}

/// `DELETE /api/v1/events/{slug}/registrations/{id}`
pub(in crate::http) async fn cancel(
    slug: String,
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let locator = locator(&event, &id)?;
    require(&context, &head, &event, locator).await?;
    let command = Command::Cancel {
        locator,
        secret: None,
        by: organiser.actor(),
    };
    match context.registrar.submit(event.id, command).await?? {
        Answer::Cancelled(row) => Ok(reply::json(&Row::new(
            &row,
            None,
            context.store.outgoing().mails(),
        ))),
        other => Err(unexpected(&other)),
    }
}

/// `POST /api/v1/events/{slug}/registrations/{id}/erase`; needs no body.
pub(in crate::http) async fn erase(
    slug: String,
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let locator = locator(&event, &id)?;
    require(&context, &head, &event, locator).await?;
    let command = Command::Erase {
        locator,
        secret: None,
        by: organiser.actor(),
    };
    match context.registrar.submit(event.id, command).await?? {
        Answer::Erased(_) => shown(&context, locator).await,
        other => Err(unexpected(&other)),
    }
}

/// Fails if a precondition does. The registration and its event have positions.
async fn require(
    context: &Context,
    head: &RequestHead,
    event: &Event,
    locator: Locator,
) -> Result<(), Problem> {
    if preconditions::any(&head.headers) {
        let row = context.store.registration(locator).await?;
        let row = row.ok_or(Refusal::RegistrationNotFound)?.registration;
        let own = Position {
            epoch: event.epoch.clone(),
            revision: row.revision,
        };
        preconditions::require(&head.headers, &[event.position(), own])?;
    }
    Ok(())
}

/// `PATCH /api/v1/events/{slug}/registrations/{id}`
pub(in crate::http) async fn patch(
    slug: String,
    id: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let sent = body
        .read_up_to(body_max(&event), &head, AllowedMedia::Json)
        .await?;
    let revised = revised(&sent, &event, Unanswered::Allowed)?;
    let locator = locator(&event, &id)?;
    let expected = expected(&context, &head, &event, locator).await?;
    change(&context, locator, revised, expected, &organiser).await?;
    shown(&context, locator).await
}

/// `POST /api/v1/events/{slug}/registrations/{id}/restore`; needs no body.
pub(in crate::http) async fn restore(
    slug: String,
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Manage.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let locator = locator(&event, &id)?;
    let command = Command::Restore {
        locator,
        expected: expected(&context, &head, &event, locator).await?,
        by: organiser.actor(),
    };
    match context.registrar.submit(event.id, command).await?? {
        Answer::Restored(_) => shown(&context, locator).await,
        other => Err(unexpected(&other)),
    }
}

/// Corrects a registration.
pub(in crate::http) async fn change(
    context: &Context,
    locator: Locator,
    revised: Revised,
    expected: Option<Vec<Position>>,
    organiser: &Organiser,
) -> Result<(), Problem> {
    let command = Command::Change {
        locator,
        secret: None,
        revised,
        expected,
        by: organiser.actor(),
    };
    match context.registrar.submit(locator.event, command).await?? {
        Answer::Changed(_) => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// The registration of this event with that id.
pub(in crate::http) fn locator(event: &Event, id: &str) -> Result<Locator, Refusal> {
    let locator = id.parse().ok();
    let own = locator.filter(|locator: &Locator| locator.event == event.id);
    own.ok_or(Refusal::RegistrationNotFound)
}

/// The positions that `If-Match` names: the registration's, or the event's.
async fn expected(
    context: &Context,
    head: &RequestHead,
    event: &Event,
    locator: Locator,
) -> Result<Option<Vec<Position>>, Problem> {
    if !preconditions::any(&head.headers) {
        return Ok(None);
    }
    let row = context.store.registration(locator).await?;
    let row = row.ok_or(Refusal::RegistrationNotFound)?.registration;
    let own = Position {
        epoch: event.epoch.clone(),
        revision: row.revision,
    };
    preconditions::expected(&head.headers, &[event.position(), own])
}

/// The registration as it is now: only the database knows the place in the waiting list.
async fn shown(context: &Context, locator: Locator) -> Result<Response, Problem> {
    let row = context.store.registration(locator).await?;
    let row = row.ok_or(Refusal::RegistrationNotFound)?;
    let mails = context.store.outgoing().mails();
    let shown = Row::new(&row.registration, row.waiting_position, mails);
    Ok(reply::json(&shown))
}
