//! Every event's change log: without gaps, each line after the one before, up to the event's counts.

use std::str::FromStr as _;

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row as _, query_as, query_scalar};

use super::super::super::rows::ChangeRow;
use super::{Faults, Outcome};
use crate::domain::change::Change;
use crate::domain::event::Slug;
use crate::domain::position::Epoch;

/// Every log, one after the other.
const LINES: &str =
    "SELECT e.slug, e.epoch, c.revision, c.kind, c.round, c.state, c.capacity, c.registered,
        c.waiting, c.at
    FROM events e JOIN changes c ON c.event_id = e.id
    ORDER BY c.event_id, c.revision";

struct Line {
    slug: String,
    epoch: String,
    revision: i64,
    row: ChangeRow,
}

impl FromRow<'_, SqliteRow> for Line {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            slug: row.try_get("slug")?,
            epoch: row.try_get("epoch")?,
            revision: row.try_get("revision")?,
            row: ChangeRow::from_row(row)?,
        })
    }
}

impl Line {
    fn change(self) -> Result<Change, String> {
        let slug = Slug::parse(&self.slug).map_err(|_| "the slug cannot be read")?;
        let epoch = Epoch::from_str(&self.epoch).map_err(|_| "the epoch cannot be read")?;
        let change = self.row.of(&slug, &epoch);
        change.map_err(|error| error.to_string())
    }
}

pub(super) async fn check(connection: &mut SqliteConnection) -> Outcome {
    let gaps: Vec<(String, i64, i64, i64, i64)> = query_as(
        "SELECT e.slug, e.revision, count(c.revision), coalesce(min(c.revision), 0), coalesce(max(c.revision), 0)
        FROM events e LEFT JOIN changes c ON c.event_id = e.id
        GROUP BY e.id
        HAVING count(c.revision) <> e.revision OR coalesce(min(c.revision), 0) <> 1
            OR coalesce(max(c.revision), 0) <> e.revision
        ORDER BY e.id",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut faults = Faults::default();
    faults.extend(gaps.iter().map(|(slug, revision, lines, first, last)| {
        format!(
            "event {slug}: revision {revision}, but its log has {lines} lines from {first} to {last}"
        )
    }));
    let differing: Vec<String> = query_scalar(
        "SELECT e.slug FROM events e JOIN changes c ON c.event_id = e.id AND c.revision = e.revision
        WHERE c.registered <> e.registered OR c.waiting <> e.waiting OR c.round <> e.round
        ORDER BY e.id",
    )
    .fetch_all(&mut *connection)
    .await?;
    faults.extend(
        differing
            .iter()
            .map(|slug| format!("event {slug}: the last line of its log has other counts")),
    );
    let early: Vec<String> = query_scalar(
        "SELECT DISTINCT e.slug FROM registrations r JOIN events e ON e.id = r.event_id
        WHERE r.revision > e.revision ORDER BY e.id",
    )
    .fetch_all(&mut *connection)
    .await?;
    faults.extend(
        early
            .iter()
            .map(|slug| format!("event {slug}: a registration is newer than the event")),
    );
    let lines = follow(connection, &mut faults).await?;
    Ok(faults
        .or(|| format!("{lines} revisions without a gap, each of which follows from the last")))
}

/// Reads the whole log, and compares each line with the one before. Returns how many lines there
/// are.
async fn follow(
    connection: &mut SqliteConnection,
    faults: &mut Faults,
) -> Result<u64, sqlx::Error> {
    let mut read = 0;
    let mut last: Option<Change> = None;
    let mut lines = query_as::<_, Line>(LINES).fetch(connection);
    while let Some(line) = lines.try_next().await? {
        read += 1;
        let name = format!("event {}: revision {}", line.slug, line.revision);
        let is_first = line.revision == 1;
        let change = match line.change() {
            Ok(change) => change,
            Err(error) => {
                faults.add(format!("{name}: {error}"));
                last = None;
                continue;
            }
        };
        let before = last
            .take()
            .filter(|last| last.headcount.event == change.headcount.event);
        let fault = match &before {
            Some(before) => change.fault_after(&before.headcount),
            None if is_first => change.fault_at_start(),
            // The line before it cannot be read, or is missing: that is said already.
            None => None,
        };
        if let Some(fault) = fault {
            faults.add(format!("{name} ({}): {fault}", change.kind.as_str()));
        }
        last = Some(change);
    }
    Ok(read)
}
