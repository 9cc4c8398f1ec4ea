//! The user's wish to stop.

use tokio::signal::unix::{SignalKind, signal};

/// SIGINT (Ctrl-C, websocketd) or SIGTERM. Heard from this call on, also before the future is first
/// polled: whoever is told to stop while it starts must still stop in order.
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
