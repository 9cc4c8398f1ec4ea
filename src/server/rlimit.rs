//! Open files: each connection is one, and most systems start a program with 1,024.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::config::Config;

/// What the process needs beside its connections: database, listeners, logs, the runtime.
const BESIDE: u64 = 256;

/// Raises the process's soft limit of open files to its hard limit, and returns the limit that
/// applies then; `None` means no limit. The soft limit protects programs that use `select(2)`; this
/// one does not.
pub fn raise_open_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    // It fails only if the hard limit is above the system's own, as on macOS. Then the soft limit
    // stays.
    match setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    ) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

/// How many open files `connections` need in all.
pub fn open_files_needed(connections: usize) -> u64 {
    u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(BESIDE)
}

/// Warns when the system stops earlier than the configured limit: clients then wait in the backlog
/// without an answer.
pub(super) fn warn_if_low(config: &Config) {
    let connections = config.max_connections.saturating_add(config.max_refusals);
    let needed = open_files_needed(connections);
    if let Some(files) = raise_open_files().filter(|files| *files < needed) {
        tracing::warn!(
            files,
            needed,
            "the system's limit of open files is below what --max-connections needs; raise it \
            (ulimit -n, LimitNOFILE=)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let raised = raise_open_files();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!((limit.current, raised), (limit.maximum, limit.maximum));
    }
}
