//! Accounts: people who organise, with what they may do.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use warp::http::StatusCode;
use warp::reply::Response;

use super::owned::{self, draw, parse_id};
use crate::context::head::RequestHead;
use crate::context::{Context, Shared};
use crate::domain::access::Role;
use crate::domain::account::{Account, AccountId, Handle, OWNER, OWNER_NAME};
use crate::domain::audit::Actor;
use crate::domain::clock::Timestamp;
use crate::domain::invalid::Invalid;
use crate::http::body::Unread;
use crate::http::field_value::{Check, FieldValue};
use crate::http::reply;
use crate::http::session::digest;
use crate::problem::{Code, Problem};
use crate::store::Stored;

/// The address of all accounts.
const PATH: &str = "/api/v1/accounts";
/// How long a link for a password works (docs/protocol.md, section 10).
const LINK_TTL: Duration = Duration::from_hours(48);

/// An account, as an owner sees it.
#[derive(Debug, Serialize)]
struct View<'a> {
    id: String,
    name: &'a str,
    role: &'static str,
    has_password: bool,
    link_expires_at: Option<Timestamp>,
    created_at: Option<Timestamp>,
    signed_in_at: Option<Timestamp>,
    /// Only where it was just made: it is shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

impl<'a> View<'a> {
    fn new(account: &'a Account, link: Option<&'a str>) -> Self {
        Self {
            id: account.id.to_string(),
            name: account.name.as_str(),
            role: account.role.as_str(),
            has_password: account.has_password,
            link_expires_at: account.link_expires_at,
            created_at: account.created_at,
            signed_in_at: account.signed_in_at,
            link,
        }
    }
}

#[derive(Serialize)]
struct List<'a> {
    accounts: Vec<View<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    name: FieldValue<'a>,
    #[serde(borrow)]
    role: FieldValue<'a>,
}

impl Fields<'_> {
    fn name(&self) -> Result<Handle, Invalid> {
        self.name.text("name").and_then(Handle::parse)
    }

    fn role(&self) -> Result<Role, Invalid> {
        self.role.text("role").and_then(parse_role)
    }
}

/// A role that an account can have now.
pub(in crate::http) fn parse_role(word: &str) -> Result<Role, Invalid> {
    match Role::parse(word) {
        Some(Role::Door) => Err(Invalid::new(
            "role",
            "reserved",
            "role door is reserved; it cannot be given yet",
        )),
        Some(role) => Ok(role),
        None => Err(Invalid::new(
            "role",
            "unknown",
            "role must be owner, manager or viewer",
        )),
    }
}

/// `GET /api/v1/accounts`
pub(in crate::http) async fn list(context: Shared, head: RequestHead) -> Result<Response, Problem> {
    owned::reader(&context, &head).await?;
    let accounts = all(&context).await?;
    let accounts = accounts.iter().map(|account| View::new(account, None));
    Ok(reply::json(&List {
        accounts: accounts.collect(),
    }))
}

/// Every account, `owner` first.
pub(in crate::http) async fn all(context: &Context) -> Result<Vec<Account>, Problem> {
    let mut accounts = vec![owner()];
    accounts.extend(context.store.accounts().await?);
    Ok(accounts)
}

fn owner() -> Account {
    Account {
        id: OWNER,
        name: Handle::stored(OWNER_NAME),
        role: Role::Owner,
        has_password: true,
        link_expires_at: None,
        created_at: None,
        signed_in_at: None,
    }
}

/// `GET /api/v1/accounts/{id}`
pub(in crate::http) async fn get(
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    owned::reader(&context, &head).await?;
    let account = find(&context, parse_id(&id, unknown)?).await?;
    Ok(reply::json(&View::new(&account, None)))
}

/// `POST /api/v1/accounts`
pub(in crate::http) async fn post(
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let by = owned::writer(&context, &head).await?.actor();
    let sent = owned::read(body, &head).await?;
    let fields: Fields<'_> = sent.decode()?;
    let mut check = Check::default();
    let (name, role) = (check.take(fields.name()), check.take(fields.role()));
    let (Some(name), Some(role)) = (name, role) else {
        return Err(check.problem());
    };
    let (account, link) = create(&context, &head, &name, role, &by).await?;
    let view = View::new(&account, Some(&link));
    Ok(owned::created(PATH, account.id, &view))
}

