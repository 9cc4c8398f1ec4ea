//! The accounts of people who organise, for owners.

use warp::http::StatusCode;
use warp::reply::Response;

use super::templates::{AccountView, AccountsPage};
use super::{ROW, STEP, Secret, error, once_only, owns, session};
use crate::context::{Context, Shared};
use crate::domain::access::{Permission, Role};
use crate::domain::account::{Account, AccountId, Handle, OWNER};
use crate::domain::audit::Actor;
use crate::domain::clock::Timestamp;
use crate::domain::invalid::Invalid;
use crate::http::body::Unread;
use crate::http::field_value::Check;
use crate::http::organiser::accounts;
use crate::http::pages::admin::once::{self, Submission};
use crate::http::pages::admin::{flash, reader};
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::visit::Visit;
use crate::http::session::Session;
use crate::problem::{Code, Problem};

/// The page's address.
pub(super) const PATH: &str = "/admin/accounts";

/// `GET /admin/accounts`.
pub(in crate::http::pages) async fn show(context: Shared, visit: Visit) -> Response {
    let session = match reader(&context, &visit, Permission::Administer).await {
        Ok(session) => session,
        Err(answer) => return answer,
    };
    shown(&context, &visit, &session, Shown::default()).await
}

/// `POST /admin/accounts`.
pub(in crate::http::pages) async fn act(context: Shared, visit: Visit, body: Unread) -> Response {
    once::submit(context, visit, body, Permission::Administer, answer).await
}

/// What the page has beside the list.
#[derive(Default)]
struct Shown<'a> {
    secret: Option<Secret>,
    refused: Option<(&'a Form, &'a Problem)>,
}

/// What a form has done.
enum Done {
    /// The flash code.
    Changed(&'static str),
    Made(Secret),
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
    match carry_out(&context, &visit, &session, &organiser.actor(), &form).await {
        Ok(Done::Changed(done)) => see_other(&format!("{PATH}?done={done}")),
        Ok(Done::Made(secret)) => {
            let shown = Shown {
                secret: Some(secret),
                refused: None,
            };
            once_only(self::shown(&context, &visit, &session, shown).await, PATH)
        }
        Err(problem) => match problem.code() {
            Code::NotFound => see_other(&format!("{PATH}?error=account-gone")),
            Code::ValidationFailed | Code::NameTaken => {
                let visit = visit.with(PATH.to_owned(), "error=invalid".to_owned());
                let shown = Shown {
                    secret: None,
                    refused: Some((&form, &problem)),
                };
                self::shown(&context, &visit, &session, shown).await
            }
            _ => problem_page(&visit, &problem),
        },
    }
}

/// Does what the pressed button says.
async fn carry_out(
    context: &Context,
    visit: &Visit,
    session: &Session,
    by: &Actor,
    form: &Form,
) -> Result<Done, Problem> {
    let link = |account: &Account, value| {
        Done::Made(Secret {
            key: "access-link",
            name: account.name.as_str().to_owned(),
            value,
        })
    };
    match form.get(STEP) {
        "role" => {
            let role = accounts::parse_role(form.get("role"))?;
            accounts::edit(context, other(session, form)?, None, Some(role), by).await?;
            Ok(Done::Changed("role"))
        }
        "link" => {
            let id = other(session, form)?;
            let (account, value) = accounts::renew_link(context, &visit.head, id, by).await?;
            Ok(link(&account, value))
        }
        "remove" => {
            accounts::remove(context, other(session, form)?, by).await?;
            Ok(Done::Changed("account-removed"))
        }
        _ => {
            let mut check = Check::default();
            let name = check.take(Handle::parse(form.get("name")));
            let role = check.take(accounts::parse_role(form.get("role")));
            let (Some(name), Some(role)) = (name, role) else {
                return Err(check.problem());
            };
            let (account, value) = accounts::create(context, &visit.head, &name, role, by).await?;
            Ok(link(&account, value))
        }
    }
}

/// The account of a row: not one's own, so that nobody locks themselves out by a slip.
fn other(session: &Session, form: &Form) -> Result<AccountId, Problem> {
    match form.get(ROW).parse() {
        Ok(id) if id == session.account => {
            Err(Invalid::new("row", "own", "another owner changes your account").into())
        }
        Ok(id) => Ok(id),
        Err(_) => Err(accounts::unknown()),
    }
}

async fn shown(context: &Context, visit: &Visit, session: &Session, shown: Shown<'_>) -> Response {
    let accounts = match accounts::all(context).await {
        Ok(accounts) => accounts,
        Err(problem) => return problem_page(visit, &problem),
    };
    let (texts, now) = (visit.texts, context.clock.now());
    let (form, problem) = shown.refused.unzip();
    let typed = |name| form.map(|form| form.get(name).to_owned());
    let template = AccountsPage {
        t: texts,
        here: PATH.to_owned(),
        csrf: session.csrf.clone(),
        flash: flash::read(visit),
        once: once::draw(),
        zone: context.settings.time_zone.clone(),
        owns: owns(session),
        secret: shown.secret,
        accounts: accounts
            .iter()
            .map(|account| view(account, session, now))
            .collect(),
        name: typed("name").unwrap_or_default(),
        role: typed("role").unwrap_or_else(|| Role::Viewer.as_str().to_owned()),
        name_error: error(texts, problem, "name"),
        role_error: error(texts, problem, "role"),
        refused: form.map_or("", |_| "new"),
    };
    let status = problem.map_or(StatusCode::OK, |problem| problem.code().status());
    page(visit, status, Keep::Never, &template)
}

fn view(account: &Account, session: &Session, now: Timestamp) -> AccountView {
    let link_until = account.link_expires_at.filter(|end| *end > now);
    AccountView {
        id: account.id,
        name: account.name.as_str().to_owned(),
        role: account.role.as_str(),
        password: match (account.has_password, link_until) {
            (true, None) => "set",
            (true, Some(_)) => "renewing",
            (false, Some(_)) => "awaited",
            (false, None) => "missed",
        },
        link_until,
        signed_in: account.signed_in_at,
        is_server: account.id == OWNER,
        is_own: account.id == session.account,
    }
}
