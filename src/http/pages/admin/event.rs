//! The Dashboard tab of an event's console: its number, and what the organiser does while it runs.

use warp::http::StatusCode;
use warp::reply::Response;

use super::settings_view::{self, Refused};
use super::templates::AdminEventPage;
use super::{feed, flash, list, live, mistakes, once, reader, undo};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::outbox::MailKind;
use crate::http::organiser::announcements;
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
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
    // In 0.1.0 this page had the list of registrations; old bookmarks carry its query.
    if list::ListQuery::is_in(&visit.query) {
        return see_other(&format!("/admin/events/{slug}/people?{}", visit.query));
    }
    match fill(&context, &visit, &session, &slug, Typed::Nothing, None).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// A refused form, to be shown again with what was typed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Typed<'a> {
    Nothing,
    Capacity(&'a Form),
    Announcement(&'a Form),
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
    fn capacity(self) -> Option<&'a Form> {
        match self {
            Self::Capacity(form) => Some(form),
            Self::Nothing | Self::Announcement(_) => None,
        }
    }

    fn announcement(self) -> (String, u64) {
        match self {
            Self::Announcement(form) => (
                form.get("text").to_owned(),
                form.get("hours").parse().unwrap_or(ANNOUNCE_HOURS),
            ),
            Self::Nothing | Self::Capacity(_) => (String::new(), ANNOUNCE_HOURS),
        }
    }

    /// The form's name in the page.
    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Capacity(_) => "capacity",
            Self::Announcement(_) => "announce",
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
    let texts = visit.texts;
    let refused = |form: Option<_>| {
        Some(Refused {
            texts,
            form: form?,
            problem: problem?,
        })
    };
    let error_at = |field| mistakes::at(texts, problem?, field);
    let (announcement, announce_hours) = typed.announcement();
    let mails = context.store.outgoing().mails();
    let mail = matches!(typed, Typed::Announcement(form) if form.is_ticked(announcements::MAIL));
    Ok(AdminEventPage {
        t: visit.texts,
        here: visit.path.clone(),
        csrf: session.csrf.clone(),
        flash: flash::read(visit),
        event: shown.view(context.clock.now()).read_by(session),
        dashboard: live::dashboard(context, visit, event).await?,
        feed: feed::read(context, visit, event).await,
        waiting_for: WaitingFor::of_event(context, event.id, event.round, None)
            .await?
            .map(WaitingForView::from),
        undo: undo::of(visit, event).filter(|_| session.has(Permission::Manage)),
        capacity: settings_view::capacity(event, refused(typed.capacity())),
        once: once::draw(),
        refused: typed.name(),
        announcement_error: error_at("text"),
        announcement,
        announce_hours,
        announce_mail: Some(mail).filter(|_| mails && event.mail.mails.has(MailKind::Announcement)),
    })
}
