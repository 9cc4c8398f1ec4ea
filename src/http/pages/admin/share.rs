//! The Share tab of an event's console: the address, its QR code, a poster, snippets.

use warp::http::StatusCode;
use warp::reply::Response;

use super::reader;
use super::templates::AdminSharePage;
use crate::context::Shared;
use crate::domain::access::Permission;
use crate::http::pages::answer::{Keep, page, problem_page};
use crate::http::pages::share::ShareView;
use crate::http::pages::states;
use crate::http::pages::visit::Visit;

/// `GET /admin/events/{slug}/share`.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Read).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    let shown = match states::by_slug(&context, &slug).await {
        Ok(shown) => shown,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let template = AdminSharePage {
        t: visit.texts,
        here: visit.path.clone(),
        event: shown.view(context.clock.now()).read_by(&session),
        csrf: session.csrf,
        share: ShareView::new(&context, &visit, shown.event.slug.as_str()),
    };
    page(&visit, StatusCode::OK, Keep::Never, &template)
}
