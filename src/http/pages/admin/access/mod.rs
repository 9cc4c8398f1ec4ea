//! Who may do what: one's own account with its sessions, and for owners accounts, tokens and their
//! audit log. A secret is shown in the answer to the form that made it, and nowhere else.

pub(in crate::http::pages) mod account;
pub(in crate::http::pages) mod accounts;
pub(in crate::http::pages) mod audit;
mod device;
mod templates;
pub(in crate::http::pages) mod tokens;

use warp::http::StatusCode;
use warp::reply::Response;

use super::mistakes;
use super::once::Outcome;
use crate::context::Context;
use crate::domain::access::{Permission, Role, Scope};
use crate::domain::account::{NAME_MAX, PASSWORD_MIN};
use crate::domain::invalid::Invalid;
use crate::http::pages::visit::Visit;
use crate::http::session::{self, Session};
use crate::problem::{Code, Problem};
use crate::text::Texts;

/// The field that names the pressed button.
const STEP: &str = "step";
/// The field of the row that a button is about.
const ROW: &str = "row";
/// The tabs of an owner: the message `access-<name>`, and the address.
pub(super) const TABS: [(&str, &str); 5] = [
    ("account", account::PATH),
    ("accounts", accounts::PATH),
    ("tokens", tokens::PATH),
    ("webhooks", "/admin/webhooks"),
    ("audit", audit::PATH),
];
/// Roles that an account can have now.
const ROLES: [Role; 3] = [Role::Owner, Role::Manager, Role::Viewer];
/// What a token may be allowed.
const SCOPES: [Scope; 3] = Scope::ALL;

/// A secret that was just made.
#[derive(Debug)]
pub(super) struct Secret {
    /// Begins its messages: `access-link`, `access-token`.
    key: &'static str,
    /// Whose it is.
    name: String,
    /// The secret itself.
    value: String,
}

/// The session of a form that `once` has let through.
async fn session(context: &Context, visit: &Visit) -> Result<Session, Problem> {
    let session = session::session(context, &visit.head.headers).await?;
    session.ok_or_else(|| Problem::new(Code::Unauthorized, "the session has ended"))
}

/// The answer that shows a secret. A second submission of its form leads to the page without it.
fn once_only(mut response: Response, path: &str) -> Response {
    *response.status_mut() = StatusCode::CREATED;
    let outcome = Outcome(format!("{path}?done=shown-once"));
    response.extensions_mut().insert(outcome);
    response
}

/// What is wrong with a field of a refused form.
fn error(texts: Texts, problem: Option<&Problem>, field: &str) -> Option<String> {
    let problem = problem?;
    if field == "name" && problem.code() == Code::NameTaken {
        return Some(texts.get("problem-name-taken-meaning"));
    }
    let mut mistakes = problem.mistakes().iter();
    let mistake = mistakes.find(|mistake| mistake.field == field)?;
    Some(worded(texts, mistake).unwrap_or_else(|| {
        mistakes::at(texts, problem, field).unwrap_or_else(|| texts.get("question-error-invalid"))
    }))
}

fn worded(texts: Texts, mistake: &Invalid) -> Option<String> {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Some(match (&*mistake.field, mistake.reason) {
        ("name", "too-long") => texts.get1("error-answer-long", "max", count(NAME_MAX)),
        ("name", "mixed-scripts") => texts.get("access-error-scripts"),
        ("name", "empty") => texts.get("access-error-name"),
        ("role", _) => texts.get("access-error-role"),
        ("scopes", _) => texts.get("access-error-scopes"),
        ("current", _) => texts.get("access-error-current"),
        ("password", "too-short") => texts.get1("password-too-short", "n", count(PASSWORD_MIN)),
        ("password", _) => texts.get("password-too-long"),
        _ => return None,
    })
}

/// Whether the reader sees the pages of an owner.
fn owns(session: &Session) -> bool {
    session.has(Permission::Administer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_has_its_words() {
        let texts = Texts::default();
        for (field, reason) in [
            ("name", "empty"),
            ("name", "too-long"),
            ("name", "mixed-scripts"),
            ("role", "unknown"),
            ("scopes", "unknown"),
            ("current", "wrong"),
            ("password", "too-short"),
            ("password", "too-long"),
            ("event", "unknown"),
        ] {
            let problem = Problem::invalid(&[Invalid::new(field, reason, "")]);
            let words = error(texts, Some(&problem), field).unwrap();
            assert!(words.ends_with('.'), "{field} {reason}: {words}");
            assert_eq!(error(texts, Some(&problem), "other"), None);
        }
    }
}
