//! The command line: `serve` (the default), `health`, `watch`, `copy`, `backup`, `verify`, `compare`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod backup;
mod client;
mod compare;
mod copy;
mod doctor;
mod health;
mod serve;
mod signal;
mod value;
mod verify;
mod watch;

pub use serve::ServeArgs;

/// A live registration counter: never oversold, never a lost registration, the same number on every
/// screen.
#[derive(Debug, Parser)]
#[command(
    name = "headcount",
    version,
    about,
    args_conflicts_with_subcommands = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and the API (the default command).
    Serve(Box<ServeArgs>),
    /// Check whether a server is ready: the one on this machine, or any.
    Health(health::HealthArgs),
    /// Print one line for each change of an event.
    Watch(watch::WatchArgs),
    /// Copy a whole database into an empty one.
    Copy(copy::CopyArgs),
    /// Write a consistent copy of a database to a file, while servers use it.
    Backup(backup::BackupArgs),
    /// Check a backup, or the database file of a server.
    Verify(verify::VerifyArgs),
    /// Check everything that a server needs, and say what to do.
    Doctor(Box<doctor::DoctorArgs>),
    /// Measure every transport under load, side by side.
    Compare(Box<compare::CompareArgs>),
}

impl Cli {
    /// Runs the command. The exit code is 0, or 1 for a failure, or 2 for a mistake in the
    /// configuration.
    pub fn run(self) -> ExitCode {
        match self.command {
            None => serve::run(&self.serve),
            Some(Command::Serve(args)) => serve::run(&args),
            Some(Command::Health(args)) => health::run(&args),
            Some(Command::Watch(args)) => watch::run(&args),
            Some(Command::Copy(args)) => copy::run(&args),
            Some(Command::Backup(args)) => backup::run(&args),
            Some(Command::Verify(args)) => verify::run(&args),
            Some(Command::Doctor(args)) => doctor::run(&args),
            Some(Command::Compare(args)) => compare::run(&args),
        }
    }
}
