//! Helpers: temporary databases and servers, and clients that hide nothing.

pub(crate) mod app;
#[path = "../../../src/domain/cases.rs"]
pub(crate) mod cases;
#[cfg(target_os = "linux")]
pub(crate) mod memory;
pub(crate) mod port;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod sqlite;
pub(crate) mod sse;
pub(crate) mod watcher;

pub(crate) use super::server::wire;
