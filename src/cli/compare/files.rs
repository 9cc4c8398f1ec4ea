//! The limit of open files for a run.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit, which a shell sets to 1,024, to `files`. Fails when the hard limit is
/// lower.
pub(super) fn allow(sockets: u64) -> Result<(), String> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= sockets) {
        return Ok(());
    }
    if maximum.is_some_and(|maximum| maximum < sockets) {
        let maximum = maximum.unwrap_or_default();
        return Err(format!(
            "{sockets} open files are needed and {maximum} are allowed; take fewer watchers or \
            raise it with ulimit -Hn"
        ));
    }
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(sockets),
            maximum,
        },
    )
    .map_err(|error| format!("{sockets} open files are needed: {error}"))
}
