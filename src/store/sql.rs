//! The statements that both databases understand; SQLite accepts `$1` too. Statements that lock an
//! event, find a batch's registrations or write its rows differ: they are in `sqlite/` and
//! `postgres/`.

use super::rows::{event_columns, registration_columns};

pub(super) const EVENTS: &str = concat!("SELECT ", event_columns!(), " FROM events ORDER BY id");
pub(super) const EVENT: &str = concat!("SELECT ", event_columns!(), " FROM events WHERE slug = $1");
pub(super) const EVENT_BY_ID: &str =
    concat!("SELECT ", event_columns!(), " FROM events WHERE id = $1");
pub(super) const EVENT_HEADS: &str = "SELECT id, revision, announcement FROM events";

pub(super) const CREATE_EVENT: &str = "\
    INSERT INTO events (slug, epoch, title, description, capacity, waitlist, opens_at, closes_at,
        scheduled, ended, closed, round, revision, registered, waiting, last_number, at,
        max_party_size, waiting_companions)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
    ON CONFLICT (slug) DO NOTHING
    RETURNING id";
/// The settings that only an edit changes: a registration need not write them.
pub(super) const WRITE_SETTINGS: &str = "\
    UPDATE events
    SET starts_at = $2, ends_at = $3, time_zone = $4, location = $5, online_url = $6, contact = $7,
        edits = $8, edited_at = $9, questions = $10, erase_after_days = $11,
        proof_of_work = $12, public_chart = $13, remind_hours_before = $14, mail_off = $15,
        visibility = $16, archived = $17
    WHERE id = $1";
pub(super) const INSERT_CHANGE: &str = "\
    INSERT INTO changes (event_id, revision, kind, round, state, capacity, registered, waiting, at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
pub(super) const INSERT_AUDIT: &str = "\
    INSERT INTO audit (slug, at, who, action, \"before\", \"after\") VALUES ($1, $2, $3, $4, $5, $6)";
pub(super) const ARCHIVE_ROUND: &str =
    "INSERT INTO rounds (event_id, round, capacity, archived_at) VALUES ($1, $2, $3, $4)";
pub(super) const RESTORE_ROUND: &str = "DELETE FROM rounds WHERE event_id = $1 AND round = $2";
/// A row of a mail names nobody: the digest of its address stays until it is pruned, because the
/// limits of strangers' addresses need it. A webhook's payload names the person.
pub(super) const ERASE_OUTGOING: &str = "\
    UPDATE outbox
    SET payload = '{}', finished_at = coalesce(finished_at, $4),
        state = CASE WHEN state = 'waiting' THEN 'dropped' ELSE state END
    WHERE channel = 'webhook' AND number IS NOT NULL
        AND event_id = $1 AND round = $2 AND number = $3";
/// What the same address has asked to confirm. Run before the registration's address is erased.
pub(super) const ERASE_CONFIRMATIONS: &str = "\
    DELETE FROM confirmations WHERE event_id = $1 AND email_key = (
        SELECT email_key FROM registrations WHERE event_id = $1 AND round = $2 AND number = $3
    )";
/// Deletes all rows of an event, the event's row last.
pub(super) const DELETE_EVENT: [&str; 14] = [
    "DELETE FROM tokens WHERE event_id = $1",
    "DELETE FROM confirmations WHERE event_id = $1",
    "DELETE FROM registrations WHERE event_id = $1",
    "DELETE FROM changes WHERE event_id = $1",
    "DELETE FROM rounds WHERE event_id = $1",
    "DELETE FROM announcements WHERE event_id = $1",
    // Nothing is left that such a mail could say. What was sent still counts against the budgets.
    "DELETE FROM outbox WHERE channel IN ('mail', 'fanout') AND lane = $1 AND state = 'waiting'",
    // They name people.
    "DELETE FROM outbox WHERE channel = 'webhook' AND number IS NOT NULL AND event_id = $1",
    "DELETE FROM series_progress WHERE event_id = $1",
    "DELETE FROM series WHERE event_id = $1",
    "DELETE FROM series_watching WHERE event_id = $1",
    "DELETE FROM outbox WHERE webhook_id IN (SELECT id FROM webhooks WHERE event_id = $1)",
    "DELETE FROM webhooks WHERE event_id = $1",
    "DELETE FROM events WHERE id = $1",
];

