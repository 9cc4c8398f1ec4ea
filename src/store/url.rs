//! Which database.

use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

/// A parsed `--database-url`. Its `Debug` and errors never show a password.
#[derive(Debug, Clone)]
pub enum DatabaseUrl {
    /// `sqlite://<path>`; the file is created when it does not exist.
    Sqlite(Box<SqliteConnectOptions>),
    /// `postgres://…`.
    Postgres(Box<PgConnectOptions>),
}

/// The text names no database this program knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotADatabaseUrl(String);

impl FromStr for DatabaseUrl {
    type Err = NotADatabaseUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        if url.starts_with("sqlite:") {
            let options = url.parse().map_err(|e| NotADatabaseUrl(format!("not a SQLite URL such as sqlite://headcount.db: {e}")))?;
            Ok(Self::Sqlite(Box::new(options)))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            // sqlx's message could repeat the URL, password included.
            let options = url.parse().map_err(|_| NotADatabaseUrl("not a Postgres URL such as postgres://user:password@host/database".into()))?;
            Ok(Self::Postgres(Box::new(options)))
        } else {
            Err(NotADatabaseUrl("a database URL begins with sqlite:// or postgres://".into()))
        }
    }
}
