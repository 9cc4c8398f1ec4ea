//! Accounts of people who organise. The account `owner` has no row.

use sqlx::{query, query_as, query_scalar};

use super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, bounded};
use super::queries::read;
use super::transaction::Transaction as _;
use super::writes::in_transaction;
use super::{Store, StoreError, rows};
use crate::domain::access::Role;
use crate::domain::account::{Account, AccountId, Handle};
use crate::domain::audit::{self, Actor, AuditEntry};
use crate::domain::clock::Timestamp;

/// The outcome of a write that may not be possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored<T> {
    /// It is stored.
    Done(T),
    /// Another account has the name.
    NameTaken,
    /// There is no such account.
    Missing,
}

macro_rules! columns {
    () => {
        "id, name, role, password IS NOT NULL AS has_password, link_expires_at, created_at, signed_in_at"
    };
}
const ALL: &str = concat!("SELECT ", columns!(), " FROM accounts ORDER BY name_key");
const BY_ID: &str = concat!("SELECT ", columns!(), " FROM accounts WHERE id = $1");
const BY_LINK: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM accounts WHERE link = $1 AND link_expires_at > $2"
);
const PASSWORD: &str = "SELECT id, password FROM accounts WHERE name_key = $1";
const CREATE: &str = "\
    INSERT INTO accounts (name, name_key, role, link, link_expires_at, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (name_key) DO NOTHING
    RETURNING id";
const IS_TAKEN: &str = "SELECT count(*) FROM accounts WHERE name_key = $2 AND id <> $1";
const EDIT: &str = "\
    UPDATE accounts
    SET name = coalesce($2, name), name_key = coalesce($3, name_key), role = coalesce($4, role)
    WHERE id = $1";
const DELETE: &str = concat!("DELETE FROM accounts WHERE id = $1 RETURNING ", columns!());
const SET_LINK: &str = concat!(
    "UPDATE accounts SET link = $2, link_expires_at = $3 WHERE id = $1 RETURNING ",
    columns!()
);
const BY_KEY: &str = "SELECT password FROM accounts WHERE id = $1";
const CHANGE_PASSWORD: &str = concat!(
    "UPDATE accounts SET password = $2, link = NULL, link_expires_at = NULL \
     WHERE id = $1 AND password = $3 RETURNING ",
    columns!()
);
const SET_PASSWORD: &str = concat!(
    "UPDATE accounts SET password = $3, link = NULL, link_expires_at = NULL \
     WHERE link = $1 AND link_expires_at > $2 RETURNING ",
    columns!()
);
const END_SESSIONS: &str = "DELETE FROM sessions WHERE account_id = $1";
const END_OTHER_SESSIONS: &str = "DELETE FROM sessions WHERE account_id = $1 AND digest <> $2";

