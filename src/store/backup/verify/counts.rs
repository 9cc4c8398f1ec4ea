//! Every event's counts, against its rows.

use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, FromRow, query_as, query_scalar};

use super::{Faults, Outcome};

/// The migration that lets a registration be for several people.
const PARTY_MIGRATION: i64 = 3;

/// An event whose counts differ from its rows.
struct Count {
    slug: String,
    /// What the event says: people registered, people waiting, how many of these
    /// came with somebody else, the last number, the rounds before.
    said: [i64; 5],
    /// What its rows say.
    found: [i64; 5],
}

impl FromRow<'_, SqliteRow> for Count {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        use sqlx::Row as _;
        let five = |from: usize| {
            let mut counts = [0; 5];
            for (count, column) in counts.iter_mut().zip(from..) {
                *count = row.try_get(column)?;
            }
            Ok::<_, sqlx::Error>(counts)
        };
        Ok(Self {
            slug: row.try_get(0)?,
            said: five(1)?,
            found: five(6)?,
        })
    }
}

pub(super) async fn check(connection: &mut SqliteConnection, version: i64) -> Outcome {
    let (people, companions) = if version < PARTY_MIGRATION {
        ("1", "0")
    } else {
        ("r.party_size", "e.waiting_companions")
    };
    let sum = |people: &str, status: &str| {
        format!(
            "(SELECT coalesce(sum({people}), 0) FROM registrations r
                WHERE r.event_id = e.id AND r.round = e.round AND r.status = '{status}')"
        )
    };
    let sql = format!(
        "SELECT e.slug, e.registered, e.waiting, {companions}, e.last_number, e.round - 1, {}, {}, {},
            (SELECT coalesce(max(r.number), 0) FROM registrations r
                WHERE r.event_id = e.id AND r.round = e.round),
            (SELECT count(*) FROM rounds o WHERE o.event_id = e.id AND o.round < e.round)
        FROM events e ORDER BY e.id",
        sum(people, "confirmed"),
        sum(people, "waiting"),
        sum(&format!("{people} - 1"), "waiting"),
    );
    let events: Vec<Count> = query_as(AssertSqlSafe(sql))
        .fetch_all(&mut *connection)
        .await?;
    let mut faults = Faults::default();
    for Count { slug, said, found } in &events {
        let names = [
            "registered",
            "waiting",
            "waiting companions",
            "last number",
            "earlier rounds",
        ];
        for (name, (said, found)) in names.iter().zip(said.iter().zip(found)) {
            if said != found {
                faults.add(format!(
                    "event {slug}: {name} is {said}, its rows have {found}"
                ));
            }
        }
    }
    // Numbers are given without gaps, and cancelling keeps the row.
    let holes: Vec<(String, i64, i64, i64)> = query_as(
        "SELECT e.slug, r.round, count(*), max(r.number)
        FROM registrations r JOIN events e ON e.id = r.event_id
        GROUP BY r.event_id, r.round HAVING count(*) <> max(r.number) OR r.round > e.round",
    )
    .fetch_all(&mut *connection)
    .await?;
    faults.extend(holes.iter().map(|(slug, round, rows, last)| {
        format!("event {slug}: round {round} has {rows} registrations, numbered up to {last}")
    }));
    let registrations: i64 = query_scalar("SELECT count(*) FROM registrations")
        .fetch_one(connection)
        .await?;
    Ok(faults.or(|| {
        format!(
            "{} events and {registrations} registrations agree",
            events.len()
        )
    }))
}
