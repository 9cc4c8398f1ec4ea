//! Pages for people who lost their link, and for those who want no more mails to everybody.

use askama::Template;
use warp::http::StatusCode;
use warp::reply::Response;

use super::answer::{Keep, page, problem_page, see_other};
use super::form::Form;
use super::register::message;
use super::states;
use super::views::EventView;
use super::visit::Visit;
use crate::context::{Context, Shared};
use crate::domain::person::Email;
use crate::http::body::{self, Unread};
use crate::http::registration;
use crate::problem::Problem;
use crate::text::Texts;

#[derive(Debug, Template)]
#[template(path = "lost_link.html")]
struct LostLinkPage {
    t: Texts,
    here: String,
    event: EventView,
    email: String,
    email_error: Option<String>,
    /// Whether the form was sent.
    done: bool,
}

#[derive(Debug, Template)]
#[template(path = "unsubscribe.html")]
struct UnsubscribePage {
    t: Texts,
    here: String,
    event: EventView,
    token: String,
    /// Whether it is done.
    done: bool,
}

/// The parameter of the page after its form was sent.
const DONE: &str = "done";

/// `GET /e/{slug}/link`.
pub(super) async fn lost(slug: String, context: Shared, visit: Visit) -> Response {
    match lost_page(&context, &visit, &slug).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

async fn lost_page(context: &Context, visit: &Visit, slug: &str) -> Result<LostLinkPage, Problem> {
    registration::require_mail(context, &visit.path)?;
    let shown = states::for_all(context, slug).await?;
    Ok(LostLinkPage {
        t: visit.texts,
        here: visit.path.clone(),
        event: shown.view(context.clock.now()),
        email: String::new(),
        email_error: None,
        done: visit.parameter(DONE).is_some(),
    })
}

/// `POST /e/{slug}/link`. The answer is the same for every address.
pub(super) async fn ask(slug: String, context: Shared, visit: Visit, body: Unread) -> Response {
    let form = match Form::read(body, &visit.head, body::MAX).await {
        Ok(form) => form,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let typed = form.get("email");
    let asked = async {
        registration::require_mail(&context, &visit.path)?;
        let event = registration::admit(&context, &visit.head, &slug).await?;
        match Email::parse(typed) {
            Ok(email) => registration::request_link(&context, &event, email).map(|()| None),
            Err(invalid) => Ok(Some(message(visit.texts, &invalid))),
        }
    };
    match asked.await {
        Ok(None) => see_other(&format!("/e/{slug}/link?{DONE}=1")),
        Ok(error) => match lost_page(&context, &visit, &slug).await {
            Ok(template) => {
                let template = LostLinkPage {
                    email: typed.to_owned(),
                    email_error: error,
                    ..template
                };
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                page(&visit, status, Keep::Never, &template)
            }
            Err(problem) => problem_page(&visit, &problem),
        },
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// `GET /r/{token}/unsubscribe`: asks, because mail scanners follow links.
pub(super) async fn unsubscribe_page(token: String, context: Shared, visit: Visit) -> Response {
    let shown = async {
        let own = registration::find_own(&context, &token).await?;
        let shown = states::not_before(&context, own.event.id, own.registration.revision).await?;
        Ok::<_, Problem>(UnsubscribePage {
            t: visit.texts,
            here: visit.path.clone(),
            event: shown.view(context.clock.now()),
            token: token.clone(),
            done: own.registration.unsubscribed_at.is_some(),
        })
    };
    match shown.await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// `POST /r/{token}/unsubscribe`: from the page, or from a mail program (RFC 8058). Such a program is
/// no page of this site, and the link itself is the proof. The body does not matter.
pub(super) async fn unsubscribe(token: String, context: Shared, visit: Visit) -> Response {
    let done = async {
        let own = registration::find_own(&context, &token).await?;
        registration::unsubscribe(&context, &own).await
    };
    match done.await {
        Ok(()) => see_other(&format!("/r/{token}/unsubscribe")),
        Err(problem) => problem_page(&visit, &problem),
    }
}
