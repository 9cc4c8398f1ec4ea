//! A visitor's own registration, at its private link.

use warp::http::StatusCode;
use warp::reply::Response;

use super::answer::{Keep, page, problem_page, problem_page_with, see_other};
use super::states;
use super::templates::RegistrationPage;
use super::views::RegistrationView;
use super::visit::Visit;
use crate::context::{Context, Shared};
use crate::http::{auth, registration};
use crate::problem::{Code, Problem};

/// `GET /r/{token}`.
pub(super) async fn show(token: String, context: Shared, visit: Visit) -> Response {
    match fill(&context, &visit, &token).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => refused(&context, &visit, &token, &problem).await,
    }
}

/// An unknown link is not always the visitor's mistake: the event may have been deleted.
async fn refused(context: &Context, visit: &Visit, token: &str, problem: &Problem) -> Response {
    let deleted = problem.code() == Code::RegistrationNotFound
        && registration::is_of_deleted_event(context, token)
            .await
            .unwrap_or(false);
    if deleted {
        problem_page_with(visit, problem, "registration-gone")
    } else {
        problem_page(visit, problem)
    }
}

async fn fill(context: &Context, visit: &Visit, token: &str) -> Result<RegistrationPage, Problem> {
    let own = registration::find_own(context, token).await?;
    let shown = states::not_before(context, own.event.id, own.registration.revision).await?;
    let registration = RegistrationView::new(&own.registration, own.waiting_position, &shown.event);
    let page_url = visit.absolute(&context.settings, &format!("/r/{}", registration.token));
    Ok(RegistrationPage {
        t: visit.texts,
        here: visit.path.clone(),
        event: shown.view(context.clock.now()),
        registration,
        page_url,
    })
}

/// `POST /r/{token}/cancel`.
pub(super) async fn cancel(token: String, context: Shared, visit: Visit) -> Response {
    let cancelled = async {
        auth::refuse_cross_site(&context.settings, &visit.head)?;
        registration::cancel(&context, &visit.head.headers, &token).await
    };
    match cancelled.await {
        Ok(own) => see_other(&format!("/r/{}", own.registration.token())),
        Err(problem) => refused(&context, &visit, &token, &problem).await,
    }
}
