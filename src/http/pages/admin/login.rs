//! Signing in and out.

use warp::http::{StatusCode, header};
use warp::reply::Response;

use super::LOGIN;
use super::next::{self, NEXT};
use super::templates::AdminLoginPage;
use crate::context::Shared;
use crate::domain::access::Permission;
use crate::http::auth;
use crate::http::body::{self, Unread};
use crate::http::pages::answer::{Keep, page, problem_page, see_other};
use crate::http::pages::form::Form;
use crate::http::pages::visit::Visit;
use crate::http::session::{self, Credentials};
use crate::problem::{Code, Problem};

/// What was typed at the sign-in page, and where it leads.
#[derive(Debug, Default)]
pub(super) struct Attempted {
    pub(super) name: String,
    pub(super) next: String,
}

/// `GET /admin/login`; redirects to the console if already signed in.
pub(in crate::http::pages) async fn show(context: Shared, visit: Visit) -> Response {
    let next = visit.parameter(NEXT).unwrap_or_default();
    match session::session(&context, &visit.head.headers).await {
        Ok(Some(_)) => see_other(next::or_first(&next)),
        Ok(None) => {
            let next = next::parse(&next).unwrap_or_default().to_owned();
            let name = String::new();
            sign_in_page(&visit, StatusCode::OK, Attempted { name, next }, None)
        }
        Err(problem) => problem_page(&visit, &problem),
    }
}

/// The page with the fields for the account's name and its password.
pub(super) fn sign_in_page(
    visit: &Visit,
    status: StatusCode,
    attempted: Attempted,
    error: Option<&str>,
) -> Response {
    let template = AdminLoginPage {
        t: visit.texts,
        here: LOGIN.to_owned(),
        name: attempted.name,
        next: attempted.next,
        error: error.map(|key| visit.texts.get(key)),
    };
    page(visit, status, Keep::Never, &template)
}

/// `POST /admin/login`.
pub(in crate::http::pages) async fn sign_in(
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    let mut attempted = Attempted::default();
    let attempt = async {
        // Login CSRF: another site must not sign its visitor in with another account.
        auth::refuse_cross_site(&context.settings, &visit.head)?;
        let form = Form::read(body, &visit.head, body::MAX).await?;
        form.get("name").clone_into(&mut attempted.name);
        let next = next::parse(form.get(NEXT));
        next.unwrap_or_default().clone_into(&mut attempted.next);
        let credentials = Credentials {
            name: form.get("name"),
            password: form.get("password"),
            agent: visit.head.header(header::USER_AGENT).unwrap_or_default(),
        };
        session::sign_in(&context, visit.head.peer, credentials).await
    };
    match attempt.await {
        Ok(new) => {
            let mut response = see_other(next::or_first(&attempted.next));
            response
                .headers_mut()
                .insert(header::SET_COOKIE, new.cookie);
            response
        }
        Err(problem) => refused(&visit, attempted, &problem),
    }
}

fn refused(visit: &Visit, attempted: Attempted, problem: &Problem) -> Response {
    let key = match problem.code() {
        Code::Unauthorized => "login-error-password",
        Code::TooManyRequests => "login-error-limit",
        _ => return problem_page(visit, problem),
    };
    let mut response = sign_in_page(visit, problem.code().status(), attempted, Some(key));
    response.headers_mut().extend(problem.headers().clone());
    response
}

/// `POST /admin/logout`.
pub(in crate::http::pages) async fn sign_out(
    context: Shared,
    visit: Visit,
    body: Unread,
) -> Response {
    if let Err(answer) = super::writer(&context, &visit, body, Permission::Sessions).await {
        return answer;
    }
    match session::sign_out(&context, visit.head.peer, &visit.head.headers).await {
        Ok(cookie) => {
            let mut response = see_other(LOGIN);
            response.headers_mut().insert(header::SET_COOKIE, cookie);
            response
        }
        Err(problem) => problem_page(&visit, &problem),
    }
}
