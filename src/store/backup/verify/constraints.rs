//! Whether each row satisfies the constraints of its table.
//!
//! `PRAGMA integrity_check` would say so, but not of a file that is opened for reading only: SQLite
//! leaves out the CHECKs when it reads such a schema. So each row is inserted into an empty table in
//! memory, which checks it, and a trigger deletes it again.

use std::fmt::Write as _;
use std::path::Path;

use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor as _, query, query_scalar};

use super::{Faults, Outcome, is_idle, schema};

const TABLES: &str = "SELECT name FROM main.sqlite_schema
    WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> '_sqlx_migrations'
    ORDER BY name";
const COLUMNS: &str = "SELECT group_concat('\"' || name || '\"') FROM pragma_table_info($1)";

/// Checks each row of `file`, whose schema is that of the migrations up to `newest`.
pub(super) async fn check(file: &Path, newest: i64) -> Outcome {
    let mut memory = schema::made(newest).await?;
    // The references are a check of their own.
    memory.execute("PRAGMA foreign_keys = OFF").await?;
    query("ATTACH $1 AS file")
        .bind(uri(file)?)
        .execute(&mut memory)
        .await?;
    let tables: Vec<String> = query_scalar(TABLES).fetch_all(&mut memory).await?;
    let mut faults = Faults::default();
    for table in &tables {
        if let Some(fault) = fault_of(&mut memory, table).await? {
            faults.add(format!("table {table}: {fault}"));
        }
    }
    Ok(faults.or(|| "each row satisfies its table's constraints".to_owned()))
}

async fn fault_of(
    memory: &mut SqliteConnection,
    table: &str,
) -> Result<Option<String>, sqlx::Error> {
    let columns: String = query_scalar(COLUMNS)
        .bind(table)
        .fetch_one(&mut *memory)
        .await?;
    let sql = format!(
        "CREATE TEMP TRIGGER empty AFTER INSERT ON main.{table} BEGIN DELETE FROM {table}; END;
        INSERT INTO main.{table} ({columns}) SELECT {columns} FROM file.{table};"
    );
    let outcome = memory.execute(AssertSqlSafe(sql)).await;
    memory.execute("DROP TRIGGER temp.empty").await?;
    match outcome {
        Ok(_) => Ok(None),
        Err(sqlx::Error::Database(error)) if is_constraint(&*error) => {
            Ok(Some(error.message().to_owned()))
        }
        Err(error) => Err(error),
    }
}

/// `SQLITE_CONSTRAINT` with any extension (<https://www.sqlite.org/rescode.html>).
fn is_constraint(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 19)
}

/// The file as a URI that is only read (<https://www.sqlite.org/uri.html>).
fn uri(file: &Path) -> Result<String, std::io::Error> {
    let file = std::path::absolute(file)?;
    let mut uri = "file:".to_owned();
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                uri.push(char::from(*byte));
            }
            _ => write!(uri, "%{byte:02X}").expect("a string takes every character"),
        }
    }
    uri.push_str("?mode=ro");
    if is_idle(&file) {
        uri.push_str("&immutable=1");
    }
    Ok(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_is_a_uri() {
        let uri = uri(Path::new("/a b/50%?#é.db")).unwrap();
        assert_eq!(uri, "file:/a%20b/50%25%3F%23%C3%A9.db?mode=ro&immutable=1");
    }
}
