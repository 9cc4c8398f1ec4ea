//! The only integration binary: tests of the program from outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

/// The product's allocator, because memory tests measure it. It counts allocated bytes; resident
/// pages are only a hint.
#[global_allocator]
static ALLOCATOR: cap::Cap<mimalloc::MiMalloc> = cap::Cap::new(mimalloc::MiMalloc, usize::MAX);

mod api;
mod architecture;
mod backups;
mod cli;
mod copying;
mod crowd;
mod deploy;
mod documents;
mod erasing;
mod faults;
mod hostile;
mod journey;
mod mail;
mod mailing;
mod model;
mod nodes;
mod pages;
mod process;
mod server;
mod starting;
mod store_contract;
mod support;
mod traces;
mod transports;
mod upgrade;
mod webhooks;
