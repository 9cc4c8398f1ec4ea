//! One event: its settings, registrations and actions.

use warp::http::StatusCode;
use warp::reply::Response;

use super::retention::{self, ErasesNow};
use super::settings_view::{self, Refused};
use super::templates::AdminEventPage;
use super::{flash, list, mistakes, once, reader, settings_form};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::event::Event;
use crate::http::pages::answer::{Keep, page, problem_page};
use crate::http::pages::form::Form;
use crate::http::pages::share::ShareView;
use crate::http::pages::states;
use crate::http::pages::views::WaitingForView;
use crate::http::pages::visit::Visit;
use crate::http::registration::WaitingFor;
use crate::http::session::{self, Session};
use crate::problem::Problem;

/// `GET /admin/events/{slug}`.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Read).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    match fill(&context, &visit, &session, &slug, Typed::Nothing, None).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// A refused form, to be shown again with what was typed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Typed<'a> {
    Nothing,
    Details(&'a Form),
    Capacity(&'a Form),
    Announcement(&'a Form),
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

/// How long the console offers to show an announcement, unless another choice was made.
const ANNOUNCE_HOURS: u64 = 24;

impl<'a> Typed<'a> {
    fn details(self) -> Option<&'a Form> {
        match self {
            Self::Details(form) => Some(form),
            Self::Nothing
            | Self::Capacity(_)
            | Self::Announcement(_)
            | Self::Reset(_)
            | Self::Delete => None,
        }
    }

    fn capacity(self) -> Option<&'a Form> {
        match self {
            Self::Capacity(form) => Some(form),
            Self::Nothing
            | Self::Details(_)
            | Self::Announcement(_)
            | Self::Reset(_)
            | Self::Delete => None,
        }
    }

    fn announcement(self) -> (String, u64) {
        match self {
            Self::Announcement(form) => (
                form.get("text").to_owned(),
                form.get("hours").parse().unwrap_or(ANNOUNCE_HOURS),
            ),
            Self::Nothing
            | Self::Details(_)
            | Self::Capacity(_)
            | Self::Reset(_)
            | Self::Delete => (String::new(), ANNOUNCE_HOURS),
        }
    }

    fn reset_capacity(self) -> String {
        match self {
            Self::Reset(form) => form.get("capacity").to_owned(),
            Self::Nothing
            | Self::Details(_)
            | Self::Capacity(_)
            | Self::Announcement(_)
            | Self::Delete => String::new(),
        }
    }

    /// The form's name in the page.
    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Details(_) => "edit",
            Self::Capacity(_) => "capacity",
            Self::Announcement(_) => "announce",
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
) -> Result<AdminEventPage, Problem> {
    let shown = states::by_slug(context, slug).await?;
    let event = &shown.event;
    let store = context.store_for(visit.head.peer);
    let desk_list = list::show(&store, visit, event).await?;
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
    let (announcement, announce_hours) = typed.announcement();
    Ok(AdminEventPage {
        t: visit.texts,
        here: visit.path.clone(),
        csrf: session.csrf.clone(),
        flash: flash::read(visit),
        flash_in_list: flash::is_of_list(visit),
        event: shown.view(context.clock.now()),
        waiting_for: WaitingFor::of_event(context, event.id, event.round, None)
            .await?
            .map(WaitingForView::from),
        share: ShareView::new(context, visit, event.slug.as_str()),
        // The same rule as the undo's: an earlier round, and no registration in this one yet.
        can_undo: event.round > 1 && event.last_number == 0,
        capacity: settings_view::capacity(event, refused(typed.capacity())),
        details: settings_view::details(event, refused(typed.details())),
        once: once::draw(),
        refused: typed.name(),
        announcement_error: error_at("text"),
        reset_capacity: typed.reset_capacity(),
        reset_error: error_at("capacity").filter(|_| typed.name() == "reset"),
        confirm_error: error_at("confirm"),
        announcement,
        announce_hours,
        erases_now,
        list: desk_list,
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
