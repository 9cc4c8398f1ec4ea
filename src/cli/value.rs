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

/// A line on stdout. Unlike `println!` it does not panic when nobody reads there.
pub(super) fn say(line: &str) {
    print(format!("{line}\n").as_bytes());
}

/// Bytes on stdout, as [`say`].
pub(super) fn print(bytes: &[u8]) {
    let _ = std::io::stdout().write_all(bytes);
}

/// A line on stderr. Unlike `eprintln!` it does not panic when stderr is closed.
pub(super) fn complain(command: &str, why: &str) {
    // A server's words must not steer the terminal.
    let why = why.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}");
    let _ = writeln!(std::io::stderr(), "headcount {command}: {why}");
}
