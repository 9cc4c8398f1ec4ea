//! `headcount backup`: writes a consistent copy of a database to a file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tokio::runtime::Builder;

use super::{signal, value, verify};
use crate::store::DatabaseUrl;
use crate::store::backup::{BackupError, Report, backup};

/// Writes a consistent copy of a database to a new SQLite file, while servers go on using it. The
/// file is complete, checked and on the disk before it gets its name; only its owner can read it.
///
/// Restore it with `headcount copy sqlite://FILE DATABASE`. A Postgres password can come from
/// PGPASSWORD or ~/.pgpass instead of the address.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "clap prints these comments as they are"
)]
pub(super) struct BackupArgs {
    /// The database, e.g. sqlite://headcount.db or postgres://headcount@db/headcount.
    #[arg(value_name = "DATABASE")]
    from: String,
    /// The file to write; it must not exist.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Exits with 0 when the backup is written and every check passed, 1 when not, 2 when the address is
/// wrong.
pub(super) fn run(args: &BackupArgs) -> ExitCode {
    let from = match args.from.parse::<DatabaseUrl>() {
        Ok(from) => from,
        Err(error) => return fail(&error.to_string(), 2),
    };
    let runtime = match Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the runtime: {error}"), 1),
    };
    match runtime.block_on(until_stopped(&from, &args.file)) {
        Some(Ok(report)) => {
            value::say(&format!("wrote {from} to {}:", args.file.display()));
            verify::print(&report)
        }
        Some(Err(error)) => fail(&error.to_string(), 1),
        None => fail("stopped by a signal; nothing was written", 1),
    }
}

/// Makes a backup; after a signal it removes what it has written. `None` then.
async fn until_stopped(from: &DatabaseUrl, file: &Path) -> Option<Result<Report, BackupError>> {
    tokio::select! {
        () = signal::stop() => None,
        outcome = backup(from, file) => Some(outcome),
    }
}

fn fail(why: &str, code: u8) -> ExitCode {
    value::complain("backup", why);
    ExitCode::from(code)
}
