//! The page of an account's link: its password is set here, once.

use warp::http::{StatusCode, header};
use warp::reply::Response;

use super::templates::AdminPasswordPage;
use crate::context::{Context, Shared};
use crate::domain::account::{self, Account, PASSWORD_MIN};
use crate::http::auth;
use crate::http::body::{self, Unread};
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::visit::Visit;
use crate::http::rate::too_many;
use crate::http::session::{self, digest};
use crate::problem::{Code, Problem};

/// `GET /admin/password/{secret}`. It changes nothing: mail scanners follow links.
pub(in crate::http::pages) async fn show(
    secret: String,
    context: Shared,
    visit: Visit,
) -> Response {
    match of_link(&context, &visit, &secret).await {
        Ok(account) => form_page(&visit, StatusCode::OK, &account, None),
        Err(problem) => refused(&visit, &problem),
    }
}

/// `POST /admin/password/{secret}`; leads to the console, signed in.
pub(in crate::http::pages) async fn act(
    secret: String,
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    let sent = async {
        auth::refuse_cross_site(&context.settings, &visit.head)?;
        let account = of_link(&context, &visit, &secret).await?;
        let form = Form::read(body, &visit.head, body::MAX).await?;
        Ok::<_, Problem>((account, form))
    };
    let (account, form) = match sent.await {
        Ok(sent) => sent,
        Err(problem) => return refused(&visit, &problem),
    };
    let password = form.get("password");
    if let Err(invalid) = account::check_password(password) {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return form_page(&visit, status, &account, Some(invalid.reason));
    }
    match set(&context, &visit, &secret, password).await {
        Ok(response) => response,
        Err(problem) => refused(&visit, &problem),
    }
}

async fn set(
    context: &Context,
    visit: &Visit,
    secret: &str,
    password: &str,
) -> Result<Response, Problem> {
    let peer = visit.head.peer;
    // Hashing takes 19 MiB. The link was checked, so only its holder waits here.
    let permit = context.throttle.password_checks.take(peer.ip, false).await;
    let Ok(permit) = permit else {
        return Err(session::too_many_wait());
    };
    let hash = session::hash(permit, password).await;
    let now = context.clock.now();
    let account = context
        .store
        .set_account_password(&digest(secret), &hash, now)
        .await?;
    let account = account.ok_or_else(gone)?;
    let agent = visit.head.header(header::USER_AGENT).unwrap_or_default();
    let new = session::begin_for(context, peer, (account, hash), agent).await?;
    let mut response = see_other("/admin");
    response
        .headers_mut()
        .insert(header::SET_COOKIE, new.cookie);
    Ok(response)
}

/// The account of a link. Wrong links are limited like wrong tokens, but apart from them.
async fn of_link(context: &Context, visit: &Visit, secret: &str) -> Result<Account, Problem> {
    let attempt = context.throttle.links.attempt(visit.head.peer.ip);
    let attempt =
        attempt.map_err(|wait| too_many("too many wrong links from this address", wait))?;
    let now = context.clock.now();
    let found = context.store.account_by_link(&digest(secret), now).await;
    if !matches!(found, Ok(None)) {
        attempt.succeed();
    }
    found?.ok_or_else(gone)
}

fn gone() -> Problem {
    Problem::new(
        Code::NotFound,
        "this link was used, replaced, or is older than 48 hours; ask for a new one",
    )
}

fn form_page(
    visit: &Visit,
    status: StatusCode,
    account: &Account,
    mistake: Option<&'static str>,
) -> Response {
    let texts = visit.texts;
    let least = u64::try_from(PASSWORD_MIN).unwrap_or(u64::MAX);
    let template = AdminPasswordPage {
        t: texts,
        here: visit.path.clone(),
        name: account.name.as_str().to_owned(),
        least,
        error: mistake.map(|reason| texts.get1(format!("password-{reason}"), "n", least)),
        is_gone: false,
    };
    page(visit, status, Keep::Never, &template)
}

fn refused(visit: &Visit, problem: &Problem) -> Response {
    if problem.code() != Code::NotFound {
        return problem_page(visit, problem);
    }
    let template = AdminPasswordPage {
        t: visit.texts,
        here: visit.path.clone(),
        name: String::new(),
        least: 0,
        error: None,
        is_gone: true,
    };
    page(visit, StatusCode::NOT_FOUND, Keep::Never, &template)
}
