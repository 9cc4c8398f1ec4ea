//! `headcount copy`: a whole database into an empty one.

use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Builder;

use super::value;
use crate::store::DatabaseUrl;
use crate::store::copy::{Copied, CopyError, Progress, copy};

/// Copies a whole database into an empty one: from SQLite to Postgres, back, or into another of the same kind. Stop every server
/// of the first before: what is written there after the copy has begun is not in it.
///
/// Links, positions and the organiser's password stay valid; who is signed in to the console signs in again. All is copied or
/// nothing. A password of Postgres need not stand in the address: PGPASSWORD and ~/.pgpass are read.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "clap prints these comments as they are"
)]
pub(super) struct CopyArgs {
    /// Where everything is, e.g. sqlite://headcount.db.
    from: String,
    /// Where it is to be, e.g. postgres://headcount@db/headcount: an empty database, or a file that does not exist.
    to: String,
}

/// 0 when everything was copied; 1 when nothing was; 2 when an address is wrong.
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
            println!("{from} is now also {to}:");
            for (table, rows) in copied {
                println!("{rows:>12} {table}");
            }
            println!(
                "The rows of each table and every event's epoch, revision and counts were compared: they are equal."
            );
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error.to_string(), 1),
    }
}

/// Copies and shows a progress bar, on a terminal only.
async fn shown(from: &DatabaseUrl, to: &DatabaseUrl) -> Result<Copied, CopyError> {
    let bar = ProgressBar::new(0);
    // A constant of the right form.
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
