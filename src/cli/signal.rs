//! The user's wish to stop.

use tokio::signal::unix::{SignalKind, signal};

/// SIGINT (Ctrl-C, websocketd) or SIGTERM.
pub(super) async fn stop() {
    // Installing a handler fails only for signals that cannot be handled; these two can.
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be handled");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
