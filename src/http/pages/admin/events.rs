//! Every event, and the form for a new one.

use warp::http::StatusCode;
use warp::reply::Response;

use super::login::{self, Attempted};
use super::once::{self, Submission};
use super::templates::AdminEventsPage;
use super::{flash, groups, inputs, mistakes, retention, settings_view};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::clock::Timestamp;
use crate::domain::event::{
    NewEvent, PartySize, Slug, check_schedule, parse_description, parse_title,
};
use crate::domain::local_time::Choice;
use crate::domain::mail::MailSettings;
use crate::domain::occasion::{Occasion, OnlineUrl, parse_contact, parse_location};
use crate::domain::proof_of_work::ProofOfWork;
use crate::domain::retention::EraseAfter;
use crate::domain::visibility::Visibility;
use crate::domain::zone::Zone;
use crate::http::auth::Organiser;
use crate::http::body::Unread;
use crate::http::field_value::Check;
use crate::http::find;
use crate::http::organiser::settings;
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::visit::Visit;
use crate::http::session::{self, Session};
use crate::problem::{Code, Problem};

/// The page's path, also after its form was refused.
const PATH: &str = "/admin";

/// `GET /admin`.
pub(in crate::http::pages) async fn show(context: Shared, visit: Visit) -> Response {
    match session::session(&context, &visit.head.headers).await {
        Ok(Some(session)) => events_page(&context, &visit, &session, &Form::default(), None).await,
        Ok(None) => login::sign_in_page(&visit, StatusCode::OK, Attempted::default(), None),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// `POST /admin/events`.
pub(in crate::http::pages) async fn create(
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    once::submit(context, visit, body, Permission::Manage, created).await
}

async fn created(submission: Submission) -> Response {
    let Submission {
        context,
        visit,
        form,
        organiser,
    } = submission;
    let refused = match make(&context, &form, &organiser).await {
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
    organiser: &Organiser,
) -> Result<(Slug, Vec<Choice>), Problem> {
    let (new, choices) = parse(context, form)?;
    let event = settings::create(context, new, organiser).await?;
    Ok((event.slug, choices))
}

/// Reports all mistakes at once.
fn parse(context: &Context, form: &Form) -> Result<(NewEvent, Vec<Choice>), Problem> {
    let mut check = Check::default();
    let typed = match form.get("time_zone").trim() {
        "" => None,
        name => check.take(Zone::parse(name)),
    };
    let time_zone = typed.unwrap_or_else(|| context.settings.time_zone.clone());
    let mut choices = Vec::new();
    let mut moment = |name: &'static str| -> Option<Timestamp> {
        let read = check.take(inputs::parse_moment(name, form.get(name), &time_zone))?;
        choices.extend(read.map(|(_, choice)| choice));
        read.map(|(at, _)| at)
    };
    let (opens_at, closes_at) = (moment("opens_at"), moment("closes_at"));
    let (starts_at, ends_at) = (moment("starts_at"), moment("ends_at"));
    let max_party_size = match form.sent("max_party_size") {
        Some(most) => check.take(inputs::parse_max_party_size(most)),
        None => Some(PartySize::ONE),
    };
    let location = check.take(parse_location(form.get("location")));
    let online_url = check.take(OnlineUrl::parse(form.get("online_url")));
    let contact = check.take(parse_contact(form.get("contact")));
    let description = check.take(parse_description(form.get("description")));
    let occasion = Occasion {
        starts_at,
        ends_at,
        time_zone,
        location: location.unwrap_or_default(),
        online_url: online_url.flatten(),
        contact: contact.unwrap_or_default(),
    };
    check.take(check_schedule(opens_at, closes_at));
    check.take(occasion.check());
    let slug = check.take(Slug::parse(form.get("slug").trim()));
    let title = check.take(parse_title(form.get("title")));
    let capacity = check.take(inputs::parse_capacity(form.get("capacity")));
    let erase_after = check.take(inputs::parse_erase_after(form.get(EraseAfter::FIELD)));
    let proof_of_work = match form.sent(ProofOfWork::FIELD) {
        Some(word) => check.take(ProofOfWork::read(word)),
        None => None,
    };
    let visibility = match form.sent(Visibility::FIELD) {
        Some(word) => check.take(Visibility::read(word)),
        None => None,
    };
    check.take(retention::check(occasion.ends_at, erase_after.flatten()));
    let (Some(slug), Some(title), Some(capacity)) = (slug, title, capacity) else {
        return Err(check.problem());
    };
    check.done()?;
    let new = NewEvent {
        description: description.unwrap_or_default(),
        waitlist: form.is_ticked("waitlist"),
        max_party_size: max_party_size.unwrap_or(PartySize::ONE),
        opens_at,
        closes_at,
        erase_after: erase_after.flatten(),
        proof_of_work: proof_of_work.unwrap_or_default(),
        public_chart: form.is_ticked("public_chart"),
        visibility: visibility.unwrap_or_default(),
        mail: MailSettings::default(),
        occasion,
        ..NewEvent::new(slug, title, capacity)
    };
    Ok((new, choices))
}

async fn events_page(
    context: &Context,
    visit: &Visit,
    session: &Session,
    typed: &Form,
    refused: Option<&Problem>,
) -> Response {
    let error = |name| mistakes::at(visit.texts, refused?, name);
    // A short name that is taken is said together with other mistakes.
    let taken = match refused {
        Some(_) => find::event(context, typed.get("slug").trim()).await.is_ok(),
        None => false,
    };
    let taken = taken.then(|| visit.texts.get("problem-slug-taken-meaning"));
    let template = AdminEventsPage {
        manages: session.has(Permission::Manage),
        t: visit.texts,
        here: PATH.to_owned(),
        csrf: session.csrf.clone(),
        flash: flash::read(visit),
        groups: groups::all(context, visit.texts).await,
        slug: typed.get("slug").to_owned(),
        capacity_input: typed.get("capacity").to_owned(),
        slug_error: error("slug").or(taken),
        capacity_error: error("capacity"),
        details: settings_view::new_details(
            visit.texts,
            typed,
            refused,
            &context.settings.time_zone,
        ),
        once: once::draw(),
        create_error: refused.map(|problem| visit.texts.get(explanation(problem))),
    };
    page(
        visit,
        refused.map_or(StatusCode::OK, |problem| problem.code().status()),
        Keep::Never,
        &template,
    )
}

/// What stands above the form; each field says what is wrong with it.
fn explanation(problem: &Problem) -> String {
    match problem.code() {
        Code::ValidationFailed | Code::SlugTaken => "error-heading".to_owned(),
        code => format!("problem-{}-meaning", code.as_str()),
    }
}
