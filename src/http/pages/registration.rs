//! A visitor's own registration, at its private link.

use warp::http::StatusCode;
use warp::reply::Response;

use super::answer::{Keep, page, problem_page, problem_page_with, see_other};
use super::form::Form;
use super::register::{message, party_message};
use super::templates::{ChangeForm, RegistrationPage};
use super::views::{RegistrationView, Standing};
use super::visit::Visit;
use super::{qr, questions, states};
use crate::context::{Context, Shared};
use crate::domain::command::Revised;
use crate::domain::event::Event;
use crate::domain::person::Name;
use crate::domain::questions::Unanswered;
use crate::http::body::{self, Unread};
use crate::http::registration::WaitingFor;
use crate::http::text::Texts;
use crate::http::{auth, rate, registration};
use crate::problem::{Code, Problem};

/// `GET /r/{token}`.
pub(super) async fn show(token: String, context: Shared, visit: Visit) -> Response {
    match fill(&context, &visit, &token, None).await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => refused(&context, &visit, &token, &problem).await,
    }
}

/// An unknown link is not always the visitor's mistake: the event may have been deleted.
async fn refused(context: &Context, visit: &Visit, token: &str, problem: &Problem) -> Response {
    let deleted = problem.code() == Code::RegistrationNotFound
        && registration::is_of_deleted_event(context, token)
            .await
            .unwrap_or(false);
    if deleted {
        problem_page_with(visit, problem, "registration-gone")
    } else {
        problem_page(visit, problem)
    }
}

/// A change that was refused: what was typed, and why.
type Refused<'a> = (&'a Form, &'a Problem);

async fn fill(
    context: &Context,
    visit: &Visit,
    token: &str,
    refused: Option<Refused<'_>>,
) -> Result<RegistrationPage, Problem> {
    let own = registration::find_own(context, token).await?;
    let shown = states::not_before(context, own.event.id, own.registration.revision).await?;
    let waiting_for = WaitingFor::of(context, &own.registration, own.waiting_position).await?;
    let status = own.registration.status;
    let online_url = registration::online_url(&shown.event, own.registration.locator.round, status);
    let online_url = online_url.map(str::to_owned);
    let registration = RegistrationView::new(
        &own.registration,
        own.waiting_position,
        waiting_for,
        &shown.event,
    );
    let page_url = visit.absolute(&context.settings, &format!("/r/{}", registration.token));
    // A registration that no longer counts has nothing to show at the door.
    let qr_svg = if registration.standing.is_current() {
        qr::svg(&page_url).await
    } else {
        String::new()
    };
    Ok(RegistrationPage {
        online_url,
        t: visit.texts,
        here: format!("/r/{token}"),
        event: shown.view(context.clock.now()),
        change: change_form(visit.texts, &registration, &shown.event, refused),
        registration,
        qr_svg,
        answers: questions::shown(
            visit.texts,
            &shown.event.questions,
            &own.registration.answers,
        ),
        page_url,
    })
}

fn change_form(
    texts: Texts,
    registration: &RegistrationView,
    event: &Event,
    refused: Option<Refused<'_>>,
) -> ChangeForm {
    let typed = |field, now: String| {
        let sent = refused.and_then(|(form, _)| form.sent(field));
        sent.map_or(now, ToOwned::to_owned)
    };
    ChangeForm {
        name: typed("name", registration.name.clone()),
        party_size: typed("party_size", registration.party_size.to_string()),
        most: match registration.standing {
            // A party that waits only becomes smaller. One may be larger than the present limit.
            Standing::Waiting => registration.party_size,
            Standing::Confirmed | Standing::Cancelled | Standing::Archived => {
                registration.party_size.max(event.max_party_size.get())
            }
        },
        error: refused.map(|(form, problem)| explanation(texts, form, problem)),
    }
}

/// Why a change was refused, in words for the visitor.
fn explanation(texts: Texts, form: &Form, problem: &Problem) -> String {
    let code = problem.code();
    if let (Code::EventFull, Some(free)) = (code, problem.remaining()) {
        return texts.get1("change-full", "n", free);
    }
    if code == Code::ValidationFailed {
        let name = Name::parse(form.get("name")).err();
        let name = name.map(|invalid| message(texts, &invalid));
        if let Some(words) = party_message(texts, problem).or(name) {
            return words;
        }
    }
    texts.get(format!("problem-{}-meaning", code.as_str()))
}

/// Keeps what the visitor has not touched: it may have been changed elsewhere since the page was
/// shown.
fn keep_untouched(revised: &mut Revised, form: &Form) {
    let shown = |field| form.sent(field).unwrap_or_default();
    revised
        .name
        .take_if(|name| name.as_str() == shown("was_name"));
    revised
        .party_size
        .take_if(|people| people.get().to_string() == shown("was_party_size"));
}

/// `POST /r/{token}/change`.
pub(super) async fn change(token: String, context: Shared, visit: Visit, body: Unread) -> Response {
    let sent = match Form::content(body, &visit.head, body::MAX).await {
        Ok(sent) => sent,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let changed = async {
        auth::refuse_cross_site(&context.settings, &visit.head)?;
        rate::change(&context, visit.head.peer.ip)?;
        let found = registration::find_own(&context, &token).await?;
        let mut revised = registration::revised(&sent, &found.event, Unanswered::Refused)?;
        keep_untouched(&mut revised, &sent.decode()?);
        registration::change(&context, &visit.head.headers, found, revised).await
    };
    let problem = match changed.await {
        Ok(own) => return see_other(&format!("/r/{}", own.registration.token())),
        Err(problem) => problem,
    };
    let form = sent.decode().unwrap_or_default();
    // A form of another site is not shown as if it came from this page.
    let again = if problem.code() == Code::Forbidden {
        None
    } else {
        let filled = fill(&context, &visit, &token, Some((&form, &problem))).await;
        filled.ok()
    };
    match again {
        Some(template) => page(&visit, problem.code().status(), Keep::Never, &template),
        None => refused(&context, &visit, &token, &problem).await,
    }
}

/// `POST /r/{token}/cancel`.
pub(super) async fn cancel(token: String, context: Shared, visit: Visit) -> Response {
    let cancelled = async {
        auth::refuse_cross_site(&context.settings, &visit.head)?;
        registration::cancel(&context, &visit.head.headers, &token).await
    };
    match cancelled.await {
        Ok(own) => see_other(&format!("/r/{}", own.registration.token())),
        Err(problem) => refused(&context, &visit, &token, &problem).await,
    }
}
