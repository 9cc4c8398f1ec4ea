//! Inspects a database before a server uses it. Creates, migrates and writes nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions as _, Connection as _, query_as, query_scalar};

use super::backup::{APPLIED, is_missing_table, read_only};
use super::error::bounded;
use super::sqlite::file;
use super::{DatabaseUrl, StoreError, migrations, postgres};
use crate::domain::clock::Timestamp;

/// How long a database may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Postgres' code for a table that does not exist.
const NO_SUCH_TABLE: &str = "42P01";
/// The newest change of any event.
const NEWEST: &str = "SELECT max(at) FROM events";

/// The state of a database.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Whether this program can use it.
    pub schema: Schema,
    /// The newest moment in it.
    pub newest: Option<Timestamp>,
    /// The server's own clock (Postgres).
    pub server_time: Option<Timestamp>,
    /// How long one statement takes; `None` while there is no file.
    pub round_trip: Option<Duration>,
    /// Settings and damage that would lose registrations, in words.
    pub faults: Vec<String>,
}

/// The schema of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// No file or no tables: the first start creates everything.
    Empty,
    /// Migrations of an older version: the next start applies the rest.
    Older(i64),
    /// This version's.
    Current(i64),
    /// A newer version's, which this program refuses.
    Newer(i64),
}

impl Schema {
    fn of(newest: Option<i64>) -> Self {
        let known = migrations::newest();
        match newest {
            None => Self::Empty,
            Some(newest) if newest < known => Self::Older(newest),
            Some(newest) if newest == known => Self::Current(newest),
            Some(newest) => Self::Newer(newest),
        }
    }
}

/// Inspects a database. An error means that a server could not start with it.
pub async fn inspect(url: &DatabaseUrl) -> Result<Inspection, StoreError> {
    match url {
        DatabaseUrl::Sqlite(options) => inspect_file(options.get_filename()).await,
        DatabaseUrl::Postgres(options) => bounded(TIMEOUT, inspect_server(options)).await,
    }
}

async fn inspect_file(path: &Path) -> Result<Inspection, StoreError> {
    file::check(path)?;
    let nothing = Inspection {
        schema: Schema::Empty,
        newest: None,
        server_time: None,
        round_trip: None,
        faults: Vec::new(),
    };
    if !path.exists() {
        return Ok(nothing);
    }
    let mut connection = read_only(path).await?;
    let begun = Instant::now();
    let (newest, at) = schema(&mut connection).await?;
    let round_trip = Some(begun.elapsed());
    let damage: Vec<String> = query_scalar("PRAGMA quick_check(1)")
        .fetch_all(&mut connection)
        .await?;
    // It has only read.
    let _ = connection.close().await;
    let faults = damage
        .into_iter()
        .filter(|line| line != "ok")
        .map(|line| format!("the file is damaged: {line}; restore a backup"));
    Ok(Inspection {
        schema: Schema::of(newest),
        newest: at,
        round_trip,
        faults: faults.collect(),
        ..nothing
    })
}

async fn schema(
    connection: &mut SqliteConnection,
) -> Result<(Option<i64>, Option<Timestamp>), sqlx::Error> {
    let applied: Vec<i64> = match query_scalar(APPLIED).fetch_all(&mut *connection).await {
        Err(error) if is_missing_table(&error) => return Ok((None, None)),
        applied => applied?,
    };
    let at: Option<i64> = query_scalar(NEWEST).fetch_one(connection).await?;
    Ok((applied.last().copied(), at.map(Timestamp::from_millis)))
}

async fn inspect_server(options: &PgConnectOptions) -> Result<Inspection, sqlx::Error> {
    let mut connection =
        PgConnection::connect_with(&postgres::pool::named(options).disable_statement_logging())
            .await?;
    let begun = Instant::now();
    let (fsync, commits, replica, now, creates): (bool, String, bool, i64, bool) = query_as(
        "SELECT current_setting('fsync')::boolean, current_setting('synchronous_commit'), pg_is_in_recovery(),
            (extract(epoch FROM clock_timestamp()) * 1000)::bigint,
            coalesce(has_schema_privilege(current_schema(), 'CREATE'), FALSE)",
    )
    .fetch_one(&mut connection)
    .await?;
    let round_trip = Some(begun.elapsed());
    let applied: Result<Vec<i64>, _> = query_scalar(APPLIED).fetch_all(&mut connection).await;
    let newest = match applied {
        Ok(applied) => applied.last().copied(),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NO_SUCH_TABLE) => None,
        Err(error) => return Err(error),
    };
    let at: Option<i64> = match newest {
        Some(_) => query_scalar(NEWEST).fetch_one(&mut connection).await?,
        None => None,
    };
    // It has only read.
    let _ = connection.close().await;
    let schema = Schema::of(newest);
    let mut faults = Vec::new();
    let mut fault = |is_true: bool, text: &str| {
        if is_true {
            faults.push(text.to_owned());
        }
    };
    fault(
        !fsync,
        "fsync is off, so a power failure destroys the database; turn it on",
    );
    fault(
        commits == "off",
        "synchronous_commit is off, so a crash loses answered registrations; turn it on",
    );
    fault(
        replica,
        "the server is a read replica; name the primary in --database-url",
    );
    fault(
        !creates && !replica && matches!(schema, Schema::Empty | Schema::Older(_)),
        "this user may not create tables; run GRANT CREATE ON SCHEMA public, or make it the database's owner",
    );
    Ok(Inspection {
        schema,
        newest: at.map(Timestamp::from_millis),
        server_time: Some(Timestamp::from_millis(now)),
        round_trip,
        faults,
    })
}
