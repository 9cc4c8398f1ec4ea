//! Webhooks, and the outbox's rows for them.

use serde_json::Value;
use sqlx::{query, query_as, query_scalar};

use super::error::{ANSWER_TIMEOUT, COMMIT_TIMEOUT, bounded};
use super::queries::{read, read_long};
use super::transaction::{Connection, Transaction};
use super::writes::in_transaction;
use super::{Store, StoreError, rows};
use crate::domain::audit::{self, Actor, AuditEntry};
use crate::domain::clock::Timestamp;
use crate::domain::event::EventId;
use crate::domain::outbox::Row;
use crate::domain::webhook::{
    MAX, Settings, SigningSecret, Subscription, Target, Topics, Webhook, WebhookId,
};

const ALL: &str = concat!(
    "SELECT ",
    rows::webhook_columns!(),
    " FROM webhooks ORDER BY id"
);
const ONE: &str = concat!(
    "SELECT ",
    rows::webhook_columns!(),
    " FROM webhooks WHERE id = $1"
);
const SLUG: &str = "SELECT slug FROM events WHERE id = $1";
const COUNT: &str = "SELECT count(*) FROM webhooks";
const CREATE: &str = "\
    INSERT INTO webhooks (url, events, event_id, format, language, active, secret, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id";
/// Who activates it again expects the receiver to be back.
const UPDATE: &str = "\
    UPDATE webhooks
    SET url = $2, events = $3, event_id = $4, format = $5, language = $6, active = $7,
        gone = CASE WHEN $7 THEN $8 ELSE gone END
    WHERE id = $1";
/// An address that was replaced meanwhile says nothing about the new one.
const RETIRE: &str = "UPDATE webhooks SET active = $2, gone = $3 WHERE id = $1 AND url = $4";
const DELETE_ROWS: &str = "DELETE FROM outbox WHERE webhook_id = $1";
const DELETE: &str = "DELETE FROM webhooks WHERE id = $1";
/// Those that a batch of an event writes rows for.
const SUBSCRIBED: &str = "\
    SELECT id, events FROM webhooks WHERE active AND (event_id IS NULL OR event_id = $1) ORDER BY id";
/// Newest first.
const DELIVERIES: &str = concat!(
    "SELECT ",
    rows::outbox_columns!(),
    " FROM outbox WHERE webhook_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
);
/// A row that waits is sent at once.
const RESEND: &str = "\
    UPDATE outbox
    SET state = 'waiting', due_at = $3, attempts = 0, attempted_at = NULL, finished_at = NULL
    WHERE id = $1 AND webhook_id = $2 AND leased_until <= $3";
const DELIVERY: &str = concat!(
    "SELECT ",
    rows::outbox_columns!(),
    " FROM outbox WHERE id = $1 AND webhook_id = $2"
);

/// The active webhooks of an event, read in the transaction of a batch.
pub(super) async fn subscriptions(
    connection: Connection<'_>,
    event: EventId,
) -> Result<Vec<Subscription>, StoreError> {
    let found: Vec<(i64, String)> = match connection {
        Connection::Sqlite(connection) => {
            query_as(SUBSCRIBED)
                .bind(event)
                .fetch_all(connection)
                .await?
        }
        Connection::Postgres(connection) => {
            query_as(SUBSCRIBED)
                .bind(event)
                .fetch_all(connection)
                .await?
        }
    };
    let found = found.into_iter().map(|(webhook, events)| Subscription {
        webhook,
        topics: Topics::stored(&events),
    });
    Ok(found.collect())
}

/// The webhook `id`; `None` if there is none.
async fn stored(
    transaction: &mut impl Transaction,
    id: WebhookId,
) -> Result<Option<Webhook>, StoreError> {
    let found: Option<rows::WebhookRow> = match transaction.connection() {
        Connection::Sqlite(connection) => query_as(ONE).bind(id).fetch_optional(connection).await?,
        Connection::Postgres(connection) => {
            query_as(ONE).bind(id).fetch_optional(connection).await?
        }
    };
    found.map(Webhook::try_from).transpose()
}

/// A webhook as the audit log shows it.
async fn logged(
    transaction: &mut impl Transaction,
    id: WebhookId,
    settings: &Settings,
) -> Result<Value, StoreError> {
    let slug: Option<String> = match (settings.event, transaction.connection()) {
        (None, _) => None,
        (Some(event), Connection::Sqlite(connection)) => {
            let slug = query_scalar(SLUG).bind(event);
            slug.fetch_optional(connection).await?
        }
        (Some(event), Connection::Postgres(connection)) => {
            let slug = query_scalar(SLUG).bind(event);
            slug.fetch_optional(connection).await?
        }
    };
    Ok(audit::webhook(id, settings, slug.as_deref()))
}

