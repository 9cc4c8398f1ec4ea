//! The tokens of scripts, for owners.

use std::time::Duration;

use warp::http::StatusCode;
use warp::reply::Response;

use super::templates::{TokenView, TokensPage};
use super::{ROW, STEP, Secret, error, once_only, owns, session};
use crate::context::{Context, Shared};
use crate::domain::access::{Permission, Scope, Scopes};
use crate::domain::account::{Handle, Token};
use crate::domain::audit::Actor;
use crate::domain::clock::Timestamp;
use crate::domain::event::Slug;
use crate::domain::invalid::Invalid;
use crate::http::body::Unread;
use crate::http::field_value::Check;
use crate::http::organiser::tokens::{self, Wanted};
use crate::http::pages::admin::once::{self, Submission};
use crate::http::pages::admin::{audit, flash, reader};
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::visit::Visit;
use crate::http::session::Session;
use crate::problem::{Code, Problem};
use crate::text::Texts;

/// The page's address.
pub(super) const PATH: &str = "/admin/tokens";
/// For how many days a token can be valid; the API takes any moment, or none.
pub(in crate::http::pages) const DAYS: [u32; 4] = [7, 30, 90, 365];
/// The choice that comes selected: a forgotten token ends by itself.
const DAYS_DEFAULT: &str = "90";

/// `GET /admin/tokens`.
pub(in crate::http::pages) async fn show(context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Administer).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    shown(&context, &visit, &session, None, None).await
}

/// `POST /admin/tokens`.
pub(in crate::http::pages) async fn act(context: Shared, visit: Visit, body: Unread) -> Response {
    once::submit(context, visit, body, Permission::Administer, answer).await
}

async fn answer(submission: Submission) -> Response {
    let Submission {
        context,
        visit,
        form,
        organiser,
    } = submission;
    let session = match session(&context, &visit).await {
        Ok(session) => session,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let by = organiser.actor();
    if form.get(STEP) == "remove" {
        return removed(&context, &visit, &form, &by).await;
    }
    match make(&context, &form, &by).await {
        Ok((token, value)) => {
            let secret = Secret {
                key: "access-token",
                name: token.name.as_str().to_owned(),
                value,
            };
            let response = shown(&context, &visit, &session, Some(secret), None).await;
            once_only(response, PATH)
        }
        Err(problem) if problem.code() == Code::ValidationFailed => {
            let visit = visit.with(PATH.to_owned(), "error=invalid".to_owned());
            shown(&context, &visit, &session, None, Some((&form, &problem))).await
        }
        Err(problem) => problem_page(&visit, &problem),
    }
}

async fn removed(context: &Context, visit: &Visit, form: &Form, by: &Actor) -> Response {
    let removed = match form.get(ROW).parse() {
        Ok(id) => tokens::remove(context, id, by).await,
        Err(_) => Err(tokens::unknown()),
    };
    match removed {
        Ok(()) => see_other(&format!("{PATH}?done=token-removed")),
        Err(problem) if problem.code() == Code::NotFound => {
            see_other(&format!("{PATH}?error=token-gone"))
        }
        Err(problem) => problem_page(visit, &problem),
    }
}

/// Makes a token, and shows its secret.
async fn make(context: &Context, form: &Form, by: &Actor) -> Result<(Token, String), Problem> {
    let mut check = Check::default();
    let name = check.take(Handle::parse(form.get("name")));
    let scopes = check.take(scopes(form));
    let event = check.take(match form.get("event") {
        "" => Ok(None),
        slug => Slug::parse(slug)
            .map(Some)
            .map_err(|_| Invalid::new("event", "unknown", "there is no such event")),
    });
    let (Some(name), Some(scopes), Some(event)) = (name, scopes, event) else {
        return Err(check.problem());
    };
    let days = match form.get("days") {
        "" => None,
        text => text.parse().ok().filter(|days| DAYS.contains(days)),
    };
    if days.is_none() && !form.get("days").is_empty() {
        let detail = "days must be one of the choices";
        return Err(Problem::new(Code::BadRequest, detail));
    }
    let end = |days: u32| {
        context
            .clock
            .now()
            .plus(Duration::from_hours(24 * u64::from(days)))
    };
    let wanted = Wanted {
        name,
        scopes,
        event,
        expires_at: days.map(end),
    };
    tokens::create(context, wanted, by).await
}

fn scopes(form: &Form) -> Result<Scopes, Invalid> {
    let ticked = ticked(form);
    let scopes = ticked.iter().filter_map(|word| Scope::parse(word));
    let scopes = scopes.fold(Scopes::default(), Scopes::with);
    if scopes.is_empty() {
        let why = "scopes must have at least one of read, register and manage";
        return Err(Invalid::new("scopes", "empty", why));
    }
    Ok(scopes)
}

fn ticked(form: &Form) -> Vec<String> {
    let fields = form.fields().filter(|(name, _)| *name == "scopes");
    fields.map(|(_, word)| word.to_owned()).collect()
}

async fn shown(
    context: &Context,
    visit: &Visit,
    session: &Session,
    secret: Option<Secret>,
    refused: Option<(&Form, &Problem)>,
) -> Response {
    let found = match context.store.tokens().await {
        Ok(tokens) => tokens,
        Err(error) => return problem_page(visit, &error.into()),
    };
    let (texts, now) = (visit.texts, context.clock.now());
    let (form, problem) = refused.unzip();
    let typed = |name| form.map(|form| form.get(name).to_owned());
    let events = context.hub.channels().into_iter().map(|channel| {
        let event = channel.newest().event;
        (event.slug.to_string(), event.title.clone())
    });
    let template = TokensPage {
        t: texts,
        here: PATH.to_owned(),
        csrf: session.csrf.clone(),
        flash: flash::read(visit),
        once: once::draw(),
        zone: context.settings.time_zone.clone(),
        owns: owns(session),
        secret,
        tokens: found
            .into_iter()
            .map(|token| view(texts, token, now))
            .collect(),
        events: events.collect(),
        name: typed("name").unwrap_or_default(),
        scopes: form.map(ticked).unwrap_or_default(),
        event: typed("event").unwrap_or_default(),
        days: typed("days").unwrap_or_else(|| DAYS_DEFAULT.to_owned()),
        name_error: error(texts, problem, "name"),
        scopes_error: error(texts, problem, "scopes"),
        event_error: error(texts, problem, "event"),
        refused: form.map_or("", |_| "new"),
    };
    let status = problem.map_or(StatusCode::OK, |problem| problem.code().status());
    page(visit, status, Keep::Never, &template)
}

fn view(texts: Texts, token: Token, now: Timestamp) -> TokenView {
    TokenView {
        id: token.id,
        name: token.name.as_str().to_owned(),
        scopes: token.scopes.iter().map(Scope::as_str).collect(),
        event: token.event.map(|slug| slug.to_string()),
        made: token.created_at,
        made_by: audit::who(texts, token.created_by),
        used: token.last_used_at,
        expires: token.expires_at,
        is_expired: token.expires_at.is_some_and(|end| end <= now),
    }
}
