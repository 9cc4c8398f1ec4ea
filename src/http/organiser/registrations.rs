//! The registrations of an event.

use serde::Serialize;
use warp::reply::Response;

use super::query::Query;
use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::domain::clock::Timestamp;
use crate::domain::command::{Answer, Command, Refusal};
use crate::domain::position::Position;
use crate::domain::questions::Answers;
use crate::domain::registration::{Locator, PartySize, Registration, Status};
use crate::http::registration::unexpected;
use crate::http::{auth, find, preconditions, reply};
use crate::problem::Problem;
use crate::store::{Filter, Listed, Store};

/// A registration as the organiser sees it; without the private link.
#[derive(Debug, Serialize)]
pub(super) struct Row<'a> {
    id: String,
    number: u32,
    name: &'a str,
    email: &'a str,
    party_size: PartySize,
    status: Status,
    waiting_position: Option<u32>,
    round: u32,
    at: Timestamp,
    answers: &'a Answers,
}

impl<'a> Row<'a> {
    pub(super) fn new(row: &'a Registration, waiting_position: Option<u32>) -> Self {
        Self {
            id: row.locator.to_string(),
            number: row.locator.number,
            name: row.name.as_str(),
            email: row.email.as_str(),
            party_size: row.party_size,
            status: row.status,
            waiting_position,
            round: row.locator.round,
            at: row.at,
            answers: &row.answers,
        }
    }
}

#[derive(Serialize)]
struct Page<'a> {
    registrations: Vec<Row<'a>>,
    next: Option<String>,
}

/// `GET /api/v1/events/{slug}/registrations`
pub(in crate::http) async fn list(
    slug: String,
    context: Shared,
    head: RequestHead,
    query: String,
) -> Result<Response, Problem> {
    auth::reader(&context, &head).await?;
    let event = find::event(&context, &slug).await?;
    let filter = Query::parse(&query)?.filter(&event)?;
    let (rows, next) = page(&context.store_for(head.peer), event.id, filter).await?;
    let registrations = rows
        .iter()
        .map(|listed| Row::new(&listed.registration, listed.waiting_position))
        .collect();
    Ok(reply::json(&Page {
        registrations,
        next: next.map(|number| number.to_string()),
    }))
}

/// A page, and the number after which the next one begins; `None` at the end.
pub(in crate::http) async fn page(
    store: &Store,
    event: i64,
    filter: Filter,
) -> Result<(Vec<Listed>, Option<u32>), Problem> {
    let limit = filter.limit as usize;
    // One more than requested shows whether there is another page.
    let mut rows = store
        .registrations(
            event,
            &Filter {
                limit: filter.limit + 1,
                ..filter
            },
        )
        .await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|listed| listed.registration.locator.number);
    Ok((rows, next))
}

/// `DELETE /api/v1/events/{slug}/registrations/{id}`
pub(in crate::http) async fn cancel(
    slug: String,
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head).await?;
    let event = find::event(&context, &slug).await?;
    let locator: Option<Locator> = id
        .parse()
        .ok()
        .filter(|locator: &Locator| locator.event == event.id);
    let locator = locator.ok_or(Refusal::RegistrationNotFound)?;
    if preconditions::any(&head.headers) {
        let row = context.store.registration(locator).await?;
        let row = row.ok_or(Refusal::RegistrationNotFound)?.registration;
        let own = Position {
            epoch: event.epoch.clone(),
            revision: row.revision,
        };
        preconditions::require(&head.headers, &[event.position(), own])?;
    }
    let command = Command::Cancel {
        locator,
        secret: None,
        by: organiser.actor(),
    };
    match context.registrar.submit(event.id, command).await?? {
        Answer::Cancelled(row) => Ok(reply::json(&Row::new(&row, None))),
        other => Err(unexpected(&other)),
    }
}
