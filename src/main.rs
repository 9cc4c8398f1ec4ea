//! The program: names the parts in the order in which they start, and stops.

use std::process::ExitCode;

use clap::Parser as _;
use headcount::cli::Cli;

/// SQLite's memory as well: its worker gives a batch's back to the system each time when it is glibc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
