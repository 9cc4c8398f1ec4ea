//! What the program tells about itself: text for people, JSON lines for machines, both on standard error.

use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::config::Log;

/// Starts logging for the whole process; a second call changes nothing.
pub fn start(log: &Log) {
    // The filter was parsed once already, when the configuration was read.
    let info = Targets::new().with_default(LevelFilter::INFO);
    let filter: Targets = log.filter.parse().unwrap_or(info);
    // Colours are for a terminal; in a file or a journal they are noise. <https://no-color.org>
    let coloured = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(coloured);
    // It fails only when a subscriber is set already, as in a test that starts several servers.
    let _ = if log.json {
        builder
            .json()
            .flatten_event(true)
            .finish()
            .with(filter)
            .try_init()
    } else {
        builder.finish().with(filter).try_init()
    };
}
