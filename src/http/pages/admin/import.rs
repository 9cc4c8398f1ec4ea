//! The console's import: a file is checked first, and stored when the organiser confirms it.
//!
//! The page after the check carries the file's text to the confirmation, so that neither a script
//! nor a state on the server is needed.

use std::sync::Arc;

use bytes::Bytes;
use warp::http::StatusCode;
use warp::reply::Response;

use super::person_templates::{AdminImportPage, ImportView, LineErrorView};
use super::upload::{self, Upload};
use super::{LOGIN, flash, once, reader};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::event::Event;
use crate::domain::invalid::Invalid;
use crate::domain::questions::Question;
use crate::http::auth::{self, Organiser};
use crate::http::body::Unread;
use crate::http::organiser::import::{self, LineError, Report};
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::states::{self, Shown};
use crate::http::pages::visit::Visit;
use crate::http::pages::{questions, register};
use crate::http::session::{self, Csrf};
use crate::problem::{Code, Problem};
use crate::text::Texts;

/// The most mistakes on the page; the number of the others stands below them.
const ERRORS_SHOWN: usize = 500;
/// The most options in one message: there may be hundreds of messages on the page.
const OPTIONS_SHOWN: usize = 10;
/// The columns of every event, as the file names them.
const FIELDS: [&str; 3] = ["name", "email", "party_size"];

/// `GET /admin/events/{slug}/import`.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Manage).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    match states::by_slug(&context, &slug).await {
        Ok(shown) => {
            let template = fill(&context, &visit, session.csrf, &shown, Checked::default());
            page(&visit, StatusCode::OK, Keep::Never, &template)
        }
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// What was checked.
#[derive(Debug, Default)]
struct Checked {
    report: Option<Report>,
    /// The file, if it is text.
    csv: String,
}

/// `POST /admin/events/{slug}/import`.
pub(in crate::http::pages) async fn act(
    slug: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    // Only the organiser may send a body of that size.
    if let Err(answer) = reader(&context, &visit, Permission::Manage).await {
        return answer;
    }
    let Upload { form, file } = match upload::read(body, &visit.head).await {
        Ok(upload) => upload,
        Err(problem) => return problem_page(&visit, &problem),
    };
    let organiser =
        match auth::form(&context, &visit.head, form.get("csrf"), Permission::Manage).await {
            Ok(organiser) => organiser,
            Err(problem) if problem.code() == Code::Unauthorized => return see_other(LOGIN),
            Err(problem) => return problem_page(&visit, &problem),
        };
    if form.get("do") != "import" {
        return check(&slug, &context, &visit, file, true, &organiser).await;
    }
    let (visit, csv) = (Arc::new(visit), form.get("csv").to_owned());
    let (shared, its) = (Shared::clone(&context), Arc::clone(&visit));
    let act =
        Box::pin(async move { check(&slug, &shared, &its, csv.into(), false, &organiser).await });
    once::once(context, &visit, &form, act).await
}

/// Shows what a file would do, or does it.
async fn check(
    slug: &str,
    context: &Context,
    visit: &Visit,
    file: Bytes,
    dry_run: bool,
    organiser: &Organiser,
) -> Response {
    let outcome = async {
        let shown = states::by_slug(context, slug).await?;
        let report = import::run(
            context,
            &shown.event,
            file.clone(),
            dry_run,
            organiser,
            visit.texts.language(),
        )
        .await?;
        Ok::<_, Problem>((shown, report))
    };
    let (shown, report) = match outcome.await {
        Ok((_, report)) if report.stored => {
            return see_other(&format!("/admin/events/{slug}/people?done=imported"));
        }
        Ok(checked) => checked,
        Err(problem) => return problem_page(visit, &problem),
    };
    let csrf = match session::session(context, &visit.head.headers).await {
        Ok(Some(session)) => session.csrf,
        Ok(None) => return see_other(LOGIN),
        Err(problem) => return problem_page(visit, &problem),
    };
    // A file with a mistake is chosen again once it is corrected.
    let csv = if report.errors.is_empty() {
        String::from_utf8_lossy(&file).into_owned()
    } else {
        String::new()
    };
    let checked = Checked {
        report: Some(report),
        csv,
    };
    let template = fill(context, visit, csrf, &shown, checked);
    page(visit, StatusCode::OK, Keep::Never, &template)
}

