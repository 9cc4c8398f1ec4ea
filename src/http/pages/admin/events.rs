//! Every event, and the form for a new one.

use std::sync::Arc;

use warp::http::StatusCode;
use warp::reply::Response;

use super::{flash, inputs, login, once, writer};
use crate::context::{Context, Shared};
use crate::domain::event::{
    NewEvent, PartySize, Slug, check_schedule, parse_description, parse_title,
};
use crate::domain::occasion::Occasion;
use crate::http::auth::Organiser;
use crate::http::body::Unread;
use crate::http::organiser::settings;
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::states;
use crate::http::pages::templates::AdminEventsPage;
use crate::http::pages::visit::Visit;
use crate::http::session::{self, Session};
use crate::problem::{Code, Problem};

/// The page's path, also after its form was refused.
const PATH: &str = "/admin";

/// `GET /admin`.
pub(in crate::http::pages) async fn show(context: Shared, visit: Visit) -> Response {
    match session::session(&context, &visit.head.headers).await {
        Ok(Some(session)) => events_page(&context, &visit, &session, &Form::default(), None).await,
        Ok(None) => login::sign_in_page(&visit, StatusCode::OK, None),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// `POST /admin/events`.
pub(in crate::http::pages) async fn create(
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    let (organiser, form) = match writer(&context, &visit, body).await {
        Ok(submitted) => submitted,
        Err(answer) => return answer,
    };
    let (visit, form) = (Arc::new(visit), Arc::new(form));
    let (shared, its, sent) = (
        Shared::clone(&context),
        Arc::clone(&visit),
        Arc::clone(&form),
    );
    let act = Box::pin(async move { created(&shared, &its, &sent, organiser).await });
    once::once(context, &visit, &form, act).await
}

async fn created(context: &Context, visit: &Visit, form: &Form, organiser: Organiser) -> Response {
    let refused = match make(context, form, organiser).await {
        Ok(slug) => return see_other(&format!("/admin/events/{slug}?done=created")),
        Err(problem) => problem,
    };
    match session::session(context, &visit.head.headers).await {
        Ok(Some(session)) => events_page(context, visit, &session, form, Some(&refused)).await,
        Ok(None) | Err(_) => problem_page(visit, &refused),
    }
}

async fn make(context: &Context, form: &Form, organiser: Organiser) -> Result<Slug, Problem> {
    let (opens_at, closes_at) = (
        inputs::parse_moment("opens_at", form.get("opens_at"))?,
        inputs::parse_moment("closes_at", form.get("closes_at"))?,
    );
    check_schedule(opens_at, closes_at)?;
    let new = NewEvent {
        slug: Slug::parse(form.get("slug").trim())?,
        title: parse_title(form.get("title"))?,
        description: parse_description(form.get("description"))?,
        capacity: inputs::parse_capacity(form.get("capacity"))?,
        waitlist: form.is_ticked("waitlist"),
        max_party_size: match form.sent("max_party_size") {
            Some(most) => inputs::parse_max_party_size(most)?,
            None => PartySize::ONE,
        },
        opens_at,
        closes_at,
        occasion: Occasion {
            time_zone: context.settings.time_zone.clone(),
            ..Occasion::default()
        },
    };
    Ok(settings::create(context, new, organiser).await?.slug)
}

async fn events_page(
    context: &Context,
    visit: &Visit,
    session: &Session,
    typed: &Form,
    refused: Option<&Problem>,
) -> Response {
    let text = |name: &str| typed.get(name).to_owned();
    let template = AdminEventsPage {
        t: visit.texts,
        here: PATH.to_owned(),
        csrf: session.csrf.clone(),
        flash: flash::read(visit),
        events: states::all(context).await,
        slug: text("slug"),
        title: text("title"),
        description: text("description"),
        capacity_input: text("capacity"),
        opens_at_input: text("opens_at"),
        closes_at_input: text("closes_at"),
        waitlist: typed.is_ticked("waitlist"),
        max_party_size: typed.sent("max_party_size").unwrap_or("1").to_owned(),
        once: once::draw(),
        wrong: refused.map_or_else(Vec::new, |problem| {
            if problem.code() == Code::SlugTaken {
                return vec!["slug".to_owned()];
            }
            let fields = problem.errors().into_iter().map(|(field, _)| field);
            fields.collect()
        }),
        create_error: refused.map(|problem| visit.texts.get(explanation(problem))),
    };
    page(
        visit,
        refused.map_or(StatusCode::OK, |problem| problem.code().status()),
        Keep::Never,
        &template,
    )
}

/// The message that says what to change.
fn explanation(problem: &Problem) -> String {
    let field = problem.errors().into_iter().next().map(|(field, _)| field);
    match field.as_deref() {
        Some("slug") => "create-slug-hint".to_owned(),
        Some("capacity") => "flash-error-capacity".to_owned(),
        Some("closes_at") => "flash-error-schedule".to_owned(),
        _ if problem.code() == Code::ValidationFailed => {
            "problem-validation-failed-meaning".to_owned()
        }
        _ => format!("problem-{}-meaning", problem.code().as_str()),
    }
}
