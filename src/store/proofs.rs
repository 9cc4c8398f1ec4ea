//! The bot check's proofs: each is used once, on whichever node it arrives.

use sqlx::{query, query_scalar};

use super::error::{COMMIT_TIMEOUT, bounded};
use super::transaction::Transaction as _;
use super::writes::in_transaction;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::registration::Locator;

const FORGET: &str = "DELETE FROM proofs WHERE expires_at <= $1";
const USE: &str = "\
    INSERT INTO proofs (challenge, attempt, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (challenge) DO NOTHING";
const ATTEMPT: &str = "SELECT attempt FROM proofs WHERE challenge = $1";
const NOTE: &str = "UPDATE proofs SET attempt = $3 WHERE challenge = $1 AND attempt = $2";

/// What a proof was used for before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofUse {
    /// Nothing: this use is the first.
    First,
    /// The same attempt, which may not have registered anybody.
    Repeated,
    /// The same attempt, which has made this registration.
    Registered(Locator),
    /// Another attempt.
    Spent,
}

impl Store {
    /// Uses the solution of a challenge for an attempt; `None` is an attempt that nobody can repeat.
    /// Deletes those that expired by `now`.
    pub async fn use_proof(
        &self,
        challenge: &str,
        attempt: Option<&str>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<ProofUse, StoreError> {
        in_transaction!(self, transaction => {
            query(FORGET)
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?;
            let used = query(USE)
                .bind(challenge)
                .bind(attempt)
                .bind(expires_at.as_millis())
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            let before: Option<Option<String>> = if used == 1 {
                None
            } else {
                query_scalar(ATTEMPT)
                    .bind(challenge)
                    .fetch_optional(&mut *transaction)
                    .await?
            };
            transaction.commit().await?;
            Ok::<_, StoreError>(if used == 1 {
                ProofUse::First
            } else {
                used_before(before.flatten().as_deref(), attempt)
            })
        })
    }

    /// Notes which registration an attempt has made, so that its proof makes no other one.
    pub async fn note_proof(
        &self,
        challenge: &str,
        attempt: &str,
        made: Locator,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(NOTE)
                .bind(challenge)
                .bind(attempt)
                .bind(format!("{attempt} {made}"))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
    }
}

/// `before` is the attempt, and after a space the registration that it made.
fn used_before(before: Option<&str>, attempt: Option<&str>) -> ProofUse {
    let (Some(before), Some(attempt)) = (before, attempt) else {
        return ProofUse::Spent;
    };
    let (digest, made) = before.split_once(' ').unwrap_or((before, ""));
    match made.parse() {
        _ if digest != attempt => ProofUse::Spent,
        Ok(locator) => ProofUse::Registered(locator),
        Err(_) if made.is_empty() => ProofUse::Repeated,
        Err(_) => ProofUse::Spent,
    }
}
