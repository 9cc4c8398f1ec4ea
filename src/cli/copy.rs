//! `headcount copy`: copies a whole database into an empty one.

use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Builder;

use super::value;
use crate::store::DatabaseUrl;
use crate::store::copy::{Copied, CopyError, Progress, copy};

/// Copies a whole database into an empty one: from SQLite to Postgres, back, or into another of the
/// same kind. First stop every server of the source: the copy does not include later writes.
///
/// Links, positions and the organiser's password stay valid; organisers sign in again. The copy is
/// complete or empty. A Postgres password can come from PGPASSWORD or ~/.pgpass instead of the
/// address.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "clap prints these comments as they are"
)]
pub(super) struct CopyArgs {
    /// The source, e.g. sqlite://headcount.db.
    from: String,
    /// The target, e.g. postgres://headcount@db/headcount: an empty database, or a file that does
    /// not exist.
    to: String,
}

/// Exits with 0 when everything was copied, 1 when nothing was, 2 when an address is wrong.
pub(super) fn run(args: &CopyArgs) -> ExitCode {
    let (from, to) = match (
        args.from.parse::<DatabaseUrl>(),
        args.to.parse::<DatabaseUrl>(),
    ) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(error), _) | (_, Err(error)) => return fail(&error.to_string(), 2),
    };
    let runtime = match Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the runtime: {error}"), 1),
    };
    match runtime.block_on(shown(&from, &to)) {
        Ok(copied) => {
            println!("copied {from} to {to}:");
            for (table, rows) in copied {
                println!("{rows:>12} {table}");
            }
            println!(
                "Verified: both have the same rows in each table, and the same epoch, revision \
                and counts for each event."
            );
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error.to_string(), 1),
    }
}

/// Copies and shows a progress bar, on a terminal only.
async fn shown(from: &DatabaseUrl, to: &DatabaseUrl) -> Result<Copied, CopyError> {
    let bar = ProgressBar::new(0);
    // A valid constant.
    bar.set_style(
        ProgressStyle::with_template(
            "{msg:<14} {wide_bar} {human_pos} of {human_len} rows, {eta} left",
        )
        .expect("a valid template"),
    );
    let copied = copy(from, to, |Progress { table, rows, total }| {
        bar.set_length(total);
        bar.set_position(rows);
        bar.set_message(table);
    });
    let copied = copied.await;
    bar.finish_and_clear();
    copied
}

fn fail(why: &str, code: u8) -> ExitCode {
    value::complain("copy", why);
    ExitCode::from(code)
}
