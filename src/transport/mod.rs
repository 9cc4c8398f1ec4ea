//! The push techniques, one file each.
//!
//! A transport asks its subscription for the next item and `wire` for its bytes, and writes them. It owns no query, no queue
//! and no heartbeat policy.

pub mod live;
