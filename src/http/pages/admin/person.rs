//! The console's form for one person: adds somebody, or corrects a registration.

use std::sync::Arc;

use warp::http::StatusCode;
use warp::reply::Response;

use super::person_templates::AdminPersonPage;
use super::{LOGIN, flash, once, reader};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::command::Refusal;
use crate::domain::event::Event;
use crate::domain::person::{Email, Name};
use crate::domain::position::Position;
use crate::domain::questions::Unanswered;
use crate::domain::registration::Registration;
use crate::http::auth::{self, Organiser};
use crate::http::body::{self, Content, Unread};
use crate::http::organiser::registrations;
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::states::{self, Shown};
use crate::http::pages::visit::Visit;
use crate::http::pages::{questions, register};
use crate::http::registration::{ByHand, add, revised};
use crate::http::session::{self, Csrf};
use crate::problem::{Code, Problem};
use crate::text::Texts;

/// The field with the revision that a correction began with.
const SEEN: &str = "seen";

/// `GET /admin/events/{slug}/add`.
pub(in crate::http::pages) async fn show_new(
    slug: String,
    context: Shared,
    visit: Visit,
) -> Response {
    show(&context, &visit, &slug, None).await
}

/// `GET /admin/events/{slug}/registrations/{id}`.
pub(in crate::http::pages) async fn show_stored(
    slug: String,
    id: String,
    context: Shared,
    visit: Visit,
) -> Response {
    show(&context, &visit, &slug, Some(&id)).await
}

/// Adding somebody needs less than correcting a registration.
fn permission(id: Option<&str>) -> Permission {
    match id {
        None => Permission::Add,
        Some(_) => Permission::Manage,
    }
}

/// The parameter with the registration that was just added.
const ADDED: &str = "added";

/// Who was just added, as the form for the next one says it.
#[derive(Debug)]
pub(in crate::http::pages) struct AddedView {
    pub(in crate::http::pages) number: String,
    /// Who it is, with the position of somebody who waits.
    pub(in crate::http::pages) text: String,
}

async fn added(context: &Context, visit: &Visit, event: &Event) -> Option<AddedView> {
    let locator = registrations::locator(event, &flash::parameter(visit, ADDED)?).ok()?;
    let found = context.store.registration(locator).await.ok()??;
    let (number, name) = (locator.number.to_string(), found.registration.name.as_str());
    let text = match found.waiting_position {
        Some(position) => visit.texts.get3(
            "added-waiting",
            [
                ("name", &name.to_owned()),
                ("number", &number),
                ("position", &position),
            ],
        ),
        None => visit.texts.get2(
            "added-as",
            "name",
            name.to_owned(),
            "number",
            number.clone(),
        ),
    };
    Some(AddedView { number, text })
}

