//! Parses `--database-url`.

use std::fmt;
use std::str::FromStr;

use ::url::form_urlencoded;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

/// A parsed `--database-url`. Neither its `Debug` and `Display` nor its errors show a password.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// `sqlite://<path>`; the file is created when it does not exist.
    Sqlite(Box<SqliteConnectOptions>),
    /// `postgres://…`.
    Postgres(Box<PgConnectOptions>),
}

/// The URL names no database that this program can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotADatabaseUrl(String);

impl FromStr for DatabaseUrl {
    type Err = NotADatabaseUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        if url.starts_with("sqlite:") {
            // sqlx's message repeats a parameter, which may be a secret that belongs elsewhere.
            let options: SqliteConnectOptions = url.parse().map_err(|_| {
                NotADatabaseUrl(
                    "not a SQLite URL such as sqlite://headcount.db; check its parameters".into(),
                )
            })?;
            check_file(&options, url).map_err(|reason| NotADatabaseUrl(reason.to_owned()))?;
            Ok(Self::Sqlite(Box::new(options)))
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            // sqlx's message could contain the URL with its password.
            let options = url.parse().map_err(|_| {
                NotADatabaseUrl(
                    "not a Postgres URL such as postgres://user:password@host/database".into(),
                )
            })?;
            Ok(Self::Postgres(Box::new(options)))
        } else {
            Err(NotADatabaseUrl(
                "a database URL begins with sqlite:// or postgres://".into(),
            ))
        }
    }
}

/// The connections must share one file that can be written.
fn check_file(options: &SqliteConnectOptions, url: &str) -> Result<(), &'static str> {
    let file = options.get_filename();
    let (path, parameters) = url.split_once('?').unwrap_or((url, ""));
    let has = |name: &str, value: &str| {
        form_urlencoded::parse(parameters.as_bytes()).any(|(n, v)| n == name && v == value)
    };
    if has("mode", "memory") || path.ends_with(":memory:") {
        return Err(
            "a database in memory would be lost at the end, and each connection would see another \
            one; name a file, such as sqlite://headcount.db",
        );
    }
    if file.as_os_str().is_empty() {
        return Err(
            "the SQLite URL names no file; write it like sqlite://headcount.db (relative) or \
            sqlite:///var/lib/headcount.db (absolute)",
        );
    }
    // SQLite would parse this as a URI, whose options could contradict those set here.
    if file.to_string_lossy().starts_with("file:") {
        return Err(
            "write the SQLite URL with a plain path, such as sqlite:///var/lib/headcount.db",
        );
    }
    if has("mode", "ro") || has("immutable", "true") || has("immutable", "1") {
        return Err(
            "the database has to be written to; leave mode=ro and immutable out of its URL",
        );
    }
    Ok(())
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(options) => write!(f, "sqlite://{}", options.get_filename().display()),
            Self::Postgres(options) => {
                let database = options.get_database().unwrap_or(options.get_username());
                write!(
                    f,
                    "postgres://{}@{}:{}/{database}",
                    options.get_username(),
                    options.get_host(),
                    options.get_port()
                )
            }
        }
    }
}

/// sqlx's `Debug` would print the password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_may_be_relative_or_absolute() {
        for (url, shown) in [
            ("sqlite://headcount.db", "sqlite://headcount.db"),
            ("sqlite:headcount.db", "sqlite://headcount.db"),
            (
                "sqlite:///var/lib/headcount.db",
                "sqlite:///var/lib/headcount.db",
            ),
        ] {
            assert_eq!(url.parse::<DatabaseUrl>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_several_connections_cannot_share_or_write_is_refused() {
        for url in [
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://x.db?mode=memory",
            "sqlite://",
            "sqlite:",
            "sqlite://file:x.db",
            "sqlite://x.db?mode=ro",
            "sqlite://x.db?immutable=1",
            "mysql://localhost/x",
            "headcount.db",
            "",
        ] {
            assert!(url.parse::<DatabaseUrl>().is_err(), "{url}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let url: DatabaseUrl = "postgres://ada:hunter2@db.example.org:5433/headcount"
            .parse()
            .unwrap();
        assert_eq!(
            url.to_string(),
            "postgres://ada@db.example.org:5433/headcount"
        );
        assert!(!format!("{url:?}").contains("hunter2"));
        let broken = "postgres://ada:hunter2@db.example.org:port/headcount"
            .parse::<DatabaseUrl>()
            .unwrap_err();
        assert!(!broken.to_string().contains("hunter2"));
    }
}
