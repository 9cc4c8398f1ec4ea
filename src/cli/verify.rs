//! `headcount verify`: checks a database file.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::runtime::Builder;

use super::value;
use crate::store::backup::{Check, Report, verify};

/// Checks a backup, or the database file of a server, without changing it: SQLite's integrity
/// check, references, the schema, every event's counts against its rows, and its revisions without
/// gaps. Prints one line for each check.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Exits with 0 when every check passed, 1 when one failed.
pub(super) fn run(args: &VerifyArgs) -> ExitCode {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => print(&runtime.block_on(verify(&args.file))),
        Err(error) => {
            value::complain("verify", &format!("cannot start the runtime: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints one line for each check; the exit code is 0 if all passed.
pub(super) fn print(report: &Report) -> ExitCode {
    for Check { name, outcome } in &report.0 {
        match outcome {
            Ok(found) => value::say(&format!("ok    {name:<12} {found}")),
            Err(fault) => value::say(&format!("FAIL  {name:<12} {fault}")),
        }
    }
    if report.is_sound() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