async fn show(context: &Context, visit: &Visit, slug: &str, id: Option<&str>) -> Response {
    let session = match reader(context, visit, permission(id)).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    let template = async {
        let shown = states::by_slug(context, slug).await?;
        let stored = match id {
            Some(id) => Some(stored(context, &shown.event, id).await?),
            None => None,
        };
        let form = stored
            .as_ref()
            .map_or_else(Form::default, |row| typed(&shown.event, row));
        let mut template = fill(
            context,
            visit,
            session.csrf,
            &shown,
            stored.as_ref(),
            &form,
            None,
        );
        template.added = added(context, visit, &shown.event).await;
        Ok::<_, Problem>(template)
    };
    match template.await {
        Ok(template) => page(visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(visit, &problem),
    }
}

async fn stored(context: &Context, event: &Event, id: &str) -> Result<Registration, Problem> {
    let locator = registrations::locator(event, id)?;
    let row = context.store.registration(locator).await?;
    Ok(row.ok_or(Refusal::RegistrationNotFound)?.registration)
}

/// A registration as its form would send it.
fn typed(event: &Event, row: &Registration) -> Form {
    let answers = questions::as_form(&event.questions, &row.answers);
    let own = [
        ("name", row.name.as_str()),
        ("party_size", &row.party_size.get().to_string()),
        (SEEN, &row.revision.to_string()),
    ];
    let fields = own.into_iter().chain(answers.fields());
    fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// `POST /admin/events/{slug}/add`.
pub(in crate::http::pages) async fn act_new(
    slug: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    act(slug, None, context, visit, body).await
}

/// `POST /admin/events/{slug}/registrations/{id}`.
pub(in crate::http::pages) async fn act_stored(
    slug: String,
    id: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    act(slug, Some(id), context, visit, body).await
}

async fn act(
    slug: String,
    id: Option<String>,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    let sent = async {
        let content = Form::content(body, &visit.head, body::QUESTIONS_MAX).await?;
        let form: Form = content.decode()?;
        let organiser = auth::form(
            &context,
            &visit.head,
            form.get("csrf"),
            permission(id.as_deref()),
        )
        .await?;
        Ok::<_, Problem>((content, form, organiser))
    };
    let (content, form, organiser) = match sent.await {
        Ok(sent) => sent,
        Err(problem) if problem.code() == Code::Unauthorized => return see_other(LOGIN),
        Err(problem) => return problem_page(&visit, &problem),
    };
    let (visit, form) = (Arc::new(visit), Arc::new(form));
    let (shared, its, typed) = (
        Shared::clone(&context),
        Arc::clone(&visit),
        Arc::clone(&form),
    );
    let act = Box::pin(async move {
        let (context, visit) = (&*shared, &*its);
        let done = match &id {
            None => add_person(context, visit, &slug, &content, &organiser).await,
            Some(id) => correct(context, &slug, id, &content, &typed, &organiser).await,
        };
        match done {
            Ok(page) => see_other(&page),
            Err(problem) => again(context, visit, &slug, id.as_deref(), &typed, &problem).await,
        }
    });
    once::once(context, &visit, &form, act).await
}

/// Adds the person, and leads to an empty form for the next one.
async fn add_person(
    context: &Context,
    visit: &Visit,
    slug: &str,
    content: &Content,
    organiser: &Organiser,
) -> Result<String, Problem> {
    let event = states::by_slug(context, slug).await?.event;
    let person = ByHand::parse(content, &visit.head, &event)?;
    let added = add(context, event, person, organiser).await?;
    let done = match added.registration.accepted_waiting {
        Some(_) => "added-waiting",
        None => "added",
    };
    let id = added.registration.locator;
    Ok(format!("/admin/events/{slug}/add?done={done}&{ADDED}={id}"))
}

async fn correct(
    context: &Context,
    slug: &str,
    id: &str,
    content: &Content,
    form: &Form,
    organiser: &Organiser,
) -> Result<String, Problem> {
    let event = states::by_slug(context, slug).await?.event;
    let locator = registrations::locator(&event, id)?;
    let seen = form.get(SEEN).parse().ok();
    let expected = seen.map(|revision| {
        let epoch = event.epoch.clone();
        vec![Position { epoch, revision }]
    });
    let revised = revised(content, &event, Unanswered::Allowed)?;
    registrations::change(context, locator, revised, expected, organiser).await?;
    Ok(format!("/admin/events/{slug}/people?done=corrected"))
}

/// The form after it was refused, with what was typed.
async fn again(
    context: &Context,
    visit: &Visit,
    slug: &str,
    id: Option<&str>,
    form: &Form,
    refused: &Problem,
) -> Response {
    let template = async {
        let session = session::session(context, &visit.head.headers).await?;
        let Some(session) = session else {
            return Ok(None);
        };
        let shown = states::by_slug(context, slug).await?;
        let stored = match id {
            Some(id) => Some(stored(context, &shown.event, id).await?),
            None => None,
        };
        let refused = Some(refused);
        let template = fill(
            context,
            visit,
            session.csrf,
            &shown,
            stored.as_ref(),
            form,
            refused,
        );
        Ok::<_, Problem>(Some(template))
    };
    match template.await {
        Ok(Some(template)) => page(visit, refused.code().status(), Keep::Never, &template),
        Ok(None) | Err(_) => problem_page(visit, refused),
    }
}

fn fill(
    context: &Context,
    visit: &Visit,
    csrf: Csrf,
    shown: &Shown,
    stored: Option<&Registration>,
    form: &Form,
    refused: Option<&Problem>,
) -> AdminPersonPage {
    let (texts, event) = (visit.texts, &shown.event);
    let is_invalid = refused.is_some_and(|problem| problem.code() == Code::ValidationFailed);
    let mistakes = if is_invalid {
        questions::mistakes(event, form, Unanswered::Allowed)
    } else {
        Vec::new()
    };
    let mut questions = questions::fields(texts, event, form, &mistakes);
    for question in &mut questions {
        question.required = false;
    }
    let errors = refused.map_or_else(Errors::default, |problem| Errors::new(texts, form, problem));
    let stored_size = stored.map_or(0, |row| row.party_size.get());
    AdminPersonPage {
        t: texts,
        here: visit.path.clone(),
        csrf,
        flash: flash::read(visit),
        added: None,
        once: once::draw(),
        event: shown.view(context.clock.now()),
        number: stored.map(|row| row.locator.number),
        stored_email: stored
            .and_then(|row| row.email.as_ref())
            .map_or_else(String::new, |email| email.as_str().to_owned()),
        seen: form.get(SEEN).to_owned(),
        name: form.get("name").to_owned(),
        email: form.get("email").to_owned(),
        party_size: form.sent("party_size").unwrap_or("1").to_owned(),
        most: event.max_party_size.get().max(stored_size),
        over_capacity: form.is_ticked("over_capacity"),
        questions_json: questions::as_json(event),
        questions,
        name_error: errors.name,
        email_error: errors.email,
        party_error: errors.party,
        form_error: errors.form,
    }
}

/// What the page says about a refused form.
#[derive(Debug, Default)]
struct Errors {
    name: Option<String>,
    email: Option<String>,
    party: Option<String>,
    form: Option<String>,
}

impl Errors {
    fn new(texts: Texts, form: &Form, problem: &Problem) -> Self {
        let code = problem.code();
        let mut errors = Self::default();
        if code == Code::ValidationFailed {
            let name = Name::parse(form.get("name")).err();
            errors.name = name.map(|invalid| register::message(texts, &invalid));
            let email = form.get("email").trim();
            let email = (!email.is_empty()).then(|| Email::parse(email).err());
            errors.email = email
                .flatten()
                .map(|invalid| register::message(texts, &invalid));
            errors.party = register::party_message(texts, problem);
        }
        if code == Code::AlreadyRegistered {
            errors.email = Some(texts.get("error-email-taken"));
        }
        if let Some(free) = problem.remaining().filter(|free| *free > 0) {
            errors.party = Some(texts.get1("error-party_size-full", "n", free));
        }
        errors.form = Some(
            if code == Code::ValidationFailed || code == Code::AlreadyRegistered {
                texts.get("error-heading")
            } else if code == Code::EventFull {
                texts.get("person-full")
            } else if code == Code::ChangedMeanwhile {
                texts.get("person-changed")
            } else {
                texts.get(format!("problem-{}-meaning", code.as_str()))
            },
        );
        errors
    }
}
