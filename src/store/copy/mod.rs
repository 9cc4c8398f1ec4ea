//! Copies a whole database into an empty one, of the same kind or the other.
//!
//! The source is read in one snapshot, a row at a time. The target is written in one transaction, a
//! chunk at a time. So memory stays small for a million rows, and a copy that fails leaves nothing.
//! Keys, epochs and revisions stay what they are: the positions and private links that clients hold
//! stay valid. The copy also sets the keys that the source would give next, so that a deleted
//! event's key never means another event. Before it commits, it compares the copy with the source:
//! the rows of each table, and the epoch, revision and counts of each event.
//!
//! Sessions are not copied (organisers sign in again, with the same password), and neither are the
//! reports of watchers and the keys of TLS session tickets.

use std::io;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio::time::timeout;

use super::{DatabaseUrl, Store, StoreError};

mod source;
mod tables;
mod target;

use source::Source;
use tables::TABLES;
use target::Target;

/// Rows in one statement: enough to make round trips cheap, few enough to take little memory.
const CHUNK: usize = 1_000;
/// How long opening a database may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a database was not copied. The target is as it was, but for its schema.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// See [`StoreError`]; which of the two databases.
    #[error("{0}: {1}")]
    Store(String, #[source] StoreError),
    /// There is no such file.
    #[error("{0} does not exist")]
    Missing(String),
    /// The source was written by another version of this program, or by another program.
    #[error(
        "{0} does not have this version's schema; start this version's server on it once, stop \
        it, and copy then"
    )]
    NotCurrent(String),
    /// The target has rows: a copy never mixes with them.
    #[error(
        "{0} is not empty: it has rows in {1}; name a database that was never used (not even by a \
        server's first start)"
    )]
    NotEmpty(String, &'static str),
    /// A defect: nothing was kept.
    #[error("the copy is not what was copied ({0}); nothing was kept")]
    Differs(String),
}

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The table that is being copied.
    pub table: &'static str,
    /// Rows so far, of all tables.
    pub rows: u64,
    /// Rows in all.
    pub total: u64,
}

/// The tables that were copied, in order, each with its number of rows.
pub type Copied = Vec<(&'static str, u64)>;

/// The state of an event, which must be equal in a database and its copy. Its fields are key,
/// epoch, revision, registered, waiting, people confirmed by its rows, all registrations, lines of
/// its log, and the last line's revision.
type State = (i64, String, i64, i64, i64, i64, i64, i64, i64);

/// Copies everything except sessions and ticket keys from `from` to `to`, and calls `progress` after each chunk.
/// `to` gets this version's schema first.
pub async fn copy(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    mut progress: impl FnMut(Progress),
) -> Result<Copied, CopyError> {
    let at = |url: &DatabaseUrl| {
        let url = url.to_string();
        move |error: sqlx::Error| CopyError::Store(url, error.into())
    };
    let mut source = connect(Source::open(from))
        .await
        .map_err(at(from))?
        .ok_or_else(|| CopyError::Missing(from.to_string()))?;
    if !source.is_current().await.map_err(at(from))? {
        return Err(CopyError::NotCurrent(from.to_string()));
    }
    // Creates the schema.
    Store::open(to, None)
        .await
        .map_err(|error| CopyError::Store(to.to_string(), error))?
        .close()
        .await;
    let mut target = connect(Target::open(to)).await.map_err(at(to))?;
    for table in &TABLES {
        if target.count(table).await.map_err(at(to))? > 0 {
            return Err(CopyError::NotEmpty(to.to_string(), table.name));
        }
    }

    let mut copied = Vec::with_capacity(TABLES.len());
    for table in &TABLES {
        copied.push((table.name, source.count(table).await.map_err(at(from))?));
    }
    let total = copied.iter().map(|(_, rows)| rows).sum();
    let mut rows = 0;
    for table in &TABLES {
        progress(Progress {
            table: table.name,
            rows,
            total,
        });
        {
            let sql = source.select(table);
            let mut found = source.rows(table, &sql);
            let mut chunk = Vec::with_capacity(CHUNK);
            loop {
                let row = found.try_next().await.map_err(at(from))?;
                let is_last = row.is_none();
                chunk.extend(row);
                if chunk.len() == CHUNK || (is_last && !chunk.is_empty()) {
                    target.insert(table, &chunk).await.map_err(at(to))?;
                    rows += chunk.len() as u64;
                    chunk.clear();
                    progress(Progress {
                        table: table.name,
                        rows,
                        total,
                    });
                }
                if is_last {
                    break;
                }
            }
        }
        if table.draws_keys
            && let Some(last) = source.last_key(table).await.map_err(at(from))?
        {
            target.set_last_key(table, last).await.map_err(at(to))?;
        }
    }

    for (table, (name, expected)) in TABLES.iter().zip(&copied) {
        let found = target.count(table).await.map_err(at(to))?;
        if found != *expected {
            return Err(CopyError::Differs(format!(
                "{name}: {found} rows instead of {expected}"
            )));
        }
    }
    let (before, after) = (
        source.states().await.map_err(at(from))?,
        target.states().await.map_err(at(to))?,
    );
    if let Some((before, after)) = before
        .iter()
        .zip(&after)
        .find(|(before, after)| before != after)
    {
        return Err(CopyError::Differs(format!(
            "event {}: {after:?} instead of {before:?}",
            before.0
        )));
    }
    target.commit().await.map_err(at(to))?;
    source.close().await;
    Ok(copied)
}

async fn connect<T>(
    opening: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    match timeout(CONNECT_TIMEOUT, opening).await {
        Ok(opened) => opened,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no answer in {CONNECT_TIMEOUT:?}"),
        )
        .into()),
    }
}
