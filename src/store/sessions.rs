//! Sessions of the console, by the digest of their secret.

use sqlx::{query, query_as};

use super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, bounded};
use super::queries::read;
use super::transaction::Transaction as _;
use super::writes::in_transaction;
use super::{Store, StoreError, rows};
use crate::domain::access::Role;
use crate::domain::account::{AccountId, Handle, OWNER, OWNER_NAME};
use crate::domain::audit::{Actor, AuditEntry};
use crate::domain::clock::Timestamp;

/// So much of a digest names a session to its owner. It opens nothing.
const ID: usize = 16;

/// A session to store.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    /// Names it in the database.
    pub digest: &'a str,
    /// Whose it is.
    pub account: AccountId,
    /// The hash of the password that was checked.
    pub password: &'a str,
    /// What the browser calls itself.
    pub agent: &'a str,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A session that has begun, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Names it in the database.
    pub digest: String,
    /// Whose it is.
    pub account: AccountId,
    /// The account's name.
    pub name: Handle,
    /// The account's role.
    pub role: Role,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Names it; opens nothing.
    pub id: String,
    /// When somebody signed in; `None` if a node of 0.1.0 wrote it.
    pub created_at: Option<Timestamp>,
    /// When it was last used, to the minute; `None` if never since then.
    pub seen_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What the browser calls itself.
    pub agent: String,
}

const FORGET: &str = "DELETE FROM sessions WHERE expires_at <= $1";
const CREATE: &str = "\
    INSERT INTO sessions (digest, account_id, expires_at, created_at, seen_at, agent)
    VALUES ($1, $2, $3, $4, $4, $5)
    ON CONFLICT (digest) DO UPDATE SET expires_at = excluded.expires_at";
/// It locks the account until the session is stored. A new password and a deletion wait for the lock,
/// and then end the session. One that came first leaves no row with the checked password.
const NOTE_SIGN_IN: &str = "UPDATE accounts SET signed_in_at = $2 WHERE id = $1 AND password = $3";
const READ: &str = "\
    SELECT s.digest, s.account_id, a.name, a.role, s.expires_at, s.seen_at
    FROM sessions s LEFT JOIN accounts a ON a.id = s.account_id
    WHERE s.digest IN ($1, $2)";
const TOUCH: &str = "UPDATE sessions SET seen_at = $2 WHERE digest = $1";
const LIST: &str = "\
    SELECT digest, created_at, seen_at, expires_at, agent FROM sessions
    WHERE account_id = $1 AND expires_at > $2 ORDER BY seen_at DESC, digest";
const END: &str = "DELETE FROM sessions WHERE digest = $1";
const END_ONE: &str = "DELETE FROM sessions WHERE account_id = $1 AND substr(digest, 1, 16) = $2";
const END_ALL: &str = "DELETE FROM sessions WHERE account_id = $1 AND substr(digest, 1, 16) <> $2";

type ReadRow = (String, i64, Option<String>, Option<String>, i64, i64);

impl Store {
    /// Stores a session, and that somebody signed in; deletes sessions that have ended by `now`.
    /// Returns false, and stores nothing, if the account is gone or has another password by now. A
    /// session of [`OWNER`] ends with its password, because its digest includes the hash.
    pub async fn create_session(
        &self,
        new: &NewSession<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, transaction => {
            let noted = query(NOTE_SIGN_IN)
                .bind(new.account)
                .bind(now.as_millis())
                .bind(new.password)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if noted == 0 && new.account != OWNER {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(false);
            }
            query(FORGET)
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?;
            query(CREATE)
                .bind(new.digest)
                .bind(new.account)
                .bind(new.expires_at.as_millis())
                .bind(now.as_millis())
                .bind(new.agent)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    /// The session with one of two digests; `None` if there is none, or its account is gone. The
    /// caller compares its end with the clock.
    pub async fn session(&self, digests: [&str; 2]) -> Result<Option<SignedIn>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, ReadRow>(READ)
                .bind(digests[0])
                .bind(digests[1]),
            fetch_optional
        )?;
        let Some((digest, account, name, role, expires_at, seen_at)) = row else {
            return Ok(None);
        };
        let (name, role) = match (account, name, role) {
            (OWNER, None, None) => (OWNER_NAME.to_owned(), Role::Owner),
            (_, Some(name), Some(role)) => (name, rows::role(&role)?),
            _ => return Ok(None),
        };
        Ok(Some(SignedIn {
            digest,
            account,
            name: Handle::stored(&name),
            role,
            expires_at: Timestamp::from_millis(expires_at),
            seen_at: Timestamp::from_millis(seen_at),
        }))
    }

    /// Stores that a session is used.
    pub async fn touch_session(&self, digest: &str, now: Timestamp) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(TOUCH)
                .bind(digest)
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
    }

    /// The sessions of an account that have not ended, the last used first.
    pub async fn sessions(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let found = read!(
            self.short,
            query_as::<_, (String, i64, i64, i64, String)>(LIST)
                .bind(account)
                .bind(now.as_millis()),
            fetch_all
        )?;
        let moment = |at: i64| (at > 0).then(|| Timestamp::from_millis(at));
        let row =
            |(digest, created_at, seen_at, expires_at, agent): (String, _, _, _, _)| SessionRow {
                id: Self::session_id(&digest).to_owned(),
                created_at: moment(created_at),
                seen_at: moment(seen_at),
                expires_at: Timestamp::from_millis(expires_at),
                agent,
            };
        Ok(found.into_iter().map(row).collect())
    }

    /// What names a session to its owner.
    pub fn session_id(digest: &str) -> &str {
        digest.get(..ID).unwrap_or(digest)
    }

    /// Ends the session with this digest.
    pub async fn delete_session(&self, digest: &str) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(END).bind(digest).execute(&mut *transaction).await?;
            transaction.commit().await
        })
    }

    /// Ends the session of an account that [`Self::session_id`] names; `false` if there is none.
    pub async fn end_session(
        &self,
        account: AccountId,
        id: &str,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, transaction => {
            let ended = query(END_ONE)
                .bind(account)
                .bind(id)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if ended > 0 {
                transaction.audit_server(&sessions_ended(by, ended, now)).await?;
            }
            transaction.commit().await?;
            Ok::<_, StoreError>(ended > 0)
        })
    }

    /// Ends all sessions of an account but the one that [`Self::session_id`] names.
    pub async fn end_sessions(
        &self,
        account: AccountId,
        keep: Option<&str>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            let ended = query(END_ALL)
                .bind(account)
                .bind(keep.unwrap_or_default())
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if ended > 0 {
                transaction.audit_server(&sessions_ended(by, ended, now)).await?;
            }
            transaction.commit().await
        })
    }
}

fn sessions_ended(by: &Actor, ended: u64, now: Timestamp) -> AuditEntry {
    AuditEntry::new(by, "sessions-end", now).after(serde_json::json!({ "sessions": ended }))
}
