//! Accounts of people who organise, and tokens of scripts.

use std::sync::Arc;

use super::access::{Role, Scopes};
use super::characters;
use super::clock::Timestamp;
use super::event::{EventId, Slug};
use super::fold::uncased;
use super::invalid::{self, Invalid};

/// The key of an account in the database.
pub type AccountId = i64;

/// The account whose password is the server's own. It has no row.
pub const OWNER: AccountId = 0;
/// The name of [`OWNER`]. No other account can have it.
pub const OWNER_NAME: &str = "owner";

/// The longest name of an account or a token, in code points: it stands in every line of the audit
/// log.
pub const NAME_MAX: usize = 64;
/// The shortest password, in code points (NIST SP 800-63B-4, section 3.1.1.2: at least 8).
pub const PASSWORD_MIN: usize = 8;
/// The longest password, in bytes, because argon2 hashes all of them.
pub const PASSWORD_MAX: usize = 1_024;

/// The name of an account or a token: 1..=[`NAME_MAX`] code points on one line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Handle(Arc<str>);

impl Handle {
    /// Parses what an organiser gives. Fails with the rule it breaks. Nobody must look like somebody
    /// else, so no character is invisible, and scripts that look alike are not mixed.
    pub fn parse(raw: &str) -> Result<Self, Invalid> {
        let name = invalid::text("name", raw, 1, NAME_MAX, false)?;
        let unseen = |c: &char| characters::is_invisible(*c) || characters::is_blank(*c);
        if let Some(c) = name.chars().find(unseen) {
            return Err(Invalid::character("name", c));
        }
        if characters::mixes_scripts(&name) {
            let rule =
                "name must not mix scripts whose letters look alike, such as Latin and Cyrillic";
            return Err(Invalid::new("name", "mixed-scripts", rule));
        }
        Ok(Self(name.into()))
    }

    /// A name that was stored.
    pub fn stored(name: &str) -> Self {
        Self(name.into())
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The characters, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The text by which two names are one: people type them in either case.
    pub fn key(&self) -> String {
        uncased(&self.0)
    }

    /// Whether it is the name of the account whose password is the server's own.
    pub fn is_owner(&self) -> bool {
        self.key() == OWNER_NAME
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The key.
    pub id: AccountId,
    /// The name with which people sign in.
    pub name: Handle,
    /// What it may do.
    pub role: Role,
    /// Whether it can sign in.
    pub has_password: bool,
    /// Until when its link for a password works; `None` without a link.
    pub link_expires_at: Option<Timestamp>,
    /// When it was made; `None` for [`OWNER`].
    pub created_at: Option<Timestamp>,
    /// When somebody last signed in.
    pub signed_in_at: Option<Timestamp>,
}

/// A token of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The key.
    pub id: i64,
    /// What it is for.
    pub name: Handle,
    /// What it may do.
    pub scopes: Scopes,
    /// The only event where it may; `None` for every event.
    pub event: Option<Slug>,
    /// When it ends; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it, as in the audit log.
    pub created_by: String,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A token to store.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// See [`Token`].
    pub name: Handle,
    /// The digest of its secret.
    pub digest: String,
    /// See [`Token`].
    pub scopes: Scopes,
    /// See [`Token`].
    pub event: Option<EventId>,
    /// See [`Token`].
    pub expires_at: Option<Timestamp>,
    /// See [`Token`].
    pub created_by: String,
}

/// Checks a new password. Fails with the rule it breaks.
pub fn check_password(password: &str) -> Result<(), Invalid> {
    if password.chars().count() < PASSWORD_MIN {
        let rule = format!("password must have at least {PASSWORD_MIN} characters");
        return Err(Invalid::new("password", "too-short", rule));
    }
    if password.len() > PASSWORD_MAX {
        let rule = format!("password must have at most {PASSWORD_MAX} bytes");
        return Err(Invalid::new("password", "too-long", rule));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_are_one_however_they_are_typed() {
        let key = |name: &str| Handle::parse(name).unwrap().key();
        assert_eq!(key("Ada Lovelace"), key(" ada LOVELACE "));
        assert_ne!(key("Ada"), key("Ida"));
        assert_ne!(key("desk-1"), key("desk1"));
        for owner in ["owner", "Owner", " OWNER "] {
            assert!(Handle::parse(owner).unwrap().is_owner(), "{owner}");
        }
        for bad in ["", "  ", "a\nb", &"x".repeat(NAME_MAX + 1)] {
            assert!(Handle::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn nobody_looks_like_somebody_else() {
        for good in [
            "Ada-1",
            "Zoë",
            "Анна",
            "Ελένη",
            "王芳 Ada",
            "ありさ・アン A",
            "김 Ada 金",
            "أحمد",
            "desk ①",
        ] {
            assert!(Handle::parse(good).is_ok(), "{good}");
        }
        for (unseen, c) in [
            ("ow\u{ad}ner", '\u{ad}'),
            ("ow\u{34f}ner", '\u{34f}'),
            ("ow\u{200b}ner", '\u{200b}'),
            ("ow\u{200d}ner", '\u{200d}'),
            ("a\u{3164}b", '\u{3164}'),
            ("a\u{2800}b", '\u{2800}'),
            ("ow\u{e0041}ner", '\u{e0041}'),
            ("owner\u{fe0f}", '\u{fe0f}'),
        ] {
            let refused = Handle::parse(unseen).unwrap_err();
            assert_eq!(refused.character, Some(c), "{unseen:?}");
        }
        for mixed in ["\u{43e}wner", "Adа", "οwner", "Анна Ada", "ａdа", "Ωmega"] {
            let refused = Handle::parse(mixed).unwrap_err();
            assert_eq!(refused.reason, "mixed-scripts", "{mixed:?}");
        }
        assert!(Handle::parse("ｏｗｎｅｒ").unwrap().is_owner());
        assert!(Handle::parse("𝐨𝐰𝐧𝐞𝐫").unwrap().is_owner());
    }

    #[test]
    fn passwords_have_bounds() {
        for good in ["12345678", "密码密码密码密码", &"x".repeat(PASSWORD_MAX)] {
            assert!(check_password(good).is_ok(), "{good}");
        }
        for bad in ["", "1234567", "密码密码", &"x".repeat(PASSWORD_MAX + 1)] {
            assert!(check_password(bad).is_err(), "{bad}");
        }
    }
}
