//! The Settings tab of an event's console: its details, reset and delete.

use warp::http::StatusCode;
use warp::reply::Response;

use super::retention::{self, ErasesNow};
use super::settings_view::{self, Refused};
use super::templates::AdminSettingsPage;
use super::{flash, mistakes, once, reader, settings_form, undo};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::event::Event;
use crate::http::pages::answer::{Keep, page, problem_page};
use crate::http::pages::form::Form;
use crate::http::pages::states;
use crate::http::pages::visit::Visit;
use crate::http::session::{self, Session};
use crate::problem::Problem;

/// `GET /admin/events/{slug}/settings`.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Manage).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    match fill(&context, &visit, &session, &slug, Typed::Nothing, None).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// A refused form of the tab, to be shown again with what was typed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Typed<'a> {
    Nothing,
    Details(&'a Form),
    Reset(&'a Form),
    Delete,
}

/// The page after a form of it was refused.
pub(super) async fn again(
    slug: &str,
    context: &Context,
    visit: &Visit,
    typed: Typed<'_>,
    refused: &Problem,
) -> Response {
    let template = async {
        let session = session::session(context, &visit.head.headers).await?;
        Ok::<_, Problem>(match session {
            Some(session) => {
                Some(fill(context, visit, &session, slug, typed, Some(refused)).await?)
            }
            None => None,
        })
    };
    match template.await {
        Ok(Some(template)) => page(visit, refused.code().status(), Keep::Never, &template),
        Ok(None) | Err(_) => problem_page(visit, refused),
    }
}

impl<'a> Typed<'a> {
    fn details(self) -> Option<&'a Form> {
        match self {
            Self::Details(form) => Some(form),
            Self::Nothing | Self::Reset(_) | Self::Delete => None,
        }
    }

    fn reset_capacity(self) -> String {
        match self {
            Self::Reset(form) => form.get("capacity").to_owned(),
            Self::Nothing | Self::Details(_) | Self::Delete => String::new(),
        }
    }

    /// The form's name in the page.
    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Details(_) => "edit",
            Self::Reset(_) => "reset",
            Self::Delete => "delete",
        }
    }
}

async fn fill(
    context: &Context,
    visit: &Visit,
    session: &Session,
    slug: &str,
    typed: Typed<'_>,
    problem: Option<&Problem>,
) -> Result<AdminSettingsPage, Problem> {
    let shown = states::by_slug(context, slug).await?;
    let event = &shown.event;
    let texts = visit.texts;
    let refused = |form: Option<_>| {
        Some(Refused {
            texts,
            form: form?,
            problem: problem?,
        })
    };
    let erases_now = match (typed.details(), problem) {
        (Some(form), Some(problem)) => unconfirmed(context, event, form, problem).await?,
        (Some(_) | None, _) => None,
    };
    let error_at = |field| mistakes::at(texts, problem?, field);
    Ok(AdminSettingsPage {
        t: texts,
        here: visit.path.clone(),
        csrf: session.csrf.clone(),
        flash: flash::read(visit),
        event: shown.view(context.clock.now()),
        // The same rule as the undo's: an earlier round, and no registration in this one yet.
        can_undo: event.round > 1 && event.last_number == 0,
        undo: undo::of(visit, event),
        details: settings_view::details(event, refused(typed.details())),
        once: once::draw(),
        refused: typed.name(),
        reset_capacity: typed.reset_capacity(),
        reset_error: error_at("capacity").filter(|_| typed.name() == "reset"),
        confirm_error: error_at("confirm"),
        erases_now,
        mails: context.store.outgoing().mails(),
    })
}

/// What a refused form for the details would erase, if that is why it was refused.
async fn unconfirmed(
    context: &Context,
    event: &Event,
    form: &Form,
    problem: &Problem,
) -> Result<Option<ErasesNow>, Problem> {
    let mut mistakes = problem.mistakes().iter();
    if !mistakes.any(|mistake| mistake.field == retention::CONFIRM) {
        return Ok(None);
    }
    let (edit, _) = settings_form::details(form, event)?;
    Ok(retention::erases_now(context, event, &edit).await?)
}
