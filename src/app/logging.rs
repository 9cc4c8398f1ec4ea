//! What the program tells about itself: text for people, JSON lines for machines, both on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::config::Log;

/// Starts logging for the whole process; a second call changes nothing.
pub fn start(log: &Log) {
    // The filter was parsed once already, when the configuration was read.
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    // Colours are for a terminal; in a file or a journal they are noise. <https://no-color.org>
    let coloured = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(coloured);
    // It fails only when a subscriber is set already, as in a test that starts several servers.
    let _ = if log.json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.try_init()
    };
}
