//! Calls about the server: accounts, tokens and one's own sessions.

use warp::http::Method;

use super::{Call, JSON, NOTHING, ORGANISER};
use crate::problem::Code;

pub(super) const ALL: &[Call] = &[
    Call {
        path: "/api/v1/accounts",
        id: "listAccounts",
        summary: "Who organises",
        notes: "Owners only.",
        answers: &[(200, "Every account, `owner` first", &[(JSON, "Accounts")])],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/accounts",
        id: "createAccount",
        summary: "Make an account",
        notes: "Owners only. `link` is shown once and works for 48 hours: its page sets the password.",
        body: Some(("NewAccount", false)),
        answers: &[(201, "Made", &[(JSON, "Account")])],
        refusals: &[Code::NameTaken],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/accounts/{id}",
        id: "getAccount",
        summary: "One account",
        notes: "Owners only.",
        answers: &[(200, "The account", &[(JSON, "Account")])],
        refusals: &[Code::NotFound],
        ..ORGANISER
    },
    Call {
        method: Method::PATCH,
        path: "/api/v1/accounts/{id}",
        id: "editAccount",
        summary: "Change an account's name or role",
        notes: "Owners only. A new role holds from the account's next request on.",
        body: Some(("AccountEdit", false)),
        answers: &[(200, "As it is then", &[(JSON, "Account")])],
        refusals: &[Code::NotFound, Code::NameTaken],
        ..ORGANISER
    },
    Call {
        method: Method::DELETE,
        path: "/api/v1/accounts/{id}",
        id: "deleteAccount",
        summary: "Delete an account; its sessions end",
        notes: "Owners only.",
        answers: &[(204, "Deleted", NOTHING)],
        refusals: &[Code::NotFound],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/accounts/{id}/link",
        id: "renewAccountLink",
        summary: "Make a new link for an account's password",
        notes: "Owners only. It replaces the link before it. The password stays until it is used.",
        answers: &[(201, "With the new `link`", &[(JSON, "Account")])],
        refusals: &[Code::NotFound],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/tokens",
        id: "listTokens",
        summary: "The tokens of scripts",
        notes: "Owners only.",
        answers: &[(200, "Every token", &[(JSON, "Tokens")])],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/tokens",
        id: "createToken",
        summary: "Make a token",
        notes: "Owners only. `token` is shown once.",
        body: Some(("NewToken", false)),
        answers: &[(201, "Made", &[(JSON, "Token")])],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/tokens/{id}",
        id: "getToken",
        summary: "One token",
        notes: "Owners only.",
        answers: &[(200, "The token", &[(JSON, "Token")])],
        refusals: &[Code::NotFound],
        ..ORGANISER
    },
    Call {
        method: Method::DELETE,
        path: "/api/v1/tokens/{id}",
        id: "deleteToken",
        summary: "Delete a token",
        notes: "Owners only. The next request with it gets 401.",
        answers: &[(204, "Deleted", NOTHING)],
        refusals: &[Code::NotFound],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/sessions",
        id: "listSessions",
        summary: "One's own sessions of the console",
        answers: &[(200, "The last used first", &[(JSON, "Sessions")])],
        ..ORGANISER
    },
    Call {
        method: Method::DELETE,
        path: "/api/v1/sessions",
        id: "endSessions",
        summary: "End all of one's own sessions",
        answers: &[(204, "Ended", NOTHING)],
        ..ORGANISER
    },
    Call {
        method: Method::DELETE,
        path: "/api/v1/sessions/{id}",
        id: "endSession",
        summary: "End one of one's own sessions",
        answers: &[(204, "Ended", NOTHING)],
        refusals: &[Code::NotFound],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/audit",
        id: "listServerAudit",
        summary: "Who changed accounts, tokens, sessions and webhooks",
        notes: "Owners only.",
        takes: &["after", "limit"],
        answers: &[(200, "A page, newest first", &[(JSON, "Audit")])],
        refusals: &[Code::BadRequest],
        ..ORGANISER
    },
];
