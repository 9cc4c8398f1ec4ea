//! One's own account: its password, and where it is signed in.

use warp::http::StatusCode;
use warp::reply::Response;

use super::templates::{AccountPage, SessionView};
use super::{ROW, STEP, device, error, owns, session};
use crate::context::{Context, Shared};
use crate::domain::access::Permission;
use crate::domain::account::{self, OWNER, PASSWORD_MIN};
use crate::domain::invalid::Invalid;
use crate::http::auth::Organiser;
use crate::http::body::Unread;
use crate::http::pages::admin::once::{self, Submission};
use crate::http::pages::admin::{flash, reader};
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::visit::Visit;
use crate::http::session::{Session, change_password};
use crate::problem::{Code, Problem};
use crate::store::Store;

/// The page's address.
pub(super) const PATH: &str = "/admin/account";

/// `GET /admin/account`.
pub(in crate::http::pages) async fn show(context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Sessions).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    shown(&context, &visit, &session, None).await
}

/// `POST /admin/account`.
pub(in crate::http::pages) async fn act(context: Shared, visit: Visit, body: Unread) -> Response {
    once::submit(context, visit, body, Permission::Sessions, answer).await
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
    match carry_out(&context, &visit, &session, &organiser, &form).await {
        Ok(done) => see_other(&format!("{PATH}?done={done}")),
        Err(problem) if problem.code() == Code::ValidationFailed => {
            let visit = visit.with(PATH.to_owned(), "error=invalid".to_owned());
            shown(&context, &visit, &session, Some(&problem)).await
        }
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// Does what the pressed button says. Returns the flash code.
async fn carry_out(
    context: &Context,
    visit: &Visit,
    session: &Session,
    organiser: &Organiser,
    form: &Form,
) -> Result<&'static str, Problem> {
    let (by, now) = (organiser.actor(), context.clock.now());
    let store = &context.store;
    match form.get(STEP) {
        "password" => {
            if session.account == OWNER {
                let why = "this password is the server's --admin-password";
                return Err(Problem::new(Code::Forbidden, why));
            }
            let new = form.get("password");
            account::check_password(new)?;
            let is_right =
                change_password(context, visit.head.peer, session, form.get("current"), new)
                    .await?;
            if is_right {
                Ok("password")
            } else {
                Err(Invalid::new("current", "wrong", "the present password is wrong").into())
            }
        }
        "end" => {
            let id = form.get(ROW);
            let ended = store.end_session(session.account, id, &by, now).await?;
            Ok(if ended {
                "session-ended"
            } else {
                "session-gone"
            })
        }
        _ => {
            let own = Store::session_id(&session.digest);
            store
                .end_sessions(session.account, Some(own), &by, now)
                .await?;
            Ok("sessions-ended")
        }
    }
}

async fn shown(
    context: &Context,
    visit: &Visit,
    session: &Session,
    refused: Option<&Problem>,
) -> Response {
    let now = context.clock.now();
    let rows = match context.store.sessions(session.account, now).await {
        Ok(rows) => rows,
        Err(error) => return problem_page(visit, &error.into()),
    };
    let texts = visit.texts;
    let own = Store::session_id(&session.digest);
    let sessions = rows.into_iter().map(|row| SessionView {
        is_current: row.id == own,
        id: row.id,
        device: device::name(texts, &row.agent),
        agent: row.agent,
        since: row.created_at,
        seen: row.seen_at,
    });
    let template = AccountPage {
        t: texts,
        here: PATH.to_owned(),
        csrf: session.csrf.clone(),
        flash: flash::read(visit),
        once: once::draw(),
        zone: context.settings.time_zone.clone(),
        owns: owns(session),
        name: session.name.as_str().to_owned(),
        role: session.role.as_str(),
        has_own_password: session.account != OWNER,
        least: u64::try_from(PASSWORD_MIN).unwrap_or(u64::MAX),
        current_error: error(texts, refused, "current"),
        password_error: error(texts, refused, "password"),
        refused: refused.map_or("", |_| "password"),
        sessions: sessions.collect(),
    };
    let status = refused.map_or(StatusCode::OK, |problem| problem.code().status());
    page(visit, status, Keep::Never, &template)
}
