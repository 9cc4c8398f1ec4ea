//! Tokens of scripts, by the digest of their secret.

use sqlx::{query, query_as, query_scalar};

use super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, bounded};
use super::queries::read;
use super::transaction::Transaction as _;
use super::writes::in_transaction;
use super::{Store, StoreError, rows};
use crate::domain::account::{NewToken, Token};
use crate::domain::audit::{self, Actor, AuditEntry};
use crate::domain::clock::Timestamp;

macro_rules! tokens {
    ($where:literal) => {
        concat!(
            "SELECT t.id, t.name, t.scopes, e.slug, t.expires_at, t.created_at, \
             t.created_by, t.last_used_at FROM tokens t LEFT JOIN events e ON e.id = t.event_id ",
            $where
        )
    };
}
const ALL: &str = tokens!("ORDER BY t.id");
const BY_ID: &str = tokens!("WHERE t.id = $1");
const BY_DIGEST: &str = tokens!("WHERE t.digest = $1");
const CREATE: &str = "\
    INSERT INTO tokens (name, digest, scopes, event_id, expires_at, created_at, created_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    RETURNING id";
const TOUCH: &str = "UPDATE tokens SET last_used_at = $2 WHERE id = $1";
const DELETE: &str = "DELETE FROM tokens WHERE id = $1";

impl Store {
    /// Every token, in the order of their creation.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        rows::read(read!(
            self.short,
            query_as::<_, rows::TokenRow>(ALL),
            fetch_all
        )?)
    }

    /// The token whose secret has this digest. The caller compares its end with the clock.
    pub async fn token(&self, digest: &str) -> Result<Option<Token>, StoreError> {
        let row = read!(
            self.short,
            query_as::<_, rows::TokenRow>(BY_DIGEST).bind(digest),
            fetch_optional
        )?;
        row.map(Token::try_from).transpose()
    }

    /// Stores a token; its key.
    pub async fn create_token(&self, new: &NewToken, now: Timestamp) -> Result<i64, StoreError> {
        in_transaction!(self, transaction => {
            let id: i64 = query_scalar(CREATE)
                .bind(new.name.as_str())
                .bind(&new.digest)
                .bind(new.scopes.to_words())
                .bind(new.event)
                .bind(new.expires_at.map(Timestamp::as_millis))
                .bind(now.as_millis())
                .bind(&new.created_by)
                .fetch_one(&mut *transaction)
                .await?;
            let made: rows::TokenRow = query_as(BY_ID)
                .bind(id)
                .fetch_one(&mut *transaction)
                .await?;
            let entry = AuditEntry {
                who: new.created_by.clone(),
                ..AuditEntry::new(&Actor::Owner, "token-create", now)
            };
            let entry = entry.after(audit::token(&Token::try_from(made)?));
            transaction.audit_server(&entry).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(id)
        })
    }

    /// Stores that a token is used.
    pub async fn touch_token(&self, id: i64, now: Timestamp) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(TOUCH)
                .bind(id)
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
    }

    /// Deletes a token; `false` if there is none.
    pub async fn delete_token(
        &self,
        id: i64,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, transaction => {
            let token: Option<rows::TokenRow> = query_as(BY_ID)
                .bind(id)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(token) = token.map(Token::try_from).transpose()? else {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(false);
            };
            query(DELETE).bind(id).execute(&mut *transaction).await?;
            let entry = AuditEntry::new(by, "token-delete", now).before(audit::token(&token));
            transaction.audit_server(&entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }
}
