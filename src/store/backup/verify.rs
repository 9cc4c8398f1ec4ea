//! Checks that a SQLite file holds a whole database: of a backup, or of a stopped or running server.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, FromRow, query_as,
    query_scalar,
};

use super::super::migrations;
use super::{APPLIED, BUSY_TIMEOUT, is_missing_table};

/// How many faults of one check are named.
const LISTED_MAX: usize = 5;
/// The migration that lets a registration be for several people.
const PARTY_MIGRATION: i64 = 3;

/// One check of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked, in one word.
    pub name: &'static str,
    /// What was found, in words; the error is what is wrong.
    pub outcome: Result<String, String>,
}

/// Every check of a file, in order. The first failure to read the file is the last check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report(pub Vec<Check>);

impl Report {
    /// Whether every check passed.
    pub fn is_sound(&self) -> bool {
        self.0.iter().all(|check| check.outcome.is_ok())
    }

    /// The checks that failed, in words.
    pub fn faults(&self) -> String {
        let faults = self.0.iter().filter_map(|check| {
            let fault = check.outcome.as_ref().err()?;
            Some(format!("{}: {fault}", check.name))
        });
        faults.collect::<Vec<_>>().join("; ")
    }
}

/// Checks a database file without changing it: SQLite's own check, references between rows, the
/// schema, counts against rows, and the change log.
pub async fn verify(file: &Path) -> Report {
    let mut connection = match open(file).await {
        Ok(connection) => connection,
        Err(fault) => return Report(vec![check("file", Ok(Err(fault)))]),
    };
    let connected = &mut connection;
    let mut checks = vec![
        check("integrity", integrity(connected).await),
        check("references", references(connected).await),
    ];
    match schema(connected).await {
        Ok(Ok(newest)) => {
            let schema = format!("migration {newest} of {}", migrations::newest());
            checks.extend([
                check("schema", Ok(Ok(schema))),
                check("counts", counts(connected, newest).await),
                check("revisions", revisions(connected).await),
            ]);
        }
        // Nothing is known of its tables.
        unknown => checks.push(check(
            "schema",
            unknown.map(|fault| fault.map(|_| String::new())),
        )),
    }
    // It has only read.
    let _ = connection.close().await;
    Report(checks)
}

/// A damaged page ends a statement: that is what the check has found.
fn check(name: &'static str, outcome: Outcome) -> Check {
    let outcome = outcome.unwrap_or_else(|error| Err(error.to_string()));
    Check { name, outcome }
}

/// Words for the operator, or what is wrong; the outer error is SQLite's.
type Outcome = Result<Result<String, String>, sqlx::Error>;

async fn open(file: &Path) -> Result<SqliteConnection, String> {
    if !file.is_file() {
        return Err("there is no such file".to_owned());
    }
    read_only(file).await.map_err(|error| error.to_string())
}

