//! Everything between the nodes and their database breaks, one thing after the other, under load.
//!
//! Each story demands the same: watchers receive `stale` in time where the database is away, and
//! the right number in time after it is back; whoever registers meanwhile gets a definite answer or
//! a 503 that may be tried again; one key takes one place; nothing that was acknowledged is lost;
//! no node is restarted; all nodes end at the same position.
//!
//! Each prints its row of the table in docs/operations.md.

mod crowd;
mod database;
mod node;
mod restore;
mod rolling;
mod stage;

use std::time::Duration;

/// Watchers hear of a database that is away within this time (docs/protocol.md, section 13.2).
const STALE_WITHIN: Duration = Duration::from_secs(3);
/// They have the right number within this time after it is back.
const RIGHT_WITHIN: Duration = Duration::from_secs(5);
/// The promises are made for a machine that has time for its server. This one runs a test suite and
/// every node of a cluster on two cores: a pause of the machine must not fail the test. The
/// measured figure is printed.
const SLACK: u32 = 3;

/// Prints a row of the fault table.
fn row(fault: &str, watchers: &str, registrants: &str, recovered: Duration) {
    println!(
        "| {fault} | {watchers} | {registrants} | {:.1} s |",
        recovered.as_secs_f64()
    );
}
