//! How an event is going, for a spare monitor: no controls.

use warp::http::StatusCode;
use warp::reply::Response;

use super::reader;
use super::templates::AdminLivePage;
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::event::Event;
use crate::http::pages::answer::{Keep, page, problem_page};
use crate::http::pages::dashboard::{self, Audience, DashboardView};
use crate::http::pages::states;
use crate::http::pages::visit::Visit;
use crate::problem::Problem;

/// `GET /admin/events/{slug}/live`. The dashboard of the event's page reads itself again here.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    if let Err(answer) = reader(&context, &visit, Permission::Read).await {
        return answer;
    }
    let template = async {
        let shown = states::by_slug(&context, &slug).await?;
        Ok::<_, Problem>(AdminLivePage {
            t: visit.texts,
            here: visit.path.clone(),
            event: shown.view(context.clock.now()),
            dashboard: DashboardView {
                has_controls: false,
                ..dashboard(&context, &visit, &shown.event).await?
            },
        })
    };
    match template.await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// The dashboard of the event's page.
pub(super) async fn dashboard(
    context: &Context,
    visit: &Visit,
    event: &Event,
) -> Result<DashboardView, Problem> {
    let here = format!("/admin/events/{}", event.slug);
    let source = format!("{here}/live");
    dashboard::read(
        context,
        visit,
        event,
        Audience::Organisers,
        (&here, &source),
    )
    .await
}
