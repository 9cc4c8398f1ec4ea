//! A visitor's own registration, at its private link.

use warp::http::StatusCode;
use warp::reply::Response;

use super::answer::{Keep, page, problem_page, problem_page_with, see_other};
use super::form::Form;
use super::questions::QuestionField;
use super::register::{message, party_message};
use super::templates::{ChangeForm, RegistrationPage};
use super::views::{FlashView, RegistrationView, Standing};
use super::visit::Visit;
use super::{qr, questions, states};
use crate::context::{Context, Shared};
use crate::domain::command::Revised;
use crate::domain::event::Event;
use crate::domain::invalid::Invalid;
use crate::domain::person::Name;
use crate::domain::questions::Unanswered;
use crate::domain::registration::Registration;
use crate::http::body::{self, Unread};
use crate::http::registration::WaitingFor;
use crate::http::{auth, rate, registration};
use crate::problem::{Code, Problem};
use crate::text::Texts;

/// `GET /r/{token}`.
pub(super) async fn show(token: String, context: Shared, visit: Visit) -> Response {
    let shown = async {
        let own = registration::find_own(&context, &token).await?;
        registration::note_opened(&context, &visit.head, &own).await;
        fill(&context, &visit, &token, None).await
    };
    match shown.await {
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
    let row = &own.registration;
    let event = &shown.event;
    let online_url = registration::online_url(event, row.locator.round, row.status);
    let online_url = online_url.map(str::to_owned);
    let registration = RegistrationView::new(row, own.waiting_position, waiting_for, event);
    let page_url = visit.absolute(&context.settings, &format!("/r/{}", registration.token));
    // A registration that no longer counts has nothing to show at the door.
    let qr_svg = if registration.standing.is_current() {
        qr::svg(&page_url).await
    } else {
        String::new()
    };
    let (change, questions) = change_form(visit.texts, &registration, row, event, refused);
    Ok(RegistrationPage {
        online_url,
        t: visit.texts,
        here: format!("/r/{token}"),
        flash: outcome(visit),
        event: shown.view(context.clock.now()),
        change,
        questions,
        questions_json: questions::as_json(event),
        registration,
        qr_svg,
        answers: questions::shown(visit.texts, &event.questions, &row.answers),
        page_url,
    })
}

/// The message of the page after an action, shown once.
fn outcome(visit: &Visit) -> Option<FlashView> {
    let message = match visit.parameter("done").as_deref() {
        Some(CHANGED) => "change-done",
        Some(ERASED) => "erase-done",
        _ => return None,
    };
    Some(FlashView {
        kind: "done",
        text: visit.texts.get(message),
    })
}

fn change_form(
    texts: Texts,
    registration: &RegistrationView,
    row: &Registration,
    event: &Event,
    refused: Option<Refused<'_>>,
) -> (ChangeForm, Vec<QuestionField>) {
    let typed = |field, now: String| {
        let sent = refused.and_then(|(form, _)| form.sent(field));
        sent.map_or(now, ToOwned::to_owned)
    };
    let why = refused
        .map(|(form, problem)| Why::new(texts, form, problem, registration.standing, event))
        .unwrap_or_default();
    let answers = if let Some((form, _)) = refused {
        questions::fields(texts, event, form, &why.answers)
    } else {
        let form = questions::as_form(&event.questions, &row.answers);
        questions::fields(texts, event, &form, &[])
    };
    let was_answers = questions::fingerprints(&event.questions, &row.answers);
    let form = ChangeForm {
        name: typed("name", registration.name.clone()),
        party_size: typed("party_size", registration.party_size.to_string()),
        was_answers: typed("was_answers", was_answers),
        most: match registration.standing {
            // A party that waits only becomes smaller. One may be larger than the present limit.
            Standing::Waiting => registration.party_size,
            Standing::Confirmed | Standing::Cancelled | Standing::Archived => {
                registration.party_size.max(event.max_party_size.get())
            }
        },
        name_error: why.name,
        party_error: why.party,
        error: why.summary,
    };
    (form, answers)
}

/// Why a change was refused, in words for the visitor.
#[derive(Debug, Default)]
struct Why {
    name: Option<String>,
    party: Option<String>,
    answers: Vec<Invalid>,
    summary: Option<String>,
}

impl Why {
    fn new(
        texts: Texts,
        form: &Form,
        problem: &Problem,
        standing: Standing,
        event: &Event,
    ) -> Self {
        let mut why = Self::default();
        match (problem.code(), problem.remaining()) {
            (Code::EventFull, Some(free)) => {
                why.party = Some(cannot_grow(texts, standing, event, free));
            }
            (Code::ValidationFailed, _) => {
                let name = Name::parse(form.get("name")).err();
                why.name = name.map(|invalid| message(texts, &invalid));
                why.party = party_message(texts, problem);
                why.answers = questions::mistakes_of_change(event, form);
            }
            _ => {}
        }
        let is_named = why.name.is_some() || why.party.is_some() || !why.answers.is_empty();
        let is_unknown = why
            .answers
            .iter()
            .any(|mistake| mistake.reason == "unknown");
        why.summary = Some(match (is_unknown, is_named) {
            (true, _) => texts.get("error-questions-changed"),
            (false, true) => texts.get("error-heading"),
            (false, false) => texts.get(format!("problem-{}-meaning", problem.code().as_str())),
        });
        why
    }
}

fn cannot_grow(texts: Texts, standing: Standing, event: &Event, free: u64) -> String {
    if standing == Standing::Waiting {
        texts.get("change-waiting")
    } else if free > 0 && event.waiting > 0 {
        texts.get("change-others-wait")
    } else {
        texts.get1("change-full", "n", free)
    }
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
    questions::keep_untouched(&mut revised.answers, shown("was_answers"));
}

/// The value of `done` in the address of the page after a change.
const CHANGED: &str = "changed";
/// The value of `done` in the address of the page after erasing.
const ERASED: &str = "erased";

/// `POST /r/{token}/change`.
pub(super) async fn change(token: String, context: Shared, visit: Visit, body: Unread) -> Response {
    // A wrong link is refused below, after its form was read.
    let event = registration::event_of(&context, &token).await;
    let most = event.as_deref().map_or(body::MAX, registration::body_max);
    let permit = event
        .as_deref()
        .map(|event| registration::permit_for_body(&context, &visit.head, event));
    let _permit = match permit.transpose() {
        Ok(permit) => permit,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let sent = match Form::content(body, &visit.head, most).await {
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
        Ok(own) => {
            let token = own.registration.token();
            return see_other(&format!("/r/{token}?done={CHANGED}"));
        }
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

/// `POST /r/{token}/erase`.
pub(super) async fn erase(token: String, context: Shared, visit: Visit) -> Response {
    let erased = async {
        auth::refuse_cross_site(&context.settings, &visit.head)?;
        rate::change(&context, visit.head.peer.ip)?;
        registration::erase(&context, &visit.head.headers, &token).await
    };
    match erased.await {
        Ok(own) => {
            let token = own.registration.token();
            see_other(&format!("/r/{token}?done={ERASED}"))
        }
        Err(problem) => refused(&context, &visit, &token, &problem).await,
    }
}
