//! The signals that end the program, or make it read its files again.

use std::io::IsTerminal as _;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that this process handles. They count from `listen` on.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn listen() -> Self {
        // Installing a handler fails only for signals that cannot be handled; these three can.
        Self {
            terminate: signal(SignalKind::terminate()).expect("SIGTERM can be handled"),
            interrupt: signal(SignalKind::interrupt()).expect("SIGINT can be handled"),
            hangup: signal(SignalKind::hangup()).expect("SIGHUP can be handled"),
        }
    }

    /// Waits for SIGTERM or SIGINT, and calls `on_hangup` at each SIGHUP. That of a terminal which is
    /// closed asks to stop: it must not cut visitors off.
    pub(super) async fn stop(mut self, on_hangup: impl Fn()) {
        let has_terminal = std::io::stdin().is_terminal();
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {}
            }
            if has_terminal {
                return;
            }
            on_hangup();
        }
    }
}