/// Opens a file to read one moment of it. Creates nothing beside a file that nobody uses.
pub(in crate::store) async fn read_only(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let file = std::path::absolute(file)?;
    let mut log = file.clone().into_os_string();
    log.push("-wal");
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .read_only(true)
        // Without a log no other process has the file open in WAL mode. SQLite then needs no files
        // beside it, and the folder may be one that nobody can write to.
        .immutable(!Path::new(&log).exists())
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    connection.execute("BEGIN").await?;
    // The first read begins the snapshot.
    query_scalar::<_, i64>("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut connection)
        .await?;
    Ok(connection)
}

async fn integrity(connection: &mut SqliteConnection) -> Outcome {
    let found: Vec<String> = query_scalar("PRAGMA integrity_check")
        .fetch_all(connection)
        .await?;
    Ok(if found == ["ok"] {
        Ok("SQLite finds no damage".to_owned())
    } else {
        Err(listed(&found))
    })
}

async fn references(connection: &mut SqliteConnection) -> Outcome {
    let found: Vec<(String, String, i64)> = query_as(
        "SELECT \"table\", \"parent\", count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2",
    )
    .fetch_all(connection)
    .await?;
    let faults: Vec<_> = found
        .iter()
        .map(|(table, parent, rows)| format!("{rows} rows of {table} name no row of {parent}"))
        .collect();
    Ok(if faults.is_empty() {
        Ok("every row belongs to an event".to_owned())
    } else {
        Err(listed(&faults))
    })
}

/// The newest migration. An older schema than this program's is no fault: a server brings it up to
/// date when it starts.
async fn schema(connection: &mut SqliteConnection) -> Result<Result<i64, String>, sqlx::Error> {
    let applied = match query_scalar::<_, i64>(APPLIED).fetch_all(connection).await {
        Ok(applied) => applied,
        Err(error) if is_missing_table(&error) => Vec::new(),
        Err(error) => return Err(error),
    };
    let Some(newest) = applied.last().copied() else {
        return Ok(Err("this is no database of Headcount".to_owned()));
    };
    Ok(if newest > migrations::newest() {
        Err(format!(
            "migration {newest} is of a newer version of this program; verify the file with that version"
        ))
    } else if migrations::up_to(newest).eq(applied) {
        Ok(newest)
    } else {
        Err(format!("a migration before {newest} is missing"))
    })
}

/// An event whose counts differ from its rows.
struct Count {
    slug: String,
    /// What the event says: people registered, people waiting, the last number, the rounds before.
    said: [i64; 4],
    /// What its rows say.
    found: [i64; 4],
}

impl FromRow<'_, SqliteRow> for Count {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        use sqlx::Row as _;
        let four = |from: usize| {
            Ok::<_, sqlx::Error>([
                row.try_get(from)?,
                row.try_get(from + 1)?,
                row.try_get(from + 2)?,
                row.try_get(from + 3)?,
            ])
        };
        Ok(Self {
            slug: row.try_get(0)?,
            said: four(1)?,
            found: four(5)?,
        })
    }
}

async fn counts(connection: &mut SqliteConnection, version: i64) -> Outcome {
    let people = if version < PARTY_MIGRATION {
        "1"
    } else {
        "r.party_size"
    };
    let sum = |status| {
        format!(
            "(SELECT coalesce(sum({people}), 0) FROM registrations r
                WHERE r.event_id = e.id AND r.round = e.round AND r.status = '{status}')"
        )
    };
    let sql = format!(
        "SELECT e.slug, e.registered, e.waiting, e.last_number, e.round - 1, {}, {},
            (SELECT coalesce(max(r.number), 0) FROM registrations r
                WHERE r.event_id = e.id AND r.round = e.round),
            (SELECT count(*) FROM rounds o WHERE o.event_id = e.id AND o.round < e.round)
        FROM events e ORDER BY e.id",
        sum("confirmed"),
        sum("waiting"),
    );
    let events: Vec<Count> = query_as(AssertSqlSafe(sql))
        .fetch_all(&mut *connection)
        .await?;
    let mut faults = Vec::new();
    for Count { slug, said, found } in &events {
        let names = ["registered", "waiting", "last number", "earlier rounds"];
        for (name, (said, found)) in names.iter().zip(said.iter().zip(found)) {
            if said != found {
                faults.push(format!(
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
    Ok(if faults.is_empty() {
        Ok(format!(
            "{} events and {registrations} registrations agree",
            events.len()
        ))
    } else {
        Err(listed(&faults))
    })
}

async fn revisions(connection: &mut SqliteConnection) -> Outcome {
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
    let mut faults: Vec<String> = gaps
        .iter()
        .map(|(slug, revision, lines, first, last)| {
            format!(
                "event {slug}: revision {revision}, but its log has {lines} lines from {first} to {last}"
            )
        })
        .collect();
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
    let lines: i64 = query_scalar("SELECT count(*) FROM changes")
        .fetch_one(connection)
        .await?;
    Ok(if faults.is_empty() {
        Ok(format!("{lines} revisions without a gap"))
    } else {
        Err(listed(&faults))
    })
}

/// The first faults, and how many more there are.
fn listed(faults: &[String]) -> String {
    let named = faults[..faults.len().min(LISTED_MAX)].join("; ");
    match faults.len().saturating_sub(LISTED_MAX) {
        0 => named,
        more => format!("{named}; and {more} more"),
    }
}
