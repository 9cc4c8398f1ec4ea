//! The program: parses the command line and runs the command.

use std::process::ExitCode;

use headcount::cli::Cli;

/// SQLite uses it too: with glibc's allocator its worker returns a batch's memory to the system
/// each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    Cli::read().run()
}
