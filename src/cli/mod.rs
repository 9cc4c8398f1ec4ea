//! The command line: one module for each command, and `serve` without one. `layers` merges flags,
//! variables and files.

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

mod backup;
mod client;
mod compare;
mod completions;
mod config;
mod copy;
mod doctor;
mod event;
mod health;
mod layers;
mod manual;
mod organise;
mod people;
mod serve;
mod signal;
mod value;
mod verify;
mod watch;

pub use serve::ServeArgs;

use layers::Layers;

use crate::app::config::Config;

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
    /// List, show and change the events of a running server.
    Event(Box<event::EventArgs>),
    /// List, add, cancel and export the registrations of an event.
    People(Box<people::PeopleArgs>),
    /// Copy a whole database into an empty one.
    Copy(copy::CopyArgs),
    /// Write a consistent copy of a database to a file, while servers use it.
    Backup(backup::BackupArgs),
    /// Check a backup, or the database file of a server.
    Verify(verify::VerifyArgs),
    /// Check everything that a server needs, and say what to do.
    Doctor(Box<doctor::DoctorArgs>),
    /// Print the options that are in force, and where each comes from.
    Config(Box<config::ConfigArgs>),
    /// Print a shell's completions.
    Completions(completions::CompletionsArgs),
    /// Write the man pages into a folder.
    Manual(manual::ManualArgs),
    /// Measure every transport under load, side by side.
    Compare(Box<compare::CompareArgs>),
}

impl Cli {
    /// Reads the command line, the environment, and the files that they name. Ends the process when
    /// the command line has no meaning, and after `--help`.
    pub fn read() -> Self {
        Self::try_read().unwrap_or_else(|error| error.exit())
    }

    fn try_read() -> Result<Self, clap::Error> {
        let given = Self::command().try_get_matches()?;
        let (command, mut layers, origins) = Self::layered(&given);
        let matches = command.try_get_matches()?;
        let active = matches.subcommand().map_or(&matches, |(_, active)| active);
        layers.settings = layers::settings(active, origins);
        let mut cli = Self::from_arg_matches(&matches)?;
        cli.take(layers);
        Ok(cli)
    }

    /// Reads the configuration of this process's server again.
    fn reread() -> Result<Config, Vec<String>> {
        let cli = Self::try_read().map_err(|error| vec![error.to_string()])?;
        match &cli.command {
            Some(Command::Serve(args)) => Config::read(args),
            _ => Config::read(&cli.serve),
        }
    }

    /// The command line with what files and credentials add to the options of the active command.
    fn layered(given: &ArgMatches) -> (clap::Command, Layers, Vec<(String, String)>) {
        let environment = |name: &str| std::env::var(name).ok();
        let mut layers = Layers::default();
        let mut origins = Vec::new();
        let mut apply = |command: clap::Command, matches: &ArgMatches| {
            if !layers::takes_a_file(&command) {
                return command;
            }
            let (command, found) =
                layers::apply(command, matches, &environment, &mut layers.mistakes);
            origins = found;
            command
        };
        let all = Self::command();
        let command = match given.subcommand() {
            None => apply(all, given),
            Some((name, matches)) => all.mut_subcommand(name, |command| apply(command, matches)),
        };
        (command, layers, origins)
    }

    /// Gives the command what was read for it.
    fn take(&mut self, layers: Layers) {
        match &mut self.command {
            None => self.serve.layers = layers,
            Some(Command::Serve(args)) => args.layers = layers,
            Some(Command::Health(args)) => args.layers = layers,
            Some(Command::Doctor(args)) => args.serve.layers = layers,
            Some(Command::Config(args)) => args.serve.layers = layers,
            Some(
                Command::Watch(_)
                | Command::Event(_)
                | Command::People(_)
                | Command::Copy(_)
                | Command::Backup(_)
                | Command::Verify(_)
                | Command::Completions(_)
                | Command::Manual(_)
                | Command::Compare(_),
            ) => {}
        }
    }

    /// Runs the command. The exit code is 0, or 1 for a failure, or 2 for a mistake in the
    /// configuration.
    pub fn run(self) -> ExitCode {
        match self.command {
            None => serve::run(&self.serve),
            Some(Command::Serve(args)) => serve::run(&args),
            Some(Command::Health(args)) => health::run(&args),
            Some(Command::Watch(args)) => watch::run(&args),
            Some(Command::Event(args)) => event::run(&args),
            Some(Command::People(args)) => people::run(&args),
            Some(Command::Copy(args)) => copy::run(&args),
            Some(Command::Backup(args)) => backup::run(&args),
            Some(Command::Verify(args)) => verify::run(&args),
            Some(Command::Doctor(args)) => doctor::run(&args),
            Some(Command::Config(args)) => config::run(&args),
            Some(Command::Completions(args)) => completions::run(&args),
            Some(Command::Manual(args)) => manual::run(&args),
            Some(Command::Compare(args)) => compare::run(&args),
        }
    }
}
