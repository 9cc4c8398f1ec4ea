//! The console's actions on one event.

use std::time::Duration;

use warp::http::{HeaderValue, header};
use warp::reply::Response;

use super::action::{Action, tab};
use super::list::ListQuery;
use super::once::{self, Submission};
use super::{event, flash, inputs, people, retention, settings, settings_form, undo};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::announcement::{self, NewAnnouncement};
use crate::domain::audit::Actor;
use crate::domain::clock::Timestamp;
use crate::domain::command::{Answer, Command};
use crate::domain::event::{Edit, Event};
use crate::domain::invalid::Invalid;
use crate::domain::local_time::Choice;
use crate::http::auth::Organiser;
use crate::http::body::Unread;
use crate::http::organiser::{announcements, registrations};
use crate::http::pages::answer::{problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::states;
use crate::http::pages::visit::Visit;
use crate::problem::Problem;

/// `POST /admin/events/{slug}/registrations/{id}/cancel`.
pub(in crate::http::pages) async fn cancel(
    slug: String,
    id: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    act(slug, Action::Cancel(id), context, visit, body).await
}

/// `POST /admin/events/{slug}/registrations/{id}/restore`.
pub(in crate::http::pages) async fn restore(
    slug: String,
    id: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    act(slug, Action::Restore(id), context, visit, body).await
}

/// `POST /admin/events/{slug}/registrations/{id}/erase`.
pub(in crate::http::pages) async fn erase(
    slug: String,
    id: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    act(slug, Action::Erase(id), context, visit, body).await
}

/// `POST /admin/events/{slug}/…`.
pub(in crate::http::pages) async fn act(
    slug: String,
    action: Action,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    let act = |submission| answer(slug, action, submission);
    once::submit_and(context, visit, body, Permission::Manage, act, back_to).await
}

/// Adds to a redirect which part of the list was shown beside the form. The form's stored outcome
/// does not have it: a search may be somebody's name, and must not outlive that person's
/// registration.
fn back_to(mut response: Response, form: &Form) -> Response {
    let location = response.headers().get(header::LOCATION);
    let location = location.and_then(|location| location.to_str().ok());
    let list = ListQuery::of(form.get("list")).here();
    let whole = location
        .filter(|_| !list.is_empty())
        .map(|location| format!("{location}&{list}"));
    // Encoded, so it always is a header's value.
    if let Some(Ok(whole)) = whole.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::LOCATION, whole);
    }
    response
}

async fn answer(slug: String, action: Action, submission: Submission) -> Response {
    let Submission {
        context,
        visit,
        form,
        organiser,
    } = submission;
    let outcome = async {
        let shown = states::by_slug(&context, &slug).await?;
        carry_out(&context, &shown.event, &action, &form, &organiser).await
    };
    let page = format!("/admin/events/{slug}{}", tab(&action));
    match outcome.await {
        Ok(_) if action == Action::Delete => see_other("/admin?done=deleted"),
        Ok(choices) => {
            let done = flash::with_choices(action.done(), &choices);
            // The message offers to take it back. Only a registration's number got this far, or a
            // capacity.
            let undo = match (&action, form.sent("was_capacity")) {
                (Action::Cancel(id), _) => format!("&{}={id}", people::UNDO),
                (Action::Capacity, Some(was)) if inputs::parse_capacity(was).is_ok() => {
                    let set = form.get("capacity").trim();
                    format!("&{}={}&{}={set}", undo::WAS, was.trim(), undo::SET)
                }
                _ => String::new(),
            };
            see_other(&format!("{page}?done={done}{undo}"))
        }
        Err(problem) => match (refusal(&action, &problem), Typed::of(&action, &form)) {
            (None, _) => problem_page(&visit, &problem),
            (Some(code), Typed::Nothing) => see_other(&format!("{page}?error={code}")),
            (Some(code), Typed::Dashboard(typed)) => {
                let visit = visit.with(page, format!("error={code}"));
                event::again(&slug, &context, &visit, typed, &problem).await
            }
            (Some(code), Typed::Settings(typed)) => {
                let visit = visit.with(page, format!("error={code}"));
                settings::again(&slug, &context, &visit, typed, &problem).await
            }
        },
    }
}

