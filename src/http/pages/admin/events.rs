//! Every event, and the form for a new one.

use warp::http::StatusCode;
use warp::reply::Response;

use super::once::{self, Submission};
use super::{flash, inputs, login, settings_view};
use crate::context::{Context, Shared};
use crate::domain::clock::Timestamp;
use crate::domain::event::{
    NewEvent, PartySize, Slug, check_schedule, parse_description, parse_title,
};
use crate::domain::local_time::Choice;
use crate::domain::occasion::{Occasion, OnlineUrl, parse_contact, parse_location};
use crate::domain::zone::Zone;
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
    once::submit(context, visit, body, created).await
}

async fn created(submission: Submission) -> Response {
    let Submission {
        context,
        visit,
        form,
        organiser,
    } = submission;
    let refused = match make(&context, &form, organiser).await {
        Ok((slug, choices)) => {
            let done = flash::with_choices("created", &choices);
            return see_other(&format!("/admin/events/{slug}?done={done}"));
        }
        Err(problem) => problem,
    };
    match session::session(&context, &visit.head.headers).await {
        Ok(Some(session)) => events_page(&context, &visit, &session, &form, Some(&refused)).await,
        Ok(None) | Err(_) => problem_page(&visit, &refused),
    }
}

/// Creates the event, and says how its local times became moments.
async fn make(
    context: &Context,
    form: &Form,
    organiser: Organiser,
) -> Result<(Slug, Vec<Choice>), Problem> {
    let time_zone = match form.get("time_zone").trim() {
        "" => context.settings.time_zone.clone(),
        name => Zone::parse(name)?,
    };
    let mut choices = Vec::new();
    let mut moment = |name: &'static str| -> Result<Option<Timestamp>, Problem> {
        let read = inputs::parse_moment(name, form.get(name), &time_zone)?;
        choices.extend(read.map(|(_, choice)| choice));
        Ok(read.map(|(at, _)| at))
    };
    let (opens_at, closes_at) = (moment("opens_at")?, moment("closes_at")?);
    let (starts_at, ends_at) = (moment("starts_at")?, moment("ends_at")?);
    check_schedule(opens_at, closes_at)?;
    let occasion = Occasion {
        starts_at,
        ends_at,
        time_zone: time_zone.clone(),
        location: parse_location(form.get("location"))?,
        online_url: OnlineUrl::parse(form.get("online_url"))?,
        contact: parse_contact(form.get("contact"))?,
    };
    occasion.check()?;
    let slug = Slug::parse(form.get("slug").trim())?;
    let title = parse_title(form.get("title"))?;
    let new = NewEvent {
        description: parse_description(form.get("description"))?,
        waitlist: form.is_ticked("waitlist"),
        max_party_size: match form.sent("max_party_size") {
            Some(most) => inputs::parse_max_party_size(most)?,
            None => PartySize::ONE,
        },
        opens_at,
        closes_at,
        occasion,
        ..NewEvent::new(slug, title, inputs::parse_capacity(form.get("capacity"))?)
    };
    let event = settings::create(context, new, organiser).await?;
    Ok((event.slug, choices))
}

async fn events_page(
    context: &Context,
    visit: &Visit,
    session: &Session,
    typed: &Form,
    refused: Option<&Problem>,
) -> Response {
    let wrong: Vec<_> = match refused {
        Some(problem) if problem.code() == Code::SlugTaken => vec!["slug".to_owned()],
        Some(problem) => problem
            .errors()
            .into_iter()
            .map(|(field, _)| field)
            .collect(),
        None => Vec::new(),
    };
    let template = AdminEventsPage {
        t: visit.texts,
        here: PATH.to_owned(),
        csrf: session.csrf.clone(),
        flash: flash::read(visit),
        events: states::all(context).await,
        slug: typed.get("slug").to_owned(),
        capacity_input: typed.get("capacity").to_owned(),
        details: settings_view::new_details(typed, &wrong, &context.settings.time_zone),
        once: once::draw(),
        wrong,
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
        Some("ends_at") => "flash-error-ends".to_owned(),
        Some("time_zone") => "flash-error-zone".to_owned(),
        _ if problem.code() == Code::ValidationFailed => {
            "problem-validation-failed-meaning".to_owned()
        }
        _ => format!("problem-{}-meaning", problem.code().as_str()),
    }
}
