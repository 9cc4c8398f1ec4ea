//! Measures a change from its commit to the writing of its bytes.

use std::sync::OnceLock;

use metrics::Histogram;

use crate::domain::clock::Clock;
use crate::live::presence::Transport;
use crate::wire::message::Message;

/// The histogram's name.
pub const COMMIT_TO_WRITE: &str = "headcount_commit_to_write_seconds";

/// Observes a push that is about to be written, unless it says nothing new. Not for the first push
/// of a connection, which is as old as the event's last change.
pub(super) fn observe(transport: Transport, clock: &Clock, message: &Message) {
    // Getting a handle from the recorder costs a hash and a lock. So each transport gets it once:
    // at its first push, when the recorder is installed.
    static HISTOGRAMS: [OnceLock<Histogram>; Transport::ALL.len()] =
        [const { OnceLock::new() }; Transport::ALL.len()];
    let Some(committed_at) = message.committed_at() else {
        return;
    };
    let histogram = HISTOGRAMS[transport as usize]
        .get_or_init(|| metrics::histogram!(COMMIT_TO_WRITE, "transport" => transport.as_str()));
    histogram.record(clock.now().since(committed_at).as_secs_f64());
}
