//! One's own sessions of the console.

use serde::Serialize;
use warp::http::StatusCode;
use warp::reply::Response;

use crate::context::Shared;
use crate::context::head::RequestHead;
use crate::domain::access::Permission;
use crate::domain::clock::Timestamp;
use crate::http::auth::Organiser;
use crate::http::{auth, preconditions, reply};
use crate::problem::{Code, Problem};

#[derive(Serialize)]
struct List {
    sessions: Vec<View>,
}

#[derive(Debug, Serialize)]
struct View {
    id: String,
    /// Whether it is the one that asks.
    current: bool,
    created_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    expires_at: Timestamp,
    agent: String,
}

/// `GET /api/v1/sessions`
pub(in crate::http) async fn list(context: Shared, head: RequestHead) -> Result<Response, Problem> {
    let organiser = auth::reader(&context, &head, Permission::Sessions.everywhere()).await?;
    let account = account(&organiser)?;
    let rows = context.store.sessions(account, context.clock.now()).await?;
    let own = organiser.session_id();
    let sessions = rows.into_iter().map(|row| View {
        current: own == Some(row.id.as_str()),
        id: row.id,
        created_at: row.created_at,
        last_used_at: row.seen_at,
        expires_at: row.expires_at,
        agent: row.agent,
    });
    Ok(reply::json(&List {
        sessions: sessions.collect(),
    }))
}

/// `DELETE /api/v1/sessions`: all of one's own.
pub(in crate::http) async fn delete_all(
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Sessions.everywhere()).await?;
    preconditions::require_tag(&head.headers, None)?;
    let account = account(&organiser)?;
    let (by, now) = (organiser.actor(), context.clock.now());
    context.store.end_sessions(account, None, &by, now).await?;
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

/// `DELETE /api/v1/sessions/{id}`: one of one's own.
pub(in crate::http) async fn delete(
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let organiser = auth::writer(&context, &head, Permission::Sessions.everywhere()).await?;
    preconditions::require_tag(&head.headers, None)?;
    let account = account(&organiser)?;
    let (by, now) = (organiser.actor(), context.clock.now());
    if context.store.end_session(account, &id, &by, now).await? {
        Ok(reply::empty(StatusCode::NO_CONTENT))
    } else {
        Err(Problem::new(Code::NotFound, "there is no such session"))
    }
}

/// Whose sessions. Only accounts and the admin token, which is the owner's, have some.
fn account(organiser: &Organiser) -> Result<i64, Problem> {
    let account = organiser.account();
    account.ok_or_else(|| auth::missing(Permission::Sessions.everywhere()))
}
