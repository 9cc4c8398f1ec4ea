//! Pages that change nothing: the events, one event, the big screen, the meaning of problems.

use warp::http::StatusCode;
use warp::http::header::{self, HeaderName};
use warp::http::{HeaderMap, HeaderValue};
use warp::reply::Response;

use super::answer::{Keep, page, problem_page};
use super::dashboard::{self, Audience};
use super::templates::{ChartPage, EventsPage, ProblemsPage, WallPage};
use super::views::ProblemRow;
use super::visit::Visit;
use super::{qr, states};
use crate::context::Shared;
use crate::domain::lab;
use crate::http::{assets, rate};
use crate::problem::{Code, Problem};

/// `GET /`.
pub(super) async fn events(context: Shared, visit: Visit) -> Response {
    let permit = match rate::list(&context, visit.head.peer.ip).await {
        Ok(permit) => permit,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let events = states::those(&context, |event| {
        event.is_listed() && event.slug.as_str() != lab::SLUG
    })
    .await;
    let template = EventsPage {
        t: visit.texts,
        here: visit.path.clone(),
        events,
    };
    let answer = page(&visit, StatusCode::OK, Keep::Revalidated, &template);
    drop(permit);
    answer
}

/// `GET /e/{slug}/wall`.
pub(super) async fn wall(slug: String, context: Shared, visit: Visit) -> Response {
    let shown = match states::previewed(&context, &visit, &slug).await {
        Ok(shown) => shown,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let page_url = visit.absolute(&context.settings, &format!("/e/{slug}"));
    let template = WallPage {
        t: visit.texts,
        here: visit.path.clone(),
        event: shown.view(context.clock.now()),
        qr_svg: qr::svg(&page_url).await,
        page_url,
    };
    page(&visit, StatusCode::OK, shown.keep(), &template)
}

/// `GET /e/{slug}/chart`: if the event allows it.
pub(super) async fn chart(slug: String, context: Shared, visit: Visit) -> Response {
    let here = format!("/e/{slug}/chart");
    let template = async {
        let shown = states::for_all(&context, &slug).await?;
        if !shown.event.public_chart {
            let detail = "this event does not show its chart to everybody";
            return Err(Problem::new(Code::NotFound, detail));
        }
        // As expensive as a list.
        let _permit = rate::series(&context, visit.head.peer.ip).await?;
        let (event, audience) = (&shown.event, Audience::Public);
        let dashboard = dashboard::read(&context, &visit, event, audience, (&here, &here)).await?;
        Ok(ChartPage {
            t: visit.texts,
            here: visit.path.clone(),
            event: shown.view(context.clock.now()),
            dashboard,
        })
    };
    match template.await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Revalidated, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// `GET /problems`: an anchor for each code.
pub(super) async fn problems(visit: Visit) -> Response {
    let rows = Code::ALL.into_iter().map(|code| {
        let text = |part: &str| visit.texts.get(format!("problem-{}-{part}", code.as_str()));
        ProblemRow {
            code: code.as_str(),
            status: code.status().as_u16(),
            title: text("title"),
            meaning: text("meaning"),
            retry: is_passing(code),
        }
    });
    let template = ProblemsPage {
        t: visit.texts,
        here: visit.path.clone(),
        problems: rows.collect(),
    };
    page(&visit, StatusCode::OK, Keep::Revalidated, &template)
}

/// Whether the same request may succeed later.
fn is_passing(code: Code) -> bool {
    match code {
        Code::EventFull
        | Code::EventNotOpen
        | Code::TooManyRequests
        | Code::Busy
        | Code::DatabaseUnreachable
        | Code::Draining
        | Code::Internal => true,
        Code::MalformedBody
        | Code::BadRequest
        | Code::Unauthorized
        | Code::Forbidden
        | Code::NotFound
        | Code::EventNotFound
        | Code::RegistrationNotFound
        | Code::MethodNotAllowed
        | Code::NotAcceptable
        | Code::BodyTooLarge
        | Code::UnsupportedMediaType
        | Code::EventClosed
        | Code::AlreadyRegistered
        | Code::RegistrationCancelled
        | Code::RegistrationErased
        | Code::SlugTaken
        | Code::NameTaken
        | Code::NotEmpty
        | Code::ChangedMeanwhile
        | Code::ValidationFailed
        | Code::IdempotencyMismatch => false,
    }
}

/// `GET /embed.js`: for any site's pages, unlike the other scripts.
pub(super) fn embed(headers: &HeaderMap) -> Response {
    let Some(mut response) = assets::file("js/embed.js", headers) else {
        return Problem::new(Code::NotFound, "this build has no script to embed").into_response();
    };
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    // Without `frame-ancestors`, because other sites load it.
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}