/// Makes an account, and the link for its password.
pub(in crate::http) async fn create(
    context: &Context,
    head: &RequestHead,
    name: &Handle,
    role: Role,
    by: &Actor,
) -> Result<(Account, String), Problem> {
    if name.is_owner() {
        return Err(taken(name));
    }
    let (secret, now) = (draw(), context.clock.now());
    let expires_at = now.plus(LINK_TTL);
    let link = (digest(&secret), expires_at);
    let stored = context
        .store
        .create_account(name, role, (&link.0, link.1), by, now);
    let id = match stored.await? {
        Stored::Done(id) => id,
        Stored::NameTaken => return Err(taken(name)),
        Stored::Missing => return Err(unknown()),
    };
    tracing::info!(account = id, role = role.as_str(), "an account was made");
    let account = Account {
        id,
        name: name.clone(),
        role,
        has_password: false,
        link_expires_at: Some(expires_at),
        created_at: Some(now),
        signed_in_at: None,
    };
    Ok((account, link_of(context, head, &secret)))
}

/// `PATCH /api/v1/accounts/{id}`
pub(in crate::http) async fn patch(
    id: String,
    context: Shared,
    head: RequestHead,
    body: Unread,
) -> Result<Response, Problem> {
    let by = owned::writer(&context, &head).await?.actor();
    let id = parse_id(&id, unknown)?;
    let sent = owned::read(body, &head).await?;
    let fields: Fields<'_> = sent.decode()?;
    let mut check = Check::default();
    let name = match &fields.name {
        FieldValue::Absent => None,
        _ => check.take(fields.name()),
    };
    let role = match &fields.role {
        FieldValue::Absent => None,
        _ => check.take(fields.role()),
    };
    check.done()?;
    edit(&context, id, name.as_ref(), role, &by).await?;
    Ok(reply::json(&View::new(&find(&context, id).await?, None)))
}

/// Changes what is given. A new role holds from the next request of the account on.
pub(in crate::http) async fn edit(
    context: &Context,
    id: AccountId,
    name: Option<&Handle>,
    role: Option<Role>,
    by: &Actor,
) -> Result<(), Problem> {
    refuse_owner(id)?;
    if let Some(name) = name.filter(|name| name.is_owner()) {
        return Err(taken(name));
    }
    let now = context.clock.now();
    match context.store.edit_account(id, name, role, by, now).await? {
        Stored::Done(()) => Ok(()),
        Stored::NameTaken => Err(name.map_or_else(unknown, taken)),
        Stored::Missing => Err(unknown()),
    }
}

/// `DELETE /api/v1/accounts/{id}`; its sessions end.
pub(in crate::http) async fn delete(
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let by = owned::writer(&context, &head).await?.actor();
    remove(&context, parse_id(&id, unknown)?, &by).await?;
    Ok(owned::deleted())
}

/// Deletes an account, and ends its sessions.
pub(in crate::http) async fn remove(
    context: &Context,
    id: AccountId,
    by: &Actor,
) -> Result<(), Problem> {
    refuse_owner(id)?;
    let now = context.clock.now();
    if !context.store.delete_account(id, by, now).await? {
        return Err(unknown());
    }
    tracing::info!(account = id, "an account was deleted");
    Ok(())
}

/// `POST /api/v1/accounts/{id}/link`: a new link, for a first password or a forgotten one.
pub(in crate::http) async fn post_link(
    id: String,
    context: Shared,
    head: RequestHead,
) -> Result<Response, Problem> {
    let by = owned::writer(&context, &head).await?.actor();
    let (account, link) = renew_link(&context, &head, parse_id(&id, unknown)?, &by).await?;
    let mut response = reply::json(&View::new(&account, Some(&link)));
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Replaces an account's link. The password stays until the link is used.
pub(in crate::http) async fn renew_link(
    context: &Context,
    head: &RequestHead,
    id: AccountId,
    by: &Actor,
) -> Result<(Account, String), Problem> {
    refuse_owner(id)?;
    let (secret, now) = (draw(), context.clock.now());
    let link = digest(&secret);
    let link = (link.as_str(), now.plus(LINK_TTL));
    if !context.store.set_account_link(id, link, by, now).await? {
        return Err(unknown());
    }
    Ok((find(context, id).await?, link_of(context, head, &secret)))
}

/// Relative where nothing says the host.
fn link_of(context: &Context, head: &RequestHead, secret: &str) -> String {
    let base = head.base_url(&context.settings).unwrap_or_default();
    format!("{base}/admin/password/{secret}")
}

/// One account; 404 if there is none.
pub(in crate::http) async fn find(context: &Context, id: AccountId) -> Result<Account, Problem> {
    if id == OWNER {
        return Ok(owner());
    }
    context.store.account(id).await?.ok_or_else(unknown)
}

/// 404.
pub(in crate::http) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such account")
}

fn refuse_owner(id: AccountId) -> Result<(), Problem> {
    if id == OWNER {
        return Err(Problem::new(
            Code::Forbidden,
            "the account owner is the server's --admin-password; it cannot be changed here",
        ));
    }
    Ok(())
}

fn taken(name: &Handle) -> Problem {
    Problem::new(
        Code::NameTaken,
        format!("an account with the name {} exists", name.as_str()),
    )
}
