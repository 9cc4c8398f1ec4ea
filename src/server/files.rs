//! Open files: each connection is one, and most systems start a program with 1,024.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::config::Config;

/// What the process needs beside its connections: database, listeners, logs, the runtime.
const BESIDE: u64 = 256;

/// Raises the process's soft limit of open files to its hard limit, and answers the limit then in force; none means no limit. The soft
/// limit protects programs that use `select(2)`; this one doesn't.
pub fn raise_open_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    // Refused only where the hard limit is beyond the system's own, as on macOS; then the soft one stays.
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

/// Tells the operator when the system stops earlier than the configured cap: clients then wait unanswered in the backlog.
pub(super) fn prepare(config: &Config) {
    let connections = config.max_connections.saturating_add(config.max_refusals);
    let needed = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(BESIDE);
    if let Some(files) = raise_open_files().filter(|files| *files < needed) {
        tracing::warn!(
            files,
            needed,
            "the system's limit of open files is below what --max-connections needs; raise it (ulimit -n, LimitNOFILE=)"
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
