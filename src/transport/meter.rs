//! How long a change takes from its commit to the writing of its bytes.

use std::sync::OnceLock;

use metrics::Histogram;

use crate::domain::clock::Clock;
use crate::live::presence::Transport;
use crate::wire::message::Message;

/// The histogram's name.
pub const COMMIT_TO_WRITE: &str = "headcount_commit_to_write_seconds";

/// Observes a push that is about to be written; what tells nothing new is passed over. The first push of a connection must not
/// come here: it is as old as the event's last change.
pub(super) fn observe(transport: Transport, clock: &Clock, message: &Message) {
    // Asking the recorder for the handle costs a hash and a lock; a handle is asked for once for each transport, at the first
    // push, when the recorder has long been installed.
    static HISTOGRAMS: [OnceLock<Histogram>; Transport::ALL.len()] =
        [const { OnceLock::new() }; Transport::ALL.len()];
    let Some(committed_at) = message.committed_at() else {
        return;
    };
    let histogram = HISTOGRAMS[transport as usize]
        .get_or_init(|| metrics::histogram!(COMMIT_TO_WRITE, "transport" => transport.as_str()));
    histogram.record(clock.now().since(committed_at).as_secs_f64());
}
