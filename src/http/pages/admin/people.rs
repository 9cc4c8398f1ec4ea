//! The People tab of an event's console: the list of registrations.

use warp::http::StatusCode;
use warp::reply::Response;

use super::templates::AdminPeoplePage;
use super::{flash, list, once, reader};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::http::organiser::registrations;
use crate::http::pages::answer::{Keep, page, problem_page};
use crate::http::pages::states;
use crate::http::pages::visit::Visit;
use crate::http::session::Session;
use crate::problem::Problem;

/// The parameter with the registration that was just cancelled: its message offers to restore it.
pub(super) const UNDO: &str = "undo";

/// `GET /admin/events/{slug}/people`.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Read).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    match fill(&context, &visit, &session, &slug).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

async fn fill(
    context: &Context,
    visit: &Visit,
    session: &Session,
    slug: &str,
) -> Result<AdminPeoplePage, Problem> {
    let shown = states::by_slug(context, slug).await?;
    let store = context.store_for(visit.head.peer);
    let cancelled = flash::parameter(visit, UNDO);
    let manages = session.has(Permission::Manage);
    let undo = cancelled.filter(|id| manages && registrations::locator(&shown.event, id).is_ok());
    Ok(AdminPeoplePage {
        t: visit.texts,
        here: visit.path.clone(),
        csrf: session.csrf.clone(),
        flash: flash::read(visit),
        event: shown.view(context.clock.now()).read_by(session),
        once: once::draw(),
        undo,
        list: list::show(&store, visit, &shown.event, session).await?,
    })
}
