//! The one integration binary: the program told as stories, from outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

/// As in the product: the tests of memory measure it. It counts what is in use, which the resident
/// pages only hint at.
#[global_allocator]
static ALLOCATOR: cap::Cap<mimalloc::MiMalloc> = cap::Cap::new(mimalloc::MiMalloc, usize::MAX);

mod api;
mod architecture;
mod cli;
mod copying;
mod crowd;
mod deploy;
mod documents;
mod faults;
mod hostile;
mod journey;
mod model;
mod nodes;
mod pages;
mod process;
mod server;
mod store_contract;
mod support;
mod transports;
