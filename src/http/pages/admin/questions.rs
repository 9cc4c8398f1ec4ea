//! The editor of an event's questions.
//!
//! The list that is edited lives in the form: a button that adds, moves or removes a question sends
//! the whole form, and the answer is the form after that step. Only saving stores it, so the editor
//! needs no script and no state on the server.

use warp::http::StatusCode;
use warp::reply::Response;

use super::questions_form::{Draft, Focus, Step};
use super::templates::{AdminQuestionsPage, QuestionRow};
use super::{flash, reader, writer_up_to};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::characters::described;
use crate::domain::command::{Command, Refusal};
use crate::domain::event::{Edit, Event};
use crate::domain::invalid::Invalid;
use crate::domain::questions::{HELP_MAX, Kind, LABEL_MAX, MAX, OPTION_MAX, Questions};
use crate::http::auth::Organiser;
use crate::http::body::{self, Unread};
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::questions;
use crate::http::pages::states::{self, Shown};
use crate::http::pages::visit::Visit;
use crate::http::{reply, session};
use crate::problem::Problem;
use crate::text::Texts;

/// `GET /admin/events/{slug}/form`.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Manage).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    match states::by_slug(&context, &slug).await {
        Ok(shown) => {
            let state = State {
                draft: Draft::of(&shown.event.questions),
                ..State::default()
            };
            let template = fill(&context, &visit, session.csrf, &shown, state);
            page(&visit, StatusCode::OK, Keep::Never, &template)
        }
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// `POST /admin/events/{slug}/form`.
pub(in crate::http::pages) async fn act(
    slug: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    let (organiser, form) = match writer_up_to(
        body::QUESTIONS_MAX,
        &context,
        &visit,
        body,
        Permission::Manage,
    )
    .await
    {
        Ok(submitted) => submitted,
        Err(answer) => return answer,
    };
    let shown = match states::by_slug(&context, &slug).await {
        Ok(shown) => shown,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let mut draft = Draft::read(&form);
    let step = Step::of(&form);
    let seen = form.get("seen");
    let mut state = State {
        focus: draft.apply(step),
        draft,
        ..State::default()
    };
    if step != Step::Save {
        // Whether somebody else has changed them since is compared when they are saved.
        state.seen = Some(seen.to_owned());
        return again(&context, &visit, &shown, StatusCode::OK, state).await;
    }
    // A refused form comes back without new keys: the label may still change.
    let mut named = state.draft.clone();
    named.name(&shown.event.questions);
    match save(&context, &shown.event, &named, seen, &organiser).await {
        Ok(()) => see_other(&format!("/admin/events/{slug}/form?done=questions")),
        Err(Refused::Mistakes(mistakes)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let code = if mistakes
                .iter()
                .any(|mistake| mistake.reason == "too-many-removed")
            {
                "questions-removed"
            } else {
                "invalid"
            };
            state.mistakes = mistakes;
            state.seen = Some(seen.to_owned());
            let visit = visit.with(visit.path.clone(), format!("error={code}"));
            again(&context, &visit, &shown, status, state).await
        }
        Err(Refused::Changed) => match states::by_slug(&context, &slug).await {
            Ok(now) => {
                let labels = now.event.questions.asked().iter();
                state.clash = Some(labels.map(|question| question.label.clone()).collect());
                let visit = visit.with(visit.path.clone(), "error=questions-changed".to_owned());
                again(
                    &context,
                    &visit,
                    &now,
                    StatusCode::PRECONDITION_FAILED,
                    state,
                )
                .await
            }
            Err(problem) => problem_page(&visit, &problem),
        },
        Err(Refused::Problem(problem)) => match flash::code(&problem) {
            Some(code) => {
                state.seen = Some(seen.to_owned());
                let visit = visit.with(visit.path.clone(), format!("error={code}"));
                again(&context, &visit, &shown, problem.code().status(), state).await
            }
            None => problem_page(&visit, &problem),
        },
    }
}

enum Refused {
    /// The questions themselves.
    Mistakes(Vec<Invalid>),
    /// Somebody else has changed them.
    Changed,
    /// Anything else.
    Problem(Problem),
}

async fn save(
    context: &Context,
    event: &Event,
    draft: &Draft,
    seen: &str,
    organiser: &Organiser,
) -> Result<(), Refused> {
    let asked = Questions::parse(&draft.setting()).map_err(Refused::Mistakes)?;
    if asked == event.questions.asked() {
        return Ok(());
    }
    if seen != version(&event.questions) {
        return Err(Refused::Changed);
    }
    // Compared once more where it is decided: somebody else may save at this moment.
    let was = Edit {
        questions: Some(event.questions.asked().to_vec()),
        ..Edit::default()
    };
    let command = Command::Edit {
        edit: Edit {
            questions: Some(asked),
            was: Some(Box::new(was)),
            ..Edit::default()
        },
        expected: None,
        by: organiser.actor(),
    };
    let decision = context.registrar.submit(event.id, command).await;
    let decision = decision.map_err(|failure| Refused::Problem(failure.into()))?;
    decision.map(drop).map_err(|refusal| match refusal {
        Refusal::ChangedMeanwhile => Refused::Changed,
        Refusal::Invalid(mistake) => Refused::Mistakes(vec![mistake]),
        other => Refused::Problem(other.into()),
    })
}

/// Which list of questions an editor began with.
fn version(questions: &Questions) -> String {
    reply::digest(questions.stored().as_bytes())
}

/// What the page shows beside the event.
#[derive(Debug, Default)]
struct State {
    draft: Draft,
    mistakes: Vec<Invalid>,
    focus: Option<Focus>,
    /// The list that the editor began with; `None` for the present one.
    seen: Option<String>,
    /// The labels of what somebody else has saved meanwhile.
    clash: Option<Vec<String>>,
}

async fn again(
    context: &Context,
    visit: &Visit,
    shown: &Shown,
    status: StatusCode,
    state: State,
) -> Response {
    match session::session(context, &visit.head.headers).await {
        Ok(Some(session)) => {
            let template = fill(context, visit, session.csrf, shown, state);
            page(visit, status, Keep::Never, &template)
        }
        Ok(None) => see_other(super::LOGIN),
        Err(problem) => problem_page(visit, &problem),
    }
}

fn fill(
    context: &Context,
    visit: &Visit,
    csrf: session::Csrf,
    shown: &Shown,
    state: State,
) -> AdminQuestionsPage {
    let questions = &shown.event.questions;
    let rows = state.draft.0.len();
    AdminQuestionsPage {
        t: visit.texts,
        here: visit.path.clone(),
        csrf,
        flash: flash::read(visit),
        event: shown.view(context.clock.now()),
        is_unsaved: state.draft != Draft::of(questions),
        seen: state.seen.unwrap_or_else(|| version(questions)),
        questions_json: questions::as_json(&shown.event),
        clash: state.clash,
        can_add: rows < MAX,
        focuses_add: state.focus == Some(Focus::Add),
        has_mistakes: !state.mistakes.is_empty(),
        kinds: Kind::ALL.map(Kind::as_str).to_vec(),
        rows: state
            .draft
            .0
            .into_iter()
            .enumerate()
            .map(|(place, row)| {
                let error = |member| error(visit.texts, &state.mistakes, place, member);
                QuestionRow {
                    label_error: error("label").or_else(|| error("key")),
                    kind_error: error("kind"),
                    options_error: error("options"),
                    help_error: error("help"),
                    focuses_label: state.focus == Some(Focus::Label(place)),
                    focuses_up: state.focus == Some(Focus::Up(place)),
                    focuses_down: state.focus == Some(Focus::Down(place)),
                    is_last: place + 1 == rows,
                    place,
                    row,
                }
            })
            .collect(),
    }
}

/// What is wrong with one field of one question.
fn error(texts: Texts, mistakes: &[Invalid], place: usize, member: &str) -> Option<String> {
    let field = format!("questions.{place}.{member}");
    let mistake = mistakes.iter().find(|mistake| mistake.field == field)?;
    if let Some(c) = mistake.character {
        return Some(texts.get1("error-character", "character", described(c)));
    }
    let limit = |max: usize| {
        texts.get1(
            "error-answer-long",
            "max",
            u64::try_from(max).unwrap_or(u64::MAX),
        )
    };
    Some(match (member, mistake.reason) {
        ("label", "empty") => texts.get("question-error-empty"),
        ("label", "too-long") => limit(LABEL_MAX),
        ("help", "too-long") => limit(HELP_MAX),
        ("options", "too-few" | "too-many") => texts.get("question-error-options"),
        ("options", "repeated") => texts.get("question-error-repeated"),
        ("options", "too-long") => limit(OPTION_MAX),
        _ => texts.get("question-error-invalid"),
    })
}
