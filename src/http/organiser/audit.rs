//! Who did what when.

use serde::Serialize;
use warp::reply::Response;

use super::owned;
use super::query::Query;
use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::domain::access::Permission;
use crate::domain::audit::AuditEntry;
use crate::domain::event::Slug;
use crate::http::{auth, find, reply};
use crate::problem::Problem;
use crate::store::Store;

#[derive(Serialize)]
struct Page {
    entries: Vec<AuditEntry>,
    next: Option<String>,
}

/// `GET /api/v1/events/{slug}/audit`, newest first.
pub(in crate::http) async fn list(
    slug: String,
    context: Shared,
    head: RequestHead,
    query: String,
) -> Result<Response, Problem> {
    auth::reader(&context, &head, Permission::Read.on(&slug)).await?;
    let event = find::event(&context, &slug).await?;
    let query = Query::parse(&query)?;
    let (entries, next) = page(
        &context.store_for(head.peer),
        Some(&event.slug),
        query.cursor()?,
        query.limit()?,
    )
    .await?;
    Ok(reply::json(&Page {
        entries,
        next: next.map(|key| key.to_string()),
    }))
}

/// `GET /api/v1/audit`: accounts, tokens, sessions and webhooks, newest first.
pub(in crate::http) async fn list_server(
    context: Shared,
    head: RequestHead,
    query: String,
) -> Result<Response, Problem> {
    owned::reader(&context, &head).await?;
    let query = Query::parse(&query)?;
    let store = context.store_for(head.peer);
    let (entries, next) = page(&store, None, query.cursor()?, query.limit()?).await?;
    Ok(reply::json(&Page {
        entries,
        next: next.map(|key| key.to_string()),
    }))
}

/// A page of an event's log, or without one of the server's, and the key before which the next page
/// begins; `None` at the end.
pub(in crate::http) async fn page(
    store: &Store,
    event: Option<&Slug>,
    before: Option<i64>,
    limit: u32,
) -> Result<(Vec<AuditEntry>, Option<i64>), Problem> {
    // One more than requested shows whether there is another page.
    let mut lines = match event {
        Some(slug) => store.audit(slug, before, limit + 1).await?,
        None => store.server_audit(before, limit + 1).await?,
    };
    let more = lines.len() > limit as usize;
    lines.truncate(limit as usize);
    let next = lines.last().filter(|_| more).map(|(key, _)| *key);
    Ok((lines.into_iter().map(|(_, entry)| entry).collect(), next))
}
