//! Who changed accounts, tokens, sessions and webhooks.

use warp::http::StatusCode;
use warp::reply::Response;

use super::owns;
use super::templates::ServerAuditPage;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::http::organiser::audit;
use crate::http::pages::admin::audit::{PAGE, row};
use crate::http::pages::admin::reader;
use crate::http::pages::answer::{Keep, page, problem_page};
use crate::http::pages::visit::Visit;
use crate::http::session::Session;
use crate::problem::Problem;

/// The page's address.
pub(super) const PATH: &str = "/admin/audit";

/// `GET /admin/audit`.
pub(in crate::http::pages) async fn show(context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Administer).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    match fill(&context, &visit, &session).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

async fn fill(
    context: &Context,
    visit: &Visit,
    session: &Session,
) -> Result<ServerAuditPage, Problem> {
    let before = visit.parameter("after").and_then(|key| key.parse().ok());
    let store = context.store_for(visit.head.peer);
    let (entries, next) = audit::page(&store, None, before, PAGE).await?;
    let rows = entries.into_iter().map(|entry| row(visit.texts, entry));
    Ok(ServerAuditPage {
        t: visit.texts,
        here: PATH.to_owned(),
        csrf: session.csrf.clone(),
        owns: owns(session),
        zone: context.settings.time_zone.clone(),
        entries: rows.collect(),
        next: next.map(|key| key.to_string()),
    })
}