pub(super) const WAITING: &str = concat!(
    "SELECT ",
    registration_columns!(),
    " FROM registrations WHERE event_id = $1 AND round = $2 AND status = 'waiting' ORDER BY number LIMIT $3"
);
/// The party that waits longest.
pub(super) const NEXT_PARTY: &str = "\
    SELECT party_size FROM registrations
    WHERE event_id = $1 AND round = $2 AND status = 'waiting' ORDER BY number LIMIT 1";
pub(super) const REWRITE: &str = "\
    UPDATE registrations SET name = $4, search_key = $5, answers = $6, renamed_at = $7
    WHERE event_id = $1 AND round = $2 AND number = $3";
/// For new rows, which rarely have either.
pub(super) const MARK: &str = "\
    UPDATE registrations SET email_proven_at = $4, renamed_at = $5
    WHERE event_id = $1 AND round = $2 AND number = $3";
/// The newest registrations of a round.
pub(super) const NEWEST: &str = concat!(
    "SELECT ",
    registration_columns!(),
    " FROM registrations WHERE event_id = $1 AND round = $2 ORDER BY number DESC LIMIT $3"
);
/// Registrations of all rounds that are not erased, beyond the one at $2 and $3.
pub(super) const UNERASED: &str = "\
    SELECT round, number FROM registrations
    WHERE event_id = $1 AND (round, number) > ($2, $3) AND erased_at IS NULL
    ORDER BY round, number LIMIT $4";
/// How many registrations of all rounds are not erased.
pub(super) const UNERASED_COUNT: &str = "\
    SELECT count(*) FROM registrations WHERE event_id = $1 AND erased_at IS NULL";
pub(super) const ARCHIVED: &str = "\
    SELECT capacity,
        (SELECT CAST(coalesce(sum(r.party_size), 0) AS BIGINT) FROM registrations r
            WHERE r.event_id = $1 AND r.round = $2 AND r.status = 'confirmed') AS registered,
        (SELECT CAST(coalesce(sum(r.party_size), 0) AS BIGINT) FROM registrations r
            WHERE r.event_id = $1 AND r.round = $2 AND r.status = 'waiting') AS waiting,
        (SELECT CAST(coalesce(sum(r.party_size - 1), 0) AS BIGINT) FROM registrations r
            WHERE r.event_id = $1 AND r.round = $2 AND r.status = 'waiting') AS waiting_companions,
        (SELECT coalesce(max(r.number), 0) FROM registrations r
            WHERE r.event_id = $1 AND r.round = $2) AS last_number
    FROM rounds WHERE event_id = $1 AND round = $2";

pub(super) const CHANGES: &str = "\
    SELECT revision, kind, round, state, capacity, registered, waiting, at
    FROM changes WHERE event_id = $1 AND revision > $2 ORDER BY revision LIMIT $3";
