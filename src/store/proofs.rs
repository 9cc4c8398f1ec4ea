//! The bot check's proofs: each is used once, on whichever node it arrives.

use sqlx::{query, query_scalar};

use super::error::{COMMIT_TIMEOUT, bounded};
use super::transaction::Transaction as _;
use super::writes::in_transaction;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;

const FORGET: &str = "DELETE FROM proofs WHERE expires_at <= $1";
const USE: &str = "\
    INSERT INTO proofs (challenge, attempt, expires_at) VALUES ($1, $2, $3)
    ON CONFLICT (challenge) DO NOTHING";
const ATTEMPT: &str = "SELECT attempt FROM proofs WHERE challenge = $1";

impl Store {
    /// Uses the solution of a challenge for an attempt. Returns false if it was used before, unless
    /// the same attempt comes again. Deletes those that expired by `now`.
    pub async fn use_proof(
        &self,
        challenge: &str,
        attempt: Option<&str>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
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
            let is_repeated = before.flatten().is_some_and(|used| Some(&*used) == attempt);
            Ok::<_, StoreError>(used == 1 || is_repeated)
        })
    }
}