impl Store {
    /// Stores a webhook; `None` when there are [`MAX`] already.
    pub async fn create_webhook(
        &self,
        settings: &Settings,
        secret: &SigningSecret,
        by: &Actor,
        now: Timestamp,
    ) -> Result<Option<WebhookId>, StoreError> {
        in_transaction!(self, transaction => {
            let stored: i64 = query_scalar(COUNT).fetch_one(&mut *transaction).await?;
            if usize::try_from(stored).unwrap_or(MAX) >= MAX {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(None);
            }
            let id: i64 = query_scalar(CREATE)
                .bind(settings.target.reveal())
                .bind(settings.topics.to_string())
                .bind(settings.event)
                .bind(settings.format.as_str())
                .bind(settings.language.tag())
                .bind(settings.active)
                .bind(secret.reveal())
                .bind(now.as_millis())
                .fetch_one(&mut *transaction)
                .await?;
            let after = logged(&mut transaction, id, settings).await?;
            let entry = AuditEntry::new(by, "webhook-create", now).after(after);
            transaction.audit_server(&entry).await?;
            transaction.commit().await?;
            Ok(Some(id))
        })
    }

    /// All webhooks, in the order of their creation.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let found = read!(self.short, query_as::<_, rows::WebhookRow>(ALL), fetch_all)?;
        rows::read(found)
    }

    /// One webhook.
    pub async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        let found = read!(
            self.short,
            query_as::<_, rows::WebhookRow>(ONE).bind(id),
            fetch_optional
        )?;
        found.map(Webhook::try_from).transpose()
    }

    /// Changes a webhook's settings. Returns whether there is such a webhook.
    pub async fn update_webhook(
        &self,
        id: WebhookId,
        settings: &Settings,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, transaction => {
            let Some(webhook) = stored(&mut transaction, id).await? else {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(false);
            };
            let mut before = logged(&mut transaction, id, &webhook.settings).await?;
            let mut after = logged(&mut transaction, id, settings).await?;
            let (old, new) = (&webhook.settings.target, &settings.target);
            audit::webhook_address((&mut before, old), (&mut after, new));
            query(UPDATE)
                .bind(id)
                .bind(settings.target.reveal())
                .bind(settings.topics.to_string())
                .bind(settings.event)
                .bind(settings.format.as_str())
                .bind(settings.language.tag())
                .bind(settings.active)
                .bind(false)
                .execute(&mut *transaction)
                .await?;
            let entry = AuditEntry::new(by, "webhook-edit", now);
            transaction.audit_server(&entry.before(before).after(after)).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    /// Makes a webhook inactive, because its receiver at this address is gone.
    pub async fn retire_webhook(
        &self,
        id: WebhookId,
        gone: &Target,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            let retired = query(RETIRE)
                .bind(id)
                .bind(false)
                .bind(true)
                .bind(gone.reveal())
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            let webhook = stored(&mut transaction, id).await?;
            if let Some(webhook) = webhook.filter(|_| retired > 0) {
                let after = logged(&mut transaction, id, &webhook.settings).await?;
                let entry = AuditEntry::new(&Actor::Server, "webhook-gone", now).after(after);
                transaction.audit_server(&entry).await?;
            }
            transaction.commit().await
        })
    }

    /// Deletes a webhook and its deliveries. Returns whether there was one.
    pub async fn delete_webhook(
        &self,
        id: WebhookId,
        by: &Actor,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        in_transaction!(self, transaction => {
            let Some(webhook) = stored(&mut transaction, id).await? else {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(false);
            };
            let before = logged(&mut transaction, id, &webhook.settings).await?;
            query(DELETE_ROWS).bind(id).execute(&mut *transaction).await?;
            query(DELETE).bind(id).execute(&mut *transaction).await?;
            let entry = AuditEntry::new(by, "webhook-delete", now).before(before);
            transaction.audit_server(&entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    /// Deliveries of a webhook before the one with the key `before`, newest first. A long read: may
    /// be [`StoreError::Busy`].
    pub async fn deliveries(
        &self,
        webhook: WebhookId,
        before: i64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let found = read_long!(
            self,
            query_as::<_, rows::OutboxRow>(DELIVERIES)
                .bind(webhook)
                .bind(before)
                .bind(i64::from(limit)),
            fetch_all
        )?;
        rows::read(found)
    }

    /// Sends a delivery again, whatever became of it. Returns it as it is then; `None` if there is
    /// none.
    pub async fn resend_delivery(
        &self,
        webhook: WebhookId,
        id: i64,
        now: Timestamp,
    ) -> Result<Option<Row>, StoreError> {
        let found: Option<rows::OutboxRow> = in_transaction!(self, transaction => {
            query(RESEND)
                .bind(id)
                .bind(webhook)
                .bind(now.as_millis())
                .execute(&mut *transaction)
                .await?;
            let row = query_as::<_, rows::OutboxRow>(DELIVERY)
                .bind(id)
                .bind(webhook)
                .fetch_optional(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(row)
        })?;
        self.outgoing().wake();
        found.map(Row::try_from).transpose()
    }
}
