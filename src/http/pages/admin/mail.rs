//! The mails of an event: which are sent, which wait, and whether mail works.

use warp::http::StatusCode;
use warp::reply::Response;

use super::details::{Setting, Tick};
use super::mail_templates::{AdminMailPage, HeldView, KindView, MailRow};
use super::once::{self, Submission};
use super::{flash, inputs, mistakes, reader, unsent};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::clock::Timestamp;
use crate::domain::command::Command;
use crate::domain::event::{Edit, Event};
use crate::domain::mail::{MailKinds, RemindBefore};
use crate::domain::outbox::{Channel, MailKind, NewRow, Row, RowState};
use crate::domain::person::Email;
use crate::http::auth::Organiser;
use crate::http::body::Unread;
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::states::{self, Shown};
use crate::http::pages::visit::Visit;
use crate::http::{registration, session};
use crate::problem::{Code, Problem};
use crate::store::outbox::OutboxFilter;
use crate::text::Texts;

/// Mails on one page.
const PAGE: u32 = 50;
/// The field of the address that a test goes to.
const TEST_TO: &str = "test_to";
/// The field that names the button.
const STEP: &str = "step";
/// The field of the mail to send again.
const ROW: &str = "row";
/// The field of what the switches were.
const WAS_MAILS: &str = "was_mails";

