//! The accept loop, by raw bytes: no client library between the test and a framing fault.
//!
//! What may go out in two ways (handed off or through hyper) is tested in both.

mod host;
mod stream;
mod wire;
