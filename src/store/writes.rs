//! Writes outside a batch: each is a short transaction.

use serde_json::{Value, json};
use sqlx::{query, query_scalar};

use super::batch::{Backend, Locked};
use super::error::{COMMIT_TIMEOUT, bounded};
use super::lookup::Lookup;
use super::outbox;
use super::transaction::Transaction as _;
use super::{Announcement, CreateError, Store, StoreError, rows, sql};
use crate::domain::announcement::NewAnnouncement;
use crate::domain::audit::{self, AuditEntry};
use crate::domain::change::Kind;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, EventId, NewEvent};
use crate::domain::outbox::{MailKind, NewRow};
use crate::domain::position::Epoch;

/// Runs `$body` in a transaction of either database. The body ends it.
macro_rules! in_transaction {
    ($store:ident, $transaction:ident => $body:block) => {
        match $store {
            Store::Sqlite(store) => store.note(
                bounded(COMMIT_TIMEOUT, async {
                    let mut $transaction = store.begin().await?;
                    $body
                })
                .await,
            ),
            Store::Postgres(store) => {
                bounded(COMMIT_TIMEOUT, async {
                    let mut $transaction = store.begin().await?;
                    $body
                })
                .await
            }
        }
    };
}

pub(super) use in_transaction;

impl Store {
    /// Creates an event at revision 1, with its `created` change and an audit line by `who`.
    pub async fn create(
        &self,
        new: NewEvent,
        who: &str,
        now: Timestamp,
    ) -> Result<Event, CreateError> {
        let event = new.open(Epoch::draw(), now);
        let entry = AuditEntry {
            at: now,
            who: who.to_owned(),
            action: "create".to_owned(),
            before: Value::Null,
            after: audit::event(&event),
        };
        let id: Option<i64> = in_transaction!(self, transaction => {
            let insert = query_scalar(sql::CREATE_EVENT)
                .bind(event.slug.as_str())
                .bind(event.epoch.as_str());
            let id: Option<i64> = rows::bind_event!(insert, event)
                .fetch_optional(&mut *transaction)
                .await?;
            let Some(id) = id else {
                transaction.rollback().await?;
                return Ok::<_, StoreError>(None);
            };
            let event = Event { id, ..event.clone() };
            transaction.write_settings(&event).await?;
            let count = event.headcount();
            query(sql::INSERT_CHANGE)
                .bind(id)
                .bind(count.revision)
                .bind(Kind::Created.as_str())
                .bind(i64::from(count.round))
                .bind(count.state.as_str())
                .bind(rows::places(count.capacity))
                .bind(i64::from(count.registered))
                .bind(i64::from(count.waiting))
                .bind(count.at.as_millis())
                .execute(&mut *transaction)
                .await?;
            transaction.audit(&event.slug, &entry).await?;
            transaction.commit().await?;
            Ok(Some(id))
        })?;
        let id = id.ok_or(CreateError::SlugTaken)?;
        Ok(Event { id, ..event })
    }

    /// Stores an announcement and an audit line by `who`; `None` when there is no such event.
    pub async fn announce(
        &self,
        event: EventId,
        new: &NewAnnouncement,
        who: &str,
        now: Timestamp,
    ) -> Result<Option<Announcement>, StoreError> {
        match self {
            Self::Sqlite(store) => store.note(announce(store, event, new, who, now).await),
            Self::Postgres(store) => announce(store, event, new, who, now).await,
        }
    }

    /// Stores a setting unless it exists; returns the stored value. So two nodes that start
    /// together agree.
    pub async fn setting_or_insert(&self, name: &str, value: &str) -> Result<String, StoreError> {
        in_transaction!(self, transaction => {
            query(sql::INSERT_SETTING)
                .bind(name)
                .bind(value)
                .execute(&mut *transaction)
                .await?;
            // A second statement sees what another node stored while the first one waited.
            let stored = query_scalar(sql::SETTING)
                .bind(name)
                .fetch_one(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(stored)
        })
    }

    /// Stores or replaces a setting.
    pub async fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        in_transaction!(self, transaction => {
            query(sql::SET_SETTING)
                .bind(name)
                .bind(value)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await
        })
    }
}

/// See [`Store::announce`]. It takes the event's lock first, as every transaction does, so that no
/// two can deadlock. So the keys of announcements follow the order in which they are stored.
async fn announce(
    backend: &impl Backend,
    event: EventId,
    new: &NewAnnouncement,
    who: &str,
    now: Timestamp,
) -> Result<Option<Announcement>, StoreError> {
    bounded(COMMIT_TIMEOUT, async {
        let (mut transaction, locked) = backend.lock(event, &Lookup::default()).await?;
        let Some(Locked { event: locked, .. }) = locked else {
            transaction.rollback().await?;
            return Ok(None);
        };
        let announcement = transaction.announce(event, new, now).await?;
        let after = if announcement.is_withdrawal() {
            Value::Null
        } else {
            json!({ "text": announcement.text, "ends_at": announcement.ends_at })
        };
        let entry = AuditEntry {
            at: now,
            who: who.to_owned(),
            action: new.action().to_owned(),
            before: Value::Null,
            after,
        };
        transaction.audit(&locked.slug, &entry).await?;
        let outgoing = backend.outgoing();
        let mails = new.mail && outgoing.mails() && locked.last_number > 0;
        if mails {
            let payload = json!({ "text": announcement.text });
            let kind = MailKind::Announcement;
            let row = NewRow::fanout(kind, locked.id, locked.round, payload, now);
            outbox::insert(transaction.connection(), outgoing, &[row], now).await?;
        }
        transaction.commit().await?;
        if mails {
            outgoing.wake();
        }
        Ok::<_, StoreError>(Some(announcement))
    })
    .await
}
