//! The head of a request, by the name that handlers here use.

pub use crate::context::head::{RequestHead as Incoming, head as incoming};
