//! The console's forms: one submission of a form acts once, on whichever node it arrives.

use sqlx::{query, query_scalar};

use super::error::{COMMIT_TIMEOUT, bounded};
use super::transaction::Transaction as _;
use super::writes::in_transaction;
use super::{Store, StoreError};
use crate::domain::clock::Timestamp;

/// The outcome of claiming a form's submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is the first: carry it out.
    First,
    /// Another submission of the same form is being carried out.
    Pending,
    /// Another submission was carried out, and redirected here.
    Done(String),
}

/// How long a submission is remembered: far longer than a second click, a retry or a proxy takes.
const REMEMBERED_MS: i64 = 60 * 60 * 1_000;

const FORGET: &str = "DELETE FROM forms WHERE at < $1";
const CLAIM: &str = "INSERT INTO forms (key, at) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
const OUTCOME: &str = "SELECT outcome FROM forms WHERE key = $1";
const FINISH: &str = "UPDATE forms SET outcome = $2 WHERE key = $1";
const RELEASE: &str = "DELETE FROM forms WHERE key = $1";

impl Store {
    /// Claims a form's submission; see [`Claim`]. Deletes old claims.
    pub async fn claim_form(&self, key: &str, now: Timestamp) -> Result<Claim, StoreError> {
        in_transaction!(self, transaction => {
            query(FORGET)
                .bind(now.as_millis() - REMEMBERED_MS)
                .execute(&mut *transaction)
                .await?;
            let claimed = query(CLAIM)
                .bind(key)
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if claimed == 1 {
                transaction.commit().await?;
                return Ok(Claim::First);
            }
            let outcome: Option<Option<String>> = query_scalar(OUTCOME)
                .bind(key)
                .fetch_optional(&mut *transaction)
                .await?;
            transaction.rollback().await?;
            Ok::<_, StoreError>(outcome.flatten().map_or(Claim::Pending, Claim::Done))
        })
    }

    /// Stores where a claimed submission redirected to.
    pub async fn finish_form(&self, key: &str, outcome: &str) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(FINISH)
                .bind(key)
                .bind(outcome)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
    }

    /// Releases a claim: the submission was refused and may be sent again.
    pub async fn release_form(&self, key: &str) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(RELEASE).bind(key).execute(&mut *transaction).await?;
            transaction.commit().await
        })
    }
}
