//! Ends an attempt: sent, again later, given up, or dropped.

use sqlx::query;

use super::super::error::{COMMIT_TIMEOUT, bounded};
use super::super::transaction::Transaction as _;
use super::super::writes::in_transaction;
use super::super::{Store, StoreError};
use crate::domain::clock::Timestamp;
use crate::domain::event::EventId;
use crate::domain::outbox::{Row, RowState};

/// What was sent is sent, even if the lease has expired meanwhile.
const SENT: &str = "\
    UPDATE outbox SET state = 'sent', finished_at = $2, leased_until = 0, error = NULL
    WHERE id = $1 AND state = 'waiting'";
/// Another node may have claimed the row meanwhile: it decides then.
const ENDED: &str = "\
    UPDATE outbox SET state = $2, finished_at = $3, leased_until = 0, error = $4
    WHERE id = $1 AND state = 'waiting' AND leased_by = $5 AND attempts = $6";
const AGAIN: &str = "\
    UPDATE outbox SET due_at = $2, leased_until = 0, error = $3
    WHERE id = $1 AND state = 'waiting' AND leased_by = $4 AND attempts = $5";
const REFUSE: &str = "\
    INSERT INTO refused_addresses (recipient, at, error) VALUES ($1, $2, $3)
    ON CONFLICT (recipient) DO UPDATE SET at = excluded.at, error = excluded.error";
/// An organiser tries again what was given up.
const RETRY: &str = "\
    UPDATE outbox
    SET state = 'waiting', due_at = $2, attempts = 0, attempted_at = NULL, leased_until = 0,
        finished_at = NULL
    WHERE id = $1 AND state = 'failed' AND event_id = $3";
const ACCEPT: &str =
    "DELETE FROM refused_addresses WHERE recipient = (SELECT recipient FROM outbox WHERE id = $1)";

/// How an attempt ended. Errors contain no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finish {
    /// The receiver has it.
    Sent,
    /// To be tried again.
    Again {
        /// Not before.
        due: Timestamp,
        /// What went wrong; `None` if nothing did.
        error: Option<String>,
    },
    /// Given up.
    Failed {
        /// What went wrong.
        error: String,
        /// Whether the address is refused for good: it gets no further mail.
        refused: bool,
    },
    /// Not sent on purpose.
    Dropped {
        /// Why.
        reason: String,
    },
}

impl Store {
    /// Ends attempts of `owner`, all in one transaction.
    pub async fn finish_outbox(
        &self,
        owner: &str,
        ended: &[(Row, Finish)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            for (row, finish) in ended {
                let attempts = i64::from(row.attempts);
                let end = |state: RowState, text| {
                    query(ENDED)
                        .bind(row.id)
                        .bind(state.as_str())
                        .bind(now.as_millis())
                        .bind::<&String>(text)
                        .bind(owner)
                        .bind(attempts)
                };
                match finish {
                    Finish::Sent => {
                        query(SENT)
                            .bind(row.id)
                            .bind(now.as_millis())
                            .execute(&mut *transaction)
                            .await?;
                    }
                    Finish::Again { due, error } => {
                        query(AGAIN)
                            .bind(row.id)
                            .bind(due.as_millis())
                            .bind(error)
                            .bind(owner)
                            .bind(attempts)
                            .execute(&mut *transaction)
                            .await?;
                    }
                    Finish::Failed { error, refused } => {
                        end(RowState::Failed, error).execute(&mut *transaction).await?;
                        if *refused {
                            query(REFUSE)
                                .bind(&row.recipient)
                                .bind(now.as_millis())
                                .bind(error)
                                .execute(&mut *transaction)
                                .await?;
                        }
                    }
                    Finish::Dropped { reason } => {
                        end(RowState::Dropped, reason).execute(&mut *transaction).await?;
                    }
                }
            }
            transaction.commit().await
        })
    }

    /// Sends a failed row of an event again, at the organiser's wish; its address counts as good again. Returns
    /// whether there was such a row.
    pub async fn retry_outbox(
        &self,
        event: EventId,
        id: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let found = in_transaction!(self, transaction => {
            let changed = query(RETRY)
                .bind(id)
                .bind(now.as_millis())
                .bind(event)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if changed > 0 {
                query(ACCEPT).bind(id).execute(&mut *transaction).await?;
            }
            transaction.commit().await?;
            Ok::<_, StoreError>(changed > 0)
        })?;
        if found {
            self.outgoing().wake();
        }
        Ok(found)
    }
}
