//! Writing: one transaction for a whole database.

use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::query::Query;
use sqlx::sqlite::SqliteConnection;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, query, query_as,
    query_scalar,
};

use super::super::{DatabaseUrl, postgres};
use super::State;
use super::tables::{Cell, Kind, STATES, TABLES, Table};

/// An open database, in a transaction that keeps other writers out. If it is dropped without
/// [`Self::commit`], nothing changes.
pub(super) enum Target {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Target {
    pub(super) async fn open(url: &DatabaseUrl) -> Result<Self, sqlx::Error> {
        Ok(match url {
            DatabaseUrl::Sqlite(options) => {
                let mut connection = options
                    .clone()
                    .create_if_missing(false)
                    .foreign_keys(true)
                    .disable_statement_logging()
                    .connect()
                    .await?;
                connection.execute("BEGIN IMMEDIATE").await?;
                Self::Sqlite(connection)
            }
            DatabaseUrl::Postgres(options) => {
                let mut connection = postgres::pool::named(options).connect().await?;
                connection.execute(postgres::UNBOUNDED).await?;
                connection
                    .execute("BEGIN ISOLATION LEVEL READ COMMITTED")
                    .await?;
                // A server that starts here meanwhile must not add its first event.
                let tables: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
                connection
                    .execute(AssertSqlSafe(format!(
                        "LOCK TABLE {} IN EXCLUSIVE MODE",
                        tables.join(", ")
                    )))
                    .await?;
                Self::Postgres(connection)
            }
        })
    }

    pub(super) async fn count(&mut self, table: &Table) -> Result<u64, sqlx::Error> {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {}", table.name));
        let rows: i64 = match self {
            Self::Sqlite(connection) => query_scalar(sql).fetch_one(connection).await?,
            Self::Postgres(connection) => query_scalar(sql).fetch_one(connection).await?,
        };
        Ok(rows.unsigned_abs())
    }

    /// Stores a chunk of a table's rows with one statement.
    pub(super) async fn insert(
        &mut self,
        table: &Table,
        rows: &[Vec<Cell>],
    ) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let values: Vec<String> = (0..table.columns.len())
                    .map(|at| format!("value ->> {at}"))
                    .collect();
                let sql = format!(
                    "INSERT INTO {} ({}) SELECT {} FROM json_each($1)",
                    table.name,
                    table.names(),
                    values.join(", ")
                );
                // Text, numbers and flags always become JSON.
                let json = serde_json::to_string(rows).expect("rows of text, numbers and flags");
                query(AssertSqlSafe(sql))
                    .bind(json)
                    .execute(connection)
                    .await
                    .map(drop)
            }
            Self::Postgres(connection) => {
                let array = |(at, (_, kind)): (usize, &(&str, Kind))| {
                    let element = match kind {
                        Kind::Int => "bigint",
                        Kind::Text | Kind::Json => "text",
                        Kind::Flag => "boolean",
                    };
                    format!("${}::{element}[]", at + 1)
                };
                let value = |(name, kind): &(&str, Kind)| {
                    if *kind == Kind::Json {
                        format!("\"{name}\"::jsonb")
                    } else {
                        format!("\"{name}\"")
                    }
                };
                let arrays: Vec<String> = table.columns.iter().enumerate().map(array).collect();
                let values: Vec<String> = table.columns.iter().map(value).collect();
                let names = table.names();
                // The keys are given here; the database draws none.
                let sql = format!(
                    "INSERT INTO {} ({names}) OVERRIDING SYSTEM VALUE SELECT {} FROM unnest({}) \
                    AS given ({names})",
                    table.name,
                    values.join(", "),
                    arrays.join(", "),
                );
                let mut insert = query(AssertSqlSafe(sql));
                for at in 0..table.columns.len() {
                    insert = bind(insert, rows, at);
                }
                insert.execute(connection).await.map(drop)
            }
        }
    }

    /// Makes the database continue with the keys after `last`.
    pub(super) async fn set_last_key(
        &mut self,
        table: &Table,
        last: i64,
    ) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                // `sqlite_sequence` has no unique index for an upsert, so replace the row.
                query("DELETE FROM sqlite_sequence WHERE name = $1")
                    .bind(table.name)
                    .execute(&mut *connection)
                    .await?;
                query("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)")
                    .bind(table.name)
                    .bind(last)
                    .execute(connection)
                    .await?;
            }
            Self::Postgres(connection) => {
                query("SELECT setval(pg_get_serial_sequence($1, 'id'), $2)")
                    .bind(table.name)
                    .bind(last)
                    .execute(connection)
                    .await?;
            }
        }
        Ok(())
    }

    pub(super) async fn states(&mut self) -> Result<Vec<State>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => query_as(STATES).fetch_all(connection).await,
            Self::Postgres(connection) => query_as(STATES).fetch_all(connection).await,
        }
    }

    /// Commits everything.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(mut connection) => {
                connection.execute("COMMIT").await?;
                connection.close().await
            }
            Self::Postgres(mut connection) => {
                connection.execute("COMMIT").await?;
                // Gives the first plans the sizes of the tables.
                connection.execute("ANALYZE").await?;
                connection.close().await
            }
        }
    }
}

type Insert = Query<'static, sqlx::Postgres, PgArguments>;

/// One column of the rows as an array.
fn bind(insert: Insert, rows: &[Vec<Cell>], at: usize) -> Insert {
    let column = rows.iter().map(|row| &row[at]);
    match rows.first().map(|row| &row[at]) {
        Some(Cell::Text(_)) => insert.bind(
            column
                .map(|cell| {
                    if let Cell::Text(text) = cell {
                        text.clone()
                    } else {
                        None
                    }
                })
                .collect::<Vec<_>>(),
        ),
        Some(Cell::Flag(_)) => insert.bind(
            column
                .map(|cell| matches!(cell, Cell::Flag(true)))
                .collect::<Vec<_>>(),
        ),
        Some(Cell::Int(_)) | None => insert.bind(
            column
                .map(|cell| {
                    if let Cell::Int(number) = cell {
                        *number
                    } else {
                        None
                    }
                })
                .collect::<Vec<_>>(),
        ),
    }
}