fn fill(
    context: &Context,
    visit: &Visit,
    csrf: Csrf,
    shown: &Shown,
    checked: Checked,
) -> AdminImportPage {
    let texts = visit.texts;
    AdminImportPage {
        t: texts,
        here: visit.path.clone(),
        csrf,
        flash: flash::read(visit),
        event: shown.view(context.clock.now()),
        once: once::draw(),
        rows_max: u64::try_from(import::ROWS_MAX).unwrap_or(u64::MAX),
        columns: shown
            .event
            .questions
            .asked()
            .iter()
            .map(|question| question.label.clone())
            .collect(),
        report: checked
            .report
            .map(|report| view(texts, &shown.event, &report)),
        csv: checked.csv,
    }
}

fn view(texts: Texts, event: &Event, report: &Report) -> ImportView {
    let errors = report.errors.iter().take(ERRORS_SHOWN);
    ImportView {
        rows: u64::try_from(report.rows).unwrap_or(u64::MAX),
        waiting: report.waiting.into(),
        errors: errors
            .map(|error| line_error(texts, event, error))
            .collect(),
        further: u64::try_from(report.errors.len().saturating_sub(ERRORS_SHOWN))
            .unwrap_or(u64::MAX),
    }
}

fn line_error(texts: Texts, event: &Event, error: &LineError) -> LineErrorView {
    let field = error.field.as_deref().unwrap_or_default();
    let asked = field.strip_prefix("answers.").and_then(|key| {
        let mut questions = event.questions.asked().iter();
        questions.find(|question| question.key.as_str() == key)
    });
    let message = match (&error.invalid, asked) {
        (Some(invalid), _) => message(texts, event, asked, invalid),
        (None, _) => texts.get(match error.code {
            "already-registered" => "error-email-taken".to_owned(),
            code => format!("problem-{code}-title"),
        }),
    };
    LineErrorView {
        line: error.line,
        // A field without a column is named as the file would name it.
        column: error.heading.clone().unwrap_or_else(|| field.to_owned()),
        cell: error.cell.clone().unwrap_or_default(),
        message,
    }
}

/// What is wrong with a cell or a header, for somebody who corrects the file.
fn message(texts: Texts, event: &Event, asked: Option<&Question>, invalid: &Invalid) -> String {
    match (invalid.reason, asked) {
        ("unknown-column", _) => {
            return texts.get1("import-error-unknown-column", "columns", columns(event));
        }
        ("unknown-option", Some(question)) => {
            return texts.get1("import-error-unknown-option", "options", options(question));
        }
        _ => {}
    }
    let own = format!("import-error-{}", invalid.reason);
    if let Some(message) = texts.find(&own) {
        return message;
    }
    match (invalid.field.as_ref(), asked) {
        (_, Some(question)) => questions::message(texts, question, invalid),
        ("party_size", None) => {
            let most = u64::from(event.max_party_size.get());
            texts.get1("error-party_size-invalid", "most", most)
        }
        ("name" | "email", None) => register::message(texts, invalid),
        _ => invalid.message.clone(),
    }
}

/// The columns that a file may have.
fn columns(event: &Event) -> String {
    let asked = event.questions.asked().iter();
    let asked = asked.map(|question| question.label.as_str());
    FIELDS
        .into_iter()
        .chain(asked)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The first options of a choice.
fn options(question: &Question) -> String {
    let options = question.options.iter().map(String::as_str);
    let rest = (question.options.len() > OPTIONS_SHOWN).then_some("…");
    options
        .take(OPTIONS_SHOWN)
        .chain(rest)
        .collect::<Vec<_>>()
        .join(", ")
}
