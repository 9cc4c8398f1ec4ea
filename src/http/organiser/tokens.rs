//! Tokens of scripts, with what they may do.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use warp::reply::Response;

use super::owned::{self, draw, parse_id};
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::access::{Scope, Scopes};
use crate::domain::account::{Handle, NewToken, Token};
use crate::domain::audit::Actor;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, Slug};
use crate::domain::invalid::Invalid;
use crate::http::auth::TOKEN_PREFIX;
use crate::http::body::Unread;
use crate::http::field_value::{Check, FieldValue};
use crate::http::session::digest;
use crate::http::{find, reply};
use crate::problem::{Code, Problem};

/// The address of all tokens.
const PATH: &str = "/api/v1/tokens";

/// A token, as an owner sees it.
#[derive(Debug, Serialize)]
struct View<'a> {
    id: String,
    name: &'a str,
    scopes: Vec<&'static str>,
    event: Option<&'a Slug>,
    expires_at: Option<Timestamp>,
    created_at: Timestamp,
    created_by: &'a str,
    last_used_at: Option<Timestamp>,
    /// Only where it was just made: it is shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

impl<'a> View<'a> {
    fn new(token: &'a Token, secret: Option<&'a str>) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.as_str(),
            scopes: token.scopes.iter().map(Scope::as_str).collect(),
            event: token.event.as_ref(),
            expires_at: token.expires_at,
            created_at: token.created_at,
            created_by: &token.created_by,
            last_used_at: token.last_used_at,
            token: secret,
        }
    }
}

#[derive(Serialize)]
struct List<'a> {
    tokens: Vec<View<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    name: FieldValue<'a>,
    scopes: Value,
    #[serde(borrow)]
    event: FieldValue<'a>,
    #[serde(borrow)]
    expires_at: FieldValue<'a>,
}

/// What a new token is for.
#[derive(Debug)]
pub(in crate::http) struct Wanted {
    pub(in crate::http) name: Handle,
    pub(in crate::http) scopes: Scopes,
    pub(in crate::http) event: Option<Slug>,
    pub(in crate::http) expires_at: Option<Timestamp>,
}

/// `GET /api/v1/tokens`
pub(in crate::http) async fn list(context: Shared, head: RequestHead) -> Result<Response, Problem> {
    owned::reader(&context, &head).await?;
    let tokens = context.store.tokens().await?;
    let tokens = tokens.iter().map(|token| View::new(token, None));
    Ok(reply::json(&List {
        tokens: tokens.collect(),
    }))
}

/// `GET /api/v1/tokens/{id}`
pub(in crate::http) async fn get(
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    owned::reader(&context, &head).await?;
    let tokens = context.store.tokens().await?;
    let token = tokens.iter().find(|token| token.id.to_string() == id);
    let token = token.ok_or_else(unknown)?;
    Ok(reply::json(&View::new(token, None)))
}

/// `POST /api/v1/tokens`
pub(in crate::http) async fn post(
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let by = owned::writer(&context, &head).await?.actor();
    let sent = owned::read(body, &head).await?;
    let wanted = wanted(&sent.decode()?)?;
    let (token, secret) = create(&context, wanted, &by).await?;
    let view = View::new(&token, Some(&secret));
    Ok(owned::created(PATH, token.id, &view))
}

fn wanted(fields: &Fields<'_>) -> Result<Wanted, Problem> {
    let mut check = Check::default();
    let name = check.take(fields.name.text("name").and_then(Handle::parse));
    let scopes = check.take(scopes(&fields.scopes));
    let event = check.take(fields.event.optional_text("event"));
    let event = event.flatten().map(|slug| {
        Slug::parse(slug).map_err(|_| Invalid::new("event", "unknown", "there is no such event"))
    });
    let event = event.and_then(|event| check.take(event));
    let expires_at = check.take(fields.expires_at.moment("expires_at"));
    let (Some(name), Some(scopes)) = (name, scopes) else {
        return Err(check.problem());
    };
    check.done()?;
    Ok(Wanted {
        name,
        scopes,
        event,
        expires_at: expires_at.flatten().flatten(),
    })
}

fn scopes(sent: &Value) -> Result<Scopes, Invalid> {
    let refused = || {
        Invalid::new(
            "scopes",
            "unknown",
            "scopes must be a list of read, register and manage, with at least one of them",
        )
    };
    let words = sent.as_array().ok_or_else(refused)?.iter();
    let scopes = words.map(|word| word.as_str().and_then(Scope::parse));
    let scopes = scopes.collect::<Option<Vec<_>>>().ok_or_else(refused)?;
    let scopes = scopes.into_iter().fold(Scopes::default(), Scopes::with);
    if scopes.is_empty() {
        Err(refused())
    } else {
        Ok(scopes)
    }
}

/// Makes a token; its secret is shown once.
pub(in crate::http) async fn create(
    context: &Context,
    wanted: Wanted,
    by: &Actor,
) -> Result<(Token, String), Problem> {
    let now = context.clock.now();
    let mut check = Check::default();
    if wanted.expires_at.is_some_and(|end| end <= now) {
        check.take::<()>(Err(Invalid::new(
            "expires_at",
            "past",
            "expires_at must be later than now",
        )));
    }
    let event = match &wanted.event {
        None => None,
        Some(slug) => check.take(existing(context, slug).await?),
    };
    check.done()?;
    let secret = format!("{TOKEN_PREFIX}{}", draw());
    let new = NewToken {
        name: wanted.name.clone(),
        digest: digest(&secret),
        scopes: wanted.scopes,
        event: event.as_ref().map(|event| event.id),
        expires_at: wanted.expires_at,
        created_by: by.who().into_owned(),
    };
    let id = context.store.create_token(&new, now).await?;
    tracing::info!(
        token = id,
        scopes = new.scopes.to_words(),
        "a token was made"
    );
    let token = Token {
        id,
        name: wanted.name,
        scopes: wanted.scopes,
        event: wanted.event,
        expires_at: wanted.expires_at,
        created_at: now,
        created_by: new.created_by,
        last_used_at: None,
    };
    Ok((token, secret))
}

/// The event of a token, which may be unknown.
async fn existing(
    context: &Context,
    slug: &Slug,
) -> Result<Result<std::sync::Arc<Event>, Invalid>, Problem> {
    match find::event(context, slug.as_str()).await {
        Ok(event) => Ok(Ok(event)),
        Err(problem) if problem.code() == Code::EventNotFound => Ok(Err(Invalid::new(
            "event",
            "unknown",
            format!("there is no event {slug}"),
        ))),
        Err(problem) => Err(problem),
    }
}

/// `DELETE /api/v1/tokens/{id}`
pub(in crate::http) async fn delete(
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let by = owned::writer(&context, &head).await?.actor();
    remove(&context, parse_id(&id, unknown)?, &by).await?;
    Ok(owned::deleted())
}

/// Deletes a token. The next request with it is refused.
pub(in crate::http) async fn remove(context: &Context, id: i64, by: &Actor) -> Result<(), Problem> {
    let now = context.clock.now();
    if !context.store.delete_token(id, by, now).await? {
        return Err(unknown());
    }
    tracing::info!(token = id, "a token was deleted");
    Ok(())
}

/// 404.
pub(in crate::http) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such token")
}
