//! The tables that are copied. A test compares them with both schemas.

use serde::Serialize;

use Kind::{Flag, Int, Json, Text};

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Flag,
    /// Copied as text. The databases format the same value differently.
    Json,
}

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, Kind)],
    /// Its primary key: rows come in this order.
    pub(super) key: &'static str,
    /// Whether the database draws the keys, and must know the last one.
    pub(super) draws_keys: bool,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Cell {
    Int(Option<i64>),
    Text(Option<String>),
    Flag(bool),
}

impl Table {
    /// Its columns' names, quoted: some are words of SQL.
    pub(super) fn names(&self) -> String {
        self.columns
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Every table that is copied; a table comes after those that it references.
pub(super) const TABLES: [Table; 17] = [
    Table {
        name: "events",
        columns: &[
            ("id", Int),
            ("slug", Text),
            ("epoch", Text),
            ("title", Text),
            ("description", Text),
            ("capacity", Int),
            ("waitlist", Flag),
            ("opens_at", Int),
            ("closes_at", Int),
            ("scheduled", Flag),
            ("ended", Flag),
            ("closed", Flag),
            ("round", Int),
            ("revision", Int),
            ("registered", Int),
            ("waiting", Int),
            ("last_number", Int),
            ("at", Int),
            ("announcement", Int),
            ("max_party_size", Int),
            ("waiting_companions", Int),
            ("starts_at", Int),
            ("ends_at", Int),
            ("time_zone", Text),
            ("location", Text),
            ("online_url", Text),
            ("contact", Text),
            ("edits", Int),
            ("edited_at", Int),
            ("questions", Text),
            ("erase_after_days", Int),
            ("proof_of_work", Text),
            ("public_chart", Flag),
            ("remind_hours_before", Int),
            ("mail_off", Text),
            ("visibility", Text),
            ("archived", Flag),
        ],
        key: "id",
        draws_keys: true,
    },
    Table {
        name: "rounds",
        columns: &[
            ("event_id", Int),
            ("round", Int),
            ("capacity", Int),
            ("archived_at", Int),
        ],
        key: "event_id, round",
        draws_keys: false,
    },
    Table {
        name: "registrations",
        columns: &[
            ("event_id", Int),
            ("round", Int),
            ("number", Int),
            ("secret", Text),
            ("name", Text),
            ("search_key", Text),
            ("email", Text),
            ("email_key", Text),
            ("idempotency_key", Text),
            ("status", Text),
            ("accepted_waiting", Int),
            ("accepted_revision", Int),
            ("revision", Int),
            ("at", Int),
            ("party_size", Int),
            ("answers", Text),
            ("added_by", Text),
            ("erased_at", Int),
            ("language", Text),
            ("email_proven_at", Int),
            ("unsubscribed_at", Int),
            ("renamed_at", Int),
        ],
        key: "event_id, round, number",
        draws_keys: false,
    },
    Table {
        name: "confirmations",
        columns: &[
            ("id", Int),
            ("event_id", Int),
            ("secret", Text),
            ("name", Text),
            ("email", Text),
            ("email_key", Text),
            ("party_size", Int),
            ("answers", Text),
            ("language", Text),
            ("expires_at", Int),
            ("registration", Text),
        ],
        key: "id",
        draws_keys: true,
    },
    Table {
        name: "changes",
        columns: &[
            ("event_id", Int),
            ("revision", Int),
            ("kind", Text),
            ("round", Int),
            ("state", Text),
            ("capacity", Int),
            ("registered", Int),
            ("waiting", Int),
            ("at", Int),
        ],
        key: "event_id, revision",
        draws_keys: false,
    },
    Table {
        name: "audit",
        columns: &[
            ("id", Int),
            ("slug", Text),
            ("at", Int),
            ("who", Text),
            ("action", Text),
            ("before", Json),
            ("after", Json),
        ],
        key: "id",
        draws_keys: true,
    },
    Table {
        name: "announcements",
        columns: &[
            ("id", Int),
            ("event_id", Int),
            ("text", Text),
            ("at", Int),
            ("ends_at", Int),
        ],
        key: "id",
        draws_keys: true,
    },
    Table {
        name: "outbox",
        columns: &[
            ("id", Int),
            ("channel", Text),
            ("kind", Text),
            ("lane", Int),
            ("event_id", Int),
            ("round", Int),
            ("number", Int),
            ("webhook_id", Int),
            ("recipient", Text),
            ("language", Text),
            ("payload", Text),
            ("progress", Int),
            ("once_key", Text),
            ("created_at", Int),
            ("due_at", Int),
            ("attempts", Int),
            ("attempted_at", Int),
            ("leased_until", Int),
            ("leased_by", Text),
            ("state", Text),
            ("error", Text),
            ("finished_at", Int),
        ],
        key: "id",
        draws_keys: true,
    },
    Table {
        name: "refused_addresses",
        columns: &[("recipient", Text), ("at", Int), ("error", Text)],
        key: "recipient",
        draws_keys: false,
    },
    Table {
        name: "series_progress",
        columns: &[
            ("event_id", Int),
            ("revision", Int),
            ("round", Int),
            ("registered", Int),
            ("waiting", Int),
            ("cancelled", Int),
            ("archived", Text),
        ],
        key: "event_id",
        draws_keys: false,
    },
    Table {
        name: "series",
        columns: &[
            ("event_id", Int),
            ("step", Int),
            ("at", Int),
            ("registered", Int),
            ("waiting", Int),
            ("cancelled", Int),
            ("capacity", Int),
        ],
        key: "event_id, step, at",
        draws_keys: false,
    },
    Table {
        name: "series_watching",
        columns: &[
            ("event_id", Int),
            ("step", Int),
            ("at", Int),
            ("watching", Int),
        ],
        key: "event_id, step, at",
        draws_keys: false,
    },
    Table {
        name: "series_sampled",
        columns: &[("step", Int), ("at", Int)],
        key: "step, at",
        draws_keys: false,
    },
    Table {
        name: "accounts",
        columns: &[
            ("id", Int),
            ("name", Text),
            ("name_key", Text),
            ("role", Text),
            ("password", Text),
            ("link", Text),
            ("link_expires_at", Int),
            ("created_at", Int),
            ("signed_in_at", Int),
        ],
        key: "id",
        draws_keys: true,
    },
    Table {
        name: "tokens",
        columns: &[
            ("id", Int),
            ("name", Text),
            ("digest", Text),
            ("scopes", Text),
            ("event_id", Int),
            ("expires_at", Int),
            ("created_at", Int),
            ("created_by", Text),
            ("last_used_at", Int),
        ],
        key: "id",
        draws_keys: true,
    },
    Table {
        name: "webhooks",
        columns: &[
            ("id", Int),
            ("url", Text),
            ("events", Text),
            ("event_id", Int),
            ("format", Text),
            ("language", Text),
            ("secret", Text),
            ("active", Flag),
            ("gone", Flag),
            ("created_at", Int),
        ],
        key: "id",
        draws_keys: true,
    },
    Table {
        name: "settings",
        columns: &[("name", Text), ("value", Text)],
        key: "name",
        draws_keys: false,
    },
];

/// See [`super::State`]; both databases understand it.
pub(super) const STATES: &str = "\
    SELECT e.id, e.epoch, e.revision, e.registered, e.waiting,
        (SELECT CAST(coalesce(sum(r.party_size), 0) AS BIGINT) FROM registrations r
            WHERE r.event_id = e.id AND r.round = e.round AND r.status = 'confirmed'),
        (SELECT count(*) FROM registrations r WHERE r.event_id = e.id),
        (SELECT count(*) FROM changes c WHERE c.event_id = e.id),
        (SELECT coalesce(max(c.revision), 0) FROM changes c WHERE c.event_id = e.id)
    FROM events e ORDER BY e.id";

/// The migrations that were applied, on either database.
pub(super) const APPLIED: &str =
    "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
