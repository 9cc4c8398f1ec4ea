//! A webhook's row.

use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::super::StoreError;
use super::{row, unreadable};
use crate::domain::clock::Timestamp;
use crate::domain::language::Language;
use crate::domain::webhook::{Format, Settings, SigningSecret, Target, Topics, Webhook};

/// The columns of [`WebhookRow`].
macro_rules! webhook_columns {
    () => {
        "id, url, events, event_id, format, language, secret, active, gone, created_at"
    };
}
/// Whether an active webhook is about the event $1, as a column beside an event's.
macro_rules! has_webhooks {
    () => {
        "EXISTS (SELECT 1 FROM webhooks w WHERE w.active AND (w.event_id IS NULL OR w.event_id = $1)) \
         AS has_webhooks"
    };
}
pub(in crate::store) use {has_webhooks, webhook_columns};

row! {
    struct WebhookRow {
        id: i64,
        url: String,
        events: String,
        event_id: Option<i64>,
        format: String,
        language: String,
        secret: String,
        active: bool,
        gone: bool,
        created_at: i64,
    }
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = StoreError;

    fn try_from(row: WebhookRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            settings: Settings {
                target: Target::stored(&row.url).ok_or_else(|| unreadable("url", "…"))?,
                topics: Topics::stored(&row.events),
                event: row.event_id,
                format: Format::parse(&row.format)
                    .ok_or_else(|| unreadable("format", &row.format))?,
                language: Language::parse(&row.language).unwrap_or_default(),
                active: row.active,
            },
            secret: SigningSecret::stored(row.secret),
            gone: row.gone,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}
