//! Fan-outs become mails, and what was finished long ago is removed: both in portions.

use sqlx::{query, query_as, query_scalar};

use super::super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, bounded};
use super::super::queries::read;
use super::super::transaction::Transaction as _;
use super::super::writes::in_transaction;
use super::super::{Store, StoreError, rows};
use super::insert;
use crate::domain::clock::Timestamp;
use crate::domain::outbox::{MailKind, NewRow, Row};
use crate::domain::person::Email;
use crate::domain::registration::{Locator, Status};

/// Registrations that a fan-out turns into mails in one transaction: a few milliseconds of the lock
/// for which registrations wait.
const PORTION: i64 = 500;
/// How long finished rows are kept.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// How long a refused address is remembered: people get their mailboxes back.
const REFUSED_MS: i64 = 365 * 24 * 60 * 60 * 1_000;
/// Rows that one statement removes.
const PRUNED: i64 = 500;

const NEXT: &str = "\
    SELECT number, email FROM registrations
    WHERE event_id = $1 AND round = $2 AND number > $3 AND status IN ('confirmed', $5) AND email <> ''
    ORDER BY number LIMIT $4";
/// The comparison makes a portion count once, even if two nodes work on it.
const PROGRESS: &str = "\
    UPDATE outbox SET progress = $2
    WHERE id = $1 AND state = 'waiting' AND progress = $3";
const COMPLETE: &str = "\
    UPDATE outbox SET state = 'sent', finished_at = $2, leased_until = 0
    WHERE id = $1 AND state = 'waiting' AND progress = $3";
const PRUNE_DUE: &str = "\
    SELECT EXISTS (SELECT 1 FROM outbox WHERE finished_at IS NOT NULL AND finished_at < $1)
        OR EXISTS (SELECT 1 FROM refused_addresses WHERE at < $2)";
const PRUNE: &str = "\
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox WHERE finished_at IS NOT NULL AND finished_at < $1
        ORDER BY finished_at LIMIT $2
    )";
const FORGET: &str = "DELETE FROM refused_addresses WHERE at < $1";

impl Store {
    /// Turns the next portion of a claimed fan-out into mails: registrations with a number above
    /// `after`. Returns the last number; `None` when it is complete.
    pub async fn spread_outbox(
        &self,
        fanout: &Row,
        after: u32,
        now: Timestamp,
    ) -> Result<Option<u32>, StoreError> {
        let outgoing = self.outgoing().clone();
        let progress = i64::from(after);
        // The event begins for those with a place only.
        let also = match MailKind::parse(&fanout.kind) {
            Some(MailKind::Reminder) => Status::Confirmed,
            Some(_) | None => Status::Waiting,
        };
        let also = also.as_str();
        let last = in_transaction!(self, transaction => {
            let found: Vec<(i64, String)> = query_as(NEXT)
                .bind(fanout.event)
                .bind(fanout.round.map(i64::from))
                .bind(progress)
                .bind(PORTION)
                .bind(also)
                .fetch_all(&mut *transaction)
                .await?;
            let last = found.last().map(|(number, _)| *number);
            let statement = match last {
                Some(last) => query(PROGRESS).bind(fanout.id).bind(last),
                None => query(COMPLETE).bind(fanout.id).bind(now.as_millis()),
            };
            let changed = statement
                .bind(progress)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if changed == 0 {
                // Another node did it.
                transaction.rollback().await?;
                return Ok::<_, StoreError>(None);
            }
            let mails = mails(fanout, found, now)?;
            if !mails.is_empty() {
                insert(transaction.connection(), &outgoing, &mails, now).await?;
            }
            transaction.commit().await?;
            last.map(|number| rows::count("number", number)).transpose()
        })?;
        outgoing.wake();
        Ok(last)
    }

    /// Removes some of the rows that were finished long ago. Returns whether more may be left.
    pub async fn prune_outbox(&self, now: Timestamp) -> Result<bool, StoreError> {
        // Mostly there are none: then nobody waits for the lock.
        let is_due: bool = read!(
            self.short,
            query_scalar(PRUNE_DUE)
                .bind(now.as_millis() - KEPT_MS)
                .bind(now.as_millis() - REFUSED_MS),
            fetch_one
        )?;
        if !is_due {
            return Ok(false);
        }
        in_transaction!(self, transaction => {
            let pruned = query(PRUNE)
                .bind(now.as_millis() - KEPT_MS)
                .bind(PRUNED)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            query(FORGET)
                .bind(now.as_millis() - REFUSED_MS)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(pruned == PRUNED.unsigned_abs())
        })
    }
}

fn mails(
    fanout: &Row,
    found: Vec<(i64, String)>,
    now: Timestamp,
) -> Result<Vec<NewRow>, StoreError> {
    let Some(kind) = MailKind::parse(&fanout.kind) else {
        return Ok(Vec::new());
    };
    let mail = |(number, email)| {
        let locator = Locator {
            event: fanout.event,
            round: fanout.round.unwrap_or_default(),
            number: rows::count("number", number)?,
        };
        let address = Email::stored(email);
        let mut row = NewRow::mail(kind, locator, address.key(), now);
        row.payload = fanout.payload.clone();
        Ok(row)
    };
    found.into_iter().map(mail).collect()
}
