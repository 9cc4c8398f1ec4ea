//! Accounts, tokens and sessions.

use serde::Serialize;
use utoipa::ToSchema;

/// What an account may do: everything; events and people; or counts, charts and lists without
/// addresses.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum Role {
    Owner,
    Manager,
    Viewer,
}

/// What a token may do: what a viewer sees; register people; or manage events and people.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::http::openapi) enum Scope {
    Read,
    Register,
    Manage,
}

/// Somebody who organises.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Account {
    id: String,
    name: String,
    role: Role,
    /// Whether it can sign in.
    has_password: bool,
    /// Until when its link for a password works; `null` without a link.
    #[schema(format = DateTime, required)]
    link_expires_at: Option<String>,
    /// `null` for the account `owner`.
    #[schema(format = DateTime, required)]
    created_at: Option<String>,
    #[schema(format = DateTime, required)]
    signed_in_at: Option<String>,
    /// Where the password is set. Only in the answer to the call that made the link.
    #[schema(nullable = false)]
    link: Option<String>,
}

/// Every account.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Accounts {
    accounts: Vec<Account>,
}

/// An account to make.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct NewAccount {
    /// Unique in either case; one line.
    name: String,
    role: Role,
}

/// What is absent stays as it is.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct AccountEdit {
    #[schema(nullable = false)]
    name: Option<String>,
    #[schema(nullable = false)]
    role: Option<Role>,
}

/// A token of a script.
#[expect(clippy::struct_field_names, reason = "the names of the API")]
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Token {
    id: String,
    name: String,
    scopes: Vec<Scope>,
    /// The slug of the only event that it opens; `null` for every event.
    #[schema(required)]
    event: Option<String>,
    /// `null` for never.
    #[schema(format = DateTime, required)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// As in the audit log.
    created_by: String,
    /// To the minute; `null` before its first use.
    #[schema(format = DateTime, required)]
    last_used_at: Option<String>,
    /// The secret, `hc_…`. Only in the answer to the call that made it.
    #[schema(nullable = false)]
    token: Option<String>,
}

/// Every token.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Tokens {
    tokens: Vec<Token>,
}

/// A token to make.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct NewToken {
    /// What it is for; the audit log has it.
    name: String,
    /// At least one.
    scopes: Vec<Scope>,
    /// A slug; absent or `null`: every event.
    event: Option<String>,
    /// Absent or `null`: never.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// Somebody's session of the console.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Session {
    /// Names it; opens nothing.
    id: String,
    /// Whether it is the one that asks.
    current: bool,
    #[schema(format = DateTime, required)]
    created_at: Option<String>,
    /// To the minute.
    #[schema(format = DateTime, required)]
    last_used_at: Option<String>,
    #[schema(format = DateTime)]
    expires_at: String,
    /// What the browser calls itself.
    agent: String,
}

/// One's own sessions.
#[derive(Serialize, ToSchema)]
pub(in crate::http::openapi) struct Sessions {
    sessions: Vec<Session>,
}
