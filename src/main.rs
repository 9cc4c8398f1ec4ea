//! The program: names the parts in the order in which they start, and stops.

use std::process::ExitCode;

use clap::Parser as _;
use headcount::cli::Cli;

/// For SQLite's memory as well: with glibc's allocator its worker gives a batch's memory back to
/// the system each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::parse().run()
}
