//! Hostile clients, against the real binary. The server gives orderly answers and serves everybody
//! else.

mod attacker;
mod attacks;
mod cases;
mod fuzz;
pub(crate) mod http2;
mod log;
mod means;
mod sign_in;
mod target;
