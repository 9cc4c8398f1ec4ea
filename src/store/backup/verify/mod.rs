//! Checks that a SQLite file holds a whole database: of a backup, or of a stopped or running server.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, query_as, query_scalar};

use super::super::migrations;
use super::{BUSY_TIMEOUT, is_missing_table};

mod constraints;
mod counts;
mod log;
mod rows;
mod schema;

/// How many faults of one check are named.
const LISTED_MAX: usize = 5;

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
/// schema, whether each row satisfies its constraints and can be read, counts against rows, and the change log.
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
    match schema::check(connected).await {
        Ok(Ok(newest)) => {
            let schema = format!("migration {newest} of {}", migrations::newest());
            checks.push(check("schema", Ok(Ok(schema))));
            checks.push(check("constraints", constraints::check(file, newest).await));
            if newest == migrations::newest() {
                checks.push(check("rows", rows::check(connected).await));
            }
            checks.extend([
                check("counts", counts::check(connected, newest).await),
                check("revisions", log::check(connected).await),
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
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .read_only(true)
        // SQLite then needs no files beside it, and the folder may be one that nobody can write to.
        .immutable(is_idle(&file))
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

/// Whether no process has the file open in WAL mode: there is no log beside it.
fn is_idle(file: &Path) -> bool {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    !Path::new(&log).exists()
}

async fn integrity(connection: &mut SqliteConnection) -> Outcome {
    let found: Vec<String> = query_scalar("PRAGMA integrity_check")
        .fetch_all(connection)
        .await?;
    let mut faults = Faults::default();
    faults.extend(found.into_iter().filter(|line| line != "ok"));
    Ok(faults.or(|| "SQLite finds no damage".to_owned()))
}

async fn references(connection: &mut SqliteConnection) -> Outcome {
    let found: Vec<(String, String, i64)> = query_as(
        "SELECT \"table\", \"parent\", count(*) FROM pragma_foreign_key_check GROUP BY 1, 2 ORDER BY 1, 2",
    )
    .fetch_all(connection)
    .await?;
    let mut faults = Faults::default();
    faults.extend(
        found
            .iter()
            .map(|(table, parent, rows)| format!("{rows} rows of {table} name no row of {parent}")),
    );
    Ok(faults.or(|| "every row belongs to an event".to_owned()))
}

/// What a check finds wrong. It keeps the first faults, and counts the others.
#[derive(Debug, Default)]
struct Faults {
    named: Vec<String>,
    more: usize,
}

impl Faults {
    fn add(&mut self, fault: String) {
        if self.named.len() < LISTED_MAX {
            self.named.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// The outcome of the check: `sound` if nothing is wrong.
    fn or(self, sound: impl FnOnce() -> String) -> Result<String, String> {
        let named = self.named.join("; ");
        match (self.named.is_empty(), self.more) {
            (true, _) => Ok(sound()),
            (false, 0) => Err(named),
            (false, more) => Err(format!("{named}; and {more} more")),
        }
    }
}

impl Extend<String> for Faults {
    fn extend<T: IntoIterator<Item = String>>(&mut self, faults: T) {
        faults.into_iter().for_each(|fault| self.add(fault));
    }
}
