//! Memory belongs to a process, so what is measured runs in one of its own: this test binary,
//! started again for one test.

use std::process::Command;

/// Distinguishes the process that measures from the one that starts it.
const MEASURE: &str = "HEADCOUNT_TEST_MEASURE";
/// Makes the allocator return freed memory at once (milliseconds), so that resident memory is
/// memory in use.
const AT_ONCE: &str = "MIMALLOC_PURGE_DELAY";

/// Whether this process is the one that measures.
pub(crate) fn measuring() -> bool {
    std::env::var_os(MEASURE).is_some()
}

/// Runs the test with that full name in its own process, and returns the whole numbers that it
/// printed after `label`.
#[track_caller]
pub(crate) fn measured(test: &str, label: &str) -> Vec<usize> {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child
        .args([test, "--exact", "--nocapture"])
        .env(MEASURE, "1")
        .env(AT_ONCE, "0")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let nothing = || {
        panic!(
            "nothing measured: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        )
    };
    let line = text
        .lines()
        .find_map(|line| line.split(label).nth(1))
        .unwrap_or_else(nothing);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    line.split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect()
}

/// Memory of this process that is its own, bytes.
pub(crate) fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .unwrap();
    line.trim()
        .trim_end_matches(" kB")
        .parse::<usize>()
        .unwrap()
        * 1024
}

/// Bytes that this process has allocated and not freed. Exact, whatever the allocator keeps;
/// without what C code allocates.
pub(crate) fn allocated() -> usize {
    crate::ALLOCATOR.allocated()
}
