//! Reading: one snapshot of a whole database.

use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{
    AssertSqlSafe, ColumnIndex, ConnectOptions as _, Connection as _, Decode, Executor as _, Row,
    Type, query, query_as, query_scalar,
};

use super::super::{DatabaseUrl, migrations, postgres};
use super::State;
use super::tables::{APPLIED, Cell, Kind, STATES, Table};

/// An open database, in a transaction that reads one snapshot.
pub(super) enum Source {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Source {
    /// `None` when there is no such file.
    pub(super) async fn open(url: &DatabaseUrl) -> Result<Option<Self>, sqlx::Error> {
        Ok(Some(match url {
            DatabaseUrl::Sqlite(options) => {
                if !options.get_filename().is_file() {
                    return Ok(None);
                }
                let mut connection = options
                    .clone()
                    .create_if_missing(false)
                    .pragma("query_only", "ON")
                    .disable_statement_logging()
                    .connect()
                    .await?;
                // In WAL mode the snapshot begins with the first read and lasts to the end.
                connection.execute("BEGIN").await?;
                Self::Sqlite(connection)
            }
            DatabaseUrl::Postgres(options) => {
                let mut connection = postgres::pool::named(options).connect().await?;
                connection.execute(postgres::UNBOUNDED).await?;
                connection
                    .execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    .await?;
                Self::Postgres(connection)
            }
        }))
    }

    /// Whether all of this version's migrations were applied, and no others.
    pub(super) async fn is_current(&mut self) -> Result<bool, sqlx::Error> {
        let (applied, known) = match self {
            Self::Sqlite(connection) => (
                query_scalar::<_, i64>(APPLIED).fetch_all(connection).await,
                &*migrations::SQLITE,
            ),
            Self::Postgres(connection) => (
                query_scalar::<_, i64>(APPLIED).fetch_all(connection).await,
                &*migrations::POSTGRES,
            ),
        };
        match applied {
            Ok(applied) => Ok(known.iter().map(|migration| migration.version).eq(applied)),
            // No such table: it was never migrated.
            Err(sqlx::Error::Database(error))
                if error
                    .code()
                    .is_some_and(|code| matches!(&*code, "42P01" | "1")) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn count(&mut self, table: &Table) -> Result<u64, sqlx::Error> {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {}", table.name));
        let rows: i64 = match self {
            Self::Sqlite(connection) => query_scalar(sql).fetch_one(connection).await?,
            Self::Postgres(connection) => query_scalar(sql).fetch_one(connection).await?,
        };
        Ok(rows.unsigned_abs())
    }

    /// The statement that reads a table in the order of its key.
    pub(super) fn select(&self, table: &Table) -> String {
        let column = |(name, kind): &(&str, Kind)| match (self, kind) {
            (Self::Postgres(_), Kind::Json) => format!("\"{name}\"::text"),
            _ => format!("\"{name}\""),
        };
        let columns: Vec<String> = table.columns.iter().map(column).collect();
        format!(
            "SELECT {} FROM {} ORDER BY {}",
            columns.join(", "),
            table.name,
            table.key
        )
    }

    /// A table's rows, one after the other. The database waits for the reader, so that memory stays
    /// small.
    pub(super) fn rows<'a>(
        &'a mut self,
        table: &'a Table,
        select: &str,
    ) -> BoxStream<'a, Result<Vec<Cell>, sqlx::Error>> {
        let sql = AssertSqlSafe(select.to_owned());
        match self {
            Self::Sqlite(connection) => Box::pin(
                query(sql)
                    .fetch(connection)
                    .and_then(move |row: SqliteRow| std::future::ready(cells(&row, table))),
            ),
            Self::Postgres(connection) => Box::pin(
                query(sql)
                    .fetch(connection)
                    .and_then(move |row: PgRow| std::future::ready(cells(&row, table))),
            ),
        }
    }

    /// The last key that the database gave for a table, even if its row is gone; `None` before the
    /// first.
    pub(super) async fn last_key(&mut self, table: &Table) -> Result<Option<i64>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                query_scalar("SELECT seq FROM sqlite_sequence WHERE name = $1")
                    .bind(table.name)
                    .fetch_optional(connection)
                    .await
            }
            Self::Postgres(connection) => {
                let sql = AssertSqlSafe(format!(
                    "SELECT last_value FROM {}_id_seq WHERE is_called",
                    table.name
                ));
                query_scalar(sql).fetch_optional(connection).await
            }
        }
    }

    pub(super) async fn states(&mut self) -> Result<Vec<State>, sqlx::Error> {
        match self {
            Self::Sqlite(connection) => query_as(STATES).fetch_all(connection).await,
            Self::Postgres(connection) => query_as(STATES).fetch_all(connection).await,
        }
    }

    pub(super) async fn close(self) {
        // Nothing was written, so an error here does not matter.
        let _ = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
    }
}

fn cells<R: Row>(row: &R, table: &Table) -> Result<Vec<Cell>, sqlx::Error>
where
    usize: ColumnIndex<R>,
    for<'r> Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Option<String>: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> bool: Decode<'r, R::Database> + Type<R::Database>,
{
    let cell = |(at, (_, kind)): (usize, &(&str, Kind))| match kind {
        Kind::Int => row.try_get(at).map(Cell::Int),
        Kind::Text | Kind::Json => row.try_get(at).map(Cell::Text),
        Kind::Flag => row.try_get(at).map(Cell::Flag),
    };
    table.columns.iter().enumerate().map(cell).collect()
}
