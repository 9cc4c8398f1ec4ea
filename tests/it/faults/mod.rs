//! Faults of the database, the nodes and the network between them, under load.
//!
//! Each test requires the same:
//! - watchers receive `stale` in time while the database is unreachable, and the right number in
//!   time after that;
//! - people who register meanwhile get a definite answer, or a 503 that they may retry;
//! - a key takes one place, and nothing acknowledged is lost;
//! - no node is restarted, and all nodes end at the same position.
//!
//! Each test prints its row of the table in docs/operations.md.

mod crowd;
mod database;
#[cfg(target_os = "linux")]
mod listener;
mod node;
mod restore;
mod rolling;
mod stage;

use std::time::Duration;

/// Watchers receive `stale` within this time after the database is lost (docs/protocol.md, section
/// 13).
const STALE_WITHIN: Duration = Duration::from_secs(3);
/// They have the right number within this time after the database is back.
const RIGHT_WITHIN: Duration = Duration::from_secs(5);
/// The promises assume a machine with idle time. A test machine runs a whole suite and every node
/// of a cluster on few cores, so a pause of the machine must not fail the test. The measured figure
/// is printed.
const SLACK: u32 = 3;

/// Prints a row of the fault table.
fn row(fault: &str, watchers: &str, registrants: &str, recovered: Duration) {
    println!(
        "| {fault} | {watchers} | {registrants} | {:.1} s |",
        recovered.as_secs_f64()
    );
}
