//! `headcount completions`: prints a shell's completions.

use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, value};

/// Prints completions for a shell. Bash reads them from
/// /usr/share/bash-completion/completions/headcount, zsh from a file _headcount in its fpath, fish
/// from ~/.config/fish/completions/headcount.fish.
#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

/// Exits with 0.
pub(super) fn run(args: &CompletionsArgs) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "headcount", &mut script);
    value::print(&script);
    ExitCode::SUCCESS
}
