//! What the program tells about itself: text for people, JSON lines for machines, both on standard error.

use tracing_subscriber::EnvFilter;

use super::config::Log;

/// Starts logging for the whole process; a second call changes nothing.
pub fn start(log: &Log) {
    // The filter was parsed once already, when the configuration was read.
    let filter = EnvFilter::try_new(&log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // It fails only when a subscriber is set already, as in a test that starts several servers.
    let _ = if log.json { builder.json().flatten_event(true).try_init() } else { builder.try_init() };
}
