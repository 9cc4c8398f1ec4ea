//! The signals that ask a client command to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGINT (Ctrl-C, websocketd) or SIGTERM. Signals count from this call on, also before
/// the future is first polled, so that a command can stop cleanly while it starts.
pub(super) fn stop() -> impl Future<Output = ()> {
    // Installing a handler fails only for signals that cannot be handled; these two can.
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be handled");
    async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
