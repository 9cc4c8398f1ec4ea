//! The program: names the parts in the order in which they start, and stops.

use std::process::ExitCode;

use clap::Parser as _;
use headcount::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
