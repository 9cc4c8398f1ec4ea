//! One struct for each template of these pages, as in `pages/templates.rs`.

use askama::Template;

use super::Secret;
use crate::domain::access::Scope;
use crate::domain::clock::Timestamp;
use crate::domain::zone::Zone;
use crate::http::pages::mistakes::{self, Mistake};
use crate::http::pages::views::{AuditRow, FlashView};
use crate::http::session::Csrf;
use crate::text::Texts;

/// One's own account.
#[derive(Debug, Template)]
#[template(path = "admin_account.html")]
pub(super) struct AccountPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) flash: Option<FlashView>,
    pub(super) once: String,
    pub(super) zone: Zone,
    /// Whether the reader may open the other tabs.
    pub(super) owns: bool,
    pub(super) name: String,
    /// The role's word.
    pub(super) role: &'static str,
    /// Whether the password can be changed here: not the server's own.
    pub(super) has_own_password: bool,
    /// The shortest password.
    pub(super) least: u64,
    pub(super) current_error: Option<String>,
    pub(super) password_error: Option<String>,
    /// The form that was refused.
    pub(super) refused: &'static str,
    pub(super) sessions: Vec<SessionView>,
}

/// A line of one's sessions.
#[derive(Debug)]
pub(super) struct SessionView {
    pub(super) id: String,
    pub(super) device: String,
    /// What the browser calls itself.
    pub(super) agent: String,
    pub(super) is_current: bool,
    pub(super) since: Option<Timestamp>,
    pub(super) seen: Option<Timestamp>,
}

impl AccountPage {
    fn mistakes(&self) -> Vec<Mistake> {
        let fields = [
            ("current", self.t.get("access-current"), &self.current_error),
            (
                "password",
                self.t.get("access-new-password"),
                &self.password_error,
            ),
        ];
        mistakes::list(self.t, fields, &[])
    }
}

/// All accounts.
#[derive(Debug, Template)]
#[template(path = "admin_accounts.html")]
pub(super) struct AccountsPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) flash: Option<FlashView>,
    pub(super) once: String,
    pub(super) zone: Zone,
    pub(super) owns: bool,
    pub(super) secret: Option<Secret>,
    pub(super) accounts: Vec<AccountView>,
    /// As they were typed.
    pub(super) name: String,
    pub(super) role: String,
    pub(super) name_error: Option<String>,
    pub(super) role_error: Option<String>,
    /// The form that was refused.
    pub(super) refused: &'static str,
}

/// A line of the accounts.
#[derive(Debug)]
pub(super) struct AccountView {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) role: &'static str,
    /// The end of the message `access-password-`.
    pub(super) password: &'static str,
    /// Until when its link works, if it does.
    pub(super) link_until: Option<Timestamp>,
    pub(super) signed_in: Option<Timestamp>,
    /// The account whose password is the server's own.
    pub(super) is_server: bool,
    /// The reader's own.
    pub(super) is_own: bool,
}

impl AccountsPage {
    fn mistakes(&self) -> Vec<Mistake> {
        let fields = [
            ("new-name", self.t.get("access-name"), &self.name_error),
            (
                "new-role-viewer",
                self.t.get("access-role"),
                &self.role_error,
            ),
        ];
        mistakes::list(self.t, fields, &[])
    }
}

/// All tokens.
#[derive(Debug, Template)]
#[template(path = "admin_tokens.html")]
pub(super) struct TokensPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) flash: Option<FlashView>,
    pub(super) once: String,
    pub(super) zone: Zone,
    pub(super) owns: bool,
    pub(super) secret: Option<Secret>,
    pub(super) tokens: Vec<TokenView>,
    /// The events that a token can be for: slug and title.
    pub(super) events: Vec<(String, String)>,
    /// As they were typed.
    pub(super) name: String,
    pub(super) scopes: Vec<String>,
    pub(super) event: String,
    pub(super) days: String,
    pub(super) name_error: Option<String>,
    pub(super) scopes_error: Option<String>,
    pub(super) event_error: Option<String>,
    /// The form that was refused.
    pub(super) refused: &'static str,
}

/// A line of the tokens.
#[derive(Debug)]
pub(super) struct TokenView {
    pub(super) id: i64,
    pub(super) name: String,
    /// The words of its scopes.
    pub(super) scopes: Vec<&'static str>,
    pub(super) event: Option<String>,
    pub(super) made: Timestamp,
    pub(super) made_by: String,
    pub(super) used: Option<Timestamp>,
    pub(super) expires: Option<Timestamp>,
    pub(super) is_expired: bool,
}

impl TokensPage {
    fn is_ticked(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|word| word == scope.as_str())
    }

    fn mistakes(&self) -> Vec<Mistake> {
        let fields = [
            (
                "new-name",
                self.t.get("access-token-name"),
                &self.name_error,
            ),
            (
                "new-scope-read",
                self.t.get("access-scopes"),
                &self.scopes_error,
            ),
            ("new-event", self.t.get("access-event"), &self.event_error),
        ];
        mistakes::list(self.t, fields, &[])
    }
}

/// The audit log of accounts, tokens, sessions and webhooks.
#[derive(Debug, Template)]
#[template(path = "admin_server_audit.html")]
pub(super) struct ServerAuditPage {
    pub(super) t: Texts,
    pub(super) here: String,
    pub(super) csrf: Csrf,
    pub(super) owns: bool,
    pub(super) zone: Zone,
    pub(super) entries: Vec<AuditRow>,
    pub(super) next: Option<String>,
}

impl ServerAuditPage {
    fn zone(&self) -> &Zone {
        &self.zone
    }
}