pub(super) const REGISTRATION: &str = concat!(
    "SELECT ",
    registration_columns!(),
    ", CASE WHEN status = 'waiting' THEN (
        SELECT count(*) FROM registrations w
        WHERE w.event_id = $1 AND w.round = $2 AND w.status = 'waiting' AND w.number <= $3
    ) END AS waiting_position
    FROM registrations WHERE event_id = $1 AND round = $2 AND number = $3"
);
/// Which registrations a list has: $4 is a status or NULL, $5 a registration's number or NULL, $7 the
/// words of a search, $8 whether they must be part of the name. `$missing` selects those of them that a row has neither in its text nor as its
/// number; the databases unpack lists differently.
macro_rules! listed {
    ($missing:literal) => {
        concat!(
            " FROM registrations WHERE event_id = $1 AND round = $2
        AND ($4 IS NULL OR status = $4)
        AND ($5 IS NULL OR number = $5)
        AND NOT EXISTS (",
            $missing,
            ")"
        )
    };
}
/// One order of a list: the rows beyond the one with the number $3, at most $6.
macro_rules! registrations {
    ($missing:literal, $beyond:expr, $order:expr) => {
        concat!(
            "SELECT ",
            $crate::store::rows::registration_columns!(),
            $crate::store::sql::listed!($missing),
            " AND ",
            $beyond,
            " ORDER BY ",
            $order,
            " LIMIT $6"
        )
    };
}
/// The rows beyond the one with the number $3, in an order by `$column` and number. The name of that
/// row is not in the query: it would be in addresses and logs.
macro_rules! beyond {
    ($column:literal, $compares:literal) => {
        concat!(
            "($3 = 0 OR (",
            $column,
            ", number) ",
            $compares,
            " (SELECT ",
            $column,
            ", number FROM registrations WHERE event_id = $1 AND round = $2 AND number = $3))"
        )
    };
}
/// The statements of one database: all orders of a list, and how long it is. `$name` is the first line
/// of `search_key`, the folded name. Comparing its bytes gives the same order on both databases.
macro_rules! lists {
    ($missing:literal, $name:literal) => {
        /// The statement for an order.
        const fn registrations(order: Order) -> &'static str {
            match (order.by, order.descending) {
                (SortKey::Number, false) => {
                    sql::registrations!($missing, "number > $3", "number")
                }
                (SortKey::Number, true) => {
                    sql::registrations!($missing, "($3 = 0 OR number < $3)", "number DESC")
                }
                (SortKey::Name, false) => sql::registrations!(
                    $missing,
                    sql::beyond!($name, ">"),
                    concat!($name, ", number")
                ),
                (SortKey::Name, true) => sql::registrations!(
                    $missing,
                    sql::beyond!($name, "<"),
                    concat!($name, " DESC, number DESC")
                ),
                (SortKey::At, false) => {
                    sql::registrations!($missing, sql::beyond!("at", ">"), "at, number")
                }
                (SortKey::At, true) => {
                    sql::registrations!($missing, sql::beyond!("at", "<"), "at DESC, number DESC")
                }
            }
        }

        const TOTAL: &str = concat!("SELECT count(*)", sql::listed!($missing));
    };
}
pub(super) const WAITING_BEFORE: &str = "\
    SELECT count(*) FROM registrations
    WHERE event_id = $1 AND round = $2 AND status = 'waiting' AND number < $3";
pub(super) const WAITING_NUMBERS: &str = "\
    SELECT number FROM registrations
    WHERE event_id = $1 AND round = $2 AND status = 'waiting' AND number >= $3 AND number <= $4
    ORDER BY number";
pub(super) const RECOUNT: &str = "\
    SELECT (SELECT CAST(coalesce(sum(r.party_size), 0) AS BIGINT) FROM registrations r
            WHERE r.event_id = e.id AND r.round = e.round AND r.status = 'confirmed'), e.registered
    FROM events e WHERE e.id = $1";

pub(super) const AUDIT: &str = "\
    SELECT id, at, who, action, \"before\", \"after\"
    FROM audit WHERE slug = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

pub(super) const ANNOUNCE: &str = "\
    INSERT INTO announcements (event_id, text, at, ends_at) VALUES ($1, $2, $3, $4)
    RETURNING id, text, at, ends_at";
pub(super) const ANNOUNCED: &str = "UPDATE events SET announcement = $2 WHERE id = $1";
pub(super) const ANNOUNCEMENT: &str = "\
    SELECT a.id, a.text, a.at, a.ends_at
    FROM announcements a JOIN events e ON e.announcement = a.id WHERE e.id = $1";

pub(super) const SETTING: &str = "SELECT value FROM settings WHERE name = $1";
pub(super) const INSERT_SETTING: &str =
    "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
pub(super) const SET_SETTING: &str = "\
    INSERT INTO settings (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// Reads a page of the smallest table, so that on either database the answer needs the disk or the
/// server.
pub(super) const PING: &str = "SELECT 1 FROM settings LIMIT 1";

pub(super) use {beyond, listed, lists, registrations};