/// Does it, and says how the form's local times became moments.
async fn carry_out(
    context: &Context,
    event: &Event,
    action: &Action,
    form: &Form,
    organiser: &Organiser,
) -> Result<Vec<Choice>, Problem> {
    let by = organiser.actor();
    let mut choices = Vec::new();
    let command = match action {
        Action::Edit | Action::Capacity => {
            let change = match action {
                Action::Edit => {
                    let (edit, taken) = settings_form::details(form, event)?;
                    choices = taken;
                    retention::confirm(context, event, &edit, form).await?;
                    edit
                }
                _ => settings_form::capacity(form)?,
            };
            if change.is_empty() {
                return Ok(choices);
            }
            edit(change, by)
        }
        Action::Close | Action::Open => edit(
            Edit {
                closed: Some(*action == Action::Close),
                ..Edit::default()
            },
            by,
        ),
        Action::Archive | Action::Unarchive => edit(
            Edit {
                archived: Some(*action == Action::Archive),
                ..Edit::default()
            },
            by,
        ),
        Action::Reset => {
            confirm(event, form)?;
            let capacity = form.get("capacity").trim();
            Command::Reset {
                expected: None,
                capacity: if capacity.is_empty() {
                    None
                } else {
                    Some(inputs::parse_capacity(capacity)?)
                },
                by,
            }
        }
        Action::Undo => Command::Undo { expected: None, by },
        Action::Announce => {
            let new = announcement(form, context.clock.now())?;
            if new.mail {
                announcements::check_mail(context, event)?;
            }
            announcements::announce(context, event, &new, organiser).await?;
            return Ok(choices);
        }
        Action::Withdraw => {
            announcements::withdraw(context, event, organiser).await?;
            return Ok(choices);
        }
        Action::Delete => {
            confirm(event, form)?;
            Command::Delete {
                expected: None,
                confirmed: true,
                by,
            }
        }
        Action::Cancel(id) => Command::Cancel {
            locator: registrations::locator(event, id)?,
            secret: None,
            by,
        },
        Action::Restore(id) => Command::Restore {
            locator: registrations::locator(event, id)?,
            expected: None,
            by,
        },
        Action::Erase(id) => Command::Erase {
            locator: registrations::locator(event, id)?,
            secret: None,
            by,
        },
    };
    let answer = context.registrar.submit(event.id, command).await??;
    if answer == Answer::Deleted {
        context.registrar.forget(event.id);
    }
    Ok(choices)
}

fn edit(edit: Edit, by: Actor) -> Command {
    Command::Edit {
        edit,
        expected: None,
        by,
    }
}

/// The longest time that the console offers: a week.
const SHOWN_HOURS_MAX: u64 = 7 * 24;

fn announcement(form: &Form, now: Timestamp) -> Result<NewAnnouncement, Problem> {
    let hours = form
        .sent("hours")
        .and_then(|hours| hours.parse().ok())
        .filter(|hours| (1..=SHOWN_HOURS_MAX).contains(hours));
    Ok(NewAnnouncement {
        text: announcement::parse_text(form.get("text"))?,
        ends_at: hours.map(|hours| now.plus(Duration::from_hours(hours))),
        mail: form.is_ticked(announcements::MAIL),
    })
}

/// The form of an action that takes more than a click: refused, it is shown again in its tab.
enum Typed<'a> {
    Nothing,
    Dashboard(event::Typed<'a>),
    Settings(settings::Typed<'a>),
}

impl<'a> Typed<'a> {
    fn of(action: &Action, form: &'a Form) -> Self {
        match action {
            Action::Edit => Self::Settings(settings::Typed::Details(form)),
            Action::Capacity => Self::Dashboard(event::Typed::Capacity(form)),
            Action::Announce => Self::Dashboard(event::Typed::Announcement(form)),
            Action::Reset => Self::Settings(settings::Typed::Reset(form)),
            Action::Delete => Self::Settings(settings::Typed::Delete),
            Action::Close
            | Action::Open
            | Action::Undo
            | Action::Withdraw
            | Action::Archive
            | Action::Unarchive
            | Action::Cancel(_)
            | Action::Restore(_)
            | Action::Erase(_) => Self::Nothing,
        }
    }
}

/// The field for the event's slug, typed.
const CONFIRM: &str = "confirm";

/// Destructive actions need the event's slug, typed.
fn confirm(event: &Event, form: &Form) -> Result<(), Problem> {
    let repeated = form.get(CONFIRM).trim() == event.slug.as_str();
    if repeated {
        Ok(())
    } else {
        Err(Invalid::new(
            CONFIRM,
            "not-repeated",
            "confirm must repeat the event's slug",
        )
        .into())
    }
}

/// The flash code of a refusal, if the event's page can still be shown.
fn refusal(action: &Action, problem: &Problem) -> Option<&'static str> {
    let mut fields = problem.mistakes().iter().map(|mistake| &*mistake.field);
    match action {
        Action::Edit if fields.any(|field| field == retention::CONFIRM) => Some("erase-now"),
        Action::Reset | Action::Delete if fields.any(|field| field == CONFIRM) => Some("confirm"),
        _ => flash::code(problem),
    }
}
