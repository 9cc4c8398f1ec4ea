//! What a webhook was sent, and sending it again.

use serde::Serialize;
use warp::http::StatusCode;
use warp::reply::Response;

use super::find;
use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::domain::clock::Timestamp;
use crate::domain::outbox::{Row, RowState};
use crate::domain::webhook::WebhookId;
use crate::http::organiser::owned::{self, parse_id};
use crate::http::organiser::query::Query;
use crate::http::reply;
use crate::problem::{Code, Problem};
use crate::store::Store;

/// A delivery as the owner sees it.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Delivery {
    /// Its key.
    pub id: String,
    /// What about.
    #[serde(rename = "type")]
    pub topic: String,
    /// `waiting`, `sent`, `failed` or `dropped`.
    pub status: &'static str,
    /// Attempts since it was written or sent again.
    pub attempts: u32,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it is tried next, while it waits.
    pub next_attempt_at: Option<Timestamp>,
    /// When it was sent, given up or dropped.
    pub finished_at: Option<Timestamp>,
    /// What went wrong at the last attempt.
    pub error: Option<String>,
}

impl From<Row> for Delivery {
    fn from(row: Row) -> Self {
        Self {
            id: row.id.to_string(),
            topic: row.kind,
            status: row.state.as_str(),
            attempts: row.attempts,
            created_at: row.created,
            next_attempt_at: (row.state == RowState::Waiting).then_some(row.due),
            finished_at: row.finished,
            error: row.error,
        }
    }
}

#[derive(Debug, Serialize)]
struct Page {
    deliveries: Vec<Delivery>,
    /// `after` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// `GET /api/v1/webhooks/{id}/deliveries`
pub(in crate::http) async fn list(
    id: String,
    context: Shared,
    head: RequestHead,
    query: String,
) -> Result<Response, Problem> {
    owned::reader(&context, &head).await?;
    let webhook = find(&context, &id).await?;
    let query = Query::parse(&query)?;
    let store = context.store_for(head.peer);
    let (deliveries, next) = page(&store, webhook.id, query.cursor()?, query.limit()?).await?;
    Ok(reply::json(&Page { deliveries, next }))
}

/// A page, and the key before which the next one begins; `None` at the end.
pub(in crate::http) async fn page(
    store: &Store,
    webhook: WebhookId,
    before: Option<i64>,
    limit: u32,
) -> Result<(Vec<Delivery>, Option<String>), Problem> {
    // One more than requested shows whether there is another page.
    let before = before.unwrap_or(i64::MAX);
    let mut rows = store.deliveries(webhook, before, limit + 1).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok((rows.into_iter().map(Delivery::from).collect(), next))
}

/// `POST /api/v1/webhooks/{id}/deliveries/{delivery}/resend`
pub(in crate::http) async fn resend(
    id: String,
    delivery: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    owned::writer(&context, &head).await?;
    let webhook = find(&context, &id).await?;
    let key = parse_id(&delivery, unknown)?;
    let now = context.clock.now();
    let row = context.store.resend_delivery(webhook.id, key, now).await?;
    let row = row.ok_or_else(unknown)?;
    let mut response = reply::json(&Delivery::from(row));
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no delivery with this id")
}