/// `GET /admin/events/{slug}/mail`.
pub(in crate::http::pages) async fn show(slug: String, context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Manage).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    let filled = async {
        registration::require_mail(&context, &visit.path)?;
        let shown = states::by_slug(&context, &slug).await?;
        fill(&context, &visit, session.csrf, &shown, None).await
    };
    match filled.await {
        Ok(template) => page(&visit, StatusCode::OK, Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// `POST /admin/events/{slug}/mail`.
pub(in crate::http::pages) async fn act(
    slug: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    let act = |submission| answer(slug, submission);
    once::submit(context, visit, body, Permission::Manage, act).await
}

async fn answer(slug: String, submission: Submission) -> Response {
    let Submission {
        context,
        visit,
        form,
        organiser,
    } = submission;
    let outcome = async {
        registration::require_mail(&context, &visit.path)?;
        let shown = states::by_slug(&context, &slug).await?;
        carry_out(&context, &visit, &shown.event, &form, &organiser).await
    };
    let here = format!("/admin/events/{slug}/mail");
    let problem = match outcome.await {
        Ok(done) => return see_other(&format!("{here}?done={done}")),
        Err(problem) => problem,
    };
    let Some(code) = flash::code(&problem) else {
        return problem_page(&visit, &problem);
    };
    let again = async {
        let shown = states::by_slug(&context, &slug).await?;
        let session = session::session(&context, &visit.head.headers).await?;
        let ended = || Problem::new(Code::Unauthorized, "the session has ended");
        let csrf = session.ok_or_else(ended)?.csrf;
        let visit = visit.with(here, format!("error={code}"));
        let refused = Some((&*form, &problem));
        fill(&context, &visit, csrf, &shown, refused).await
    };
    match again.await {
        Ok(template) => page(&visit, problem.code().status(), Keep::Never, &template),
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// Does what the pressed button says. Returns the flash code.
async fn carry_out(
    context: &Context,
    visit: &Visit,
    event: &Event,
    form: &Form,
    organiser: &Organiser,
) -> Result<&'static str, Problem> {
    match form.get(STEP) {
        "test" => {
            let to = Email::parse(form.get(TEST_TO)).map_err(|mut invalid| {
                invalid.field = TEST_TO.into();
                Problem::from(invalid)
            })?;
            let now = context.clock.now();
            let row = NewRow::test(&to, visit.texts.language(), now);
            context.store.write_outbox(&[row], now).await?;
            Ok("mail-test")
        }
        "retry" => {
            let row = form.get(ROW).parse().unwrap_or_default();
            let now = context.clock.now();
            let again = context.store.retry_outbox(event.id, row, now).await?;
            Ok(if again { "mail-retry" } else { "mail-no-retry" })
        }
        _ => {
            let edit = edit(form)?;
            if !edit.is_empty() {
                let by = organiser.actor();
                let command = Command::Edit {
                    edit,
                    expected: None,
                    by,
                };
                context.registrar.submit(event.id, command).await??;
            }
            Ok("mail-saved")
        }
    }
}

/// What the form changes: only what differs from when the page was shown.
fn edit(form: &Form) -> Result<Edit, Problem> {
    let remind = inputs::parse_remind_before(form.get(RemindBefore::FIELD))?;
    let was_remind = form
        .sent("was_remind_hours_before")
        .and_then(|text| inputs::parse_remind_before(text).ok());
    let ticked = MailKinds::only(|kind| form.is_ticked(&name(kind)));
    let was_mails = form.sent(WAS_MAILS).map(MailKinds::of_stored);
    Ok(Edit {
        remind_before: (was_remind != Some(remind)).then_some(remind),
        mails: (was_mails != Some(ticked)).then_some(ticked),
        was: Some(Box::new(Edit {
            remind_before: was_remind,
            mails: was_mails,
            ..Edit::default()
        })),
        ..Edit::default()
    })
}

/// The name of a kind's checkbox.
fn name(kind: MailKind) -> String {
    format!("mail-{}", kind.as_str())
}

async fn fill(
    context: &Context,
    visit: &Visit,
    csrf: session::Csrf,
    shown: &Shown,
    refused: Option<(&Form, &Problem)>,
) -> Result<AdminMailPage, Problem> {
    let (t, event) = (visit.texts, &shown.event);
    let filter = OutboxFilter {
        event: Some(event.id),
        state: visit
            .parameter("state")
            .and_then(|word| RowState::parse(&word)),
        before: visit.parameter("after").and_then(|key| key.parse().ok()),
        limit: PAGE,
    };
    let store = context.store_for(visit.head.peer);
    let rows = store.outbox(&filter).await?;
    let totals = store.outbox_totals(Some(event.id)).await?;
    let next = (rows.len() >= PAGE as usize).then(|| rows.last().map(|row| row.id));
    let total = |state| {
        let found = totals.iter().find(|(known, _)| *known == state);
        found.map_or(0, |(_, rows)| *rows)
    };
    let typed = |name: &str, now: String| {
        let sent = refused.and_then(|(form, _)| form.sent(name));
        sent.map_or(now, ToOwned::to_owned)
    };
    let error = |name| refused.and_then(|(_, problem)| mistakes::at(t, problem, name));
    let now = inputs::remind_before(event.mail.remind_before);
    Ok(AdminMailPage {
        t,
        here: visit.path.clone(),
        csrf,
        flash: flash::read(visit),
        once: once::draw(),
        event: shown.view(context.clock.now()),
        remind: Setting {
            value: typed(RemindBefore::FIELD, now.clone()),
            was: now.clone(),
            now,
            error: error(RemindBefore::FIELD),
        },
        kinds: kinds(event, refused.map(|(form, _)| form)),
        was_mails: event.mail.mails.stored(),
        test_to: typed(TEST_TO, String::new()),
        test_error: error(TEST_TO),
        totals: RowState::ALL.map(|state| (state.as_str(), total(state))),
        rows: rows
            .into_iter()
            .map(|row| view(t, row, context.clock.now()))
            .collect(),
        held: held(context, event, total(RowState::Waiting)).await?,
        next: next.flatten(),
    })
}

/// Whether a budget holds mails back.
async fn held(context: &Context, event: &Event, waiting: u64) -> Result<Option<HeldView>, Problem> {
    let Some(budget) = context.settings.mail.filter(|_| waiting > 0) else {
        return Ok(None);
    };
    let used = context.store.mails_used(context.clock.now()).await?;
    let own = used.get(&event.id).copied().unwrap_or(0);
    let budgets = [(own, budget.per_event), (used.values().sum(), budget.total)];
    let mut exhausted = budgets.into_iter();
    let exhausted = exhausted.find(|(used, most)| *used >= u64::from(*most));
    Ok(exhausted.map(|(_, budget)| HeldView { waiting, budget }))
}

fn kinds(event: &Event, typed: Option<&Form>) -> Vec<KindView> {
    // A form with another button has no switches.
    let typed = typed.filter(|form| form.sent(WAS_MAILS).is_some());
    let view = |kind: MailKind| {
        let now = event.mail.mails.has(kind);
        KindView {
            word: kind.as_str(),
            tick: Tick {
                value: typed.map_or(now, |form| form.is_ticked(&name(kind))),
                now,
            },
        }
    };
    MailKinds::SWITCHES.into_iter().map(view).collect()
}

fn view(t: Texts, row: Row, now: Timestamp) -> MailRow {
    // Before the first attempt there is nothing to say: it comes at once.
    let due = (row.state == RowState::Waiting && row.attempts > 0).then_some(row.due);
    MailRow {
        id: row.id,
        kind: t
            .find(&format!("mail-kind-{}", row.kind))
            .unwrap_or_else(|| row.kind.clone()),
        registration: row.locator().map(|locator| locator.to_string()),
        number: row.number.unwrap_or_default(),
        is_to_everybody: row.channel == Channel::Fanout,
        state: row.state.as_str(),
        is_failed: row.state == RowState::Failed,
        created: row.created,
        finished: row.finished,
        is_due: due.is_some_and(|due| due <= now),
        due,
        error: row.error.map(|line| unsent::sentence(t, &line)),
    }
}