impl Store {
    /// Every account, by name.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        rows::read(read!(
            self.short,
            query_as::<_, rows::AccountRow>(ALL),
            fetch_all
        )?)
    }

    /// One account.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, rows::AccountRow>(BY_ID).bind(id),
            fetch_optional
        )?;
        row.map(Account::try_from).transpose()
    }

    /// The account whose link for a password has this digest and still works.
    pub async fn account_by_link(
        &self,
        digest: &str,
        now: Timestamp,
    ) -> Result<Option<Account>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, rows::AccountRow>(BY_LINK)
                .bind(digest)
                .bind(now.as_millis()),
            fetch_optional
        )?;
        row.map(Account::try_from).transpose()
    }

    /// The account with this name, and the hash of its password if it has one.
    pub async fn account_password(
        &self,
        name: &Handle,
    ) -> Result<Option<(AccountId, Option<String>)>, StoreError> {
        read!(
            self.short,
            query_as(PASSWORD).bind(name.key()),
            fetch_optional
        )
    }

    /// Stores a new account, with the digest of its link for a password.
    pub async fn create_account(
        &self,
        name: &Handle,
        role: Role,
        link: (&str, Timestamp),
        by: &Actor,
        now: Timestamp,
    ) -> Result<Stored<AccountId>, StoreError> {
        let entry = AuditEntry::new(by, "account-create", now);
        let entry = entry.after(audit::named_role(name, role));
        in_transaction!(self, transaction => {
            let id: Option<AccountId> = query_scalar(CREATE)
                .bind(name.as_str())
                .bind(name.key())
                .bind(role.as_str())
                .bind(link.0)
                .bind(link.1.as_millis())
                .bind(now.as_millis())
                .fetch_optional(&mut *transaction)
                .await?;
            if id.is_some() {
                transaction.audit_server(&entry).await?;
            }
            transaction.commit().await?;
            Ok::<_, StoreError>(id.map_or(Stored::NameTaken, Stored::Done))
        })
    }

    /// Changes what is given.
    pub async fn edit_account(
        &self,
        id: AccountId,
        name: Option<&Handle>,
        role: Option<Role>,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Stored<()>, StoreError> {
        in_transaction!(self, transaction => {
            let key = name.map(Handle::key);
            let taken: i64 = query_scalar(IS_TAKEN)
                .bind(id)
                .bind(key.as_deref())
                .fetch_one(&mut *transaction)
                .await?;
            if taken > 0 {
                transaction.rollback().await?;
                return Ok(Stored::NameTaken);
            }
            let before: Option<rows::AccountRow> = query_as(BY_ID)
                .bind(id)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(before) = before.map(Account::try_from).transpose()? else {
                transaction.rollback().await?;
                return Ok(Stored::Missing);
            };
            query(EDIT)
                .bind(id)
                .bind(name.map(Handle::as_str))
                .bind(key.as_deref())
                .bind(role.map(Role::as_str))
                .execute(&mut *transaction)
                .await?;
            let after = (name.unwrap_or(&before.name), role.unwrap_or(before.role));
            if after != (&before.name, before.role) {
                let entry = AuditEntry::new(by, "account-edit", now)
                    .before(audit::account(&before))
                    .after(audit::named_role(after.0, after.1));
                transaction.audit_server(&entry).await?;
            }
            transaction.commit().await?;
            Ok::<_, StoreError>(Stored::Done(()))
        })
    }

    /// Deletes an account and ends its sessions; `false` if there is none.
    pub async fn delete_account(
        &self,
        id: AccountId,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, transaction => {
            // First, so that a sign-in under way is over when its session is deleted.
            let deleted: Option<rows::AccountRow> = query_as(DELETE)
                .bind(id)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(deleted) = deleted.map(Account::try_from).transpose()? else {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(false);
            };
            query(END_SESSIONS)
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            let entry = AuditEntry::new(by, "account-delete", now);
            transaction.audit_server(&entry.before(audit::account(&deleted))).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    /// Replaces the link with which an account sets its password; `false` if there is no account.
    pub async fn set_account_link(
        &self,
        id: AccountId,
        link: (&str, Timestamp),
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, transaction => {
            let account: Option<rows::AccountRow> = query_as(SET_LINK)
                .bind(id)
                .bind(link.0)
                .bind(link.1.as_millis())
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(account) = account.map(Account::try_from).transpose()? else {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(false);
            };
            let entry = AuditEntry::new(by, "account-link", now);
            transaction.audit_server(&entry.after(audit::account(&account))).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    /// Sets the password of the account whose link has this digest, uses the link up, and ends the
    /// account's sessions. `None` if the link does not work any more.
    pub async fn set_account_password(
        &self,
        link: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<AccountId>, StoreError> {
        in_transaction!(self, transaction => {
            let account: Option<rows::AccountRow> = query_as(SET_PASSWORD)
                .bind(link)
                .bind(now.as_millis())
                .bind(hash)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(account) = account.map(Account::try_from).transpose()? else {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(None);
            };
            query(END_SESSIONS)
                .bind(account.id)
                .execute(&mut *transaction)
                .await?;
            let by = Actor::Account(account.name.shared());
            let entry = AuditEntry::new(&by, "account-password", now);
            transaction.audit_server(&entry.after(audit::account(&account))).await?;
            transaction.commit().await?;
            Ok(Some(account.id))
        })
    }

    /// The hash of an account's password; `None` if there is no account, or it has none.
    pub async fn account_hash(&self, id: AccountId) -> Result<Option<String>, StoreError> {
        let hash: Option<Option<String>> =
            read!(self.short, query_scalar(BY_KEY).bind(id), fetch_optional)?;
        Ok(hash.flatten())
    }

    /// Replaces an account's password if its hash is still `old`, and ends its sessions but the one
    /// with the digest `keep`. `false` if it was changed meanwhile.
    pub async fn change_account_password(
        &self,
        id: AccountId,
        (old, new): (&str, &str),
        keep: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, transaction => {
            let account: Option<rows::AccountRow> = query_as(CHANGE_PASSWORD)
                .bind(id)
                .bind(new)
                .bind(old)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(account) = account.map(Account::try_from).transpose()? else {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(false);
            };
            query(END_OTHER_SESSIONS)
                .bind(id)
                .bind(keep)
                .execute(&mut *transaction)
                .await?;
            let by = Actor::Account(account.name.shared());
            let entry = AuditEntry::new(&by, "account-password", now);
            transaction.audit_server(&entry.after(audit::account(&account))).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }
}
