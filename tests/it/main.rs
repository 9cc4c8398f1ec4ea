//! The one integration binary: the program told as stories, from outside.

/// As in the product: the tests of memory measure it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod api;
mod architecture;
mod cli;
mod copying;
mod crowd;
mod deploy;
mod faults;
mod journey;
mod model;
mod nodes;
mod pages;
mod process;
mod server;
mod store_story;
mod support;
mod transports;
