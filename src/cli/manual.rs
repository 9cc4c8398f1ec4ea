//! `headcount manual`: writes the man pages.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{fs, io};

use clap::{Args, CommandFactory as _};

use super::{Cli, value};

/// Writes the man pages into a folder, headcount.1 and one for each command. Copy them to
/// /usr/local/share/man/man1.
#[derive(Debug, Args)]
pub(super) struct ManualArgs {
    /// The folder; it is created if it does not exist.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Exits with 0 when every page is written, 1 when not.
pub(super) fn run(args: &ManualArgs) -> ExitCode {
    match write(&args.folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            value::complain("manual", &format!("{}: {error}", args.folder.display()));
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)
}
