//! The accept loop, by raw bytes: no client library between the test and a framing fault.
//!
//! Streams that can be handed off are tested handed off and through hyper.

mod close_notify;
mod deadlines;
mod drain;
mod hangup;
pub(crate) mod host;
mod in_flight;
mod limits;
mod linger;
#[cfg(target_os = "linux")]
mod memory;
mod rules;
mod stall;
mod stream;
pub(crate) mod tls;
pub(crate) mod wire;
