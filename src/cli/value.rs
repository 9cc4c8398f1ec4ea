//! Flag values and error lines of the client commands.

use std::io::Write as _;
use std::time::Duration;

/// Parses a time between requests. It has a lower bound, so that a watcher does not become an
/// attack.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    const SHORTEST: Duration = Duration::from_millis(100);
    let interval = duration(text)?;
    if interval < SHORTEST {
        Err("100ms at least".into())
    } else {
        Ok(interval)
    }
}

/// `250ms`, `10s`, `2m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write it like 500ms, 10s or 2m"))
}

/// A line on stderr. Unlike `eprintln!` it does not panic when stderr is closed.
pub(super) fn complain(command: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "headcount {command}: {why}");
}
