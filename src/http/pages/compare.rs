//! Every transport side by side, and the event that its buttons fill.
//!
//! The page measures in the browser (`web/js/compare/`). This module gives it its texts, its number
//! and permission to embed one frame.

use warp::http::StatusCode;
use warp::reply::Response;

use super::answer::{Keep, embedding, page, problem_page, see_other};
use super::states;
use super::templates::ComparePage;
use super::views::TransportView;
use super::visit::Visit;
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::audit::Actor;
use crate::domain::lab;
use crate::http::{auth, find, preconditions, rate};
use crate::problem::{Code, Problem};
use crate::store::CreateError;
use crate::text::Texts;

/// In the order in which the page explains them. The page ranks them by its measurements.
const TRANSPORTS: [&str; 8] = [
    "sse",
    "ndjson",
    "websocket",
    "webtransport",
    "socketio",
    "long-poll",
    "frame",
    "poll",
];

/// `GET /e/{slug}/compare`.
pub(super) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let shown = match states::for_all(&context, &slug).await {
        Ok(shown) => shown,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let transports = TRANSPORTS
        .into_iter()
        .map(|key| transport(visit.texts, key))
        .collect();
    let template = ComparePage {
        t: visit.texts,
        here: visit.path.clone(),
        event: shown.view(context.clock.now()),
        is_lab: context.settings.lab && slug == lab::SLUG,
        has_lab: context.settings.lab,
        has_webtransport: context.settings.webtransport.is_some(),
        transports,
    };
    embedding(page(&visit, StatusCode::OK, Keep::Revalidated, &template))
}

fn transport(texts: Texts, key: &'static str) -> TransportView {
    let text = |part: &str| texts.get(format!("transport-{key}-{part}"));
    TransportView {
        key,
        name: text("name"),
        how: text("how"),
        pick: text("pick"),
        mind: text("mind"),
        panel: text("panel"),
    }
}

/// `POST /compare/lab`: creates the event if there is none, and redirects to it.
pub(super) async fn open_lab(context: Shared, visit: Visit) -> Response {
    match ensure(&context, &visit.head).await {
        Ok(()) => see_other(&format!("/e/{}/compare", lab::SLUG)),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// Anybody may open the lab, so the call is rate-limited like a registration. The lab stays small
/// and empties itself (`domain::lab`). If an organiser deletes it, it stays away until an organiser
/// creates it again.
async fn ensure(context: &Context, head: &RequestHead) -> Result<(), Problem> {
    if !context.settings.lab {
        return Err(Problem::event_not_found(lab::SLUG));
    }
    auth::refuse_cross_site(&context.settings, head)?;
    preconditions::require_tag(&head.headers, None)?;
    rate::registration(context, head.peer.ip)?;
    match find::event(context, lab::SLUG).await {
        Ok(_) => return Ok(()),
        Err(problem) if problem.code() == Code::EventNotFound => {}
        Err(problem) => return Err(problem),
    }
    let new = lab::new();
    // The audit log outlives the event, and all nodes share it.
    let store = context.store_for(head.peer);
    let last = store.audit(&new.slug, None, 1).await?;
    let unwanted = last
        .first()
        .is_some_and(|(_, entry)| entry.action == "delete" && entry.who != Actor::SCHEDULE);
    if unwanted {
        return Err(Problem::event_not_found(lab::SLUG));
    }
    rate::lab(context)?;
    match context.registrar.create(new, &Actor::Visitor).await {
        Ok(_) => Ok(()),
        // Another visitor opened it first, maybe on another node.
        Err(CreateError::SlugTaken) => find::event(context, lab::SLUG).await.map(drop),
        Err(error) => Err(error.into()),
    }
}
