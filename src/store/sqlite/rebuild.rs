//! Rebuilds the file when it closes, if people's data were deleted since it was rebuilt last.
//!
//! `secure_delete` overwrites what is deleted. That is not enough: when a page is split, SQLite copies
//! half of its cells to another page and leaves their old bytes in free space, and a name that was
//! deleted later is still there. `VACUUM` writes all pages anew from what is stored.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor as _, query, query_as, query_scalar};

use super::super::sql;

/// The setting that marks a rebuild as due. It survives a crash, so that the next orderly stop
/// rebuilds.
pub(super) const REBUILD_DUE: &str = "rebuild_due";
/// Up to this size the rebuild keeps its pages in memory. A larger file may not fit.
const IN_MEMORY_MAX: i64 = 256 * 1_024 * 1_024;
const SIZE: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
const IN_FILE: &str = "PRAGMA temp_store = FILE";
const VACUUM: &str = "VACUUM";
/// Moves the whole log into the file and truncates it, because it holds older versions of pages.
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
const DONE: &str = "DELETE FROM settings WHERE name = $1";

/// Rebuilds the file if that is due. Call it after every other connection was closed.
pub(super) async fn if_due(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let due: Option<String> = query_scalar(sql::SETTING)
        .bind(REBUILD_DUE)
        .fetch_optional(&mut *connection)
        .await?;
    if due.is_none() {
        return Ok(());
    }
    let bytes: i64 = query_scalar(SIZE).fetch_one(&mut *connection).await?;
    if bytes > IN_MEMORY_MAX {
        connection.execute(IN_FILE).await?;
    }
    connection.execute(VACUUM).await?;
    if checkpoint(connection).await? {
        query(DONE)
            .bind(REBUILD_DUE)
            .execute(&mut *connection)
            .await?;
        checkpoint(connection).await?;
    } else {
        tracing::warn!(
            "another process reads the database; erased data stay in its log until the next stop"
        );
    }
    Ok(())
}

/// Checkpoints the log. Returns whether it is empty; it is not while another process reads it.
async fn checkpoint(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let (busy, _, _): (i64, i64, i64) = query_as(CHECKPOINT).fetch_one(connection).await?;
    Ok(busy == 0)
}
