//! Who may do what: the organiser's proof, with the permission that each call and page names, and
//! the refusal of writes that another site's page has sent.

mod bearer;
mod origin;

use warp::Filter as _;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, header};

use super::session::{self, Session};
use crate::context::Context;
use crate::context::head::RequestHead;
use crate::domain::access::{Grant, Need, Permission};
use crate::domain::account::AccountId;
use crate::domain::audit::Actor;
use crate::problem::{Code, Problem};
use crate::store::Store;

pub use bearer::{TOKEN_PREFIX, registrant};
pub use origin::refuse_cross_site;

/// The header by which the console's scripts prove that they can read the console's pages.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Proof that an organiser sent the request; only this module creates one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organiser {
    actor: Actor,
    grant: Grant,
    /// Whose sessions are this organiser's own; `None` for tokens.
    account: Option<AccountId>,
    /// Names the session that was proven, if one was.
    session: Option<String>,
}

impl Organiser {
    /// Who it is, for the audit log.
    pub fn actor(&self) -> Actor {
        self.actor.clone()
    }

    /// Whether this organiser may do more than the call asked for, such as seeing addresses.
    pub fn has(&self, need: Need<'_>) -> bool {
        self.grant.covers(need)
    }

    /// Whose sessions are this organiser's own. The admin token stands for the account `owner`; other
    /// tokens have none.
    pub fn account(&self) -> Option<AccountId> {
        self.account
    }

    /// What names the session that was proven; `None` for a token.
    pub fn session_id(&self) -> Option<&str> {
        self.session.as_deref()
    }

    fn of(session: &Session) -> Self {
        Self {
            actor: session.actor.clone(),
            grant: Grant::Role(session.role),
            account: Some(session.account),
            session: Some(Store::session_id(&session.digest).to_owned()),
        }
    }

    fn require(self, need: Need<'_>) -> Result<Self, Problem> {
        if self.has(need) {
            Ok(self)
        } else {
            Err(self.lacking(need))
        }
    }

    /// [`missing`], with what is missing of a token.
    fn lacking(&self, need: Need<'_>) -> Problem {
        let Grant::Token { scopes, event } = &self.grant else {
            return missing(need);
        };
        if let Some(event) = event
            .as_ref()
            .filter(|own| need.event != Some(own.as_str()))
        {
            let detail = format!("this token is for the event {event} only");
            return Problem::new(Code::Forbidden, detail);
        }
        let what = need.permission.wording();
        let Some(scope) = need.permission.scope() else {
            let detail = format!("no token that an owner makes is allowed {what}");
            return Problem::new(Code::Forbidden, detail);
        };
        let (scope, own) = (scope.as_str(), scopes.to_words().replace(' ', ", "));
        let detail = format!(
            "this token is not allowed {what}: that needs the scope {scope}, and it has {own}"
        );
        // RFC 6750, section 3.1.
        let challenge =
            format!(r#"Bearer realm="headcount", error="insufficient_scope", scope="{scope}""#);
        let problem = Problem::new(Code::Forbidden, detail);
        match HeaderValue::try_from(challenge) {
            Ok(challenge) => problem.header(header::WWW_AUTHENTICATE, challenge),
            // A scope is a word.
            Err(_) => problem,
        }
    }
}

/// An organiser reads: by token or by session.
pub async fn reader(
    context: &Context,
    head: &RequestHead,
    need: Need<'_>,
) -> Result<Organiser, Problem> {
    if let Some(organiser) = bearer::organiser(context, head).await? {
        return organiser.require(need);
    }
    match session::session(context, &head.headers).await? {
        Some(session) => Organiser::of(&session).require(need),
        None => Err(nobody()),
    }
}

/// Whether a request has anything that could prove the organiser.
pub fn has_credentials(head: &RequestHead) -> bool {
    bearer::token(head).is_some() || session::has_cookie(&head.headers)
}

/// Whether a request has credentials of any kind: its answer may be its sender's alone. Most requests
/// have neither field, and nothing of them is copied.
pub fn sends_credentials() -> BoxedFilter<(bool,)> {
    // Rejects a field that is not text; the headers are then read whole.
    let lacks = |name| {
        let field = warp::header::optional::<String>(name);
        let absent = |field: Option<String>| async move {
            if field.is_none() {
                Ok(())
            } else {
                Err(warp::reject::not_found())
            }
        };
        field.and_then(absent).untuple_one()
    };
    let none = lacks("authorization").and(lacks("cookie")).map(|| false);
    let some = warp::header::headers_cloned().map(|headers: HeaderMap| {
        headers.contains_key(header::AUTHORIZATION) || session::has_cookie(&headers)
    });
    none.or(some).unify().boxed()
}

/// Whether a program with a token sent the request, that may register people for the event with this
/// slug. The bot check is for everybody else.
pub async fn is_program(context: &Context, head: &RequestHead, slug: &str) -> bool {
    bearer::token(head).is_some()
        && reader(context, head, Permission::Add.on(slug))
            .await
            .is_ok()
}

/// An organiser writes: by token, or by session with proof that a page of this site sends the
/// request.
pub async fn writer(
    context: &Context,
    head: &RequestHead,
    need: Need<'_>,
) -> Result<Organiser, Problem> {
    refuse_cross_site(&context.settings, head)?;
    if let Some(organiser) = bearer::organiser(context, head).await? {
        return organiser.require(need);
    }
    let Some(session) = session::session(context, &head.headers).await? else {
        return Err(nobody());
    };
    let proven = match head.header(CSRF_HEADER) {
        Some(token) => session.proves(token),
        None => origin::is_same(&context.settings, head),
    };
    if proven {
        Organiser::of(&session).require(need)
    } else {
        Err(forged())
    }
}

/// An organiser submits one of the console's forms, whose hidden field carries the session's CSRF
/// token. Accounts may do the same at every event.
pub async fn form(
    context: &Context,
    head: &RequestHead,
    token: &str,
    permission: Permission,
) -> Result<Organiser, Problem> {
    refuse_cross_site(&context.settings, head)?;
    match session::session(context, &head.headers).await? {
        Some(session) if session.proves(token) => {
            Organiser::of(&session).require(permission.everywhere())
        }
        Some(_) => Err(forged()),
        None => Err(unauthorized("the session has ended; sign in again", false)),
    }
}

/// 403: the account or token lacks the permission.
pub fn missing(need: Need<'_>) -> Problem {
    let what = need.permission.wording();
    let detail = match need.event {
        None => format!("this account or token has no permission {what}"),
        Some(slug) => format!("this account or token has no permission {what} of event {slug}"),
    };
    Problem::new(Code::Forbidden, detail)
}

fn nobody() -> Problem {
    unauthorized(
        "sign in to the console, or send a token as Authorization: Bearer <token>",
        false,
    )
}

fn unauthorized(detail: &str, token_sent: bool) -> Problem {
    // RFC 6750, section 3: `error` only where a token was sent.
    let challenge = if token_sent {
        r#"Bearer realm="headcount", error="invalid_token""#
    } else {
        r#"Bearer realm="headcount""#
    };
    Problem::new(Code::Unauthorized, detail).header(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static(challenge),
    )
}

fn forged() -> Problem {
    Problem::new(
        Code::Forbidden,
        "the session's proof is missing or wrong; reload the console's page, and send its token \
        as X-CSRF-Token",
    )
}
